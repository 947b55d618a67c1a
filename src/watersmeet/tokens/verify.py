"""Verification: who a Bearer token acts for, and what it may do now (RFC 6750, seed "Scopes")."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database.personal_tokens import LivePersonalToken
from watersmeet.database.tokens import LiveAccess
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.errors import TokenInvalid
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.web.bearer import Caller


def digest_of_genuine(token: str, keys: Keys) -> str:
    """Under which digest an access token of this server would be stored. Raises ``TokenInvalid`` for noise."""
    if not is_genuine(token, TokenKind.ACCESS, keys):
        raise TokenInvalid(detail="not an access token of this server")
    return keys.digest(token)


def caller_of(live: LiveAccess | None, now: Instant) -> Caller:
    """The caller behind what an access token amounts to, if it has not expired. Raises ``TokenInvalid``.

    Its scope is capped by what the client is registered for and by what the user may do, both as they are now
    (S127).
    """
    if live is None or live.expires_at <= now:
        raise TokenInvalid(detail="expired, spent, revoked, or of a disabled user or client")
    scope = live.scope.capped_by(live.client_scope).capped_by(live.user.role.ceiling)
    return Caller(live.user, scope, live.family_id)


def caller_of_personal(live: LivePersonalToken | None, now: Instant) -> Caller:
    """The caller behind what a personal access token amounts to. Raises ``TokenInvalid``.

    It does what its user may do at this moment, or less where they wanted less (S127).
    """
    if live is None or live.expires_at <= now:
        raise TokenInvalid(detail="a personal access token that is unknown, expired, revoked, or of a disabled user")
    return Caller(live.user, live.scope.capped_by(live.user.role.ceiling), "", live.id)
