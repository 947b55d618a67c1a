"""What is not offered, and must not be there by accident: S140 to S146."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.verdict import Row
from tests.security.test_redirect import is_stopped

CIMD_URLS = (
    "https://client.example/metadata", "http://client.example/metadata", "https://user@client.example/m",
    "https://client.example/../m", "https://client.example/m#x", "https://127.0.0.1/m", "https://client.example",
)  # fmt: skip


def refuses(server: Server, *paths: str) -> bool:
    """Whether nothing answers at these places, whatever is sent."""
    http = server.http()
    statuses = [
        answer.status_code
        for path in paths
        for answer in (
            http.get(server.url(path)),
            http.post(server.url(path), data={"client_id": "x"}),
            http.post(server.url(path), json={"redirect_uris": ["https://a.example/cb"]}),
        )
    ]
    return set(statuses) <= {401, 404, 405}


def test_s140_dynamic_registration(server: Server, row: Row) -> None:
    row.not_supported("dynamic registration does not exist")
    server.must_not_advertise("registration_endpoint")
    paths = ("/rest/oauth2/latest/register", "/register", "/rest/oauth2/latest/clients", "/rest/oauth2/latest/client")
    assert refuses(server, *paths)


def test_s141_client_id_documents(server: Server, client: Client, row: Row) -> None:
    row.not_supported("a client_id is a registered identifier, never an address")
    server.must_not_advertise("client_id_metadata_document_supported")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        local = f"http://127.0.0.1:{canary.getsockname()[1]}/client"
        for url in (*CIMD_URLS, local):
            assert is_stopped(client.authorize(client_id=url)), url
            assert is_refused(client.post({**client.refresh_fields("x"), "client_id": url}), "invalid_client"), url
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_s142_nothing_is_fetched(server: Server, client: Client, row: Row) -> None:
    row.not_supported("no request makes the server fetch anything: there is nothing to protect")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        url = f"http://127.0.0.1:{canary.getsockname()[1]}/x"
        names = ("jwks_uri", "logo_uri", "sector_identifier_uri", "request_uri", "client_uri", "policy_uri", "iss")
        for name in names:
            extra: dict[str, Any] = {name: url}
            client.authorize(**extra)
            client.post({**client.refresh_fields("x"), name: url, "client_assertion": url})
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_s143_device_authorization(server: Server, client: Client, row: Row) -> None:
    row.not_supported("there is no device authorization")
    server.must_not_advertise("device_authorization_endpoint")
    assert refuses(server, "/rest/oauth2/latest/device_authorization", "/device", "/rest/oauth2/latest/device")
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    assert is_refused(
        client.post({**client.credentials, "grant_type": grant, "device_code": "x"}), "unsupported_grant_type"
    )


def test_s144_pushed_requests(server: Server, client: Client, row: Row) -> None:
    row.not_supported("there are no pushed authorization requests")
    server.must_not_advertise("pushed_authorization_request_endpoint")
    assert refuses(server, "/rest/oauth2/latest/par", "/par", "/rest/oauth2/latest/pushed_authorization_request")
    told = client.outcome(request_uri="urn:ietf:params:oauth:request_uri:x")
    assert told["error"] == "request_uri_not_supported"


def test_s145_dpop(server: Server, client: Client, row: Row) -> None:
    row.not_supported("tokens are Bearer tokens; DPoP is not advertised")
    server.must_not_advertise("dpop_signing_alg_values_supported")
    tokens = client.post(client.exchange_fields(client.code(dpop_jkt="x" * 43)), headers={"DPoP": "a.b.c"}).json()
    assert tokens["token_type"].lower() == "bearer", "nobody is told that the token is bound"
    path = server.url(server.resource().path)
    header = {"Authorization": f"DPoP {tokens['access_token']}", "DPoP": "a.b.c"}
    assert server.http().get(path, headers=header).status_code == 401


def test_s146_service_accounts(server: Server, client: Client, row: Row) -> None:
    row.not_supported("client_credentials does not exist")
    assert "client_credentials" not in server.metadata().get("grant_types_supported", [])
    for each in (client, server.client("public")):
        answer = each.post({**each.credentials, "grant_type": "client_credentials", "scope": "READ"})
        assert is_refused(answer, "unsupported_grant_type", "unauthorized_client", "invalid_client")
