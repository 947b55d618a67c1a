"""Metadata at every spelling, and every word of it held against the server (S137, S138)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.http.app import URI, WITH_PKCE, App
from tests.http.conftest import VERIFIER, Site, SiteFactory
from watersmeet import demo
from watersmeet.oauth2.profile import Profile

SPELLINGS = [
    "/.well-known/oauth-authorization-server{path}",
    "{path}/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration{path}",
    "{path}/.well-known/openid-configuration",
]
UNADVERTISED_GRANTS = ["password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"]


def _path(url: str) -> str:
    return urlsplit(url).path


def _metadata(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.new_browser().get(site.path(SPELLINGS[0].format(path=""))).json()
    return found


@pytest.mark.parametrize("path", ["", "/confluence", "/a/b"])
def test_s137_every_spelling_gives_the_same_document(site_under: SiteFactory, path: str) -> None:
    site = site_under(path)
    answers = [site.new_browser().get(spelling.format(path=path)) for spelling in SPELLINGS]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["issuer"] == site.base_url


def test_s003_the_host_header_changes_nothing(site: Site) -> None:
    headers = {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.test"}
    answer = site.new_browser().get("/.well-known/oauth-authorization-server", headers=headers)
    assert answer.json() == _metadata(site)


def test_every_endpoint_is_where_it_says(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    found = _metadata(site)
    for name in ("token", "revocation", "introspection"):
        assert site.new_browser().post(_path(found[f"{name}_endpoint"])).json()["error"].startswith("invalid_")
    asked = site.new_browser().get(_path(found["authorization_endpoint"]))
    assert (asked.status_code, "client_id" in asked.text) == (400, True)
    assert not [name for name in found if name.endswith("_endpoint") and found[name].count("/rest/oauth2/latest/") != 1]


def test_grants_methods_and_challenges_are_exactly_these(site: Site) -> None:
    found = _metadata(site)
    strict, public = App(site, Profile.STRICT), App(site, Profile.ATLASSIAN_DC, confidential=False)
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token"]
    for grant in UNADVERTISED_GRANTS:
        assert site.token(grant_type=grant).json()["error"] == "unsupported_grant_type"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert strict.refusal(**WITH_PKCE) is None
    assert strict.refusal(code_challenge=VERIFIER, code_challenge_method="plain") == "invalid_request"
    assert found["response_types_supported"] == ["code"]
    for response_type in ("token", "id_token", "code token", "none"):
        assert strict.refusal(**(WITH_PKCE | {"response_type": response_type})) == "unsupported_response_type"
    assert found["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "none"]
    for app, without in ((strict, "client_secret"), (strict, ""), (public, "")):
        right = {name: value for name, value in app.parameters(app.code()).items() if name != without}
        issued = app.post(right, headers=app.basic() if without else {})
        assert issued.status_code == 200
        whose = {name: right[name] for name in ("client_id", "client_secret") if name in right}
        for endpoint, status in (("introspection", 200 if app is strict else 400), ("revocation", 200)):
            form = whose | {"token": issued.json()["access_token"]}
            headers = app.basic() if without else {}
            sent = site.new_browser().post(_path(found[f"{endpoint}_endpoint"]), data=form, headers=headers)
            assert sent.status_code == status
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]


def test_every_scope_can_be_asked_for_and_answers_name_the_issuer(site: Site) -> None:
    found = _metadata(site)
    for scope in found["scopes_supported"]:
        browser = site.signed_in("admin")
        answer = site.answer(browser, site.ask(browser, scope=scope))
        assert answer["iss"] == found["issuer"]
        assert site.exchange(answer["code"]).json()["scope"] == scope
    assert found["authorization_response_iss_parameter_supported"] is True


@pytest.mark.parametrize(("name", "error"), [("request", "request_not_supported"),
                                             ("request_uri", "request_uri_not_supported"),
                                             ("claims", "invalid_request")])  # fmt: skip
def test_s053_what_is_not_supported_is_said_and_refused(site: Site, name: str, error: str) -> None:
    assert _metadata(site)[f"{name}_parameter_supported"] is False
    assert App(site, Profile.STRICT).refusal(**(WITH_PKCE | {name: "https://evil.test/x"})) == error


# ---- the protected resource -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/confluence"])
def test_s138_a_client_that_knows_only_the_api_finds_the_way(site_under: SiteFactory, path: str) -> None:
    site = site_under(path)
    refused = site.new_browser().get(site.path("/rest/api/content"))
    challenge = refused.headers.get_list("www-authenticate")[0]
    where = re.search(r'resource_metadata="([^"]+)"', challenge)
    assert refused.status_code == 401
    assert where
    assert where[1] == f"http://127.0.0.1:8090/.well-known/oauth-protected-resource{path}/rest/api"
    found = site.new_browser().get(_path(where[1])).json()
    assert found["resource"] == f"{site.base_url}/rest/api"
    (server,) = found["authorization_servers"]
    assert server == site.base_url
    issuer = site.new_browser().get(f"/.well-known/oauth-authorization-server{_path(server)}").json()
    assert issuer["issuer"] == server
    assert issuer["protected_resources"] == [found["resource"]]
    assert found["scopes_supported"] == issuer["scopes_supported"]
    assert found["bearer_methods_supported"] == ["header"]


def test_s138_a_bad_token_is_led_there_too_and_other_routes_are_not(site: Site) -> None:
    bad = site.bearer("x").headers.get_list("www-authenticate")[0]
    assert 'error="invalid_token"' in bad
    assert "resource_metadata=" in bad
    elsewhere = site.new_browser().get("/rest/oauth2/latest/client").headers.get_list("www-authenticate")[0]
    assert "resource_metadata" not in elsewhere


RESOURCES = [
    ("{}/rest/api", None),
    ("{}/rest/api/", None),
    ("", None),
    ("{}", "invalid_target"),
    ("{}/rest/api#x", "invalid_target"),
    ("{}/rest/api?x", "invalid_target"),
    ("https://evil.test/rest/api", "invalid_target"),
    ("/rest/api", "invalid_target"),
]


@pytest.mark.parametrize(("resource", "error"), RESOURCES)
def test_s139_tokens_are_for_this_api_alone(site: Site, resource: str, error: str | None) -> None:
    named = resource.format(site.base_url)
    assert App(site, Profile.STRICT).refusal(**(WITH_PKCE | {"resource": named})) == error
    code = site.code()
    answer = site.exchange(code, resource=named)
    assert answer.json().get("error") == error
    if error:
        assert site.exchange(code).status_code == 200


def test_a_second_resource_is_refused(site: Site) -> None:
    app = App(site, Profile.STRICT)
    asked = site.authorize_path(client_id=app.client_id, redirect_uri=URI, **WITH_PKCE)
    resource = f"{site.base_url}/rest/api"
    sent = app.browser.get(f"{asked}&resource={resource}&resource={resource}")
    assert "error=invalid_request" in sent.headers["location"]
    assert demo.CLIENT_ID not in sent.headers["location"]
