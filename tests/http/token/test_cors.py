"""Programs in browsers: whose may read the token endpoint's answers (S107, S010)."""

from __future__ import annotations

import pytest

from tests.http.app import TOKEN
from tests.http.conftest import Site

ORIGIN = "https://spa.example"
STRANGERS = [
    "https://evil.test",
    "null",
    "*",
    "http://spa.example",
    f"{ORIGIN}.evil.test",
    f"{ORIGIN}:444",
    "https://SPA.example",
    "https://sp_.example",
    "https://%.example",
    f"{ORIGIN}/",
    "https://server.example",  # of a confidential client
]


@pytest.fixture
def public(site: Site) -> Site:
    site.register("Program in a browser", [f"{ORIGIN}/cb", "https://other.example:8443?x=1"], confidential=False)
    site.register("Server", ["https://server.example/cb"])
    return site


@pytest.mark.parametrize("origin", [ORIGIN, "https://other.example:8443"])
def test_a_public_client_s_own_origin_may_read_answers_and_refusals(public: Site, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = public.new_browser().options(TOKEN, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "POST"
    refused = public.new_browser().post(TOKEN, data={}, headers={"Origin": origin})
    assert refused.json()["error"] == "invalid_request"
    for answer in (preflight, refused):
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", STRANGERS)
def test_nobody_else_may(public: Site, origin: str) -> None:
    preflight = public.new_browser().options(TOKEN, headers={"Origin": origin})
    assert (preflight.status_code, preflight.headers["allow"]) == (405, "POST")
    refused = public.new_browser().post(TOKEN, data={}, headers={"Origin": origin})
    for answer in (preflight, refused):
        assert "access-control-allow-origin" not in answer.headers


def test_no_other_route_speaks_to_programs_elsewhere(public: Site) -> None:
    for path in (public.authorize_path(), "/login.action", "/rest/oauth2/latest/introspect", "/rest/api/content"):
        for method in ("GET", "POST", "OPTIONS"):
            answer = public.new_browser().request(method, path, headers={"Origin": ORIGIN})
            assert not [name for name in answer.headers if name.startswith("access-control")]
