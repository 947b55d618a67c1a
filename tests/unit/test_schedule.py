"""Schedule: cron lines of five fields, or six beginning with seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import EventDict

from tests.support.log import captured
from watersmeet.clock import SECOND, Instant
from watersmeet.database import (
    attempts,
    audit,
    authorizations,
    consents,
    long_tasks,
    personal_tokens,
    signing_keys,
    tokens,
    users,
)
from watersmeet.database.engine import Database
from watersmeet.database.expiry import Backlog
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable, SettingsError
from watersmeet.settings import ProviderSettings, Settings
from watersmeet.tokens import sweep as module
from watersmeet.tokens.sweep import BATCH, Schedule, Sweep, backlogs, run, sweep_once, sweeps


def at(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * SECOND)


@pytest.mark.parametrize(
    ("line", "now", "following"),
    [
        ("* * * * * ?", "2026-01-01T00:00:00", "2026-01-01T00:00:01"),
        ("* * * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:01"),
        ("* * * * * ?", "2026-01-01T00:00:00.500", "2026-01-01T00:00:01"),
        ("* * * * * ?", "2025-12-31T23:59:59.999", "2026-01-01T00:00:00"),
        ("*/15 * * * * ?", "2026-01-01T00:00:15", "2026-01-01T00:00:30"),
        ("0 0 3 * * ?", "2026-01-01T04:00:00", "2026-01-02T03:00:00"),
        ("* * * * *", "2026-01-01T00:00:00", "2026-01-01T00:01:00"),
        ("*/5 * * * *", "2026-01-01T00:03:10", "2026-01-01T00:05:00"),
        ("0 3 * * *", "2026-01-01T02:59:59", "2026-01-01T03:00:00"),
        ("0 3 ? * ?", "2026-01-01T02:59:59", "2026-01-01T03:00:00"),
        ("0 0 1 1 *", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_the_next_moment_is_the_one_the_line_names(line: str, now: str, following: str) -> None:
    assert Schedule(line).next_after(at(now)) == at(following)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["* * * * * ?", "*/7 * * * * ?", "* * * * *", "3 4 * * *"]))
def test_the_next_moment_is_always_later(now: Instant, line: str) -> None:
    following = Schedule(line).next_after(now)
    assert following > now
    assert following % SECOND == 0


@pytest.mark.parametrize(
    "line", ["", "* * *", "* * * *", "* * * * * * * *", "61 * * * *", "x", "* * 30 2 *", "@daily!", "* * * * * MOO"]
)
def test_what_is_not_a_cron_line_is_refused_with_its_words(line: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Schedule(line)
    assert repr(line) in refusal.value.description


DAY = 86_400 * SECOND
CODES, FAMILIES = "7 * * * *", "0 4 * * *"


def test_s079_what_is_swept_when_and_how_long_it_is_kept_used_codes_a_day_for_their_replay() -> None:
    provider = ProviderSettings(
        prune_expired_authorizations_schedule=CODES, prune_expired_tokens_schedule=FAMILIES
    )  # not the schedules of anything else
    swept = sweeps(Settings(provider=provider, audit_retention_days=30))
    assert [(each.what, each.retention, each.any_expired, each.prune, each.backlog) for each in swept] == [
        ("authorizations", DAY, authorizations.any_expired, authorizations.prune, authorizations.backlog),
        ("token families", 0, tokens.any_expired, tokens.prune, tokens.backlog),
        ("sessions", 0, users.any_ended_session, users.prune_sessions, users.session_backlog),
        ("personal access tokens", 0, personal_tokens.any_expired, personal_tokens.prune, personal_tokens.backlog),
        ("remembered consent", 0, consents.any_expired, consents.prune, consents.backlog),
        ("counters of failed attempts", 0, attempts.any_expired, attempts.prune, attempts.backlog),
        ("long tasks", 7 * DAY, long_tasks.any_over, long_tasks.prune, long_tasks.backlog),
        ("signing keys", 0, signing_keys.any_expired, signing_keys.prune, signing_keys.backlog),
        ("audit events", 30 * DAY, audit.any_expired, audit.prune, audit.backlog),
    ]
    now = at("2026-01-01T00:30:10")
    assert [each.schedule.next_after(now) for each in swept] == [
        at("2026-01-01T01:07:00"),
        at("2026-01-01T04:00:00"),
        at("2026-01-01T01:07:00"),
        at("2026-01-01T04:00:00"),
        at("2026-01-01T01:07:00"),
        at("2026-01-01T00:31:00"),
        at("2026-01-01T01:17:00"),
        at("2026-01-01T00:31:00"),
        at("2026-01-01T01:17:00"),
    ]


def test_s150_audit_events_are_kept_for_ever_where_no_number_of_days_is_set() -> None:
    assert "audit events" not in [each.what for each in sweeps(Settings(audit_retention_days=0))]


# ---- sweeping -----------------------------------------------------------------------------------------------


class Enough(BaseException):
    """A loop that never ends has gone round often enough."""


class Table:
    """What expires, each thing at its instant, in place of a database that has no more than this."""

    def __init__(self, *ends: Instant) -> None:
        self.ends, self.batches = list(ends), list[int]()
        self.failures: list[Exception] = []
        self.held = False  # by another worker: there is something, and nothing to be had

    async def read(self, operation: Callable[[Transaction], Any]) -> Any:
        if self.failures:
            raise self.failures.pop(0)
        return operation(cast("Transaction", self))

    write = read

    def sweep(self, retention: Instant = 0) -> Sweep:
        def any_expired(_tx: Transaction, before: Instant) -> bool:
            return any(end < before for end in self.ends)

        def prune(_tx: Transaction, before: Instant, at_most: int) -> int:
            due = [] if self.held else [end for end in self.ends if end < before][:at_most]
            self.ends = [end for end in self.ends if end not in due]
            self.batches.append(len(due))
            return len(due)

        def backlog(_tx: Transaction, before: Instant) -> dict[str, Backlog]:
            return {"things": Backlog(len(self.ends), sum(end < before for end in self.ends), None)}

        return Sweep(Schedule("* * * * *"), retention, any_expired, prune, "things", backlog)

    @property
    def database(self) -> Database:
        return cast("Database", self)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long every sleep was meant to be; after ten of them it is enough. None takes any time."""
    seconds = list[float]()

    async def sleep(duration: float) -> None:
        seconds.append(duration)
        if len(seconds) == 10:
            raise Enough

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    return captured(monkeypatch, module)


def test_what_is_due_goes_in_small_batches_and_what_is_kept_stays(slept: list[float], logged: list[EventDict]) -> None:
    table = Table(*range(100, 150))
    assert asyncio.run(sweep_once(table.sweep(retention=10), table.database, 155)) == 45
    assert (BATCH, table.batches, table.ends) == (5, [5] * 9, list(range(145, 150)))
    assert len(slept) == 9
    assert logged == [{"event": "pruned", "what": "things", "count": 45, "log_level": "info"}]


def test_what_another_worker_is_deleting_is_left_to_it(slept: list[float], logged: list[EventDict]) -> None:
    table = Table(1)
    table.held = True
    assert asyncio.run(sweep_once(table.sweep(), table.database, 2)) == 0
    assert (table.batches, slept, logged) == ([0], [], [])


def test_after_a_batch_it_rests_for_as_long_as_that_took(slept: list[float]) -> None:
    async def sweep_slowly() -> None:
        loop = asyncio.get_running_loop()
        computer, taken = loop.time, 0
        table = Table(1)
        sweep = table.sweep()

        def prune(tx: Transaction, before: Instant, at_most: int) -> int:
            nonlocal taken
            taken += 5_000
            return sweep.prune(tx, before, at_most)

        loop.time = lambda: computer() + taken  # type: ignore[method-assign]
        await sweep_once(replace(sweep, prune=prune), table.database, 2)

    asyncio.run(sweep_slowly())
    [rest] = slept
    assert 5_000 <= rest < 6_000


class Ahead:
    """A clock that is a minute further each time it is read, so that each round has something new to sweep."""

    def __init__(self) -> None:
        self.instant = -30 * SECOND

    def now(self) -> Instant:
        self.instant += 60 * SECOND
        return self.instant


def test_it_sweeps_for_ever_on_schedule_by_the_time_it_wakes(slept: list[float], logged: list[EventDict]) -> None:
    table = Table(60 * SECOND, 10**15)
    with pytest.raises(Enough):
        asyncio.run(run(table.sweep(retention=20 * SECOND), table.database, Ahead()))
    assert slept[0] == 30.0  # from half past to the minute, in seconds
    assert table.ends == [10**15]
    assert [each["event"] for each in logged] == ["pruned"]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ServiceUnavailable(detail="full"), {"event": "sweep postponed", "detail": "full", "log_level": "warning"}),
        (broken := ZeroDivisionError(), {"event": "sweep failed", "exc_info": broken, "log_level": "error"}),
    ],
)
def test_a_round_that_fails_is_told_to_the_log_and_the_next_one_fares_better(
    slept: list[float], logged: list[EventDict], failure: Exception, told: dict[str, object]
) -> None:
    table = Table(0)
    table.failures.append(failure)
    with pytest.raises(Enough):
        asyncio.run(run(table.sweep(), table.database, Ahead()))
    assert (table.ends, len(slept)) == ([], 10)
    assert logged[0] == told | {"what": "things"}
    assert (logged[1]["event"], logged[1]["count"]) == ("pruned", 1)


def test_a_backlog_counts_what_its_sweep_would_delete_now() -> None:
    tx, long, short = cast("Transaction", None), Table(5, 50), Table(1)
    assert backlogs(tx, [long.sweep(retention=100)], 110) == {"things": Backlog(2, 1, None)}
    assert backlogs(tx, [long.sweep(), short.sweep()], 2) == {"things": Backlog(1, 1, None)}


@pytest.mark.parametrize("name", ["prune_expired_authorizations_schedule", "prune_expired_tokens_schedule"])
def test_either_schedule_is_checked(name: str) -> None:
    with pytest.raises(SettingsError):
        sweeps(Settings(provider=ProviderSettings(**{name: "never"})))  # type: ignore[arg-type]
