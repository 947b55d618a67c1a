"""Refreshing: a refresh token for the next pair of its family (RFC 6749 §6, RFC 9700 §4.14.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import audit, tokens
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.tokens import StoredPair
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.errors import GrantRevoked, RedirectUriMismatch, RefreshTokenUnknown
from watersmeet.oauth2.family import Lifetimes, RefreshReplay, Revocation, TokenPair
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.redirect import find_match
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens.authenticate import authenticate
from watersmeet.tokens.issue import issue


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What a refresh needs besides the client's credentials."""

    refresh_token: str = field(repr=False)
    scope: ScopeSet | None
    redirect_uri: str | None

    @classmethod
    def parse(cls, parameters: Parameters) -> RefreshRequest:
        """From the parameters of a token request. Raises ``MissingParameter`` or ``InvalidScope``."""
        scope = parameters.get("scope")
        return cls(
            parameters.require("refresh_token"),
            parse_scope(scope) if scope is not None else None,
            parameters.get("redirect_uri"),
        )


def refresh(
    tx: Transaction,
    credentials: ClientCredentials,
    request: RefreshRequest,
    *,
    now: Instant,
    lifetimes: Lifetimes,
    keys: Keys,
    entropy: Entropy,
    origin: Origin = INTERNAL,
) -> IssuedTokens | RefreshReplay:
    """The next pair, or the news that the token was spent before and the family has ended.

    A replay is a value, not an exception, because the revocation must be committed. Everything that raises
    consumes nothing. Raises ``InvalidClient``, ``InvalidGrant`` or ``InvalidScope``.
    """
    client = authenticate(tx, credentials, keys, now)
    stored = _find(tx, client, request, keys)
    pair = _rotate(stored, request, now, lifetimes)
    if isinstance(pair, TokenPair) and not tokens.spend(tx, stored):
        # Somebody refreshed or revoked between our look and our move: look again, decide again.
        stored = _find(tx, client, request, keys)
        pair = _rotate(stored, request, now, lifetimes)
        if isinstance(pair, TokenPair):
            raise GrantRevoked(detail="lost a race that nobody won")
    family, client_id = stored.family, client.client_id
    if isinstance(pair, RefreshReplay):
        tokens.revoke(tx, family.id, Revocation.REPLAYED, now)
        audit.record(
            tx,
            Event.REFRESH_REPLAYED,
            origin,
            now,
            user_id=family.user_id,
            client_id=client_id,
            family_id=family.id,
            detail={"generation": pair.generation},
        )
        return pair
    audit.record(
        tx, Event.TOKENS_REFRESHED, origin, now, user_id=family.user_id, client_id=client_id, family_id=family.id
    )
    return issue(tx, family.id, pair, keys, entropy)


def _rotate(
    stored: StoredPair, request: RefreshRequest, now: Instant, lifetimes: Lifetimes
) -> TokenPair | RefreshReplay:
    return stored.family.rotate(stored.pair, request.scope, now, lifetimes)


def _find(tx: Transaction, client: Client, request: RefreshRequest, keys: Keys) -> StoredPair:
    # The seed sends redirect_uri with a refresh; most clients do not. Sent and wrong is refused (note N10).
    if request.redirect_uri is not None and find_match(client.redirect_uris, request.redirect_uri) is None:
        raise RedirectUriMismatch("redirect_uri is not registered for this client.")
    if not is_genuine(request.refresh_token, TokenKind.REFRESH, keys):
        raise RefreshTokenUnknown(detail="not a refresh token of this server")
    stored = tokens.find_by_refresh_token(tx, keys.digest(request.refresh_token))
    if stored is None or stored.family.client != client.id:
        raise RefreshTokenUnknown
    if not stored.user_enabled:
        raise GrantRevoked(detail="the user is disabled")
    return stored
