"""Lifetimes under a clock that jumps, also backwards: what has ended by a decision never comes back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.database.test_life_cycle import LifeCycle
from tests.support.grants import CODE_LIFETIME, ENTROPY, KEYS, NOW, Grants
from watersmeet.clock import SECOND, Instant
from watersmeet.database import authorizations, tokens
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata
from watersmeet.oauth2.authorization import CodeReplay
from watersmeet.oauth2.errors import CodeExpired, InvalidGrant, RefreshTokenExpired, TokenInvalid
from watersmeet.oauth2.family import Lifetimes, RefreshReplay
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.sweep import CODE_RETENTION
from watersmeet.users import session


class JumpingClock(LifeCycle):
    """The life cycle of ``test_life_cycle``, with a clock that is set back now and then."""

    @rule(by=st.sampled_from([1, SECOND, 60_000, 100_000, 400_000, 86_400_000]))
    def backward(self, by: Instant) -> None:
        self.now -= by

    @rule()
    def prune(self) -> None:
        super().prune()
        for family in self.families:
            family.alive = family.alive and not family.pruned  # wherever the clock goes from here


TestJumpingClock = JumpingClock.TestCase
TestJumpingClock.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def grants() -> Iterator[Grants]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder)}/clock.db")
        metadata.create_all(database.engine)
        yield Grants.prepare(database)
        database.close()


moments = st.integers(-2 * 86_400 * SECOND, 200 * 86_400 * SECOND)
lifetimes = st.builds(
    Lifetimes, st.integers(1, 86_400).map(lambda s: s * SECOND), st.integers(1, 7_776_000).map(lambda s: s * SECOND)
)


def works(grants: Grants, access_token: str, now: Instant) -> bool:
    try:
        grants.verify(access_token, now=now)
    except TokenInvalid:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(lifetimes=lifetimes, jumps=st.lists(moments, min_size=1, max_size=4))
def test_an_access_token_lives_until_its_end_to_the_millisecond_whatever_the_clock_did_between(
    grants: Grants, lifetimes: Lifetimes, jumps: list[int]
) -> None:
    issued = grants.exchange(grants.code(), lifetimes=lifetimes)
    assert isinstance(issued, IssuedTokens)
    end = NOW + min(lifetimes.access_token, lifetimes.refresh_token)
    for jump in (*jumps, 0):
        assert works(grants, issued.access_token, NOW + jump) == (NOW + jump < end)
    assert works(grants, issued.access_token, end - 1)
    assert not works(grants, issued.access_token, end)


@settings(max_examples=150, deadline=None)
@given(lifetimes=lifetimes, jumps=st.lists(moments, min_size=1, max_size=4))
def test_s115_rotation_never_moves_the_end_and_a_spent_token_is_spent_at_any_time(
    grants: Grants, lifetimes: Lifetimes, jumps: list[int]
) -> None:
    issued = grants.exchange(grants.code(), lifetimes=lifetimes)
    assert isinstance(issued, IssuedTokens)
    end, spent = NOW + lifetimes.refresh_token, None
    for jump in jumps:
        if NOW + jump >= end:
            with pytest.raises(RefreshTokenExpired):
                grants.refresh(issued.refresh_token, now=NOW + jump, lifetimes=lifetimes)
            continue
        spent, successor = issued, grants.refresh(issued.refresh_token, now=NOW + jump, lifetimes=lifetimes)
        assert isinstance(successor, IssuedTokens)
        assert successor.pair.access_expires_at == min(NOW + jump + lifetimes.access_token, end)
        issued = successor
    with pytest.raises(RefreshTokenExpired):
        grants.refresh(issued.refresh_token, now=end, lifetimes=lifetimes)
    if spent is not None:
        for jump in jumps:
            assert not works(grants, spent.access_token, NOW + jump)
        assert isinstance(grants.refresh(spent.refresh_token, now=NOW + jumps[0]), RefreshReplay)
        for jump in jumps:
            assert not works(grants, issued.access_token, NOW + jump)
            with pytest.raises(InvalidGrant):
                grants.refresh(issued.refresh_token, now=NOW + jump)


@settings(max_examples=150, deadline=None)
@given(jumps=st.lists(moments, min_size=1, max_size=4), pruned_at=st.none() | moments)
def test_s073_a_code_works_once_before_its_end_and_never_after_whatever_the_clock_and_the_sweep_did(
    grants: Grants, jumps: list[int], pruned_at: int | None
) -> None:
    code, issued = grants.code(), None
    for jump in jumps:
        if issued is not None:
            assert isinstance(grants.exchange(code, now=NOW + jump), CodeReplay)
        elif jump >= CODE_LIFETIME:
            with pytest.raises(CodeExpired):
                grants.exchange(code, now=NOW + jump)
        else:
            issued = grants.exchange(code, now=NOW + jump)
            assert isinstance(issued, IssuedTokens)
    if pruned_at is not None:
        due = NOW + pruned_at
        grants.database.write_now(lambda tx: authorizations.prune(tx, due - CODE_RETENTION, 1000))
        grants.database.write_now(lambda tx: tokens.prune(tx, due, 1000))
    for jump in jumps if issued is not None else ():
        try:
            again = grants.exchange(code, now=NOW + jump)
        except InvalidGrant:  # it is known no more
            continue
        assert isinstance(again, CodeReplay)


@settings(max_examples=100, deadline=None)
@given(lifetime=st.integers(1, 30 * 86_400).map(lambda s: s * SECOND), jump=moments)
def test_a_session_lives_until_its_end_and_stays_ended_once_it_was_ended(
    grants: Grants, lifetime: Instant, jump: int
) -> None:
    database, user = grants.database, grants.session.user
    identifier = database.write_now(lambda tx: session.start(tx, user, KEYS, ENTROPY, NOW, lifetime))
    assert identifier is not None

    def is_live(at: Instant) -> bool:
        return database.read_now(lambda tx: session.find(tx, identifier, KEYS, at)) is not None

    assert is_live(NOW + jump) == (jump < lifetime)
    assert is_live(NOW + lifetime - 1)
    assert not is_live(NOW + lifetime)
    database.write_now(lambda tx: session.end(tx, identifier, KEYS))
    assert not is_live(NOW + jump)
