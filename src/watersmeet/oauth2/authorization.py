"""Authorizations: one consent question from asking to its code's exchange.

``pending -> approved -> exchanged``, or ``pending -> denied``. A code exists from ``approved`` on; it is the
client's proof of the answer and works once (RFC 6749 §4.1.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from watersmeet.clock import Instant
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.errors import (
    ClaimsNotSupported,
    CodeExpired,
    CodeUnknown,
    MissingParameter,
    PlainHttpRedirectUri,
    RedirectUriMismatch,
    RepeatedParameter,
    RequestObjectNotSupported,
    RequestUriNotSupported,
    ScopeAboveClient,
    ScopeAboveGrant,
    UnregisteredRedirectUri,
    UnsupportedResponseMode,
    UnsupportedResponseType,
    UnusableClientId,
    UnusableRedirectUri,
    VerifierMismatch,
    VerifierWithoutChallenge,
)
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.pkce import CodeChallenge, CodeChallengeMethod
from watersmeet.oauth2.profile import Legacy
from watersmeet.oauth2.redirect import RedirectUri, find_match
from watersmeet.oauth2.scope import ScopeSet, ScopeVocabulary

# ---- the request ------------------------------------------------------------------------------------------


def requested_client_id(parameters: Parameters) -> str:
    """The ``client_id`` of an authorization request. Raises ``UnusableClientId``."""
    try:
        return parameters.require("client_id")
    except (MissingParameter, RepeatedParameter) as error:
        raise UnusableClientId(error.message, **error.values) from error


def trusted_redirect_uri(parameters: Parameters, client: Client, *, allow_http: bool = False) -> RedirectUri:
    """The redirection URI, once it is certain that the client registered it.

    Raises ``UnusableRedirectUri``, ``UnregisteredRedirectUri`` or, where ``allow_http`` is not the rule (any more),
    ``PlainHttpRedirectUri``: until this returns, nobody is redirected anywhere (RFC 6749 §4.1.2.1, S037).
    """
    try:
        presented = parameters.require("redirect_uri")
    except (MissingParameter, RepeatedParameter) as error:
        raise UnusableRedirectUri(error.message, **error.values) from error
    matched = find_match(client.redirect_uris, presented)
    if matched is None:
        raise UnregisteredRedirectUri
    if matched.is_plain_http and not allow_http:
        raise PlainHttpRedirectUri
    return matched


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A well-formed request of a known client with a trusted redirection URI (RFC 6749 §4.1.1).

    ``legacy`` is what it did that only an ``atlassian-dc`` client may do.
    """

    client: Client
    redirect_uri: RedirectUri
    scope: ScopeSet
    state: str | None
    challenge: CodeChallenge | None
    legacy: frozenset[Legacy]

    @classmethod
    def parse(
        cls, parameters: Parameters, client: Client, redirect_uri: RedirectUri, vocabulary: ScopeVocabulary
    ) -> AuthorizationRequest:
        """The rest of the request. Raises an ``OAuthError`` that may be sent to the redirection URI."""
        parameters.refuse_repeated()
        _refuse_request_objects(parameters)
        if parameters.require("response_type") != "code":
            raise UnsupportedResponseType
        if parameters.get("response_mode") not in (None, "query"):
            raise UnsupportedResponseMode
        challenge = CodeChallenge.parse(parameters.get("code_challenge"), parameters.get("code_challenge_method"))
        legacy = _legacy(parameters, challenge)
        client.refuse_unaccepted(legacy)
        scope = _scope(parameters, client, vocabulary)
        return cls(client, redirect_uri, scope, parameters.get("state"), challenge, legacy)


def _legacy(parameters: Parameters, challenge: CodeChallenge | None) -> frozenset[Legacy]:
    done = set()
    if challenge is None:
        done.add(Legacy.NO_PKCE)
        if "state" not in parameters:
            done.add(Legacy.NEITHER_STATE_NOR_PKCE)
    elif challenge.method is CodeChallengeMethod.PLAIN:
        done.add(Legacy.PLAIN_CHALLENGE)
    elif parameters.get("code_challenge_method") != CodeChallengeMethod.S256:
        done.add(Legacy.METHOD_SPELLING)
    if "scope" not in parameters:
        done.add(Legacy.NO_SCOPE)
    return frozenset(done)


def _refuse_request_objects(parameters: Parameters) -> None:
    # RFC 9101 §6: whoever sends one relies on it, so ignoring it would authorize something else.
    if "request" in parameters:
        raise RequestObjectNotSupported
    if "request_uri" in parameters:
        raise RequestUriNotSupported
    if "claims" in parameters:
        raise ClaimsNotSupported


def _scope(parameters: Parameters, client: Client, vocabulary: ScopeVocabulary) -> ScopeSet:
    # RFC 6749 §3.3: without a scope the server applies its default, here the weakest there is. The seed calls
    # the parameter required, but clients in the field leave it out; only legacy ones get here without (N14).
    text = parameters.get("scope") or next(iter(vocabulary.implications))
    scope = vocabulary.parse(text)
    if not client.scope.covers(scope):
        raise ScopeAboveClient
    return scope


# ---- the stateful part ------------------------------------------------------------------------------------


class AuthorizationStatus(StrEnum):
    """How far an authorization has come."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXCHANGED = "exchanged"


class AlreadyAnswered(ValueError):
    """A consent question was answered before (S049)."""


@dataclass(frozen=True, slots=True)
class CodeReplay:
    """A fully valid code came a second time: everything it ever gave must be revoked (RFC 6749 §4.1.2)."""

    family_id: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """One consent question: what was asked, of whom, and what became of it.

    ``expires_at`` is the question's end while pending and the code's end afterwards. ``family_id`` names the
    tokens that came of it. ``legacy`` is what the request did that only an ``atlassian-dc`` client may do.
    """

    id: str
    client: int
    user_id: int
    session_digest: str
    request_digest: str
    redirect_uri: RedirectUri
    scope: ScopeSet
    state: str | None
    challenge: CodeChallenge | None
    status: AuthorizationStatus
    created_at: Instant
    expires_at: Instant
    code_digest: str | None = field(default=None, repr=False)
    family_id: str | None = None
    legacy: frozenset[Legacy] = frozenset()

    def is_open(self, now: Instant) -> bool:
        """Whether the question can still be answered."""
        return self.status is AuthorizationStatus.PENDING and now < self.expires_at

    def narrowed_to(self, scope: ScopeSet) -> Authorization:
        """The user gives less than was asked for (S060). Raises ``ScopeAboveGrant`` for more.

        Whoever gives all of it gives it in the client's own words, which it compares with the answer's.
        """
        if not self.scope.covers(scope):
            raise ScopeAboveGrant
        if scope.covers(self.scope):
            return self
        return replace(self, scope=scope)

    def approve(self, now: Instant, code_digest: str, code_expires_at: Instant) -> Authorization:
        """The user said yes; a code exists from now on. Raises ``AlreadyAnswered``."""
        if not self.is_open(now):
            raise AlreadyAnswered
        return replace(
            self,
            status=AuthorizationStatus.APPROVED,
            code_digest=code_digest,
            expires_at=code_expires_at,
        )

    def deny(self, now: Instant) -> Authorization:
        """The user said no. Raises ``AlreadyAnswered``."""
        if not self.is_open(now):
            raise AlreadyAnswered
        return replace(self, status=AuthorizationStatus.DENIED)

    def exchange(
        self, now: Instant, redirect_uri: str, verifier: str | None, family_id: str
    ) -> Authorization | CodeReplay:
        """The code comes back, once.

        The proofs come first: a replay that fails them, perhaps a thief's guess, revokes nothing and consumes
        nothing (S074). A valid replay is recognised even after the code's lifetime (S079).

        Raises ``RedirectUriMismatch``, ``VerifierMismatch``, ``VerifierWithoutChallenge``, ``CodeExpired``.
        """
        if redirect_uri != self.redirect_uri.value:
            raise RedirectUriMismatch
        self._check_verifier(verifier)
        if self.status is AuthorizationStatus.EXCHANGED and self.family_id is not None:
            return CodeReplay(self.family_id)
        if self.status is not AuthorizationStatus.APPROVED:
            raise CodeUnknown
        if now >= self.expires_at:
            raise CodeExpired
        return replace(self, status=AuthorizationStatus.EXCHANGED, family_id=family_id)

    def _check_verifier(self, verifier: str | None) -> None:
        if self.challenge is None:
            if verifier is not None:
                # Somebody stripped the challenge from the authorization request (RFC 9700 §4.8.2).
                raise VerifierWithoutChallenge
        elif verifier is None or not self.challenge.is_met_by(verifier):
            raise VerifierMismatch
