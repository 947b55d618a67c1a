"""The token endpoint and revocation."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.http.conftest import VERIFIER, Site, SiteFactory
from watersmeet import demo
from watersmeet.oauth2.pkce import s256

BASIC = "Basic " + base64.b64encode(f"{demo.CLIENT_ID}:{demo.CLIENT_SECRET}".encode()).decode()
TOKEN = "/rest/oauth2/latest/token"


def _error(response: httpx.Response, status: int = 400) -> str:
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert body.keys() == {"error", "error_description"}
    return str(body["error"])


def _works(site: Site, token: str) -> bool:
    return site.bearer(token).status_code == 200


@pytest.mark.parametrize("pkce", [True, False])
@pytest.mark.parametrize("how", ["form", "query", "mixed", "basic"])
def test_an_exchange(site: Site, how: str, pkce: bool) -> None:
    client = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET}
    grant = {"grant_type": "authorization_code", "code": site.code(pkce=pkce), "redirect_uri": site.callback}
    if pkce:
        grant["code_verifier"] = VERIFIER
    browser = site.new_browser()
    match how:
        case "form":
            answer = browser.post(TOKEN, data=client | grant)
        case "query":
            answer = browser.post(f"{TOKEN}?{urlencode(client | grant)}")
        case "mixed":
            answer = browser.post(f"{TOKEN}?{urlencode(client)}", data=grant)
        case _:
            answer = browser.post(TOKEN, data=grant, headers={"Authorization": BASIC})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "created_at", "scope"}
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 3600
    assert body["created_at"] == site.clock.now() // 1000
    assert body["scope"] == "READ"
    assert _works(site, body["access_token"])


@pytest.mark.parametrize("method", ["S256", "s256", "sha256", "SHA256"])
def test_every_spelling_of_the_challenge_method(site: Site, method: str) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser, code_challenge=s256(VERIFIER), code_challenge_method=method)
    code = site.answer(browser, page)["code"]
    assert site.exchange(code, code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize("method", ["plain", "Plain", None])
def test_the_plain_challenge(site: Site, method: str | None) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser, code_challenge=VERIFIER, code_challenge_method=method)
    assert site.exchange(site.answer(browser, page)["code"], code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"client_secret": "0" * 64}, "invalid_client", 401),
        ({"client_secret": None}, "invalid_client", 401),
        ({"client_secret": ""}, "invalid_client", 401),
        ({"client_id": "0" * 32}, "invalid_client", 401),
        ({"client_id": None}, "invalid_request", 400),
        ({"redirect_uri": None}, "invalid_request", 400),
        ({"redirect_uri": "http://127.0.0.1:8091/callback"}, "invalid_grant", 400),
        ({"code_verifier": None}, "invalid_grant", 400),
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant", 400),
        ({"code_verifier": VERIFIER[:42]}, "invalid_grant", 400),
        ({"grant_type": None}, "invalid_request", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": "implicit"}, "unsupported_grant_type", 400),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", 400),
        ({"code": "0" * 64}, "invalid_grant", 400),
        ({"code": None}, "invalid_request", 400),
    ],
)
def test_s074_s103_what_is_refused_consumes_nothing(
    site: Site, change: dict[str, Any], error: str, status: int
) -> None:
    code = site.code(pkce=True)
    right: dict[str, Any] = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    assert _error(site.token(**(right | change)), status) == error
    assert site.token(**right).status_code == 200


def test_credentials_in_the_header_and_in_parameters_are_refused(site: Site) -> None:
    code = site.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": site.callback}
    both = form | {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET[:-1]}  # identical ones: N11
    answer = site.new_browser().post(TOKEN, data=both, headers={"Authorization": BASIC})
    assert _error(answer) == "invalid_request"
    # Go's client tries Basic first and repeats the code in the body.
    wrong = site.new_browser().post(TOKEN, data=form, headers={"Authorization": BASIC[:-4]})
    assert _error(wrong, 401) == "invalid_client"
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    assert site.exchange(code).status_code == 200


def test_s018_a_parameter_in_query_and_body_is_refused(site: Site) -> None:
    answer = site.new_browser().post(f"{TOKEN}?code=x", data={"code": "x", "grant_type": "authorization_code"})
    assert _error(answer) == "invalid_request"


def test_s021_only_forms(site: Site) -> None:
    answer = site.new_browser().post(TOKEN, json={"grant_type": "authorization_code"})
    assert _error(answer) == "invalid_request"
    assert "application/x-www-form-urlencoded" in answer.json()["error_description"]


def test_s022_post_only_and_nothing_is_consumed(site: Site) -> None:
    code = site.code()
    query = urlencode(
        {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": demo.CLIENT_ID,
            "client_secret": demo.CLIENT_SECRET,
            "redirect_uri": site.callback,
        }
    )
    answer = site.new_browser().get(f"{TOKEN}?{query}")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"POST", "OPTIONS"}  # OPTIONS: for scripts (S107)
    assert site.exchange(code).status_code == 200


@pytest.mark.parametrize("name", ["token", "revoke", "introspect"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_another_method_is_told_so_in_oauth_s_own_words(site: Site, name: str, method: str) -> None:
    answer = site.new_browser().request(method, f"/rest/oauth2/latest/{name}")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"].split(", ")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert answer.headers["content-type"] == "application/json"
    if method != "HEAD":
        assert answer.json() == {"error": "invalid_request", "error_description": "Send a POST request."}


def test_s086_a_verifier_without_a_challenge_is_refused(site: Site) -> None:
    assert _error(site.exchange(site.code(), code_verifier=VERIFIER)) == "invalid_grant"


@pytest.mark.parametrize(("seconds", "lifetime"), [(59, 60), (61, 60), (9, 10), (11, 10)])
def test_s072_the_life_of_a_code(site_under: SiteFactory, seconds: int, lifetime: int) -> None:
    site = site_under(max_client_delay_seconds=lifetime)
    code = site.code()
    site.clock.advance(seconds)
    assert site.exchange(code).status_code == (200 if seconds < lifetime else 400)


def test_s073_a_code_that_comes_twice_ends_what_it_gave(site: Site) -> None:
    code = site.code()
    tokens = site.exchange(code).json()
    assert _error(site.exchange(code, redirect_uri="http://127.0.0.1:8091/callback")) == "invalid_grant"
    assert _works(site, tokens["access_token"])  # S074: that was not a valid replay
    site.clock.advance(3600 - 1)  # S079: recognised after the code's life
    assert _error(site.exchange(code)) == "invalid_grant"
    assert not _works(site, tokens["access_token"])
    assert _error(site.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_a_refresh_replaces_both_tokens(site: Site) -> None:
    old = site.tokens(scope="WRITE")
    site.clock.advance(4000)  # after the access token's end
    assert not _works(site, old["access_token"])
    new = site.refresh(old["refresh_token"]).json()
    assert new["scope"] == "WRITE"
    assert {new["access_token"], new["refresh_token"]}.isdisjoint({old["access_token"], old["refresh_token"]})
    assert _works(site, new["access_token"])


def test_a_refresh_ends_the_old_access_token_at_once(site: Site) -> None:
    old = site.tokens()
    site.refresh(old["refresh_token"])
    assert not _works(site, old["access_token"])


def test_s110_a_refresh_token_that_comes_twice_ends_the_family(site: Site) -> None:
    first = site.tokens()
    second = site.refresh(first["refresh_token"]).json()
    assert _error(site.refresh(first["refresh_token"])) == "invalid_grant"
    assert not _works(site, second["access_token"])
    assert _error(site.refresh(second["refresh_token"])) == "invalid_grant"


def test_s114_a_refresh_may_narrow_the_access_token_not_the_grant(site: Site) -> None:
    tokens = site.tokens(scope="WRITE")
    narrowed = site.refresh(tokens["refresh_token"], scope="READ").json()
    assert narrowed["scope"] == "READ"
    assert _error(site.refresh(narrowed["refresh_token"], scope="ADMIN")) == "invalid_scope"
    assert site.refresh(narrowed["refresh_token"]).json()["scope"] == "WRITE"


def test_redirect_uri_on_refresh_may_be_left_out_but_not_be_foreign(site: Site) -> None:
    tokens = site.tokens()
    wrong = site.refresh(tokens["refresh_token"], redirect_uri="https://evil.test/cb")
    assert _error(wrong) == "invalid_grant"
    assert site.refresh(tokens["refresh_token"], redirect_uri=None).status_code == 200


def test_s115_the_end_of_a_grant_does_not_move(site: Site) -> None:
    tokens = site.tokens()
    for _ in range(8):
        site.clock.advance(11 * 86_400)
        tokens = site.refresh(tokens["refresh_token"]).json()
    site.clock.advance(2 * 86_400 - 100)
    tokens = site.refresh(tokens["refresh_token"]).json()
    assert tokens["expires_in"] == 100
    site.clock.advance(101)
    assert _error(site.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_s113_tokens_and_codes_belong_to_their_client(site: Site) -> None:
    other = _new_client(site)
    code, tokens = site.code(), site.tokens()
    assert _error(site.exchange(code, **other)) == "invalid_grant"
    assert _error(site.refresh(tokens["refresh_token"], **other, redirect_uri=None)) == "invalid_grant"
    assert site.exchange(code).status_code == 200
    assert site.refresh(tokens["refresh_token"]).status_code == 200


def test_s118_an_access_token_is_no_refresh_token(site: Site) -> None:
    tokens = site.tokens()
    assert _error(site.refresh(tokens["access_token"])) == "invalid_grant"
    assert site.bearer(tokens["refresh_token"]).status_code == 401
    assert _works(site, tokens["access_token"])


def test_a_public_client_has_no_secret_and_must_use_pkce(site: Site) -> None:
    public = _new_client(site, kind="public")["client_id"]
    browser = site.signed_in("alice")
    sent = browser.get(site.authorize_path(client_id=public))
    assert "error=invalid_request" in sent.headers["location"]
    code = site.code(pkce=True, client_id=public)
    right: dict[str, Any] = {"client_id": public, "client_secret": None, "code_verifier": VERIFIER}
    assert _error(site.exchange(code, **(right | {"client_secret": "x"})), 401) == "invalid_client"
    assert site.exchange(code, **right).status_code == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_s133_revoking_either_token_ends_both(site: Site, which: str) -> None:
    tokens = site.tokens()
    form = {"client_id": demo.CLIENT_ID, "client_secret": "wrong", "token": tokens[which]}
    assert _error(site.new_browser().post("/rest/oauth2/latest/revoke", data=form), 401) == "invalid_client"
    form["client_secret"] = demo.CLIENT_SECRET
    for _ in range(2):  # RFC 7009 §2.2: a token that is gone is no error
        assert site.new_browser().post("/rest/oauth2/latest/revoke", data=form).status_code == 200
    assert not _works(site, tokens["access_token"])
    assert _error(site.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_the_property_validate_client_secret(site_under: SiteFactory) -> None:
    site = site_under(validate_client_secret=False)
    tokens = site.tokens()
    form = {"client_id": demo.CLIENT_ID, "token": tokens["access_token"]}
    assert site.new_browser().post("/rest/oauth2/latest/revoke", data=form).status_code == 200
    assert not _works(site, tokens["access_token"])


def test_s013_a_large_body_is_refused(site: Site) -> None:
    answer = site.new_browser().post(TOKEN, data={"code": "x" * 70_000})
    assert _error(answer, 413) == "invalid_request"


def _new_client(site: Site, kind: str = "confidential") -> dict[str, str]:
    admin = site.signed_in("admin")
    page = admin.get("/plugins/servlet/applinks/incoming").text
    token = page.split('action="/plugins/servlet/applinks/incoming"')[1].split('value="')[1].split('"')[0]
    fields = {"form_token": token, "name": kind, "redirect_uris": site.callback, "scope": "WRITE", "type": kind}
    made = admin.post("/plugins/servlet/applinks/incoming", data=fields)
    assert made.status_code == 200, made.text
    if kind == "public":
        return {"client_id": made.text.split("<dd><code>")[1].split("<")[0]}
    lines = dict(line.split("=", 1) for line in made.text.splitlines() if "CLIENT_" in line and "=" in line)
    secret = lines["CLIENT_SECRET"]
    return {"client_id": made.text.split("CLIENT_ID=")[1].split("\n")[0], "client_secret": secret}
