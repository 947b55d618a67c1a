"""The protocol's fixed words."""

from __future__ import annotations

from enum import StrEnum


class GrantType(StrEnum):
    """The grants the token endpoint serves (RFC 6749 §4.1.3, §6). No implicit, no password grant."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant, not a secret


class ErrorCode(StrEnum):
    """The ``error`` values this provider answers with (RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1; RFC 8707)."""

    ACCESS_DENIED = "access_denied"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INVALID_TARGET = "invalid_target"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - an error code, not a secret
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"  # noqa: S105


class TokenKind(StrEnum):
    """What a token is for. Both kinds look alike on the wire; the database and the key tell them apart."""

    ACCESS = "access"
    REFRESH = "refresh"
