"""The token endpoint is reached directly or through the router, and is the same either way."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.http.conftest import VERIFIER, Site, SiteFactory
from watersmeet import demo
from watersmeet.app import create_app
from watersmeet.tokens.http import TokenEndpoint

TOKEN = "/rest/oauth2/latest/token"
CLIENT = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET}
DIFFERENT = ("access_token", "refresh_token")


def answers(site: Site, path: str, headers: dict[str, str]) -> list[Any]:
    """An exchange, a refusal and a wrong client: what of their answers must not depend on the way."""
    grant = {"grant_type": "authorization_code", "redirect_uri": site.callback, "code_verifier": VERIFIER}
    found = []
    for form in (
        CLIENT | grant | {"code": site.code(pkce=True)},
        CLIENT | grant | {"code": "unknown"},
        CLIENT | {"client_secret": "wrong", "grant_type": "refresh_token", "refresh_token": "x"},
    ):
        answer = site.new_browser().post(path, data=form, headers=headers)
        body = {name: value for name, value in answer.json().items() if name not in DIFFERENT}
        said = {name: value for name, value in answer.headers.items() if name != "vary"}
        found.append((answer.status_code, body, said))
    return found


def test_both_ways_answer_the_same(site: Site) -> None:
    direct = answers(site, TOKEN, {})
    assert [status for status, _, _ in direct] == [200, 400, 401]
    assert answers(site, f"{TOKEN}/", {}) == direct
    # Of an origin that no public client has, so the answer has nothing to add to it (S107).
    assert answers(site, TOKEN, {"Origin": "https://elsewhere.example"}) == direct


@pytest.mark.parametrize("context_path", ["", "/confluence"])
def test_the_direct_paths_are_those_below_the_context_path(site_under: SiteFactory, context_path: str) -> None:
    direct = TokenEndpoint(site_under(context_path).environment).direct()
    assert set(direct) == {f"{context_path}/rest/oauth2/{version}/token" for version in ("latest", "1.0")}


@pytest.mark.parametrize("path", [TOKEN, f"{TOKEN}/"])
def test_a_client_that_goes_away_is_no_failure_of_ours(site: Site, path: str) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    host = site.base_url.partition("://")[2].encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "", "path": path,
        "raw_path": path.encode(), "query_string": b"", "headers": [(b"host", host), (b"content-length", b"9")],
        "state": {},
    }  # fmt: skip
    app = create_app(site.environment.settings, database=site.environment.database, clock=site.clock)
    anyio.run(app, scope, receive, send)
    assert sent[0]["status"] == 408
