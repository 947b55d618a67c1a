"""Throttling of passwords, client secrets and codes: by source and account, never for good, never the real user."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
from starlette.testclient import TestClient

from tests.http.conftest import SECRET, Site, form_of
from watersmeet import demo
from watersmeet.app import create_app, open_database
from watersmeet.clock import SECOND
from watersmeet.database.audit import Event, Query, search
from watersmeet.users import password
from watersmeet.users.password import hash_public_password
from watersmeet.users.signin import change_password
from watersmeet.web import throttle

LIMIT = 10  # throttle_attempts
WINDOW = 15 * 60  # throttle_minutes, in seconds
TOKEN = "/rest/oauth2/latest/token"
HERE, ELSEWHERE = "203.0.113.1", "198.51.100.7"


def sign_in(browser: TestClient, username: str, typed: str) -> httpx.Response:
    fields = form_of(browser.get("/login.action")) | {"username": username, "password": typed}
    answer: httpx.Response = browser.post("/login.action", data=fields)
    return answer


def wrong_sign_ins(site: Site, number: int, username: str = "alice", address: str = HERE) -> list[int]:
    browser = site.new_browser(address)
    return [sign_in(browser, username, "wrong").status_code for _ in range(number)]


def token(
    site: Site, secret: str = demo.CLIENT_SECRET, *, address: str = HERE, path: str = TOKEN, **more: str
) -> httpx.Response:
    form = {
        "client_id": demo.CLIENT_ID, "client_secret": secret, "grant_type": "authorization_code",
        "code": "f" * 64, "redirect_uri": site.callback, **more,
    }  # fmt: skip
    answer: httpx.Response = site.new_browser(address).post(path, data=form)
    return answer


def events(site: Site, event: Event) -> int:
    query = Query(event=event.value, limit=10_000)
    return len(site.environment.database.read_now(lambda tx: search(tx, query)))


# ---- passwords --------------------------------------------------------------------------------------------


def test_s064_beyond_the_limit_even_the_right_password_is_not_looked_at(site: Site) -> None:
    assert wrong_sign_ins(site, LIMIT) == [401] * LIMIT
    answer = sign_in(site.new_browser(HERE), "alice", "alice")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == str(WINDOW)
    assert "try again in 15 minutes" in answer.text
    assert "not locked" in answer.text


def test_s064_the_right_password_from_another_address_still_works(site: Site) -> None:
    wrong_sign_ins(site, LIMIT * 3)
    assert sign_in(site.new_browser(ELSEWHERE), "alice", "alice").status_code == 303


def test_s064_others_at_the_same_address_go_on_until_the_address_s_own_limit(site: Site) -> None:
    wrong_sign_ins(site, LIMIT + 1)
    assert sign_in(site.new_browser(HERE), "bob", "bob").status_code == 303
    for name in range(LIMIT):
        wrong_sign_ins(site, LIMIT, f"nobody{name}")
    assert sign_in(site.new_browser(HERE), "bob", "bob").status_code == 429


def test_s064_nothing_is_locked_for_good(site: Site) -> None:
    wrong_sign_ins(site, LIMIT + 5)
    site.clock.advance(WINDOW - 1)
    refused = sign_in(site.new_browser(HERE), "alice", "alice")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "try again in 1 second." in refused.text
    site.clock.advance(1)
    assert sign_in(site.new_browser(HERE), "alice", "alice").status_code == 303


def test_s064_signing_in_forgets_what_was_mistyped_before(site: Site) -> None:
    for _ in range(3):
        wrong_sign_ins(site, LIMIT - 1)
        assert sign_in(site.new_browser(HERE), "alice", "alice").status_code == 303


def test_s064_a_guess_spread_over_many_addresses_is_stopped_and_a_known_browser_is_not(site: Site) -> None:
    known = site.new_browser("192.0.2.200")
    sign_in(known, "alice", "alice")
    for last in range(LIMIT):
        assert wrong_sign_ins(site, LIMIT, address=f"192.0.2.{last}") == [401] * LIMIT
    stranger = sign_in(site.new_browser(ELSEWHERE), "alice", "alice")
    assert stranger.status_code == 429
    known.cookies.delete("watersmeet-session-8090")
    assert sign_in(known, "alice", "wrong").status_code == 401
    assert sign_in(known, "alice", "alice").status_code == 303


def test_s064_a_known_browser_has_a_limit_of_its_own_and_is_known_for_its_user_only(site: Site) -> None:
    known = site.new_browser(HERE)
    sign_in(known, "alice", "alice")
    known.cookies.delete("watersmeet-session-8090")
    assert [sign_in(known, "alice", "wrong").status_code for _ in range(LIMIT + 1)] == [401] * LIMIT + [429]
    assert [sign_in(known, "bob", "wrong").status_code for _ in range(LIMIT + 1)] == [401] * LIMIT + [429]
    assert sign_in(site.new_browser(HERE), "alice", "alice").status_code == 303


def test_s064_a_forged_device_cookie_is_no_way_around(site: Site) -> None:
    browser = site.new_browser(HERE)
    seen = []
    for number in range(LIMIT + 1):
        browser.cookies["watersmeet-device-8090"] = f"{number:032x}.{'0' * 64}"
        seen.append(sign_in(browser, "alice", "wrong").status_code)
    assert seen[-1] == 429


def test_s064_ipv6_addresses_of_one_subscriber_are_one_source(site: Site) -> None:
    seen = [wrong_sign_ins(site, 1, address=f"2001:db8:1:2::{number:x}")[0] for number in range(LIMIT + 1)]
    assert seen[-1] == 429
    assert wrong_sign_ins(site, 1, address="2001:db8:1:3::1") == [401]


def test_s064_of_200_parallel_guesses_over_two_processes_no_more_than_the_limit_are_looked_at(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two applications, each with a database of its own, stand for two processes: they share nothing but the file."""
    looked_at: list[str] = []  # list.append is atomic: verification runs in worker threads

    def verify(_hash: str | None, typed: str) -> bool:
        looked_at.append(typed)
        return False

    monkeypatch.setattr(password, "verify", verify)

    async def guess(browser: httpx.AsyncClient, form: dict[str, str], number: int) -> int:
        typed = form | {"username": "alice", "password": f"guess {number}"}
        return (await browser.post("/login.action", data=typed)).status_code

    async def attack() -> list[int]:
        settings, databases = site.environment.settings, [open_database(site.environment.settings) for _ in range(2)]
        apps = [create_app(settings, database=database, clock=site.clock) for database in databases]
        browsers = [
            httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(HERE, 1)), base_url=site.base_url)
            for app in apps
        ]
        forms = [form_of(await browser.get("/login.action")) for browser in browsers]
        answers = await asyncio.gather(*(guess(browsers[n % 2], forms[n % 2], n) for n in range(200)))
        for browser, database in zip(browsers, databases, strict=True):
            await browser.aclose()
            database.close()
        return answers

    answers = asyncio.run(attack())
    assert sorted(set(answers)) == [401, 429]
    assert len(looked_at) == answers.count(401) == LIMIT


# ---- client secrets ---------------------------------------------------------------------------------------


def test_s096_a_thousand_wrong_secrets_are_throttled_and_the_genuine_client_elsewhere_works(site: Site) -> None:
    answers = [token(site, "wrong") for _ in range(1000)]
    assert [answer.status_code for answer in answers] == [401] * LIMIT + [429] * (1000 - LIMIT)
    last = answers[-1]
    assert last.headers["retry-after"] == str(WINDOW)
    assert last.headers["content-type"] == "application/json"
    assert last.json()["error"] == "temporarily_unavailable"
    assert token(site).status_code == 429, "not even the right secret is looked at from there"
    code = site.code()
    assert token(site, address=ELSEWHERE, code=code).status_code == 200


def test_s096_a_code_presented_from_a_throttled_address_is_not_consumed(site: Site) -> None:
    code = site.code()
    for _ in range(LIMIT + 1):
        token(site, "wrong")
    assert token(site, code=code).status_code == 429
    site.clock.advance(30)  # within the code's life
    assert token(site, address=ELSEWHERE, code=code).status_code == 200


def test_n15_both_spellings_of_the_path_and_both_endpoints_share_the_counter(site: Site) -> None:
    paths = [TOKEN, TOKEN.replace("latest", "1.0"), TOKEN.replace("token", "revoke")]
    answers = [token(site, "wrong", path=paths[n % 3], token="x" * 120).status_code for n in range(LIMIT + 1)]
    assert answers == [401] * LIMIT + [429]
    assert all(token(site, path=path, token="x" * 120).status_code == 429 for path in paths)


def test_s096_many_clients_from_one_address_have_a_limit_together(site: Site) -> None:
    for number in range(LIMIT * 10):
        assert token(site, "wrong", client_id=f"{number:032x}").status_code == 401
    assert token(site, "wrong", client_id="another").status_code == 429
    assert token(site).status_code == 400  # a right secret is accepted all the same; only its token is wrong


def test_s096_a_second_process_learns_of_the_limit_with_its_first_failure(site: Site) -> None:
    for _ in range(LIMIT):
        token(site, "wrong")
    other = create_app(site.environment.settings, clock=site.clock)
    with TestClient(other, base_url=site.base_url, client=(HERE, 1)) as browser:
        form = {"client_id": demo.CLIENT_ID, "client_secret": "wrong", "grant_type": "refresh_token",
                "refresh_token": "x"}  # fmt: skip
        assert browser.post(TOKEN, data=form).status_code == 429
        assert browser.post(TOKEN, data=form | {"client_secret": demo.CLIENT_SECRET}).status_code == 429


# ---- codes ------------------------------------------------------------------------------------------------


def test_guessing_codes_is_throttled_by_client_and_address(site: Site) -> None:
    answers = {token(site, code=f"{number:064x}").status_code for number in range(LIMIT * 10)}
    assert answers == {400}
    assert token(site, code="0").status_code == 429
    assert token(site, code="0", address=ELSEWHERE).status_code == 400


def test_a_client_that_comes_late_is_no_guesser(site: Site) -> None:
    issued = site.tokens()
    site.clock.advance(91 * 86_400)
    for _ in range(LIMIT * 10 + 5):
        assert site.refresh(issued["refresh_token"]).status_code == 400


# ---- the audit log under a flood --------------------------------------------------------------------------


def test_a_flood_leaves_one_event_a_failure_up_to_the_limit_then_one_for_all(site: Site) -> None:
    wrong_sign_ins(site, LIMIT * 3)
    for _ in range(LIMIT * 3):
        token(site, "wrong")
    assert events(site, Event.SIGN_IN_FAILED) == LIMIT
    assert events(site, Event.SIGN_IN_THROTTLED) == 1
    assert events(site, Event.CLIENT_REFUSED) == LIMIT
    assert events(site, Event.CLIENT_THROTTLED) == 1


def test_failures_from_everywhere_are_written_down_up_to_a_number_a_minute_and_then_counted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "_FAILURES_A_MINUTE", 20)
    start = -(-site.clock.instant // (60 * SECOND)) * 60 * SECOND
    site.clock.instant = start
    for number in range(50):
        token(site, "wrong", address=f"192.0.2.{number}")
    assert events(site, Event.CLIENT_REFUSED) == 20
    site.clock.advance(60)
    token(site, "wrong", address="192.0.2.99")
    query = Query(event=Event.AUDIT_SUPPRESSED.value)
    suppressed = site.environment.database.read_now(lambda tx: search(tx, query))
    assert [entry.detail for entry in suppressed] == [{"failures": 30}]


def test_what_was_typed_as_a_name_is_not_written_down(site: Site) -> None:
    sign_in(site.new_browser(HERE), "correct horse battery staple", "x")
    token(site, "y", client_id="secret pasted into the wrong field")
    entries = site.environment.database.read_now(lambda tx: search(tx, Query()))
    assert not any("correct horse" in repr(entry) or "pasted" in repr(entry) for entry in entries)


# ---- switched off -----------------------------------------------------------------------------------------


def test_dev_does_not_throttle_unless_told_to(site: Site) -> None:
    off = replace(site.environment.settings, throttle_attempts=0, secret=SECRET)
    with TestClient(create_app(off, clock=site.clock), base_url=site.base_url, client=(HERE, 1)) as browser:
        form = {"client_id": demo.CLIENT_ID, "client_secret": "wrong", "grant_type": "refresh_token",
                "refresh_token": "x"}  # fmt: skip
        assert {browser.post(TOKEN, data=form).status_code for _ in range(LIMIT * 3)} == {401}
        assert {sign_in(browser, "alice", "wrong").status_code for _ in range(LIMIT * 2)} == {401}


def test_s064_the_sign_in_form_proves_no_device(site: Site) -> None:
    """Cookies decode octal escapes, so a browser may send a NUL: no form's token may pass for another's."""
    seen = []
    for number in range(LIMIT + 1):
        browser = site.new_browser(HERE)
        page = browser.get(
            "/login.action", headers={"Cookie": f'watersmeet-browser-8090="device\\000alice\\000{number}"'}
        )
        token = form_of(page)["form_token"]
        forged = f'watersmeet-device-8090="{number}\\000sign in.{token}"'
        own = browser.get("/login.action")
        fields = form_of(own) | {"username": "alice", "password": "wrong"}
        jar = f"watersmeet-browser-8090={own.cookies['watersmeet-browser-8090']}; {forged}"
        browser.cookies.clear()
        seen.append(browser.post("/login.action", data=fields, headers={"Cookie": jar}).status_code)
    assert seen == [401] * LIMIT + [429]


def test_s117_a_new_password_forgets_the_browsers_that_knew_the_old_one(site: Site) -> None:
    known = site.new_browser(HERE)
    sign_in(known, "alice", "alice")
    known.cookies.delete("watersmeet-session-8090")
    new = hash_public_password("another password")
    now = site.clock.now()
    site.environment.database.write_now(lambda tx: change_password(tx, "alice", new, now))
    wrong_sign_ins(site, LIMIT)
    assert sign_in(known, "alice", "wrong").status_code == 429  # counted like everybody at this address


def test_s096_neighbours_behind_one_address_cannot_keep_a_right_secret_out(site: Site) -> None:
    tokens = site.tokens()
    refused = [
        site.new_browser().post(
            "/rest/oauth2/latest/token",
            data={
                "grant_type": "refresh_token", "refresh_token": "x",
                "client_id": f"{number:032x}", "client_secret": "x",
            },
        ).status_code
        for number in range(LIMIT * 10 + 5)
    ]  # fmt: skip
    assert set(refused) == {401, 429}
    assert site.refresh(tokens["refresh_token"]).status_code == 200
