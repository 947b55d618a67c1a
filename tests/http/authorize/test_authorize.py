"""The authorization endpoint and the consent page."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet import demo

ATTACKS = [
    "{0}/FAKEPATH", "{0}%2FFAKEPATH", "{0}/..%2FFAKEPATH", "{0}/FAKEPATH/..", "{0}/;/../../FAKEPATH", "{0}?code=x",
    "{0}?extra=1", "{0}/", "{0}?", "{0}#", "{0}#x", "{0}\n", "{0} ", " {0}", "{0}%00.evil", "{0};x", "{0}..;/x",
    "//evil.test/cb", "/cb", "https:evil.test", "https://evil.test/{0}", "https://evil.test?{0}",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "data:text/html,x", "http://localhost:8090/_dev/callback",
    "http://127.1:8090/_dev/callback", "http://2130706433:8090/_dev/callback", "http://0.0.0.0:8090/_dev/callback",
    "http://127.0.0.1:8090@evil.test/_dev/callback", "http://evil.test\\@127.0.0.1:8090/_dev/callback",
    "https://127.0.0.1:8090/_dev/callback", "HTTP://127.0.0.1:8090/_dev/callback",
    "http://127.0.0.1:8090/_DEV/callback", "http://127.0.0.1:99999/_dev/callback", "x" * 30_000,
]  # fmt: skip


def test_sign_in_when_needed_and_back_with_every_parameter(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    browser = site.new_browser()
    asked = site.authorize_path(state="a+b %25&c", foo="bar")
    sent = browser.get(asked)
    assert sent.status_code == 302
    target = urlsplit(sent.headers["location"])
    assert target.path == "/confluence/login.action"
    page = browser.get(sent.headers["location"])
    back = browser.post("/confluence/login.action", data=form_of(page) | {"username": "alice", "password": "alice"})
    assert (back.status_code, back.headers["location"]) == (303, asked)


@pytest.mark.parametrize("base", ["latest", "1.0"])
def test_the_consent_page_is_sent_the_same_parameters(site: Site, base: str) -> None:
    asked = site.authorize_path(state="x", code_challenge="c" * 43, code_challenge_method="sha256")
    sent = site.signed_in("alice").get(asked.replace("latest", base))
    target = urlsplit(sent.headers["location"])
    assert (sent.status_code, target.path) == (302, "/plugins/servlet/oauth2/consent")
    assert parse_qs(target.query) == parse_qs(urlsplit(asked).query)


def test_the_question_names_application_user_scope_and_host(site: Site) -> None:
    page = site.ask(site.signed_in("alice"), scope="WRITE").text
    for text in ("Demo application", "Alice Example (alice)", "Create, change and delete content", "127.0.0.1:8090"):
        assert text in page
    assert "View your content" in page  # what WRITE implies


@pytest.mark.parametrize("state", ['"', "%25", "%2525", "a+b", "a b", "é€😀", "&=#;", "s" * 2048, None])
def test_state_comes_back_byte_for_byte(site: Site, state: str | None) -> None:
    browser = site.signed_in("alice")
    answer = site.answer(browser, site.ask(browser, state=state))
    assert answer.get("state") == state
    assert answer.keys() == ({"code", "state", "iss"} if state else {"code", "iss"})
    refused = site.answer(browser, site.ask(browser, state=state), "deny")
    assert refused == {"error": "access_denied", "iss": site.base_url} | ({"state": state} if state else {})


@pytest.mark.parametrize("attack", ATTACKS)
def test_s032_s037_an_unregistered_redirect_uri_goes_nowhere(site: Site, attack: str) -> None:
    asked = site.authorize_path(redirect_uri=attack.format(site.callback))
    for browser in (site.new_browser(), site.signed_in("alice")):
        page = browser.get(asked)
        assert page.status_code == 400
        assert "location" not in page.headers
        assert page.headers["content-type"].startswith("text/html")
        assert "refresh" not in page.text
        assert f'href="{attack}' not in page.text


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"client_id": "0" * 32}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"client_id": ""}, "client_id"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"redirect_uri": "https://evil.test/cb"}, "redirect_uri"),
    ],
)
def test_the_error_page_says_which_parameter_is_wrong(site: Site, changes: dict[str, Any], parameter: str) -> None:
    page = site.new_browser().get(site.authorize_path(**changes))
    assert page.status_code == 400
    assert f"<code>{parameter}</code>" in page.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_s018_a_repeated_client_or_redirect_uri_goes_nowhere(site: Site, name: str) -> None:
    page = site.signed_in("alice").get(site.authorize_path() + f"&{name}=x")
    assert page.status_code == 400
    assert "location" not in page.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": "read"}, "invalid_scope"),
        ({"scope": "READ,WRITE"}, "invalid_scope"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": "c" * 43, "code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://evil.test/r"}, "request_uri_not_supported"),
    ],
)
def test_other_errors_are_told_to_the_client_once_somebody_is_signed_in(
    site: Site, changes: dict[str, Any], error: str
) -> None:
    asked = site.authorize_path(**changes)
    anonymous = site.new_browser().get(asked)
    assert urlsplit(anonymous.headers["location"]).path == "/login.action"  # S044: not an open redirector
    sent = site.signed_in("alice").get(asked)
    assert sent.headers["location"].startswith(site.callback + "?")
    answer = parse_qs(urlsplit(sent.headers["location"]).query)
    assert (answer["error"], answer["state"]) == ([error], ["xyz"])


def test_s018_another_repeated_parameter_is_refused_without_its_state(site: Site) -> None:
    sent = site.signed_in("alice").get(site.authorize_path() + "&state=2")
    answer = parse_qs(urlsplit(sent.headers["location"]).query)
    assert answer["error"] == ["invalid_request"]
    assert "state" not in answer


def test_s019_unknown_parameters_are_ignored_and_a_missing_scope_is_read(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser, scope=None, access_type="offline", prompt="consent")
    tokens = site.exchange(site.answer(browser, page)["code"]).json()
    assert tokens["scope"] == "READ"


def test_s049_a_question_is_answered_once(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser)
    site.answer(browser, page)
    again = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
    assert again.status_code == 400
    assert "has been answered" in again.text


def test_s055_another_browser_cannot_answer(site: Site) -> None:
    page = site.ask(site.signed_in("alice"))
    for other in (site.signed_in("alice"), site.signed_in("bob"), site.new_browser()):
        answer = other.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
        assert answer.status_code in (400, 403)
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({"form_token": ""}, {}),
        ({"form_token": "0" * 64}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({}, {"Origin": "https://evil.test"}),
        ({}, {"Origin": "null"}),
    ],
)
def test_s054_a_forged_answer_is_refused(site: Site, change: dict[str, str], headers: dict[str, str]) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser)
    fields = {**form_of(page), "decision": "allow", **change}
    answer = browser.post("/plugins/servlet/oauth2/consent", data=fields, headers=headers)
    assert answer.status_code == 403
    site.answer(browser, page)  # the question is still open for its own browser


def test_s050_two_questions_at_once(site: Site) -> None:
    browser = site.signed_in("alice")
    first, second = site.ask(browser, state="1"), site.ask(browser, state="2")
    assert site.answer(browser, second)["state"] == "2"
    assert site.answer(browser, first)["state"] == "1"


def test_a_question_expires(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser)
    site.clock.advance(601)
    answer = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
    assert answer.status_code == 400


def test_s041_the_registration_is_looked_at_again_when_the_answer_comes(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser, scope="WRITE")
    admin = site.signed_in("admin")
    edit = f"/plugins/servlet/applinks/incoming/{demo.CLIENT_ID}/edit"
    token = admin.get(edit).text.split('name="form_token" value="')[-1].split('"')[0]
    fields = {"form_token": token, "name": "Demo", "redirect_uris": site.callback, "scope": "READ"}
    assert admin.post(edit, data=fields).status_code == 303
    answer = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
    assert answer.status_code == 400


def test_s007_the_form_may_lead_to_the_client_and_on_from_there(site: Site) -> None:
    policy = site.ask(site.signed_in("alice")).headers["content-security-policy"]
    assert "form-action 'self' http: https:;" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
