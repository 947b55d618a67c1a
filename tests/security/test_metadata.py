"""Metadata, discovery, resource indicators: S137 to S139."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.security.harness.client import Client, Server, answer_of, basic, is_refused
from tests.security.requirements import REQUIREMENTS
from tests.security.test_access import challenge_of
from tests.security.test_authorize import leaves

# What each advertised member is exercised by, where no value of it needs trying by itself: the rows that would fail
# were it a lie.
EXERCISED = {
    "issuer": "S047", "authorization_endpoint": "S042", "token_endpoint": "S022", "revocation_endpoint": "S131",
    "introspection_endpoint": "S134", "authorization_response_iss_parameter_supported": "S047",
    "protected_resources": "S138", "request_uri_parameter_supported": "S053", "request_parameter_supported": "S053",
    "claims_parameter_supported": "S053",
}  # fmt: skip


def _authenticates(endpoint: str, method: str) -> Callable[[Server, Client], bool]:
    """Whether a way of authenticating gets a client past an endpoint, and nothing less does."""

    def tried(server: Server, client: Client) -> bool:
        url = server.metadata()[endpoint]
        client = server.client("public") if method == "none" else client
        tokens = client.tokens()
        rest = {
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
            "token": tokens["access_token"],
        }
        wrong = {**rest, "client_id": client.id, "client_secret": "wrong"}
        assert is_refused(client.post(wrong, url), "invalid_client"), "anything less"
        if method == "client_secret_basic":
            header = {"Authorization": basic(client.id, client.secret or "")}
            return client.post(rest, url, headers=header).status_code == 200
        return client.post({**rest, **client.credentials}, url).status_code == 200

    return tried


def _refreshes(_server: Server, client: Client) -> bool:
    return client.refresh(client.tokens()["refresh_token"]).status_code == 200


def _exchanges(_server: Server, client: Client) -> bool:
    return client.exchange(client.code()).status_code == 200


def _reaches(scope: str) -> Callable[[Server, Client], bool]:
    def tried(server: Server, _client: Client) -> bool:
        all_of_it = server.client("administration").acting_for(server.user("system-administrator"))
        tokens = all_of_it.tokens(scope=scope)
        needed = scope if scope in server.target.resources else server.target.scopes[-2]
        return bool(tokens["scope"] == scope) and server.reaches(tokens["access_token"], needed)

    return tried


def _in_the_header(server: Server, client: Client) -> bool:
    return server.works(client.tokens()["access_token"])


# What each advertised value is tried by. A new value without an entry fails S137 or S138.
TRIED: dict[tuple[str, str], Callable[[Server, Client], bool]] = {
    ("response_types_supported", "code"): lambda _server, client: "code" in client.outcome(response_type="code"),
    ("response_modes_supported", "query"): lambda _server, client: "code" in client.outcome(response_mode="query"),
    ("grant_types_supported", "authorization_code"): _exchanges,
    ("grant_types_supported", "refresh_token"): _refreshes,
    ("code_challenge_methods_supported", "S256"): _exchanges,
    ("bearer_methods_supported", "header"): _in_the_header,
    **{
        (f"{name}_auth_methods_supported", method): _authenticates(name, method)
        for name, methods in {
            "token_endpoint": ("client_secret_basic", "client_secret_post", "none"),
            "revocation_endpoint": ("client_secret_basic", "client_secret_post", "none"),
            "introspection_endpoint": ("client_secret_basic", "client_secret_post"),
        }.items()
        for method in methods
    },
    **{("scopes_supported", scope): _reaches(scope) for scope in ("READ", "WRITE", "ADMIN", "SYSTEM_ADMIN")},
}
# Values of those members that other servers have: what is not advertised is refused.
REFUSED: dict[tuple[str, str], dict[str, Any]] = {
    **{
        ("response_types_supported", value): {"response_type": value}
        for value in ("token", "id_token", "code id_token", "code token", "none")
    },
    **{
        ("response_modes_supported", value): {"response_mode": value}
        for value in ("fragment", "form_post", "jwt", "query.jwt", "web_message")
    },
    ("code_challenge_methods_supported", "plain"): {
        "pkce": False, "code_challenge": "v" * 43, "code_challenge_method": "plain",
    },
    **{("scopes_supported", value): {"scope": value} for value in ("openid", "offline_access", "read", "DELETE")},
}  # fmt: skip
GRANTS_ELSEWHERE = (
    "client_credentials", "password", "implicit", "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
)  # fmt: skip
NOT_OFFERED = (
    "registration_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint", "jwks_uri",
    "dpop_signing_alg_values_supported", "id_token_signing_alg_values_supported", "userinfo_endpoint",
    "backchannel_authentication_endpoint", "client_id_metadata_document_supported",
    "require_pushed_authorization_requests", "tls_client_certificate_bound_access_tokens",
)  # fmt: skip


def spellings(server: Server) -> list[str]:
    """Every address at which clients look for the metadata (RFC 8414 §3, §5, and what is common)."""
    parts = urlsplit(server.target.issuer)
    names = ("oauth-authorization-server", "openid-configuration")
    inserted = [f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path}" for name in names]
    return list(dict.fromkeys(inserted + [f"{server.target.issuer}/.well-known/{name}" for name in names]))


def test_s137_metadata_is_true_at_every_spelling(server: Server, client: Client, elsewhere: list[Server]) -> None:
    http = server.http()
    answers = [http.get(url) for url in spellings(server)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    # With a path in the issuer there are four: inserted before it and appended to it, each under two names.
    for secured in elsewhere:
        with_path = [secured.http().get(url) for url in spellings(secured)]
        assert [answer.status_code for answer in with_path] == [200] * 4
        assert {answer.json()["issuer"] for answer in with_path} == {secured.target.issuer}
        assert secured.http().get(f"{secured.target.origin}/.well-known/oauth-authorization-server").status_code == 404
    metadata = answers[0].json()
    assert all(answer.json() == metadata for answer in answers)
    assert answers[0].headers["content-type"].split(";")[0] == "application/json"
    assert metadata["issuer"] == server.target.issuer
    assert not urlsplit(metadata["issuer"]).query
    assert not urlsplit(metadata["issuer"]).fragment
    _every_value_is_true(server, client, metadata)
    assert [name for name in NOT_OFFERED if name in metadata] == []
    assert metadata["authorization_endpoint"] == server.target.authorize
    assert metadata["token_endpoint"] == server.target.token
    assert metadata["response_types_supported"] == ["code"]
    assert set(metadata["scopes_supported"]) == set(server.target.scopes)
    grants = set(metadata["grant_types_supported"])
    assert {"authorization_code", "refresh_token"} <= grants
    for grant in set(GRANTS_ELSEWHERE) - grants:
        answer = client.post({**client.credentials, "grant_type": grant})
        assert is_refused(answer, "unsupported_grant_type", "unauthorized_client"), grant
    methods = set(metadata["token_endpoint_auth_methods_supported"])
    assert methods <= {"client_secret_basic", "client_secret_post", "none"}
    assert {name: metadata[name] for name in metadata if name.endswith("_endpoint")}
    for name in (name for name in metadata if name.endswith("_endpoint")):
        assert metadata[name].startswith(server.target.issuer + "/"), name
        assert http.get(metadata[name]).status_code in (200, 302, 400, 405), name
    assert basic(client.id, client.secret or "")


def _every_value_is_true(server: Server, client: Client, metadata: dict[str, Any]) -> None:
    """Each member is exercised by a row, or each of its values is tried here; what is not advertised is refused."""
    lists = {name: values for name, values in metadata.items() if isinstance(values, list) and name not in EXERCISED}
    if not server.is_ours:  # what else it advertises is for its own tests
        lists = {name: [value for value in values if (name, value) in TRIED] for name, values in lists.items()}
    else:
        assert metadata.keys() - EXERCISED.keys() == lists.keys(), "advertised, and exercised by no row"
    assert set(EXERCISED.values()) <= {row.id for row in REQUIREMENTS}
    for name, values in lists.items():
        for value in values:
            assert (name, value) in TRIED, "advertised, and nothing says how to try it"
            assert TRIED[name, value](server, client), (name, value)
    advertised = {(name, value) for name, values in lists.items() for value in values}
    for unadvertised in REFUSED.keys() - advertised:
        assert "error" in client.outcome(**REFUSED[unadvertised]), unadvertised


def test_s138_a_401_leads_to_the_authorization_server(server: Server, elsewhere: list[Server]) -> None:
    for each in (server, *elsewhere):
        _leads_there(each, each.client())


def _resource_metadata(server: Server) -> str:
    """Where the 401 says that the resource is described; the test is left out where another server says nothing."""
    challenge = challenge_of(server.http().get(server.url(server.resource().path)))
    if "resource_metadata" not in challenge and not server.is_ours:
        pytest.skip("the target advertises no metadata of its resource")
    return challenge["resource_metadata"]


def _leads_there(server: Server, client: Client) -> None:
    address = _resource_metadata(server)
    document = server.http().get(address)
    assert document.status_code == 200
    body = document.json()
    assert server.target.issuer in body["authorization_servers"]
    assert set(body["scopes_supported"]) <= set(server.target.scopes)
    assert body.get("bearer_methods_supported", ["header"]) == ["header"]
    assert body["resource"].startswith(server.target.issuer)
    parts = urlsplit(body["resource"])
    for value in body.get("bearer_methods_supported", []):
        assert TRIED["bearer_methods_supported", value](server, client)
    assert set(body) <= {
        "resource", "authorization_servers", "scopes_supported", "bearer_methods_supported", "resource_name",
    }  # fmt: skip
    there = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path.rstrip('/')}"
    assert there == address.rstrip("/"), "where RFC 9728 §3.1 looks for it"


def test_s139_resource_names_the_resource(server: Server, client: Client) -> None:
    resource = server.http().get(_resource_metadata(server)).json()["resource"]
    for good in (resource, resource.rstrip("/"), resource.rstrip("/") + "/"):
        code = client.code(resource=good)
        assert client.exchange(code, resource=good).status_code == 200, good
    for bad in ("https://elsewhere.example/", "relative", resource + "#x", "not a uri", resource + "x"):
        page = client.authorize(resource=bad)
        assert leaves(page, server)
        assert answer_of(page.headers["location"])["error"] == "invalid_target", bad
        code = client.code(resource=resource)
        assert is_refused(client.exchange(code, resource=bad), "invalid_target"), bad
        tokens = client.exchange(code).json()
        assert is_refused(client.refresh(tokens["refresh_token"], resource=bad), "invalid_target"), bad
