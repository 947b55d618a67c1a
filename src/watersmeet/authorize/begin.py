"""The beginning of an authorization: who asks, where answers may go, and what is asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from watersmeet.clock import SECOND, Instant
from watersmeet.confluence.scopes import VOCABULARY
from watersmeet.database import authorizations, clients
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.oauth2.authorization import (
    Authorization,
    AuthorizationRequest,
    AuthorizationStatus,
    requested_client_id,
    trusted_redirect_uri,
)
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.consent import asks_to_be_shown
from watersmeet.oauth2.errors import ClientDisabled, ClientExpired, OAuthError, RepeatedParameter, UnknownClient
from watersmeet.oauth2.metadata import require_known_resource
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.users.session import Session

QUESTION_LIFETIME = 600 * SECOND  # how long a consent page may stay open before it is answered


@dataclass(frozen=True, slots=True)
class Target:
    """A known client and a redirection URI it registered: from here on, errors may be sent there."""

    client: Client
    redirect_uri: RedirectUri


@dataclass(frozen=True, slots=True)
class Asked:
    """The question is kept; ``legacy`` is what will be accepted of the client if the user allows it.

    ``insists`` says that the client wants the user to be asked although they need not be.
    """

    authorization: Authorization
    client: Client
    legacy: frozenset[Legacy]
    insists: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is wrong, and the client is told so at its redirection URI (RFC 6749 §4.1.2.1)."""

    error: OAuthError
    location: str


def find_target(tx: Transaction, parameters: Parameters, now: Instant, *, allow_http: bool = False) -> Target:
    """Whom and where a request names. Raises ``UntrustedRequest``: the user is told, nobody is redirected."""
    client = clients.find(tx, requested_client_id(parameters))
    if client is None:
        raise UnknownClient
    if not client.is_enabled:
        raise ClientDisabled
    if client.has_expired(now):
        raise ClientExpired
    return Target(client, trusted_redirect_uri(parameters, client, allow_http=allow_http))


def begin(
    tx: Transaction,
    parameters: Parameters,
    session: Session,
    now: Instant,
    entropy: Entropy,
    *,
    issuer: str | None = None,
    resource: str | None = None,
    legacy_allowed: bool = True,
    allow_http: bool = False,
) -> Asked | Refused:
    """Remember the question, to be asked on the consent page.

    ``resource`` is the one that tokens are for; ``legacy_allowed`` is the operator's switch over all profiles, and
    ``allow_http`` the one over redirection URIs.
    Raises ``UntrustedRequest``.
    """
    target = find_target(tx, parameters, now, allow_http=allow_http)
    client = target.client.held_to(legacy_allowed=legacy_allowed)
    try:
        if resource is not None:
            require_known_resource(parameters, resource)
        request = AuthorizationRequest.parse(parameters, client, target.redirect_uri, VOCABULARY)
    except OAuthError as error:
        return Refused(error, client.answer_url(target.redirect_uri, _error_answer(error, parameters), issuer))
    authorization = Authorization(
        id=entropy.hex(16),
        client=request.client.id,
        user_id=session.user.id,
        session_digest=session.digest,
        request_digest=request_digest(parameters),
        redirect_uri=request.redirect_uri,
        scope=request.scope,
        state=request.state,
        challenge=request.challenge,
        status=AuthorizationStatus.PENDING,
        created_at=now,
        expires_at=now + QUESTION_LIFETIME,
        legacy=request.legacy,
    )
    authorizations.add(tx, authorization)
    return Asked(authorization, client, request.legacy, asks_to_be_shown(parameters))


def request_digest(parameters: Parameters) -> str:
    """What recognises the same parameters again, in any order (S046)."""
    canonical = Parameters(tuple(sorted(parameters))).encode()
    return hashlib.sha256(canonical.encode()).hexdigest()


def _error_answer(error: OAuthError, parameters: Parameters) -> dict[str, str | None]:
    try:
        state = parameters.get("state")
    except RepeatedParameter:
        state = None
    return {"error": error.code.value, "error_description": error.description, "state": state}
