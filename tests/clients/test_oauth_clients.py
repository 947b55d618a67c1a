"""Authlib and requests-oauthlib as they come: both flows, and their own automatic refresh."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from requests_oauthlib import OAuth2Session

from tests.support.flow import callback_url
from tests.support.server import RunningServer, running_server
from watersmeet.oauth2.pkce import s256

VERIFIER = "v" * 64


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server whose access tokens live for one second, so that clients must refresh."""
    with running_server(["-Datlassian.oauth2.provider.access.token.expiration.seconds=1"]) as server:
        yield server


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("with_pkce", [True, False], ids=["pkce", "plain-code"])
def test_authlib(server: RunningServer, method: str, with_pkce: bool) -> None:
    demo, base, updates = server.clients[0], server.base_url, []
    with AuthlibSession(
        client_id=demo.client_id,
        client_secret=demo.client_secret,
        scope="READ WRITE",
        redirect_uri=demo.redirect_uris[0],
        token_endpoint_auth_method=method,
        code_challenge_method="S256" if with_pkce else None,
        token_endpoint=f"{base}/rest/oauth2/latest/token",
        update_token=lambda token, **_: updates.append(token),
    ) as client:
        more = {"code_verifier": VERIFIER} if with_pkce else {}
        url, state = client.create_authorization_url(f"{base}/rest/oauth2/latest/authorize", **more)
        answer = callback_url(url, demo.redirect_uris[0], "alice")
        token = client.fetch_token(
            f"{base}/rest/oauth2/latest/token", authorization_response=answer, state=state, **more
        )
        assert client.get(f"{base}/rest/api/user/current").json()["username"] == "alice"
        time.sleep(2)  # the client looks at its own clock, and rounds
        assert client.get(f"{base}/rest/api/user/current").json()["username"] == "alice"
    assert updates[0]["refresh_token"] != token["refresh_token"]


@pytest.mark.parametrize("with_pkce", [True, False], ids=["pkce", "plain-code"])
def test_requests_oauthlib(server: RunningServer, monkeypatch: pytest.MonkeyPatch, with_pkce: bool) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # loopback, which the library does not except
    demo, base = server.clients[0], server.base_url
    updates: list[dict[str, Any]] = []
    secret = {"client_id": demo.client_id, "client_secret": demo.client_secret}
    client = OAuth2Session(
        demo.client_id,
        redirect_uri=demo.redirect_uris[0],
        scope=["WRITE"],
        auto_refresh_url=f"{base}/rest/oauth2/latest/token",
        auto_refresh_kwargs=secret,
        token_updater=updates.append,
    )
    challenge = {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"} if with_pkce else {}
    url, _ = client.authorization_url(f"{base}/rest/oauth2/latest/authorize", **challenge)
    answer = callback_url(url, demo.redirect_uris[0], "alice")
    token = client.fetch_token(
        f"{base}/rest/oauth2/latest/token",
        authorization_response=answer,
        client_secret=demo.client_secret,
        include_client_id=True,
        **({"code_verifier": VERIFIER} if with_pkce else {}),
    )
    assert client.get(f"{base}/rest/api/user/current").json()["username"] == "alice"
    time.sleep(2)  # the client looks at its own clock, and rounds
    assert client.get(f"{base}/rest/api/user/current").json()["username"] == "alice"
    assert updates[0]["refresh_token"] != token["refresh_token"]
    client.close()
