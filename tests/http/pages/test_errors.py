"""An error page says who is signed in, and lets somebody else come back to the same page."""

from __future__ import annotations

import html as markup
from urllib.parse import urlencode

import pytest
from lxml import html
from starlette.testclient import TestClient

from tests.http.conftest import Site, SiteFactory
from watersmeet.database.engine import Database
from watersmeet.errors import ServiceUnavailable

AUDIT = "/admin/audit?since=7d&user=%C3%A9"
WHO = "You are signed in as Alice Example (alice)."


def _switch(page: str) -> dict[str, str]:
    [form] = html.fromstring(page).xpath("//main//form[contains(@action, '/logout.action')]")
    return {name: value or "" for name, value in form.form_values()}


@pytest.mark.parametrize("context_path", ["", "/wiki"])
def test_whoever_may_not_is_told_who_they_are_and_can_be_somebody_else(
    site_under: SiteFactory, context_path: str
) -> None:
    site = site_under(context_path=context_path)
    browser = site.signed_in("alice")
    refused = browser.get(site.path(AUDIT))
    assert refused.status_code == 403
    assert WHO in refused.text
    assert "Sign out" in refused.text  # the header of every page
    out = browser.post(site.path("/logout.action"), data=_switch(refused.text))
    assert out.headers["location"] == site.path(AUDIT)
    again = browser.get(out.headers["location"])
    sign_in = f"{site.path('/login.action')}?{urlencode({'os_destination': site.path(AUDIT)})}"
    assert again.headers["location"] == sign_in


@pytest.mark.parametrize(
    ("path", "status", "destination"),
    [
        ("/nothing?x=1", 404, "/nothing?x=1"),
        ("/rest/oauth2/latest/authorize?client_id=x", 400, ""),  # nothing of it is said again
        ("/_dev/x", 404, "/_dev/x"),
    ],
)
def test_every_page_for_somebody_says_who_that_is(site: Site, path: str, status: int, destination: str) -> None:
    page = site.signed_in("alice").get(path)
    assert page.status_code == status
    assert WHO in markup.unescape(page.text)
    assert _switch(page.text)["os_destination"] == destination


def test_a_form_that_was_refused_is_not_a_place_to_come_back_to(site: Site) -> None:
    browser = site.signed_in("alice")
    refused = browser.post("/account", data={"form_token": "forged"})
    assert refused.status_code == 403
    fields = _switch(refused.text)
    assert fields["os_destination"] == ""
    assert browser.post("/logout.action", data=fields).headers["location"] == "/"


def test_a_stranger_is_told_of_nobody(site: Site) -> None:
    page = site.client.get("/nothing").text
    assert "signed in as" not in page
    assert "logout.action" not in page


def test_a_page_that_failed_looks_nobody_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is broken or busy is not asked again for the sake of a name."""
    browser: TestClient = site.signed_in("alice")

    async def busy(*_: object) -> object:
        raise ServiceUnavailable

    monkeypatch.setattr(Database, "read", busy)
    page = browser.get("/account")
    assert page.status_code == 503
    assert "signed in as" not in page.text
    # An address that does not exist is answered whatever becomes of the look-up.
    assert browser.get("/nothing").status_code == 404
