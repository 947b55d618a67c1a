"""One's own account: profile, password, and where one is signed in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html

from tests.http.conftest import Site, form_of
from watersmeet.users import password
from watersmeet.users.session import Browser
from watersmeet.users.signin import change_password

ACCOUNT = "/account"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _post(browser: Any, path: str, **fields: str) -> Any:
    token = re.findall(r'name="form_token" value="(\w+)"', browser.get(ACCOUNT).text)[-1]
    return browser.post(path, data={"form_token": token, **fields})


def test_nobody_sees_it_without_signing_in(site: Site) -> None:
    assert site.client.get(ACCOUNT).headers["location"].startswith("/login.action?")
    for path in (ACCOUNT, f"{ACCOUNT}/password", f"{ACCOUNT}/sessions"):
        assert site.client.post(path, data={"form_token": "x"}).headers["location"].startswith("/login.action?")
        assert site.signed_in("alice").post(path, data={"form_token": "x"}).status_code == 403


def test_the_profile_is_changed(site: Site) -> None:
    alice = site.signed_in("alice")
    answer = _post(alice, ACCOUNT, display_name="Alice <b>", email="a@new.example")
    assert answer.headers["location"] == "/account?done=profile"
    assert "Saved." in alice.get("/account?done=profile").text
    assert "Alice &lt;b&gt;" in alice.get("/").text
    assert site.get("/rest/api/user/current").json()["displayName"] == "Alice <b>"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"display_name": ""}, "1 to 80"),
        ({"display_name": "x" * 81}, "1 to 80"),
        ({"display_name": "evil\u202e"}, "Invisible"),
        ({"email": "not an address"}, "e-mail address"),
        ({"email": "a@b@c"}, "e-mail address"),
    ],
)
def test_a_wrong_profile_is_explained_and_not_kept(site: Site, fields: dict[str, str], says: str) -> None:
    alice = site.signed_in("alice")
    answer = _post(alice, ACCOUNT, **{"display_name": "Alice", "email": "", **fields})
    assert answer.status_code == 400
    assert says in answer.text
    assert "Alice Example" in alice.get("/").text


def test_s117_a_new_password_ends_what_the_old_one_opened(site: Site) -> None:
    here, elsewhere, tokens = site.signed_in("alice"), site.signed_in("alice"), site.tokens("alice")
    before = here.cookies["watersmeet-session-8090"]
    answer = _post(here, f"{ACCOUNT}/password", current_password="alice", new_password="a longer one")
    assert answer.headers["location"] == "/account?done=password"
    assert here.cookies["watersmeet-session-8090"] != before  # S062
    assert here.get(ACCOUNT).status_code == 200
    assert elsewhere.get(ACCOUNT).status_code == 302
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    old = site.new_browser()
    assert old.post("/login.action", data=form_of(old.get("/login.action")) | {
        "username": "alice", "password": "alice"}).status_code == 401  # fmt: skip


@pytest.mark.parametrize(
    ("current", "new", "says"),
    [
        ("wrong", "a longer one", "The present password is wrong"),
        ("alice", "short", "at least 8 characters"),
        ("alice", "x" * 1025, "at most 1024 bytes"),
    ],
)
def test_a_password_is_not_changed_by_chance(site: Site, current: str, new: str, says: str) -> None:
    alice = site.signed_in("alice")
    answer = _post(alice, f"{ACCOUNT}/password", current_password=current, new_password=new)
    assert answer.status_code == 400
    assert says in answer.text
    assert site.sign_in(site.new_browser(), "alice").status_code == 303


def test_s117_a_reset_while_the_new_password_is_hashed_stands(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, hash_password = site.signed_in("alice"), password.hash_password

    def hash_and_be_reset(new: str) -> str:
        reset = hash_password("what the administrator chose")
        site.environment.database.write_now(lambda tx: change_password(tx, "alice", reset, site.clock.now()))
        return hash_password(new)

    monkeypatch.setattr(password, "hash_password", hash_and_be_reset)
    answer = _post(alice, f"{ACCOUNT}/password", current_password="alice", new_password="what a thief chose")
    assert answer.headers["location"].startswith("/login.action?")
    for typed, status in (("what a thief chose", 401), ("what the administrator chose", 303)):
        browser = site.new_browser()
        form = form_of(browser.get("/login.action")) | {"username": "alice", "password": typed}
        assert browser.post("/login.action", data=form).status_code == status


def test_one_session_ends_or_all_others(site: Site) -> None:
    here, second, third, stranger = (site.signed_in(name) for name in ("alice", "alice", "alice", "bob"))
    rows = re.findall(r'name="session" value="([0-9a-f]{16})"', here.get(ACCOUNT).text)
    assert len(rows) == 2
    _post(here, f"{ACCOUNT}/sessions", session=rows[0])
    assert sorted(browser.get(ACCOUNT).status_code for browser in (second, third)) == [200, 302]
    _post(here, f"{ACCOUNT}/sessions", session="others")
    assert [browser.get(ACCOUNT).status_code for browser in (here, second, third, stranger)] == [200, 302, 302, 200]


@pytest.mark.parametrize("name", ["", "0", "%", "_" * 16, "0" * 16, "x" * 64])
def test_nobody_ends_a_session_they_cannot_name(site: Site, name: str) -> None:
    alice, bob = site.signed_in("alice"), site.signed_in("bob")
    _post(alice, f"{ACCOUNT}/sessions", session=name)
    assert (alice.get(ACCOUNT).status_code, bob.get(ACCOUNT).status_code) == (200, 200)


def test_somebody_else_s_session_cannot_be_ended(site: Site) -> None:
    alice, bob, bob_too = site.signed_in("alice"), site.signed_in("bob"), site.signed_in("bob")
    [name] = re.findall(r'name="session" value="([0-9a-f]{16})"', bob.get(ACCOUNT).text)
    _post(alice, f"{ACCOUNT}/sessions", session=name)
    assert bob_too.get(ACCOUNT).status_code == 200


def test_what_is_remembered_of_a_browser_is_coarse(site: Site) -> None:
    browser = site.new_browser()
    browser.headers["user-agent"] = FIREFOX
    site.sign_in(browser, "alice")
    page = browser.get(ACCOUNT).text
    assert "Firefox · Linux" in page
    assert not re.search(r"\b140\b", page)  # a word of its own: form tokens may have it in them


@pytest.mark.parametrize(
    ("user_agent", "address", "browser"),
    [
        (FIREFOX, "192.0.2.77", Browser("Firefox · Linux", "192.0.2.0/24")),
        ("Mozilla/5.0 (iPhone) Version/18 Safari/604", "2001:db8:1:2::3", Browser("Safari · iOS", "2001:db8:1::/48")),
        ("Mozilla (Windows NT 10) Chrome/140 Safari/537 Edg/140", "127.0.0.1", Browser("Edge · Windows", "127.0.0.1")),
        ("curl/8.5", None, Browser("curl", None)),
        (None, "testclient", Browser(None, None)),
        ("<script>", "", Browser(None, None)),
    ],
)
def test_a_browser_s_name_and_network(user_agent: str | None, address: str | None, browser: Browser) -> None:
    assert Browser.of(user_agent, address) == browser


@pytest.mark.parametrize(
    ("path", "typed", "heading", "fields"),
    [
        ("/account", {"display_name": ""}, "Profile", ["display_name", "email"]),
        ("/account/password", {"current_password": "wrong"}, "Password", ["current_password", "new_password"]),
    ],
)
def test_what_is_wrong_is_said_in_its_form_and_of_its_fields(
    site: Site, path: str, typed: dict[str, str], heading: str, fields: list[str]
) -> None:
    """WCAG 3.3.1: the fields name the message, and the message stands with them."""
    right = {"display_name": "Alice", "email": "", "current_password": "alice", "new_password": "correct horse battery"}
    page = html.fromstring(_post(site.signed_in("alice"), path, **{**right, **typed}).content)
    [section] = page.xpath("//*[@id='problem']/ancestor::section")
    assert section.xpath("string(h2)") == heading
    told = page.xpath("//input[contains(concat(' ', @aria-describedby, ' '), ' problem ')]/@name")
    assert told == fields
