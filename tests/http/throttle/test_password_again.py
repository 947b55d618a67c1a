"""A password that is asked for again is no place to guess: it counts like signing in (S064, S068)."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from starlette.testclient import TestClient

from tests.http.conftest import Site, form_of
from tests.http.throttle.test_throttle import HERE, LIMIT, WINDOW, events, sign_in, wrong_sign_ins
from watersmeet.database.audit import Event

AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"

Typing = Callable[[str], httpx.Response]


def _at_the_consent(site: Site, browser: TestClient) -> Typing:
    page = site.ask(browser, scope="ADMIN")
    fields = {**form_of(page), "decision": "allow"}
    return lambda typed: browser.post("/plugins/servlet/oauth2/consent", data={**fields, "password": typed})


def _on_the_account_page(_site: Site, browser: TestClient) -> Typing:
    token = re.findall(r'name="form_token" value="(\w+)"', browser.get("/account").text)[-1]
    fields = {"form_token": token, "new_password": "long enough"}
    return lambda typed: browser.post("/account/password", data={**fields, "current_password": typed})


def _making_a_token(_site: Site, browser: TestClient) -> Typing:
    token = re.findall(r'name="form_token" value="(\w+)"', browser.get(AUTHORIZED).text)[-1]
    fields = {"form_token": token, "name": "A script", "scope": "READ", "days": "1"}
    return lambda typed: browser.post(f"{AUTHORIZED}/tokens", data={**fields, "password": typed})


def _admin(site: Site) -> TestClient:
    browser = site.new_browser(HERE)
    assert sign_in(browser, "admin", "admin").status_code == 303
    return browser


# Each with what a wrong password and the right one are answered.
PLACES = [(_at_the_consent, 403, 303), (_on_the_account_page, 400, 303), (_making_a_token, 400, 200)]


@pytest.mark.parametrize(("place", "wrong", "right"), PLACES)
def test_beyond_the_limit_even_the_right_one_is_not_looked_at(
    site: Site, place: Callable[[Site, TestClient], Typing], wrong: int, right: int
) -> None:
    browser = _admin(site)
    typing = place(site, browser)
    assert [typing("wrong").status_code for _ in range(LIMIT)] == [wrong] * LIMIT
    refused = typing("admin")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(WINDOW))
    assert "Try again in 15 minutes." in refused.text
    assert "location" not in refused.headers
    assert events(site, Event.PASSWORD_REFUSED) == LIMIT
    assert events(site, Event.SIGN_IN_THROTTLED) == 1
    assert events(site, Event.SIGN_IN_FAILED) == 0

    browser.cookies.delete("watersmeet-session-8090")
    assert sign_in(browser, "admin", "admin").status_code == 429, "the same counter as signing in"
    site.clock.advance(WINDOW)
    assert place(site, _admin(site))("admin").status_code == right


@pytest.mark.parametrize(("place", "wrong", "right"), PLACES)
def test_the_right_one_forgets_what_was_mistyped(
    site: Site, place: Callable[[Site, TestClient], Typing], wrong: int, right: int
) -> None:
    typing = place(site, _admin(site))
    assert {typing("wrong").status_code for _ in range(LIMIT - 1)} == {wrong}
    assert typing("admin").status_code == right


def test_the_question_stays_open_while_one_has_to_wait(site: Site) -> None:
    browser = _admin(site)
    typing = _at_the_consent(site, browser)
    for _ in range(LIMIT):
        typing("wrong")
    fields = form_of(typing("admin"))
    denied = browser.post("/plugins/servlet/oauth2/consent", data={**fields, "decision": "deny"})
    assert "error=access_denied" in denied.headers["location"]


def test_a_stolen_session_guesses_no_more_than_a_stranger(site: Site) -> None:
    thief = site.new_browser(HERE)
    owner = _admin(site)
    thief.cookies.set("watersmeet-session-8090", owner.cookies["watersmeet-session-8090"])
    wrong_sign_ins(site, LIMIT - 3, "admin")
    typing = _at_the_consent(site, thief)
    assert [typing("wrong").status_code for _ in range(4)] == [403, 403, 403, 429]
    assert _at_the_consent(site, owner)("admin").status_code == 303, "its owner's browser is known, and counted alone"


def test_the_wait_is_told_in_german(site: Site) -> None:
    wrong_sign_ins(site, LIMIT)
    browser = site.new_browser(HERE)
    browser.headers["accept-language"] = "de"
    page = sign_in(browser, "alice", "alice")
    assert "Ihr Konto ist nicht gesperrt: Versuchen Sie es in 15 Minuten wieder." in page.text
    assert "Zu viele Versuche" in page.text
