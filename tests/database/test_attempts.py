"""Counters of failed attempts on both engines: exact under races and over processes, gone when they are over."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.grants import KEYS, NOW
from watersmeet.clock import SECOND
from watersmeet.database import attempts, audit
from watersmeet.database.attempts import Attempts
from watersmeet.database.audit import Event, Origin, Query
from watersmeet.database.engine import Database
from watersmeet.errors import Throttled
from watersmeet.settings import Settings
from watersmeet.tokens.sweep import sweep_once, sweeps
from watersmeet.web.throttle import Throttle

WINDOW = 900 * SECOND
DAY = 86_400 * SECOND


class Still:
    """A clock that stands."""

    def now(self) -> int:
        return NOW


def count(database: Database, now: int = NOW, key: str = "k") -> Attempts:
    return database.write_now(lambda tx: attempts.count(tx, key, now, WINDOW))


def test_a_window_begins_with_its_first_failure_and_ends_for_all(database: Database) -> None:
    assert count(database) == Attempts(1, NOW + WINDOW)
    assert count(database, NOW + WINDOW - 1) == Attempts(2, NOW + WINDOW)
    assert count(database, NOW + WINDOW) == Attempts(1, NOW + 2 * WINDOW)
    assert count(database, key="other") == Attempts(1, NOW + WINDOW)


def test_what_is_taken_back_or_forgotten(database: Database) -> None:
    for _ in range(3):
        count(database)
    database.write_now(lambda tx: attempts.take_back(tx, ["k", "never counted"]))
    assert count(database).failures == 3
    database.write_now(lambda tx: attempts.forget(tx, ["k"]))
    database.write_now(lambda tx: attempts.take_back(tx, ["k"]))
    assert count(database).failures == 1


def test_s064_every_parallel_attempt_gets_a_number_of_its_own(database_url: str) -> None:
    """Two databases on the same file or server: what two processes are to each other."""
    processes = [Database(database_url), Database(database_url)]

    async def storm() -> list[int]:
        counting = (
            processes[number % 2].write(lambda tx: attempts.count(tx, "k", NOW, WINDOW)) for number in range(200)
        )
        return [each.failures for each in await asyncio.gather(*counting)]

    numbers = asyncio.run(storm())
    for process in processes:
        process.close()
    assert sorted(numbers) == list(range(1, 201))


@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_s064_of_any_number_of_parallel_passwords_no_more_than_the_limit_pass(database_url: str, username: str) -> None:
    processes = [Database(database_url), Database(database_url)]
    throttles = [Throttle(Settings(), database, Still(), KEYS) for database in processes]
    origin = Origin(address="203.0.113.9", request_id="0" * 16)

    async def storm() -> list[object]:
        guesses = (throttles[number % 2].reserve(username, origin, None) for number in range(100))
        return await asyncio.gather(*guesses, return_exceptions=True)

    outcomes = asyncio.run(storm())
    found = processes[0].read_now(lambda tx: audit.search(tx, Query(event=Event.SIGN_IN_THROTTLED)))
    for process in processes:
        process.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, Throttled)]
    assert (len(outcomes) - len(refused), len(refused)) == (10, 90)
    assert {refusal.retry_after_seconds for refusal in refused} == {900}
    assert len(found) == 1


def test_what_is_over_is_swept(database: Database) -> None:
    settings = replace(Settings(), audit_retention_days=30)
    expiring = {each.what: each for each in sweeps(settings)}
    assert "audit events" not in [each.what for each in sweeps(replace(settings, audit_retention_days=0))]
    counters, events = expiring["counters of failed attempts"], expiring["audit events"]
    for age in (40, 31, 29):
        database.write_now(lambda tx, at=NOW - age * DAY: audit.record(tx, Event.SIGNED_OUT, Origin(), at))  # type: ignore[misc]
    count(database)

    async def sweep(now: int) -> list[int]:
        return [await sweep_once(each, database, now) for each in (counters, events)]

    assert asyncio.run(sweep(NOW)) == [0, 2]
    assert asyncio.run(sweep(NOW + WINDOW + 1)) == [1, 0]
    assert asyncio.run(sweep(NOW + 2 * DAY)) == [0, 1]
