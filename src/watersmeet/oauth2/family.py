"""Token families: everything that ever came out of one authorization code.

A family has generations; each is a pair of an access and a refresh token. Refreshing spends the newest pair,
its access token included, and makes the next. A spent refresh token that comes again means that two parties
hold the family, so the family ends (RFC 9700 §4.14.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.clock import Instant
from watersmeet.oauth2.errors import GrantRevoked, RefreshTokenExpired, RefreshTokenIdle, ScopeAboveGrant
from watersmeet.oauth2.scope import ScopeSet


class Revocation(StrEnum):
    """Why a family ended before its time."""

    REPLAYED = "replayed"
    LOST_RESPONSE = "reuse after lost response?"
    BY_USER = "by user"
    BY_CLIENT = "by client"
    BY_ADMINISTRATOR = "by administrator"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - a reason, not a password


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long tokens live, in milliseconds.

    ``refresh_token`` is for how long a family is refreshed in all, and ``idle`` for how long one of its refresh
    tokens waits to be used (S115; ``None``: as long as the family has). ``administrative`` is for access tokens that
    reach beyond content, where that is less (S122). ``legacy`` is what holds for ``atlassian-dc`` clients instead.
    """

    access_token: Instant
    refresh_token: Instant
    idle: Instant | None = None
    administrative: Instant | None = None
    legacy: Lifetimes | None = None

    def end_of_rest(self, issued_at: Instant) -> Instant | None:
        """When a refresh token of that moment has waited too long; ``None``: never."""
        return None if self.idle is None else issued_at + self.idle

    def access_token_for(self, scope: ScopeSet) -> Instant:
        """How long an access token of that scope lives at most."""
        if self.administrative is not None and scope.is_administrative:
            return min(self.administrative, self.access_token)
        return self.access_token


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """What happens to a refresh token that comes again.

    ``grace`` is for how long, in milliseconds, the same request gets the same answer again, because the first
    one may have been lost on the way; 0: never (S111).
    """

    grace: Instant = 0

    def sends_again(self, successor: TokenPair, scope: ScopeSet, now: Instant) -> bool:
        """Whether ``successor``, which nobody has used yet, is still the answer to a request for ``scope``.

        Another process may have read its clock a little earlier than the one that made the successor.
        """
        return successor.scope == scope and abs(now - successor.created_at) < self.grace


STRICT_ROTATION = RotationPolicy()


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
        self,
        presented: TokenPair,
        scope: ScopeSet | None,
        now: Instant,
        lifetimes: Lifetimes,
        policy: RotationPolicy = STRICT_ROTATION,
        successor: TokenPair | None = None,
    ) -> TokenPair | Resent | RefreshReplay:
        """The pair that follows ``presented``, whose refresh token came back.

        ``scope`` may narrow the new access token, not the family: the next refresh has the whole grant again
        (RFC 6749 §6). ``successor`` is the pair that followed ``presented`` before, if it is spent. Raises
        ``GrantRevoked``, ``RefreshTokenExpired``, ``RefreshTokenIdle`` or ``ScopeAboveGrant``.
        """
        if self.revoked_at is not None:
            raise GrantRevoked
        if presented.state is PairState.SPENT:
            return self._comes_again(presented, scope or self.scope, now, policy, successor)
        if now >= self.expires_at:
            raise RefreshTokenExpired
        end_of_rest = lifetimes.end_of_rest(presented.created_at)
        if end_of_rest is not None and now >= end_of_rest:
            raise RefreshTokenIdle
        if scope is not None and not self.scope.covers(scope):
            raise ScopeAboveGrant
        return self._pair(presented.generation + 1, scope or self.scope, now, lifetimes)

    def _comes_again(
        self, presented: TokenPair, scope: ScopeSet, now: Instant, policy: RotationPolicy, successor: TokenPair | None
    ) -> Resent | RefreshReplay:
        if successor is None or successor.state is PairState.SPENT:
            return RefreshReplay(self.id, presented.generation)
        if now < self.expires_at and policy.sends_again(successor, scope, now):
            return Resent(successor)
        # Nobody went on with the successor: perhaps its answer never arrived (N10).
        return RefreshReplay(self.id, presented.generation, after_lost_response=True)

    def _pair(self, generation: int, scope: ScopeSet, now: Instant, lifetimes: Lifetimes) -> TokenPair:
        ends = [now + lifetimes.access_token_for(scope), self.expires_at]
        if (end_of_rest := lifetimes.end_of_rest(now)) is not None:
            ends.append(end_of_rest)  # it does not outlive the refresh token that it came with
        return TokenPair(generation, scope, PairState.ACTIVE, now, min(ends))


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
class Resent:
    """A refresh token came again within the grace: the pair that followed it is the answer once more."""

    pair: TokenPair


@dataclass(frozen=True, slots=True)
class RefreshReplay:
    """A spent refresh token came again: the family must be revoked, and that must be committed.

    ``after_lost_response``: it was the last but one and nobody used the last, so rather a client that never got
    its answer than a thief.
    """

    family_id: str
    generation: int
    after_lost_response: bool = False
