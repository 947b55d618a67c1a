"""Verification: who a Bearer token acts for, and what it may do now (RFC 6750, seed "Scopes")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import tokens
from watersmeet.database.tokens import LiveAccess
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.errors import OAuthError, TokenInvalid
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens.batch import attempt
from watersmeet.web.bearer import Caller


@dataclass(frozen=True, slots=True)
class Presented:
    """An access token, and when it was shown."""

    token: str = field(repr=False)
    now: Instant


def verify(tx: Transaction, token: str, keys: Keys, now: Instant) -> Caller:
    """``verify_all`` for one token. Raises ``TokenInvalid``."""
    [outcome] = verify_all(tx, [Presented(token, now)], keys=keys)
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


def verify_all(tx: Transaction, presented: Sequence[Presented], *, keys: Keys) -> list[Caller | OAuthError]:
    """For each access token the caller behind it, or ``TokenInvalid``.

    The caller's scope is capped by what the client is registered for and by what the user may do, both as
    they are now (S127).
    """
    digests = [keys.digest(each.token) for each in presented]
    live = tokens.find_live_access(tx, digests)
    return [attempt(_decide, each, live.get(digest), keys) for each, digest in zip(presented, digests, strict=True)]


def _decide(presented: Presented, live: LiveAccess | None, keys: Keys) -> Caller:
    if not is_genuine(presented.token, TokenKind.ACCESS, keys):
        raise TokenInvalid(detail="not an access token of this server")
    if live is None or live.expires_at <= presented.now:
        raise TokenInvalid(detail="expired, spent, revoked, or of a disabled user")
    return Caller(live.user, live.scope.capped_by(live.client_scope).capped_by(live.user.role.ceiling))
