"""The life of grants as a state machine: Hypothesis plays clients, users, thieves and the clock.

The model knows what each code and token ever issued is worth; after every step all of them are tried.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from tests.support.grants import CODE_LIFETIME, NOW, VERIFIER, Grants
from watersmeet.clock import SECOND, Instant
from watersmeet.database import tokens
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata, token_families, token_pairs
from watersmeet.oauth2.authorization import CodeReplay
from watersmeet.oauth2.errors import (
    CodeExpired,
    CodeUnknown,
    GrantRevoked,
    InvalidGrant,
    RefreshTokenExpired,
    RefreshTokenUnknown,
    TokenInvalid,
    VerifierMismatch,
)
from watersmeet.oauth2.family import Lifetimes, RefreshReplay
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.users.signin import change_password

LIFETIMES = Lifetimes(access_token=100 * SECOND, refresh_token=400 * SECOND)


@dataclass
class ModelPair:
    access: str
    refresh: str
    access_ends: Instant


@dataclass
class ModelFamily:
    """One code and all that came of it. ``ends`` is unknown until the exchange."""

    code: str
    code_ends: Instant
    ends: Instant = 0
    alive: bool = True
    pruned: bool = False
    withdrawn: bool = False
    pairs: list[ModelPair] = field(default_factory=list)

    def has_live_refresh(self, now: Instant) -> bool:
        return bool(self.pairs) and self.alive and now < self.ends


@lru_cache(maxsize=1)
def template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="watersmeet-life-")) / "template.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    Grants.prepare(database)
    database.close()
    return path


which = st.integers(0, 50)


class LifeCycle(RuleBasedStateMachine):
    """Codes and tokens through exchange, refresh, replay, revocation, pruning and time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = NOW
        self.families: list[ModelFamily] = []

    @initialize()
    def open(self) -> None:
        path = Path(self.folder.name) / "life.db"
        metadata_path = template()
        shutil.copyfile(metadata_path, path)
        self.database = Database(f"sqlite:///{path}")
        self.grants = Grants.prepare(self.database, "Machine")

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    # ---- what may happen ------------------------------------------------------------------------------------

    @rule()
    def authorize(self) -> None:
        self.grants = self.grants.signed_in_again(self.now)  # sessions end with time and with the password
        self.families.append(ModelFamily(self.grants.code(now=self.now), self.now + CODE_LIFETIME))

    @precondition(lambda self: self.families)
    @rule(number=which)
    def exchange(self, number: int) -> None:
        family = self.families[number % len(self.families)]
        if family.pairs:
            outcome = self.grants.exchange(family.code, now=self.now, lifetimes=LIFETIMES)
            assert isinstance(outcome, CodeReplay)
            family.alive = False
        elif family.withdrawn:
            with pytest.raises(CodeUnknown):
                self.grants.exchange(family.code, now=self.now, lifetimes=LIFETIMES)
        elif self.now >= family.code_ends:
            with pytest.raises(CodeExpired):
                self.grants.exchange(family.code, now=self.now, lifetimes=LIFETIMES)
        else:
            issued = self.grants.exchange(family.code, now=self.now, lifetimes=LIFETIMES)
            assert isinstance(issued, IssuedTokens)
            family.ends = self.now + LIFETIMES.refresh_token
            self._remember(family, issued)

    @precondition(lambda self: self.families)
    @rule(number=which, wrong=st.sampled_from([None, VERIFIER + "x"]))
    def exchange_without_proof(self, number: int, wrong: str | None) -> None:
        family = self.families[number % len(self.families)]
        with pytest.raises(CodeUnknown if family.withdrawn else VerifierMismatch):
            self.grants.exchange(family.code, now=self.now, verifier=wrong, lifetimes=LIFETIMES)

    @precondition(lambda self: any(family.pairs for family in self.families))
    @rule(number=which, generation=which, newest=st.booleans())
    def refresh(self, number: int, generation: int, newest: bool) -> None:
        family = self._issued(number)
        pair = family.pairs[-1 if newest else generation % len(family.pairs)]

        def attempt() -> IssuedTokens | RefreshReplay:
            return self.grants.refresh(pair.refresh, now=self.now, lifetimes=LIFETIMES)

        if family.pruned:
            with pytest.raises(RefreshTokenUnknown):
                attempt()
        elif not family.alive:
            with pytest.raises(GrantRevoked):
                attempt()
        elif pair is not family.pairs[-1]:
            assert isinstance(attempt(), RefreshReplay)
            family.alive = False
        elif self.now >= family.ends:
            with pytest.raises(RefreshTokenExpired):
                attempt()
        else:
            issued = attempt()
            assert isinstance(issued, IssuedTokens)
            self._remember(family, issued)

    @precondition(lambda self: any(family.pairs for family in self.families))
    @rule(number=which, generation=which, by_access=st.booleans())
    def revoke(self, number: int, generation: int, by_access: bool) -> None:
        family = self._issued(number)
        pair = family.pairs[generation % len(family.pairs)]
        ended = self.grants.revoke(pair.access if by_access else pair.refresh, now=self.now)
        assert ended == (family.alive and not family.pruned)
        family.alive = False

    @precondition(lambda self: any(family.pairs for family in self.families))
    @rule(number=which)
    def present_each_kind_as_the_other(self, number: int) -> None:
        pair = self._issued(number).pairs[-1]
        with pytest.raises(InvalidGrant):
            self.grants.refresh(pair.access, now=self.now, lifetimes=LIFETIMES)
        with pytest.raises(TokenInvalid):
            self.grants.verify(pair.refresh, now=self.now)

    @rule()
    def change_password(self) -> None:
        self.database.write_now(lambda tx: change_password(tx, "machine", "$argon2id$new", self.now))
        for family in self.families:
            family.alive = family.alive and not family.pairs
            family.withdrawn = family.withdrawn or not family.pairs

    @rule(by=st.sampled_from([1, SECOND, 59_999, 60_000, 99_999, 100_000, 399_999, 400_000]))
    def forward(self, by: Instant) -> None:
        self.now += by

    @rule()
    def prune(self) -> None:
        self.database.write_now(lambda tx: tokens.prune(tx, self.now, 200))
        for family in self.families:
            family.pruned = family.pruned or (bool(family.pairs) and family.ends < self.now)

    # ---- what must always hold ------------------------------------------------------------------------------

    @invariant()
    def an_access_token_works_only_of_the_newest_pair_of_a_living_family_and_in_time(self) -> None:
        for family in self.families:
            for pair in family.pairs:
                works = pair is family.pairs[-1] and family.alive and self.now < pair.access_ends
                assert self._works(pair.access) == works

    @invariant()
    def a_family_has_at_most_one_live_refresh_token(self) -> None:
        if not self.families:
            return
        live = self.database.read_now(
            lambda tx: tx.execute(
                select(token_families.c.id, func.count())
                .join(token_pairs, token_pairs.c.family_id == token_families.c.id)
                .where(
                    token_families.c.revoked_at.is_(None),
                    token_families.c.expires_at > self.now,
                    token_pairs.c.state == "active",
                )
                .group_by(token_families.c.id)
            ).all()
        )
        assert all(count == 1 for _, count in live)
        assert len(live) == sum(family.has_live_refresh(self.now) for family in self.families)

    # ---- helpers --------------------------------------------------------------------------------------------

    def _issued(self, number: int) -> ModelFamily:
        issued = [family for family in self.families if family.pairs]
        return issued[number % len(issued)]

    def _remember(self, family: ModelFamily, issued: IssuedTokens) -> None:
        ends = min(self.now + LIFETIMES.access_token, family.ends)
        assert issued.pair.access_expires_at == ends
        family.pairs.append(ModelPair(issued.access_token, issued.refresh_token, ends))

    def _works(self, access_token: str) -> bool:
        try:
            self.grants.verify(access_token, now=self.now)
        except TokenInvalid:
            return False
        return True


TestLifeCycle = LifeCycle.TestCase
TestLifeCycle.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
