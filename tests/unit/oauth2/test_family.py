"""Token families: rotation, replay, ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.errors import GrantRevoked, RefreshTokenExpired, RefreshTokenIdle, ScopeAboveGrant
from watersmeet.oauth2.family import (
    Lifetimes,
    PairState,
    RefreshReplay,
    Resent,
    RotationPolicy,
    TokenFamily,
    TokenPair,
)
from watersmeet.oauth2.scope import ScopeSet

LIFETIMES = Lifetimes(access_token=100, refresh_token=1000)


def start(scope: ScopeSet = Scope.WRITE.as_set, now: int = 0) -> tuple[TokenFamily, TokenPair]:
    return TokenFamily.start("f" * 32, client=1, user_id=2, scope=scope, now=now, lifetimes=LIFETIMES)


def test_a_family_starts_with_an_active_pair_of_generation_0() -> None:
    family, pair = start(now=5)
    assert pair == TokenPair(0, Scope.WRITE.as_set, PairState.ACTIVE, 5, 105)
    assert (family.authorized_at, family.expires_at, family.revoked_at) == (5, 1005, None)
    assert (family.id, family.client, family.user_id, family.scope) == ("f" * 32, 1, 2, Scope.WRITE.as_set)


def test_s109_a_refresh_makes_the_next_generation() -> None:
    family, pair = start()
    assert family.rotate(pair, None, 50, LIFETIMES) == TokenPair(1, Scope.WRITE.as_set, PairState.ACTIVE, 50, 150)


def test_s110_a_spent_refresh_token_is_a_replay_also_after_the_end() -> None:
    family, pair = start()
    spent = replace(pair, state=PairState.SPENT)
    assert family.rotate(spent, None, 50, LIFETIMES) == RefreshReplay("f" * 32, 0)
    assert family.rotate(spent, None, 5000, LIFETIMES) == RefreshReplay("f" * 32, 0)
    assert family.rotate(spent, Scope.ADMIN.as_set, 50, LIFETIMES) == RefreshReplay("f" * 32, 0)


@pytest.mark.parametrize("state", list(PairState))
def test_nothing_revives_a_dead_family(state: PairState) -> None:
    family, pair = start()
    with pytest.raises(GrantRevoked):
        replace(family, revoked_at=10).rotate(replace(pair, state=state), None, 50, LIFETIMES)


def test_s115_at_its_very_end_a_grant_is_over() -> None:
    family, pair = start()
    assert isinstance(family.rotate(pair, None, 999, LIFETIMES), TokenPair)
    with pytest.raises(RefreshTokenExpired):
        family.rotate(pair, None, 1000, LIFETIMES)


@given(st.lists(st.integers(1, 300), max_size=20))
def test_s115_the_absolute_end_does_not_move_by_rotation(waits: list[int]) -> None:
    family, pair = start()
    now = 0
    for wait in waits:
        now += wait
        if now >= 1000:
            with pytest.raises(RefreshTokenExpired):
                family.rotate(pair, None, now, LIFETIMES)
            return
        following = family.rotate(pair, None, now, LIFETIMES)
        assert isinstance(following, TokenPair)
        assert following.generation == pair.generation + 1
        assert following.access_expires_at == min(now + 100, 1000)
        pair = following


def test_s115_a_refresh_token_that_waits_too_long_has_ended() -> None:
    resting = replace(LIFETIMES, idle=300)
    family, pair = start(now=5)
    assert isinstance(family.rotate(pair, None, 304, resting), TokenPair)
    with pytest.raises(RefreshTokenIdle):
        family.rotate(pair, None, 305, resting)
    assert isinstance(family.rotate(pair, None, 305, LIFETIMES), TokenPair), "without such an end it waits"
    with pytest.raises(RefreshTokenExpired):
        family.rotate(pair, None, 1005, resting)


def test_s115_each_refresh_token_waits_from_its_own_beginning_and_none_outlives_the_family() -> None:
    resting = replace(LIFETIMES, idle=300)
    family, pair = start()
    for now in (299, 598, 897, 999):
        following = family.rotate(pair, None, now, resting)
        assert isinstance(following, TokenPair)
        pair = following
    with pytest.raises(RefreshTokenExpired):
        family.rotate(pair, None, 1000, resting)


def test_s115_an_idle_end_takes_no_replay_for_less() -> None:
    family, pair = start()
    spent = replace(pair, state=PairState.SPENT)
    assert family.rotate(spent, None, 900, replace(LIFETIMES, idle=300)) == RefreshReplay("f" * 32, 0)


def test_s115_an_access_token_does_not_outlive_the_refresh_token_it_came_with() -> None:
    resting = replace(LIFETIMES, idle=30)
    _, pair = TokenFamily.start("f" * 32, client=1, user_id=2, scope=Scope.READ.as_set, now=5, lifetimes=resting)
    assert pair.access_expires_at == 35
    assert (resting.end_of_rest(5), LIFETIMES.end_of_rest(5)) == (35, None)


@pytest.mark.parametrize(
    ("scope", "administrative", "lifetime"),
    [
        (Scope.WRITE, 15, 100),
        (Scope.ADMIN, 15, 15),
        (Scope.SYSTEM_ADMIN, 15, 15),
        (Scope.ADMIN, 200, 100),
        (Scope.ADMIN, None, 100),
    ],
)
def test_s122_what_reaches_beyond_content_lives_shorter(
    scope: Scope, administrative: int | None, lifetime: int
) -> None:
    lifetimes = replace(LIFETIMES, administrative=administrative)
    assert lifetimes.access_token_for(scope.as_set) == lifetime
    _, pair = TokenFamily.start("f" * 32, client=1, user_id=2, scope=scope.as_set, now=5, lifetimes=lifetimes)
    assert pair.access_expires_at == 5 + lifetime


def test_s122_the_scope_of_the_one_token_counts_not_that_of_its_family() -> None:
    lifetimes = replace(LIFETIMES, administrative=15)
    family, pair = start(Scope.ADMIN.as_set)
    narrowed = family.rotate(pair, Scope.WRITE.as_set, 50, lifetimes)
    assert isinstance(narrowed, TokenPair)
    assert narrowed.access_expires_at == 150
    full = family.rotate(narrowed, None, 60, lifetimes)
    assert isinstance(full, TokenPair)
    assert full.access_expires_at == 75


def test_s114_a_scope_may_be_narrowed_and_comes_back_in_full() -> None:
    family, pair = start()
    narrowed = family.rotate(pair, Scope.READ.as_set, 1, LIFETIMES)
    assert isinstance(narrowed, TokenPair)
    assert narrowed.scope == Scope.READ.as_set
    full = family.rotate(narrowed, Scope.WRITE.as_set, 2, LIFETIMES)
    assert isinstance(full, TokenPair)
    assert full.scope == Scope.WRITE.as_set
    again = family.rotate(narrowed, None, 2, LIFETIMES)
    assert isinstance(again, TokenPair)
    assert again.scope == Scope.WRITE.as_set


def test_s114_a_wider_scope_is_refused() -> None:
    family, pair = start(Scope.READ.as_set)
    with pytest.raises(ScopeAboveGrant):
        family.rotate(pair, Scope.WRITE.as_set, 1, LIFETIMES)


# ---- a refresh token that comes again ---------------------------------------------------------------------------

GRACE = RotationPolicy(grace=20)


def rotated(now: int = 50) -> tuple[TokenFamily, TokenPair, TokenPair]:
    """A family, its spent first pair, and the pair that followed at ``now``."""
    family, first = start()
    second = family.rotate(first, None, now, LIFETIMES)
    assert isinstance(second, TokenPair)
    return family, replace(first, state=PairState.SPENT), second


@pytest.mark.parametrize("now", [31, 50, 69])
def test_s111_within_the_grace_the_successor_is_the_answer_again(now: int) -> None:
    family, spent, second = rotated()
    assert family.rotate(spent, None, now, LIFETIMES, GRACE, second) == Resent(second)


@pytest.mark.parametrize("now", [30, 70, 5000])
def test_s111_outside_it_the_reuse_is_a_replay_perhaps_after_a_lost_response(now: int) -> None:
    family, spent, second = rotated()
    replay = RefreshReplay("f" * 32, 0, after_lost_response=True)
    assert family.rotate(spent, None, now, LIFETIMES, GRACE, second) == replay


def test_s111_without_a_grace_not_even_the_same_millisecond_counts() -> None:
    family, spent, second = rotated()
    assert isinstance(family.rotate(spent, None, 50, LIFETIMES, RotationPolicy(), second), RefreshReplay)


def test_s111_a_successor_that_was_used_is_never_sent_again() -> None:
    family, spent, second = rotated()
    used = replace(second, state=PairState.SPENT)
    assert family.rotate(spent, None, 51, LIFETIMES, GRACE, used) == RefreshReplay("f" * 32, 0)


def test_s111_another_scope_is_another_request() -> None:
    family, spent, second = rotated()
    assert isinstance(family.rotate(spent, Scope.READ.as_set, 51, LIFETIMES, GRACE, second), RefreshReplay)
    assert family.rotate(spent, Scope.WRITE.as_set, 51, LIFETIMES, GRACE, second) == Resent(second)


def test_s111_a_grace_revives_nothing() -> None:
    family, spent, second = rotated()
    with pytest.raises(GrantRevoked):
        replace(family, revoked_at=51).rotate(spent, None, 52, LIFETIMES, GRACE, second)
    at_the_end = replace(second, created_at=999)
    assert isinstance(family.rotate(spent, None, 1000, LIFETIMES, GRACE, at_the_end), RefreshReplay)
