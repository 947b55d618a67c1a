"""Metadata, discovery, resource indicators: S137 to S139."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.security.harness.client import Client, Server, answer_of, basic, is_refused
from tests.security.test_access import challenge_of
from tests.security.test_authorize import leaves

# What each advertised feature is exercised by: the rows that would fail were it a lie.
EXERCISED = {
    "issuer": "S047", "authorization_endpoint": "S042", "token_endpoint": "S022", "revocation_endpoint": "S131",
    "introspection_endpoint": "S134", "response_types_supported": "S043", "response_modes_supported": "S045",
    "grant_types_supported": "S101", "code_challenge_methods_supported": "S082", "scopes_supported": "S147",
    "token_endpoint_auth_methods_supported": "S090", "revocation_endpoint_auth_methods_supported": "S131",
    "introspection_endpoint_auth_methods_supported": "S134", "service_documentation": "S137",
    "authorization_response_iss_parameter_supported": "S047", "protected_resources": "S138",
    "request_uri_parameter_supported": "S053", "request_parameter_supported": "S053",
    "claims_parameter_supported": "S053", "ui_locales_supported": "S137", "resource_indicators_supported": "S139",
    "revocation_endpoint_auth_signing_alg_values_supported": "S098",
}  # fmt: skip
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


def test_s137_metadata_is_true_at_every_spelling(server: Server, client: Client) -> None:
    http = server.http()
    answers = [http.get(url) for url in spellings(server)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    metadata = answers[0].json()
    assert all(answer.json() == metadata for answer in answers)
    assert answers[0].headers["content-type"].split(";")[0] == "application/json"
    assert metadata["issuer"] == server.target.issuer
    assert not urlsplit(metadata["issuer"]).query
    assert not urlsplit(metadata["issuer"]).fragment
    assert metadata.keys() - EXERCISED.keys() == set(), "advertised, and exercised by no row"
    assert [name for name in NOT_OFFERED if name in metadata] == []
    assert metadata["authorization_endpoint"] == server.target.authorize
    assert metadata["token_endpoint"] == server.target.token
    assert metadata["response_types_supported"] == ["code"]
    assert set(metadata["scopes_supported"]) == set(server.target.scopes)
    grants = set(metadata["grant_types_supported"])
    assert {"authorization_code", "refresh_token"} <= grants
    for grant in {
        "client_credentials",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
    } - grants:
        answer = client.post({**client.credentials, "grant_type": grant})
        assert is_refused(answer, "unsupported_grant_type", "unauthorized_client"), grant
    methods = set(metadata["token_endpoint_auth_methods_supported"])
    assert methods <= {"client_secret_basic", "client_secret_post", "none"}
    assert {name: metadata[name] for name in metadata if name.endswith("_endpoint")}
    for name in (name for name in metadata if name.endswith("_endpoint")):
        assert metadata[name].startswith(server.target.issuer + "/"), name
        assert http.get(metadata[name]).status_code in (200, 302, 400, 405), name
    assert basic(client.id, client.secret or "")


def test_s138_a_401_leads_to_the_authorization_server(server: Server) -> None:
    http = server.http()
    challenge = challenge_of(http.get(server.url(server.resource().path)))
    document = http.get(challenge["resource_metadata"])
    assert document.status_code == 200
    body = document.json()
    assert server.target.issuer in body["authorization_servers"]
    assert set(body["scopes_supported"]) <= set(server.target.scopes)
    assert body.get("bearer_methods_supported", ["header"]) == ["header"]
    assert body["resource"].startswith(server.target.issuer)
    parts = urlsplit(body["resource"])
    there = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path.rstrip('/')}"
    assert there == challenge["resource_metadata"].rstrip("/"), "where RFC 9728 §3.1 looks for it"


def test_s139_resource_names_the_resource(server: Server, client: Client) -> None:
    http = server.http()
    challenge = challenge_of(http.get(server.url(server.resource().path)))
    resource = http.get(challenge["resource_metadata"]).json()["resource"]
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
