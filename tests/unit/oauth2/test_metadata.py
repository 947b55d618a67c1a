"""Metadata: both documents, word for word, and the one resource there is."""

from __future__ import annotations

import pytest

from watersmeet.oauth2.errors import InvalidTarget, RepeatedParameter
from watersmeet.oauth2.metadata import authorization_server, protected_resource, require_known_resource
from watersmeet.oauth2.parameters import Parameters

ISSUER = "https://wiki.example/confluence"
RESOURCE = "https://wiki.example/confluence/rest/api"
SCOPES = ("READ", "WRITE")


def test_s137_the_document_of_rfc_8414() -> None:
    assert authorization_server(ISSUER, SCOPES, resource=RESOURCE) == {
        "issuer": "https://wiki.example/confluence",
        "authorization_endpoint": "https://wiki.example/confluence/rest/oauth2/latest/authorize",
        "token_endpoint": "https://wiki.example/confluence/rest/oauth2/latest/token",
        "revocation_endpoint": "https://wiki.example/confluence/rest/oauth2/latest/revoke",
        "introspection_endpoint": "https://wiki.example/confluence/rest/oauth2/latest/introspect",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["READ", "WRITE"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "protected_resources": ["https://wiki.example/confluence/rest/api"],
    }


def test_s138_the_document_of_rfc_9728() -> None:
    assert protected_resource(RESOURCE, ISSUER, SCOPES) == {
        "resource": "https://wiki.example/confluence/rest/api",
        "authorization_servers": ["https://wiki.example/confluence"],
        "scopes_supported": ["READ", "WRITE"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Watersmeet content API",
    }


@pytest.mark.parametrize(
    "query", [b"", b"resource=", b"resource=" + RESOURCE.encode(), f"resource={RESOURCE}/".encode()]
)
def test_s138_no_resource_or_the_api_itself_may_be_asked_for(query: bytes) -> None:
    require_known_resource(Parameters.parse(query), RESOURCE)


@pytest.mark.parametrize("resource", [f"{RESOURCE}//", f"{RESOURCE}x", ISSUER, RESOURCE.upper(), "https://evil.test/"])
def test_s138_any_other_resource_is_an_invalid_target(resource: str) -> None:
    with pytest.raises(InvalidTarget):
        require_known_resource(Parameters((("resource", resource),)), RESOURCE)


def test_s018_a_resource_is_asked_for_once() -> None:
    with pytest.raises(RepeatedParameter):
        require_known_resource(Parameters.parse(f"resource={RESOURCE}&resource={RESOURCE}".encode()), RESOURCE)
