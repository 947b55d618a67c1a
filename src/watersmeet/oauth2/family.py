"""Token families: everything that ever came out of one authorization code.

A family has generations; each is a pair of an access and a refresh token. Refreshing spends the newest pair,
its access token included, and makes the next. A spent refresh token that comes again means that two parties
hold the family, so the family ends (RFC 9700 §4.14.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.clock import Instant
from watersmeet.oauth2.errors import GrantRevoked, RefreshTokenExpired, ScopeAboveGrant
from watersmeet.oauth2.scope import ScopeSet


class Revocation(StrEnum):
    """Why a family ended before its time."""

    REPLAYED = "replayed"
    BY_USER = "by user"
    BY_CLIENT = "by client"
    BY_ADMINISTRATOR = "by administrator"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - a reason, not a password


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long tokens live, in milliseconds."""

    access_token: Instant
    refresh_token: Instant


@dataclass(frozen=True, slots=True)
class TokenFamily:
    """What one authorization gave: to which client, for which user, how much, until when at most."""

    id: str
    client: int
    user_id: int
    scope: ScopeSet
    authorized_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = None

    @classmethod
    def start(
        cls, family_id: str, *, client: int, user_id: int, scope: ScopeSet, now: Instant, lifetimes: Lifetimes
    ) -> tuple[TokenFamily, TokenPair]:
        """A new family and its first pair.

        The family's end is fixed here and does not move with rotation (S115).
        """
        family = cls(family_id, client, user_id, scope, now, now + lifetimes.refresh_token)
        return family, family._pair(0, scope, now, lifetimes)

    def rotate(
        self, presented: TokenPair, scope: ScopeSet | None, now: Instant, lifetimes: Lifetimes
    ) -> TokenPair | RefreshReplay:
        """The pair that follows ``presented``, whose refresh token came back.

        ``scope`` may narrow the new access token, not the family: the next refresh has the whole grant again
        (RFC 6749 §6). Raises ``GrantRevoked``, ``RefreshTokenExpired`` or ``ScopeAboveGrant``.
        """
        if self.revoked_at is not None:
            raise GrantRevoked
        if presented.state is PairState.SPENT:
            return RefreshReplay(self.id, presented.generation)
        if now >= self.expires_at:
            raise RefreshTokenExpired
        if scope is not None and not self.scope.covers(scope):
            raise ScopeAboveGrant
        return self._pair(presented.generation + 1, scope or self.scope, now, lifetimes)

    def _pair(self, generation: int, scope: ScopeSet, now: Instant, lifetimes: Lifetimes) -> TokenPair:
        end = min(now + lifetimes.access_token, self.expires_at)
        return TokenPair(generation, scope, PairState.ACTIVE, now, end)


class PairState(StrEnum):
    """Whether a pair still works."""

    ACTIVE = "active"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """One generation: an access token with its own end, and the refresh token issued with it."""

    generation: int
    scope: ScopeSet
    state: PairState
    created_at: Instant
    access_expires_at: Instant


@dataclass(frozen=True, slots=True)
class RefreshReplay:
    """A spent refresh token came again: the family must be revoked, and that must be committed."""

    family_id: str
    generation: int
