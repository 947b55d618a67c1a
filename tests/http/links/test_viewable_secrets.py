"""`secrets_viewable`: a secret is made again for administrators, where the operator says so, and never stored."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.http.conftest import Site, SiteFactory
from watersmeet import demo
from watersmeet.database.audit import Event, Query, search
from watersmeet.database.schema import client_secrets

LINK = "/plugins/servlet/applinks/incoming"


def _post(browser: Any, page: str, path: str, **fields: str) -> Any:
    token = re.findall(r'name="form_token" value="(\w+)"', browser.get(page).text)[-1]
    return browser.post(path, data={"form_token": token, **fields})


def _create(browser: Any) -> tuple[str, str, str]:
    """The page of a new link, its client ID and its secret."""
    fields = {"name": "Sync", "redirect_uris": "https://sync.example.com/cb", "scope": "READ", "type": "confidential"}
    page = _post(browser, LINK, LINK, **fields).text
    client_id, secret = re.findall(r"<pre [^>]*>(\w+)</pre>", page)[:2]
    return page, client_id, secret


def _see(browser: Any, client_id: str) -> Any:
    return _post(browser, f"{LINK}/{client_id}", f"{LINK}/{client_id}/secret")


@pytest.fixture
def site(site_under: SiteFactory) -> Site:
    return site_under(secrets_viewable=True)


def test_a_secret_is_seen_again_and_each_time_is_in_the_audit_log(site: Site) -> None:
    admin = site.signed_in("admin")
    page, client_id, secret = _create(admin)
    assert "Administrators can see it again." in page
    assert secret not in admin.get(f"{LINK}/{client_id}").text  # only for whoever asks
    seen = _see(admin, client_id)
    assert seen.status_code == 200
    assert re.findall(r"<pre [^>]*>(\w+)</pre>", seen.text)[:2] == [client_id, secret]
    assert f"CLIENT_SECRET={secret}" in seen.text
    [entry] = site.environment.database.read_now(lambda tx: search(tx, Query(event=Event.SECRET_VIEWED)))
    assert (entry.actor, entry.client_id) == ("admin", client_id)


def test_the_newest_is_shown_and_it_is_the_one_that_works(site: Site) -> None:
    admin = site.signed_in("admin")
    _, client_id, first = _create(admin)
    site.clock.advance(1)
    link = f"{LINK}/{client_id}"
    rotated = _post(admin, link, f"{link}/rotate-secret", overlap_hours="1").text
    assert "Administrators can see it again." in rotated
    second = re.findall(r"<pre [^>]*>(\w+)</pre>", rotated)[1]
    assert second != first
    assert second in _see(admin, client_id).text
    form = {"client_id": client_id, "grant_type": "refresh_token", "refresh_token": "x"}
    for secret, error in ((first, "invalid_grant"), (second, "invalid_grant"), ("x" * 64, "invalid_client")):
        answer = site.client.post("/rest/oauth2/latest/token", data=form | {"client_secret": secret})
        assert answer.json()["error"] == error


def test_the_database_alone_does_not_hold_it(site: Site) -> None:
    _, _, secret = _create(site.signed_in("admin"))
    rows = site.environment.database.read_now(lambda tx: tx.execute(select(client_secrets)).all())
    assert secret not in repr(rows)
    keys = site.environment.keys
    [salt] = [row.salt for row in rows if row.salt]
    assert keys.client_secret(salt) == secret
    assert type(keys).derive("another secret of the server, also long").client_secret(salt) != secret


def test_what_was_made_without_the_setting_is_never_shown(site: Site) -> None:
    admin = site.signed_in("admin")
    assert "Show the secret" not in admin.get(f"{LINK}/{demo.CLIENT_ID}").text
    refused = _see(admin, demo.CLIENT_ID)
    assert refused.status_code == 400
    assert "cannot be shown again" in refused.text
    assert demo.CLIENT_SECRET not in refused.text


def test_turning_it_off_hides_what_was_made_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = site.signed_in("admin")
    _, client_id, secret = _create(admin)
    assert "Show the secret" in admin.get(f"{LINK}/{client_id}").text
    off = replace(site.environment.settings, secrets_viewable=False)
    monkeypatch.setitem(site.environment.__dict__, "settings", off)
    assert "Show the secret" not in admin.get(f"{LINK}/{client_id}").text
    refused = _see(admin, client_id)
    assert refused.status_code == 400
    assert secret not in refused.text


def test_it_is_for_administrators_and_from_our_own_page(site: Site) -> None:
    _, client_id, secret = _create(site.signed_in("admin"))
    for browser in (site.signed_in("alice"), site.signed_in("admin")):
        answer = browser.post(f"{LINK}/{client_id}/secret", data={"form_token": "forged"})
        assert answer.status_code == 403
        assert secret not in answer.text
    assert site.new_browser().post(f"{LINK}/{client_id}/secret").headers["location"].startswith("/login.action?")
