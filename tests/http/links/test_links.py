"""The pages of incoming links and of a user's authorized applications."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.http.conftest import Site
from watersmeet import demo

LINKS = "/plugins/servlet/applinks/listApplicationLinks"
NEW_LINK = "/plugins/servlet/applinks/incoming"
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


def _form(site: Site, browser: Any, path: str) -> dict[str, str]:
    tokens = re.findall(r'name="form_token" value="(\w+)"', browser.get(path).text)
    return {"form_token": tokens[-1]}


def _create(site: Site, browser: Any, **fields: str) -> Any:
    right = {"name": "Sync", "redirect_uris": "https://sync.example.com/cb", "scope": "READ", "type": "confidential"}
    return browser.post(NEW_LINK, data=_form(site, browser, NEW_LINK) | right | fields)


def test_only_administrators_manage_links(site: Site) -> None:
    assert site.new_browser().get(LINKS).headers["location"].startswith("/login.action?")
    alice = site.signed_in("alice")
    for path in (LINKS, NEW_LINK, f"{NEW_LINK}/{demo.CLIENT_ID}"):
        assert alice.get(path).status_code == 400
    assert alice.post(f"{NEW_LINK}/{demo.CLIENT_ID}/delete", data={"name": demo.CLIENT_NAME}).status_code == 400


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "1 to 80"),
        ({"name": "demo APPLICATION"}, "already"),
        ({"name": "evil\u202e"}, "invisible"),
        ({"redirect_uris": ""}, "at least one"),
        ({"redirect_uris": "http://sync.example.com/cb"}, "Use https"),
        ({"redirect_uris": "https://sync.example.com/cb#x"}, "fragment"),
        ({"scope": "EVERYTHING"}, "permissions"),
    ],
)
def test_a_wrong_link_is_explained_and_nothing_typed_is_lost(site: Site, fields: dict[str, str], says: str) -> None:
    answer = _create(site, site.signed_in("admin"), **fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert fields.get("redirect_uris", "https://sync.example.com/cb") in answer.text


def test_s097_rotating_a_secret_with_overlap(site: Site) -> None:
    admin = site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    answer = admin.post(f"{path}/rotate-secret", data=_form(site, admin, path) | {"overlap_hours": "1"})
    new = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", answer.text)
    assert new
    tokens = site.tokens()  # with the old secret
    tokens = site.refresh(tokens["refresh_token"], client_secret=new[1]).json()
    site.clock.advance(3600)
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert site.refresh(tokens["refresh_token"], client_secret=new[1]).status_code == 200


def test_s099_deleting_a_link_kills_its_codes_and_tokens(site: Site) -> None:
    tokens, code, admin = site.tokens(), site.code(), site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    form = _form(site, admin, path)
    assert admin.post(f"{path}/delete", data=form | {"name": "wrong"}).status_code == 400
    assert admin.post(f"{path}/delete", data=form | {"name": demo.CLIENT_NAME}).status_code == 303
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.exchange(code).json()["error"] == "invalid_client"


def test_s093_a_secret_is_shown_once(site: Site) -> None:
    admin = site.signed_in("admin")
    secret = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", _create(site, admin).text)
    assert secret
    listed = site.get("/rest/oauth2/latest/client", user="admin", scope="ADMIN")
    assert {link["name"] for link in listed.json()} == {demo.CLIENT_NAME, "Sync"}
    assert secret[1] not in listed.text + admin.get(LINKS).text


def test_narrowing_a_link_narrows_its_tokens_at_once(site: Site) -> None:
    admin = site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}/edit"
    site.post("/rest/api/content", json={})  # a WRITE token is in use
    fields = {"name": "Demo", "redirect_uris": site.callback, "scope": "READ"}
    assert admin.post(path, data=_form(site, admin, path) | fields).status_code == 303
    assert site.post("/rest/api/content", json={}).status_code == 403


def test_s070_taking_access_back(site: Site) -> None:
    tokens, bystander, browser = site.tokens("bob"), site.tokens("alice"), site.signed_in("bob")
    assert "Demo application" in browser.get(AUTHORIZED).text
    browser.post(AUTHORIZED, data=_form(site, browser, AUTHORIZED) | {"client_id": demo.CLIENT_ID})
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(bystander["access_token"]).status_code == 200
    assert "No application can act for you." in browser.get(AUTHORIZED).text
