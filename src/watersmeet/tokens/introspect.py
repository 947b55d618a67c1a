"""Introspection (RFC 7662): a service that accepts our access tokens asks what one allows."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Instant, epoch_seconds
from watersmeet.database import tokens
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.errors import IntrospectionNotAllowed
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens.authenticate import authenticate
from watersmeet.tokens.verify import caller_of
from watersmeet.web.bearer import Caller

INACTIVE = {"active": False}


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """An access token that works now, and what it allows now."""

    caller: Caller
    client_id: str
    issued_at: Instant
    expires_at: Instant

    def body(self, issuer: str) -> dict[str, object]:
        """The answer of RFC 7662 §2.2. ``scope`` is everything the token amounts to, implied scopes included.

        So a service may look for the one it needs and know nothing of implication (S148).
        """
        scope = self.caller.scope
        return {
            "active": True,
            "scope": " ".join(name for name in scope.vocabulary.implications if name in scope.implied),
            "client_id": self.client_id,
            "username": self.caller.user.username,
            "sub": self.caller.user.user_key,
            "token_type": "bearer",
            "iat": epoch_seconds(self.issued_at),
            "exp": epoch_seconds(self.expires_at),
            "iss": issuer,
        }


def introspect(
    tx: Transaction, credentials: ClientCredentials, token: str, *, now: Instant, keys: Keys
) -> ActiveToken | None:
    """What an access token allows now; ``None`` for whatever does not work, refresh tokens among it (S134, S135).

    A confidential client may ask about its own tokens, and about everybody's if an administrator allowed it. A
    service that took a refresh token for an access token would be wrong, so it hears nothing of them. Raises
    ``InvalidClient`` or ``IntrospectionNotAllowed``.
    """
    # A read, so nothing may be left to count: the edge has refused every legacy request before.
    asking = authenticate(tx, credentials, keys, now)
    if not asking.confidential:
        raise IntrospectionNotAllowed(detail=f"client {asking.client_id}")
    # One look-up, whatever it is that is asked about: how long it takes tells as little as the answer (S134).
    live = tokens.find_access_told_to(tx, asking.id, keys.digest(token), now, of_everybody=asking.may_introspect)
    if live is None or not is_genuine(token, TokenKind.ACCESS, keys):
        return None
    return ActiveToken(caller_of(live, now), live.client_id, live.issued_at, live.expires_at)
