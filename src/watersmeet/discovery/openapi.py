"""The OpenAPI 3.1 description of the OAuth endpoints, for tools that read, call or attack them."""

from __future__ import annotations

from typing import Any, Final

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.vocabulary import ErrorCode, GrantType

_PATH = "/rest/oauth2/latest"
_FORM = "application/x-www-form-urlencoded"


def description(base_url: str, version: str) -> dict[str, Any]:
    """The document. Paths are relative to ``base_url``; the alias ``/rest/oauth2/1.0`` is left out."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watersmeet OAuth 2.0",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Authorization code grant with PKCE, rotating refresh tokens, revocation, introspection.",
        },
        "servers": [{"url": base_url}],
        "paths": {
            f"{_PATH}/authorize": {"get": _AUTHORIZE},
            f"{_PATH}/token": {"post": _TOKEN},
            f"{_PATH}/revoke": {"post": _REVOKE},
            f"{_PATH}/introspect": {"post": _INTROSPECT},
            f"{_PATH}/client": {"get": _CLIENT},
            f"{_PATH}/audit": {"get": _AUDIT},
            f"{_PATH}/openapi.json": {"get": _OPENAPI},
            "/.well-known/oauth-authorization-server": {"get": _SERVER_METADATA},
            "/.well-known/openid-configuration": {"get": {**_SERVER_METADATA, "operationId": "tolerantMetadata"}},
            "/.well-known/oauth-protected-resource": {"get": _RESOURCE_METADATA},
        },
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY},
    }


# ---- building blocks --------------------------------------------------------------------------------------

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_SECONDS: Final = {"type": "integer", "minimum": 0}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, schema: Any, *headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": schema}}}
    if headers:
        answer["headers"] = {name: {"schema": _TEXT} for name in headers}
    return answer


def _form(required: list[str], **properties: Any) -> dict[str, Any]:
    with_client = {**properties, "client_id": _TEXT, "client_secret": _TEXT}
    return {"required": True, "content": {_FORM: {"schema": _object(required, **with_client)}}}


_REFUSALS: Final = {
    "400": _json("The request is refused; nothing was consumed.", _ref("Error")),
    "401": _json("Client authentication failed.", _ref("Error")),
    "413": _json("The body is too large.", _ref("Error")),
    "429": _json("Too many failed attempts.", _ref("Error"), "Retry-After"),
    "503": _json("The database is busy; nothing was consumed.", _ref("Error"), "Retry-After"),
}
_CLIENT_SECURITY: Final[list[dict[str, list[str]]]] = [{"basic": []}, {}]  # or the same among the parameters
_DEPRECATION: Final = ("Deprecation", "Link", "Sunset")

# ---- operations -------------------------------------------------------------------------------------------


def _query(name: str, schema: Any, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


_AUTHORIZE: Final = {
    "operationId": "authorize",
    "summary": "Ask the user; for a browser, not for a program (RFC 6749 §4.1.1)",
    "parameters": [
        _query("client_id", _TEXT, required=True),
        _query("redirect_uri", _TEXT, required=True),
        _query("response_type", {"const": "code"}, required=True),
        _query("response_mode", {"const": "query"}),
        _query("scope", _ref("Scope")),
        _query("state", {**_TEXT, "maxLength": 8192}),
        _query("code_challenge", {**_TEXT, "minLength": 43, "maxLength": 128}),
        _query("code_challenge_method", {**_TEXT, "examples": ["S256"]}),
        _query("resource", _TEXT),
    ],
    "responses": {
        "302": {
            "description": "To the sign-in page, to the question, or with an error to the client.",
            "headers": {"Location": {"schema": _TEXT}},
        },
        "400": {
            "description": "Client, redirect_uri or encoding cannot be trusted: nobody is redirected.",
            "content": {"text/html": {"schema": _TEXT}},
        },
        "503": {"description": "The database is busy.", "content": {"text/html": {"schema": _TEXT}}},
    },
}

_TOKEN: Final = {
    "operationId": "token",
    "summary": "Exchange a code, or refresh (RFC 6749 §4.1.3, §6)",
    "security": _CLIENT_SECURITY,
    "requestBody": _form(
        ["grant_type"],
        grant_type={"enum": [grant.value for grant in GrantType]},
        code=_TEXT,
        redirect_uri=_TEXT,
        code_verifier={**_TEXT, "pattern": "^[A-Za-z0-9._~-]{43,128}$"},
        refresh_token=_TEXT,
        scope=_ref("Scope"),
        resource=_TEXT,
    ),
    "responses": {"200": _json("The tokens.", _ref("Tokens"), *_DEPRECATION), **_REFUSALS},
}

_REVOKE: Final = {
    "operationId": "revoke",
    "summary": "Give a token back; either token ends the grant (RFC 7009)",
    "security": _CLIENT_SECURITY,
    "requestBody": _form(["token"], token=_TEXT, token_type_hint=_TEXT),
    "responses": {"200": {"description": "The token works no more, whatever it was."}, **_REFUSALS},
}

_INTROSPECT: Final = {
    "operationId": "introspect",
    "summary": "Ask what an access token allows now; for clients that may (RFC 7662)",
    "security": _CLIENT_SECURITY,
    "requestBody": _form(["token"], token=_TEXT, token_type_hint=_TEXT),
    "responses": {
        "200": _json("The token.", {"oneOf": [_ref("ActiveToken"), _ref("InactiveToken")]}),
        **_REFUSALS,
    },
}

_CLIENT: Final = {
    "operationId": "clients",
    "summary": "The incoming links, without their secrets",
    "security": [{"bearer": []}],
    "responses": {
        "200": _json("The links, by name.", {"type": "array", "items": _ref("Client")}),
        "401": _json("No access token, or one that does not work.", _ref("RestError"), "WWW-Authenticate"),
        "403": _json("The token does not reach ADMIN.", _ref("RestError"), "WWW-Authenticate"),
        "503": _json("The database is busy.", _ref("RestError"), "Retry-After"),
    },
}

_AUDIT: Final = {
    "operationId": "audit",
    "summary": "What was decided, the newest first",
    "security": [{"bearer": []}],
    "parameters": [
        _query("since", {**_TEXT, "examples": ["2026-03-02", "24h"]}),
        _query("until", _TEXT),
        _query("event", {**_TEXT, "examples": ["tokens.refreshed", "tokens."]}),
        _query("user", _TEXT),
        _query("client", _TEXT),
        _query("before", {**_TEXT, "description": "the `next` of the page before"}),
    ],
    "responses": {
        "200": _json("A page of events.", _ref("Events")),
        "400": _json("A filter means nothing.", _ref("RestError")),
        "401": _json("No access token, or one that does not work.", _ref("RestError"), "WWW-Authenticate"),
        "403": _json("The token does not reach ADMIN.", _ref("RestError"), "WWW-Authenticate"),
        "503": _json("The database is busy.", _ref("RestError"), "Retry-After"),
    },
}

_OPENAPI: Final = {
    "operationId": "openapi",
    "summary": "This document",
    "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"})},
}
_SERVER_METADATA: Final = {
    "operationId": "metadata",
    "summary": "Authorization server metadata (RFC 8414)",
    "responses": {"200": _json("What this server does.", _ref("ServerMetadata"))},
}
_RESOURCE_METADATA: Final = {
    "operationId": "resourceMetadata",
    "summary": "Protected resource metadata (RFC 9728)",
    "responses": {"200": _json("Whose tokens the API takes.", _ref("ResourceMetadata"))},
}

# ---- schemas ----------------------------------------------------------------------------------------------

_SCOPE: Final = {
    **_TEXT,
    "description": "Scopes separated by spaces; each implies those before it in the list READ, WRITE, ADMIN, "
    "SYSTEM_ADMIN.",
    "pattern": f"^({'|'.join(Scope)})( ({'|'.join(Scope)}))*$",
}
_TOKEN_SHAPE: Final = {**_TEXT, "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"}
_STRINGS: Final = {"type": "array", "items": _TEXT}
_SCHEMAS: Final = {
    "Scope": _SCOPE,
    "Error": _object(
        ["error", "error_description"], error={"enum": [code.value for code in ErrorCode]}, error_description=_TEXT
    ),
    "RestError": _object(["statusCode", "message"], statusCode={"type": "integer"}, message=_TEXT),
    "Tokens": _object(
        ["access_token", "token_type", "expires_in", "refresh_token", "created_at", "scope"],
        access_token=_TOKEN_SHAPE,
        token_type={"const": "bearer"},
        expires_in=_SECONDS,
        refresh_token=_TOKEN_SHAPE,
        created_at=_SECONDS,
        scope=_ref("Scope"),
    ),
    "ActiveToken": _object(
        ["active", "scope", "client_id", "username", "sub", "token_type", "iat", "exp", "iss"],
        active={"const": True},
        scope=_ref("Scope"),
        client_id=_TEXT,
        username=_TEXT,
        sub=_TEXT,
        token_type={"const": "bearer"},
        iat=_SECONDS,
        exp=_SECONDS,
        iss=_TEXT,
    ),
    "InactiveToken": {**_object(["active"], active={"const": False}), "additionalProperties": False},
    "Client": _object(
        ["name", "client_id", "type", "redirect_uris", "scope", "profile", "created_at", "created_by"],
        name=_TEXT,
        client_id=_TEXT,
        type={"enum": ["confidential", "public"]},
        redirect_uris=_STRINGS,
        scope=_ref("Scope"),
        profile={"enum": [profile.value for profile in Profile]},
        refuses=_STRINGS,
        authentication=_TEXT,
        may_introspect={"type": "boolean"},
        plain_answers={"type": "boolean"},
        refresh_grace_seconds={"type": ["integer", "null"], "minimum": 0, "maximum": 2},
        expires_at={"type": ["integer", "null"], "minimum": 0},
        enabled={"type": "boolean"},
        created_at=_SECONDS,
        created_by=_TEXT,
        secrets={"type": "array", "items": _ref("ClientSecret")},
    ),
    "ClientSecret": _object(
        ["created_at", "expires_at", "last_used_at"],
        created_at=_SECONDS,
        expires_at={"type": ["integer", "null"], "minimum": 0},
        last_used_at={"type": ["integer", "null"], "minimum": 0},
    ),
    "Events": _object(
        ["results", "next"],
        results={"type": "array", "items": _ref("Event")},
        next={"type": ["string", "null"]},
    ),
    "Event": _object(
        ["id", "time", "event", "detail"],
        id={"type": "integer"},
        time={**_TEXT, "format": "date-time"},
        event=_TEXT,
        actor=_TEXT_OR_NULL,
        user=_TEXT_OR_NULL,
        client_id=_TEXT_OR_NULL,
        client=_TEXT_OR_NULL,
        family=_TEXT_OR_NULL,
        address=_TEXT_OR_NULL,
        request=_TEXT_OR_NULL,
        detail={"type": "object"},
    ),
    "ServerMetadata": _object(
        ["issuer", "authorization_endpoint", "token_endpoint", "response_types_supported"],
        issuer=_TEXT,
        authorization_endpoint=_TEXT,
        token_endpoint=_TEXT,
        revocation_endpoint=_TEXT,
        introspection_endpoint=_TEXT,
        response_types_supported=_STRINGS,
        response_modes_supported=_STRINGS,
        grant_types_supported=_STRINGS,
        code_challenge_methods_supported=_STRINGS,
        scopes_supported=_STRINGS,
    ),
    "ResourceMetadata": _object(
        ["resource", "authorization_servers", "scopes_supported", "bearer_methods_supported"],
        resource=_TEXT,
        authorization_servers=_STRINGS,
        scopes_supported=_STRINGS,
        bearer_methods_supported=_STRINGS,
        resource_name=_TEXT,
    ),
}
_SECURITY: Final = {
    "basic": {"type": "http", "scheme": "basic", "description": "client_id and client_secret"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "an access token"},
}
