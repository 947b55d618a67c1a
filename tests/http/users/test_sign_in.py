"""Signing in and out: sessions, their cookie, and where one goes afterwards."""

from __future__ import annotations

import re

import pytest

from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet.database import users
from watersmeet.database.audit import Event, Query, search
from watersmeet.database.transaction import Transaction
from watersmeet.users import password
from watersmeet.users.signin import change_password, disable_user

AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_s063_the_session_cookie(site_under: SiteFactory, scheme: str) -> None:
    site = site_under(scheme=scheme)
    cookie = site.sign_in(site.new_browser(), "alice").headers.get_list("set-cookie")[0]
    name = "__Host-watersmeet-session" if scheme == "https" else "watersmeet-session-8090"
    assert re.match(rf"{name}=[0-9a-f]{{64}}; ", cookie)
    assert {"httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
    assert ("Secure" in cookie) == (scheme == "https")


def test_s062_a_session_is_renewed_at_sign_in_and_dies_at_sign_out(site: Site) -> None:
    browser = site.signed_in("alice")
    first = browser.cookies["watersmeet-session-8090"]
    page = browser.get("/")
    token = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert token
    assert browser.post("/logout.action", data={"form_token": token[1]}).status_code == 303
    site.sign_in(browser, "alice")
    assert browser.cookies["watersmeet-session-8090"] != first
    old = site.new_browser()
    old.cookies["watersmeet-session-8090"] = first
    assert old.get(AUTHORIZED).status_code == 302


def test_a_session_ends(site: Site) -> None:
    browser = site.signed_in("alice")
    site.clock.advance(12 * 3600)
    assert browser.get(AUTHORIZED).status_code == 302


@pytest.mark.parametrize("end", ["password", "disabled"])
def test_s067_s117_a_password_that_was_right_when_it_was_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """While it is being verified, the user gets another one or is disabled."""

    def verify(_hash: str | None, _typed: str) -> bool:
        def change(tx: Transaction) -> None:
            if end == "password":
                change_password(tx, "alice", "another hash", site.clock.now())
            else:
                disable_user(tx, "alice", site.clock.now())

        site.environment.database.write_now(change)
        return True

    monkeypatch.setattr(password, "verify", verify)
    browser = site.new_browser()
    answer = site.sign_in(browser, "alice")
    assert answer.status_code == 401
    assert "watersmeet-session-8090" not in browser.cookies
    wanted = Query(event=Event.SIGN_IN_FAILED.value)
    assert len(site.environment.database.read_now(lambda tx: search(tx, wanted))) == 1


def test_s065_an_unknown_user_and_a_wrong_password_look_alike(site: Site) -> None:
    texts = set()
    for username in ("alice", "nobody"):
        browser = site.new_browser()
        fields = form_of(browser.get("/login.action")) | {"username": username, "password": "wrong"}
        answer = browser.post("/login.action", data=fields)
        assert answer.status_code == 401
        texts.add(re.sub(r'value="(alice|nobody|[0-9a-f]{64})"', "", answer.text))
    assert len(texts) == 1


@pytest.mark.parametrize(
    "destination", ["//evil.test", "/\\evil.test", "https://evil.test", "https:evil.test", "/\tevil", "", "x"]
)
def test_s066_only_local_destinations(site: Site, destination: str) -> None:
    browser = site.new_browser()
    fields = form_of(browser.get("/login.action")) | {"username": "alice", "password": "alice"}
    answer = browser.post("/login.action", data=fields | {"os_destination": destination})
    assert answer.headers["location"] == "/"


def test_s066_the_address_that_people_type_is_the_same_page_under_the_same_rules(site: Site) -> None:
    for asked, next_page in ((AUTHORIZED, AUTHORIZED), ("//evil.example/", "/"), ("https://evil.example/", "/")):
        browser = site.new_browser()
        page = browser.get("/login", params={"os_destination": asked})
        assert page.status_code == 200
        fields = form_of(page) | {"username": "alice", "password": "alice"}
        assert browser.post("/login.action", data=fields).headers["location"] == next_page
        # Whoever is signed in goes on, and nowhere else.
        assert browser.get("/login", params={"os_destination": asked}).headers["location"] == next_page


def test_s054_signing_in_needs_the_browser_s_own_form(site: Site) -> None:
    fields = form_of(site.new_browser().get("/login.action")) | {"username": "alice", "password": "alice"}
    assert site.new_browser().post("/login.action", data=fields).status_code == 403


def test_a_user_is_found_in_any_letter_case(site: Site) -> None:
    assert site.environment.database.read_now(lambda tx: users.find_by_name(tx, "ALICE"))
