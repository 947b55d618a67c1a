"""OAuth errors: one leaf per cause, each naming the code the wire answers with.

The log names the cause (the class), the client sees the code and the public description. Descriptions use
only the characters RFC 6749 §5.2 allows and never repeat what the client sent (S027).
"""

from __future__ import annotations

from typing import ClassVar

from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.vocabulary import ErrorCode


class OAuthError(WatersmeetError):
    """A request the protocol refuses."""

    code: ClassVar[ErrorCode]


# ---- the request itself -----------------------------------------------------------------------------------


class InvalidRequest(OAuthError):
    """Malformed, or something required is missing."""

    code = ErrorCode.INVALID_REQUEST
    description = "The request is malformed."


class MissingParameter(InvalidRequest):
    """A required parameter is absent or empty."""

    def __init__(self, name: str) -> None:
        super().__init__("The parameter {name} is required.", name=name)
        self.parameter = name


class RepeatedParameter(InvalidRequest):
    """A parameter was sent more than once, perhaps in the query and in the body (RFC 6749 §3.1, §3.2)."""

    def __init__(self, name: str) -> None:
        super().__init__("The parameter {name} was sent more than once.", name=name)
        self.parameter = name


class MalformedParameters(InvalidRequest):
    """The query or the body is not well-formed ``application/x-www-form-urlencoded`` text."""

    description = "The parameters are not well-formed UTF-8 application/x-www-form-urlencoded text."


class WrongContentType(InvalidRequest):
    """The body is something other than a form."""

    description = "Send the parameters as application/x-www-form-urlencoded."


class WrongMethod(InvalidRequest):
    """The token endpoint and its like are asked by POST only (RFC 6749 §3.2)."""

    description = "Send a POST request."


class CredentialInQuery(InvalidRequest):
    """A secret, code, verifier or token came in the URL, which ends in logs and histories (S023)."""

    description = "Send client_secret, code, code_verifier and tokens in the body, not in the URL."


class NeitherStateNorChallenge(InvalidRequest):
    """Without ``state`` and without PKCE nothing protects the client against a forged answer (RFC 9700 §2.1.1)."""

    description = "Send state or code_challenge, or better both."


class UnsupportedResponseMode(InvalidRequest):
    """``response_mode`` is something other than ``query``."""

    description = "Only response_mode=query is supported."


class UnsupportedResponseType(OAuthError):
    """``response_type`` is something other than ``code``."""

    code = ErrorCode.UNSUPPORTED_RESPONSE_TYPE
    description = "Only response_type=code is supported."


class RequestObjectNotSupported(OAuthError):
    """A ``request`` parameter (RFC 9101) was sent."""

    code = ErrorCode.REQUEST_NOT_SUPPORTED
    description = "Request objects are not supported."


class RequestUriNotSupported(OAuthError):
    """A ``request_uri`` parameter (RFC 9101) was sent; it is never fetched."""

    code = ErrorCode.REQUEST_URI_NOT_SUPPORTED
    description = "request_uri is not supported."


class InvalidTarget(OAuthError):
    """``resource`` names something other than the API of this server (RFC 8707 §2)."""

    code = ErrorCode.INVALID_TARGET
    description = "resource must be the URL of this server's API."


class ClaimsNotSupported(InvalidRequest):
    """A ``claims`` parameter (OpenID Connect) was sent; whoever sends one relies on it."""

    description = "claims is not supported: this is no OpenID provider."


class UnsupportedGrantType(OAuthError):
    """A grant this provider does not serve, the implicit and the password grant among them."""

    code = ErrorCode.UNSUPPORTED_GRANT_TYPE
    description = "The supported grant types are authorization_code and refresh_token."


class InvalidScope(OAuthError):
    """A scope that does not exist, or that the client or the grant does not cover."""

    code = ErrorCode.INVALID_SCOPE
    description = "The scope is not valid."


class ScopeRequired(InvalidScope):
    """A client with the profile ``strict`` left the scope out."""

    description = "The parameter scope is required."


class ScopeAboveClient(InvalidScope):
    """More was asked for than the client is registered for."""

    description = "The scope is above what this client is registered for."


class ScopeAboveGrant(InvalidScope):
    """A refresh asked for more than was granted (RFC 6749 §6)."""

    description = "The scope is above what was granted."


class AccessDenied(OAuthError):
    """The user said no."""

    code = ErrorCode.ACCESS_DENIED
    description = "The user refused the request."


# ---- what must never be redirected (RFC 6749 §4.1.2.1) ----------------------------------------------------


class UntrustedRequest(InvalidRequest):
    """The client or its redirection URI cannot be trusted, so the user is told and nobody is redirected."""

    parameter: ClassVar[str]


class UnknownClient(UntrustedRequest):
    """No such client is registered."""

    parameter = "client_id"
    description = "No application is registered with this client_id."


class ClientDisabled(UntrustedRequest):
    """An administrator has disabled the client."""

    parameter = "client_id"
    description = "An administrator has disabled this application."


class ClientExpired(UntrustedRequest):
    """The time that an administrator gave the client is over."""

    parameter = "client_id"
    description = "The time for which an administrator admitted this application is over."


class UnregisteredRedirectUri(UntrustedRequest):
    """The redirection URI is not one the client registered."""

    parameter = "redirect_uri"
    description = "This redirect_uri is not registered for the application."


class PlainHttpRedirectUri(UntrustedRequest):
    """The redirection URI is http elsewhere, registered while that was allowed; it no longer is (S030)."""

    parameter = "redirect_uri"
    description = "This redirect_uri is not https, and this server no longer allows that."


class UnusableClientId(UntrustedRequest):
    """``client_id`` is missing or was sent twice."""

    parameter = "client_id"


class UnusableRedirectUri(UntrustedRequest):
    """``redirect_uri`` is missing or was sent twice."""

    parameter = "redirect_uri"


# ---- PKCE -------------------------------------------------------------------------------------------------


class InvalidCodeChallenge(InvalidRequest):
    """The challenge or its method is not what RFC 7636 §4.2 and §4.3 allow."""


class WeakCodeChallenge(InvalidCodeChallenge):
    """The method is ``plain``, missing, or not spelled ``S256``; only ``atlassian-dc`` clients may do that."""

    description = "code_challenge_method must be S256."


class CodeChallengeRequired(InvalidRequest):
    """A public client, or one with the profile ``strict``, must use PKCE (RFC 9700 §2.1.1)."""

    description = "This client must use PKCE: code_challenge is required."


# ---- client authentication --------------------------------------------------------------------------------


class InvalidClient(OAuthError):
    """Unknown client, wrong secret or no secret: one answer for all, so that nothing is learnt (S095)."""

    code = ErrorCode.INVALID_CLIENT
    description = "Client authentication failed."


class TwoClientAuthentications(InvalidRequest):
    """Credentials came both as HTTP Basic and as parameters (RFC 6749 §2.3)."""

    description = "Authenticate the client either with HTTP Basic or with parameters, not with both."


class OtherClientAuthentication(InvalidClient):
    """The client authenticated by another method than the one it is registered for (S092)."""


class IntrospectionNotAllowed(OAuthError):
    """A public client has nothing to prove itself by, so it may not introspect tokens (RFC 7662 §2.1)."""

    code = ErrorCode.UNAUTHORIZED_CLIENT
    description = "A public client may not introspect tokens."


# ---- grants -----------------------------------------------------------------------------------------------


class InvalidGrant(OAuthError):
    """The code or refresh token is unknown, expired, revoked, spent, or somebody else's."""

    code = ErrorCode.INVALID_GRANT
    description = "The code or token is invalid, expired or already used."


class CodeUnknown(InvalidGrant):
    """No such code, or one issued to another client, or its user has signed out since."""


class CodeExpired(InvalidGrant):
    """The code outlived its lifetime."""

    description = "The authorization code has expired."


class RedirectUriMismatch(InvalidGrant):
    """``redirect_uri`` is not the one of the authorization request (RFC 6749 §4.1.3)."""

    description = "redirect_uri is not the one the code was issued for."


class VerifierMismatch(InvalidGrant):
    """``code_verifier`` is missing or does not fit the challenge (RFC 7636 §4.6)."""

    description = "code_verifier does not match the code_challenge."


class VerifierWithoutChallenge(InvalidGrant):
    """A verifier came although the authorization request carried no challenge (RFC 9700 §4.8.2)."""

    description = "code_verifier was sent, but the authorization request had no code_challenge."


class RefreshTokenUnknown(InvalidGrant):
    """No such refresh token, or one issued to another client."""


class RefreshTokenExpired(InvalidGrant):
    """The grant reached its absolute end."""

    description = "The refresh token has expired; the user must authorize the application again."


class RefreshTokenIdle(InvalidGrant):
    """The refresh token was not used for as long as one may rest (S115)."""

    description = "The refresh token was not used for too long; the user must authorize the application again."


class GrantRevoked(InvalidGrant):
    """The user, an administrator or a detected replay ended this grant."""


class Replayed(InvalidGrant):
    """A spent code or refresh token came again; the whole family has been revoked."""


# ---- Bearer access (RFC 6750) -----------------------------------------------------------------------------


class BearerRefused(OAuthError):
    """A protected resource was asked for without sufficient credentials."""


class TokenMissing(BearerRefused):
    """No credentials at all: challenged without an error code (RFC 6750 §3.1)."""

    code = ErrorCode.INVALID_TOKEN
    description = "Send an access token in the header Authorization: Bearer."


class TokenAmbiguous(BearerRefused):
    """The token came twice, or in two ways at once (RFC 6750 §2)."""

    code = ErrorCode.INVALID_REQUEST
    description = "Send the access token once, in the header Authorization: Bearer."


class TokenInvalid(BearerRefused):
    """The token is malformed, unknown, expired or revoked."""

    code = ErrorCode.INVALID_TOKEN
    description = "The access token is invalid, expired or revoked."


class InsufficientScope(BearerRefused):
    """The token is good, but its scope does not reach this route."""

    code = ErrorCode.INSUFFICIENT_SCOPE

    def __init__(self, needed: str, held: str) -> None:
        super().__init__(f"This needs the scope {needed}; the access token has {held}.")
        self.needed = needed
