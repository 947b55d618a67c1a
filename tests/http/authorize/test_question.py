"""The question and its answer: whose it is, what of it may change, and how often it is answered."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from tests.http.conftest import VERIFIER, Site, SiteFactory, form_of
from watersmeet.database.schema import authorizations
from watersmeet.oauth2.pkce import s256

CONSENT = "/plugins/servlet/oauth2/consent"


def _questions(site: Site) -> int:
    statement = select(func.count()).select_from(authorizations)
    return site.environment.database.read_now(lambda tx: tx.execute(statement).scalar_one())


def _answer(browser: TestClient, fields: dict[str, str]) -> httpx.Response:
    sent: httpx.Response = browser.post(CONSENT, data=fields)
    return sent


@pytest.mark.parametrize("context_path", ["", "/confluence"])
@pytest.mark.parametrize("version", ["latest", "1.0"])
@pytest.mark.parametrize("pkce", [True, False])
def test_both_flows_at_both_addresses_and_paths(
    site_under: SiteFactory, context_path: str, version: str, pkce: bool
) -> None:
    site = site_under(context_path)
    challenge = {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"} if pkce else {}
    asked = site.authorize_path(**challenge, state='"x%25+').replace("latest", version)
    browser = site.new_browser()
    # Sign in on the way, then the question, exactly as a browser is led.
    sign_in = browser.get(browser.get(asked).headers["location"])
    fields = form_of(sign_in) | {"username": "alice", "password": "alice"}
    back = browser.post(f"{context_path}/login.action", data=fields).headers["location"]
    assert back == asked
    sent = browser.get(back)
    target = urlsplit(sent.headers["location"])
    assert (sent.status_code, target.path) == (302, context_path + CONSENT)
    assert parse_qs(target.query) == parse_qs(urlsplit(asked).query)
    answer = site.answer(browser, browser.get(sent.headers["location"]))
    assert answer["state"] == '"x%25+'
    verifier = {"code_verifier": VERIFIER} if pkce else {}
    assert site.exchange(answer["code"], **verifier).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", "WRITE"),
        ("state", "other"),
        ("client_id", "0" * 32),
        ("redirect_uri", "http://127.0.0.1:8091/callback"),
        ("response_type", "token"),
        ("code_challenge", "d" * 43),
        ("code_challenge_method", "plain"),
        ("added", "1"),
    ],
)
def test_s046_no_parameter_of_the_consent_address_may_change(site: Site, name: str, value: str) -> None:
    browser = site.signed_in("alice")
    location = browser.get(
        site.authorize_path(state="x", code_challenge="c" * 43, code_challenge_method="S256")
    ).headers["location"]
    query = {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()} | {name: value}
    page = browser.get(CONSENT, params=query)
    assert page.status_code == 400
    assert b'name="decision"' not in page.content  # it asks nothing; the form that is there changes the account
    shorter = {key: found for key, found in query.items() if key != "state"}
    assert browser.get(CONSENT, params=shorter).status_code == 400


def test_s046_fields_added_to_the_answer_change_nothing(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser, scope="READ", state="mine")
    forged = {"scope": "ADMIN", "state": "theirs", "redirect_uri": "https://evil.test/cb", "client_id": "0" * 32}
    sent = _answer(browser, {**form_of(page), "decision": "allow", **forged})
    assert sent.headers["location"].startswith(site.callback + "?")
    answer = parse_qs(urlsplit(sent.headers["location"]).query)
    assert answer["state"] == ["mine"]
    assert site.exchange(answer["code"][0]).json()["scope"] == "READ"


@pytest.mark.parametrize("decision", ["", "ALLOW", "yes", "deny"])
def test_s061_whatever_is_not_allow_is_no(site: Site, decision: str) -> None:
    browser = site.signed_in("alice")
    sent = _answer(browser, {**form_of(site.ask(browser)), "decision": decision})
    told = parse_qs(urlsplit(sent.headers["location"]).query)
    assert told == {"error": ["access_denied"], "state": ["xyz"], "iss": [site.base_url]}


@pytest.mark.parametrize(("first", "second"), [("allow", "allow"), ("deny", "allow"), ("allow", "deny")])
def test_s049_the_first_answer_stands(site: Site, first: str, second: str) -> None:
    browser = site.signed_in("alice")
    fields = form_of(site.ask(browser))
    assert _answer(browser, {**fields, "decision": first}).status_code == 303
    again = _answer(browser, {**fields, "decision": second})
    assert again.status_code == 400
    assert "location" not in again.headers


def test_s049_going_back_to_an_answered_question_says_so(site: Site) -> None:
    browser = site.signed_in("alice")
    location = browser.get(site.authorize_path()).headers["location"]
    site.answer(browser, browser.get(location))
    assert browser.get(location).status_code == 400


def test_s050_the_same_request_in_two_tabs_can_be_answered_in_both(site: Site) -> None:
    browser = site.signed_in("alice")
    first = site.ask(browser)
    site.clock.advance(0.001)  # the newest question is shown, and instants are milliseconds
    second = site.ask(browser)
    codes = {site.answer(browser, page)["code"] for page in (second, first)}
    assert [site.exchange(code).status_code for code in codes] == [200, 200]


def test_s056_every_grant_is_asked_for(site: Site) -> None:
    site.authorize()
    browser = site.signed_in("alice")
    page = site.ask(browser)
    assert b'name="decision"' in page.content


def test_s054_the_form_token_is_of_one_question(site: Site) -> None:
    browser = site.signed_in("alice")
    first, second = form_of(site.ask(browser, state="1")), form_of(site.ask(browser, state="2"))
    mixed = {**first, "authorization": second["authorization"], "decision": "allow"}
    assert _answer(browser, mixed).status_code == 403


def test_s055_somebody_else_s_consent_address_asks_nothing(site: Site) -> None:
    location = site.signed_in("bob").get(site.authorize_path()).headers["location"]
    assert site.signed_in("alice").get(location).status_code == 400
    # Nobody signed in: to the sign-in page, and from there to the beginning, where a question of one's own is made.
    destination = parse_qs(urlsplit(site.client.get(location).headers["location"]).query)["os_destination"][0]
    assert urlsplit(destination).path == "/rest/oauth2/latest/authorize"


def test_s055_signing_out_or_changing_the_user_ends_the_question(site: Site) -> None:
    browser = site.signed_in("alice")
    fields = {**form_of(site.ask(browser)), "decision": "allow"}
    assert browser.get("/login.action").status_code == 302  # already signed in: there is nothing to do
    browser.cookies.clear()
    assert _answer(browser, fields).status_code == 400
    site.sign_in(browser, "alice")
    assert _answer(browser, fields).status_code == 403


@pytest.mark.parametrize("version", ["latest", "1.0"])
def test_s012_other_methods_ask_nothing(site: Site, version: str) -> None:
    asked = site.authorize_path().replace("latest", version)
    for browser in (site.client, site.signed_in("alice")):
        assert browser.head(asked).status_code == 302
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            refused = browser.request(method, asked)
            assert refused.status_code == 405
            assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert _questions(site) == 0
    assert site.client.head(site.authorize_path(client_id="0" * 32)).status_code == 400


def test_s012_looking_at_a_question_does_not_answer_it(site: Site) -> None:
    browser = site.signed_in("alice")
    location = browser.get(site.authorize_path()).headers["location"]
    assert browser.head(location).status_code == 200
    assert browser.get(location + "&").status_code in (200, 400)
    assert site.answer(browser, browser.get(location))["code"]


@pytest.mark.parametrize("origin", ["https://evil.test", "null"])
def test_s010_no_page_may_read_the_answers(site: Site, origin: str) -> None:
    asked = site.authorize_path()
    for path in (asked, "/login.action", "/rest/oauth2/latest/token", "/rest/api/user/current", "/nothing"):
        for method in ("GET", "OPTIONS"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = site.client.request(method, path, headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_wrong_password_on_the_way_loses_nothing(site: Site) -> None:
    asked = site.authorize_path(state=quote('"+%'))
    page = site.client.get(site.client.get(asked).headers["location"])
    again = site.client.post("/login.action", data=form_of(page) | {"username": "alice", "password": "wrong"})
    assert again.status_code == 401
    done = site.client.post("/login.action", data=form_of(again) | {"username": "alice", "password": "alice"})
    assert done.headers["location"] == asked
