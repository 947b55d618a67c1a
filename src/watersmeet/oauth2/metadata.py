"""Metadata: what clients can find out by themselves, every statement true (RFC 8414, RFC 9728, RFC 9207)."""

from __future__ import annotations

from collections.abc import Iterable

from watersmeet.oauth2.client import AuthenticationMethod
from watersmeet.oauth2.errors import InvalidTarget
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.pkce import CodeChallengeMethod
from watersmeet.oauth2.vocabulary import GrantType


def authorization_server(issuer: str, scopes: Iterable[str], *, resource: str) -> dict[str, object]:
    """The document of RFC 8414 §2. ``issuer`` is the base URL, to the letter.

    It says what every client may rely on, so nothing that only the profile ``atlassian-dc`` allows.
    """
    endpoints = f"{issuer}/rest/oauth2/latest"
    with_secret = [method.value for method in AuthenticationMethod]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{endpoints}/authorize",
        "token_endpoint": f"{endpoints}/token",
        "revocation_endpoint": f"{endpoints}/revoke",
        "introspection_endpoint": f"{endpoints}/introspect",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [grant.value for grant in GrantType],
        "token_endpoint_auth_methods_supported": [*with_secret, "none"],
        "revocation_endpoint_auth_methods_supported": [*with_secret, "none"],
        "introspection_endpoint_auth_methods_supported": with_secret,
        "code_challenge_methods_supported": [CodeChallengeMethod.S256.value],
        "scopes_supported": list(scopes),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "protected_resources": [resource],
    }


def protected_resource(resource: str, issuer: str, scopes: Iterable[str]) -> dict[str, object]:
    """The document of RFC 9728 §2 for the API at ``resource``."""
    return {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": "Watersmeet content API",
    }


def require_known_resource(parameters: Parameters, resource: str) -> None:
    """Raises ``InvalidTarget`` when a request names another resource than the one there is (RFC 8707 §2).

    Some clients add a slash (S138).
    """
    if parameters.get("resource") not in (None, resource, f"{resource}/"):
        raise InvalidTarget
