"""Parameters of the authorization request: repeated, empty, oddly named, hostile."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.http.conftest import VERIFIER, Site
from watersmeet.oauth2.pkce import s256

MARKUP = "\"'><script>alert(1)</script>"
_CODE_OF_THE_ERROR = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §4.1.2.1


def _told(location: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(location).query)


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "unknown_to_us"]
)
@pytest.mark.parametrize("equal", [True, False])
def test_s018_every_repeated_parameter_is_refused(site: Site, name: str, equal: bool) -> None:
    asked = site.authorize_path(
        code_challenge=s256(VERIFIER), code_challenge_method="S256", unknown_to_us="1", state="x"
    )
    (value,) = parse_qs(urlsplit(asked).query)[name]
    sent = site.signed_in("alice").get(f"{asked}&{name}={value if equal else 'other'}")
    assert sent.headers["location"].startswith(site.callback + "?")
    assert _told(sent.headers["location"])["error"] == ["invalid_request"]


def test_s020_a_parameter_without_a_value_counts_as_absent(site: Site) -> None:
    browser = site.signed_in("alice")
    answer = site.answer(browser, site.ask(browser, scope="", state="", code_challenge="", code_challenge_method=""))
    assert answer.keys() == {"code", "iss"}
    assert site.exchange(answer["code"]).json()["scope"] == "READ"
    sent = browser.get(site.authorize_path(response_type=""))
    assert _told(sent.headers["location"])["error"] == ["invalid_request"]


@pytest.mark.parametrize("name", ["scope[]", "scope[a]", "state[$ne]", "request[]", "__proto__"])
def test_s026_names_with_brackets_are_unknown_parameters(site: Site, name: str) -> None:
    page = site.ask(site.signed_in("alice"), **{name: "ADMIN"})
    assert page.status_code == 200
    assert "Administer" not in page.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_s027_s037_markup_is_not_reflected_on_the_error_page(site: Site, name: str) -> None:
    page = site.client.get(site.authorize_path(**{name: MARKUP}))
    assert page.status_code == 400
    # The page's own module is the only script there is.
    assert re.findall(r"<script[^>]*>", page.text) == re.findall(
        r'<script type="module" src="/static/[0-9a-f]{12}/page.js">', page.text
    )


@pytest.mark.parametrize("name", ["response_type", "scope", "code_challenge", "code_challenge_method"])
@pytest.mark.parametrize("value", [MARKUP, 'a"b\\c', "é€😀"])
def test_s027_errors_reflect_nothing(site: Site, name: str, value: str) -> None:
    sent = site.signed_in("alice").get(site.authorize_path(**{name: value}))
    assert sent.headers["location"].startswith(site.callback + "?")
    told = _told(sent.headers["location"])
    for text in (*told["error"], *told["error_description"]):
        assert _CODE_OF_THE_ERROR.fullmatch(text)
        assert value not in text


@pytest.mark.parametrize("bad", ["%00", "%0d%0aSet-Cookie:x=1", "%ff", "%c0%af", "%ed%a0%80", "%EF%BB%BF", "%7f"])
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope", "state", "other"])
def test_s024_malformed_values_never_pass(site: Site, name: str, bad: str) -> None:
    asked = site.authorize_path(**{name: None}) + f"&{name}=a{bad}"
    for browser in (site.client, site.signed_in("alice")):
        page = browser.get(asked)
        assert page.status_code == 400
        assert "location" not in page.headers
        assert "x" not in browser.cookies


@pytest.mark.parametrize("sent_as", ["a%20b", "a+b", "%2525", "%252e", "%3B;", "%26%3D", quote("𝄞é\u2028", safe="")])
def test_s025_s029_state_is_decoded_once_and_comes_back_equal(site: Site, sent_as: str) -> None:
    browser = site.signed_in("alice")
    asked = site.authorize_path(state=None) + f"&state={sent_as}"
    page = browser.get(browser.get(asked).headers["location"])
    assert site.answer(browser, page)["state"] == parse_qs(f"state={sent_as}")["state"][0]


def test_s013_too_many_parameters_and_too_long_ones(site: Site) -> None:
    browser = site.signed_in("alice")
    many = site.authorize_path() + "".join(f"&p{number}=1" for number in range(100))
    for asked in (many, site.authorize_path(state="s" * 10_000), site.authorize_path(scope="READ " * 5_000)):
        page = browser.get(asked)
        assert page.status_code == 400
        assert "location" not in page.headers


@pytest.mark.parametrize("value", ["none", "id_token", "code id_token", "CODE", " code", "token code"])
def test_s043_only_the_response_type_code(site: Site, value: str) -> None:
    sent = site.signed_in("alice").get(site.authorize_path(response_type=value))
    assert _told(sent.headers["location"])["error"] == ["unsupported_response_type"]
    assert "#" not in sent.headers["location"]


def test_a_scope_above_the_link_s_is_refused(site: Site) -> None:
    client = site.register("Reader", ["https://app.example/cb"], scope="READ").client
    asked = site.authorize_path(client_id=client.client_id, redirect_uri="https://app.example/cb", scope="WRITE")
    sent = site.signed_in("alice").get(asked)
    assert _told(sent.headers["location"])["error"] == ["invalid_scope"]


def test_s058_s059_names_are_shown_as_text(site: Site) -> None:
    client = site.register("<img src=x onerror=alert(1)> & 'Co'", ["https://app.example/cb"]).client
    page = site.ask(site.signed_in("alice"), client_id=client.client_id, redirect_uri="https://app.example/cb")
    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text
    assert "app.example" in page.text
