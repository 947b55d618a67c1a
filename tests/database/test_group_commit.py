"""Brief units of work on SQLite: run by the event loop itself, committed by the thread, and no less safe for it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.support.lock import locked
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata, properties
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable

PATIENCE = 0.3


def add(tx: Transaction, name: str) -> str:
    tx.execute(insert(properties), {"name": name, "value": ""})
    return name


def add_and_tell_thread(tx: Transaction, name: str) -> threading.Thread:
    add(tx, name)
    return threading.current_thread()


def names(database: Database) -> set[str]:
    return database.read_now(lambda tx: set(tx.execute(select(properties.c.name)).scalars()))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture
def opened(url: str) -> Iterator[Database]:
    """A database that has been written to: only the thread opens its connection."""
    database = Database(url, lock_timeout_seconds=PATIENCE)
    try:
        metadata.create_all(database.engine)
        database.write_now(lambda tx: add(tx, "before"))
        yield database
    finally:
        database.close()


@contextmanager
def held(database: Database, wanted: str) -> Iterator[threading.Event]:
    """A statement that is not carried out until the event is set, which the end does at the latest."""
    release = threading.Event()

    def hold(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement == wanted:
            release.wait(30)

    event.listen(database.engine, "before_cursor_execute", hold)
    try:
        yield release
    finally:
        release.set()
        event.remove(database.engine, "before_cursor_execute", hold)


async def turns(loop_turns: int = 20) -> None:
    for _ in range(loop_turns):
        await asyncio.sleep(0)


# ---- who runs what ------------------------------------------------------------------------------------------


def test_the_loop_runs_what_is_brief_and_the_thread_everything_else(opened: Database) -> None:
    async def both() -> list[threading.Thread]:
        brief = await opened.write(lambda tx: add_and_tell_thread(tx, "a"), brief=True)
        return [brief, await opened.write(lambda tx: add_and_tell_thread(tx, "b"))]

    brief, other = asyncio.run(both())
    assert brief is threading.current_thread()
    assert other.name == "watersmeet-writer"
    assert names(opened) == {"before", "a", "b"}


def test_the_thread_opens_the_connection_even_for_what_is_brief(url: str) -> None:
    database = Database(url)
    try:
        metadata.create_all(database.engine)
        first = asyncio.run(database.write(lambda tx: add_and_tell_thread(tx, "a"), brief=True))
    finally:
        database.close()
    assert first.name == "watersmeet-writer"


def test_s104_nobody_is_answered_and_the_loop_is_not_kept_while_the_commit_is_flushed(opened: Database) -> None:
    async def write() -> None:
        with held(opened, "COMMIT") as release:
            writing = asyncio.ensure_future(opened.write(lambda tx: add(tx, "a"), brief=True))
            await turns()  # the loop is free
            next_one = asyncio.ensure_future(opened.write(lambda tx: add(tx, "b"), brief=True))
            await turns()
            assert not writing.done()
            assert names(opened) == {"before"}
            release.set()
            assert [await writing, await next_one] == ["a", "b"]

    asyncio.run(write())
    assert names(opened) == {"before", "a", "b"}


def test_brief_units_that_wait_together_are_committed_together(opened: Database) -> None:
    commits = list[str]()

    @event.listens_for(opened.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement == "COMMIT":
            commits.append(statement)

    async def many() -> list[str]:
        return await asyncio.gather(*(opened.write(lambda tx, n=n: add(tx, str(n)), brief=True) for n in range(60)))  # type: ignore[misc]

    assert asyncio.run(many()) == [str(number) for number in range(60)]
    assert len(commits) == 1
    assert len(names(opened)) == 61


# ---- nothing keeps the loop ---------------------------------------------------------------------------------


def test_s105_a_lock_of_another_process_is_waited_for_by_the_thread_not_by_the_loop(opened: Database, url: str) -> None:
    async def write_while_locked() -> None:
        with locked(url, "properties"):
            writing = asyncio.ensure_future(opened.write(lambda tx: add_and_tell_thread(tx, "a"), brief=True))
            await turns()
            assert not writing.done()
        assert (await writing).name == "watersmeet-writer"
        with locked(url, "properties"), pytest.raises(ServiceUnavailable):
            await opened.write(lambda tx: add(tx, "b"), brief=True)
        assert await opened.write(lambda tx: add(tx, "c"), brief=True) == "c"

    asyncio.run(write_while_locked())
    assert names(opened) == {"before", "a", "c"}


def test_somebody_who_cannot_wait_for_the_loop_is_served_at_once(opened: Database) -> None:
    """The loop's turn is due, and its thread waits for another unit before it can come to it."""

    async def write() -> str:
        brief = asyncio.ensure_future(opened.write(lambda tx: add(tx, "a"), brief=True))
        await asyncio.sleep(0)
        assert opened.write_now(lambda tx: add(tx, "b")) == "b"
        return await brief

    assert asyncio.run(write()) == "a"
    assert names(opened) == {"before", "a", "b"}


def test_a_loop_that_ends_before_its_turn_leaves_the_database_usable(opened: Database) -> None:
    loop = asyncio.new_event_loop()
    writing = loop.create_task(opened.write(lambda tx: add(tx, "a"), brief=True))
    loop.run_until_complete(asyncio.sleep(0))  # submitted, and nobody runs the loop any further
    writing.cancel()
    loop.close()
    assert opened.write_now(lambda tx: add(tx, "b")) == "b"
    assert names(opened) == {"before", "a", "b"}, "it had been accepted"


def test_what_was_accepted_is_finished_when_the_loop_itself_closes_the_database(url: str) -> None:
    async def write_and_close() -> list[str]:
        database = Database(url)
        metadata.create_all(database.engine)
        database.write_now(lambda tx: add(tx, "before"))
        writes = [asyncio.ensure_future(database.write(lambda tx, n=n: add(tx, str(n)), brief=True)) for n in range(9)]  # type: ignore[misc]
        await asyncio.sleep(0)
        database.close()
        return await asyncio.gather(*writes)

    assert asyncio.run(write_and_close()) == [str(number) for number in range(9)]
    again = Database(url)
    assert len(names(again)) == 10
    again.close()


# ---- failures -----------------------------------------------------------------------------------------------


def test_a_brief_unit_that_fails_harms_no_neighbour(opened: Database) -> None:
    async def write() -> list[str | BaseException]:
        some = [opened.write(lambda tx, n=n: add(tx, n), brief=True) for n in ("a", "before", "b")]  # type: ignore[misc]
        return await asyncio.gather(*some, return_exceptions=True)

    outcomes = asyncio.run(write())
    assert [each if isinstance(each, str) else type(each) for each in outcomes] == ["a", IntegrityError, "b"]
    assert names(opened) == {"before", "a", "b"}


@pytest.mark.parametrize("broken", ["COMMIT", "COMMIT and ROLLBACK", "closed"])
def test_s105_a_brief_batch_that_cannot_be_committed_is_answered_busy_and_leaves_nothing(
    opened: Database, broken: str
) -> None:
    failing = set[str]()

    @event.listens_for(opened.engine, "before_cursor_execute")
    def fail(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement in failing:
            raise OperationalError(statement, None, sqlite3.OperationalError("disk I/O error"))

    def break_it(tx: Transaction) -> str:
        lost = add(tx, "lost")
        failing.update(broken.split(" and "))
        if broken == "closed":
            tx.connection.dbapi_connection.close()  # type: ignore[union-attr]
        return lost

    async def write() -> None:
        both = [opened.write(lambda tx: add(tx, "neighbour"), brief=True), opened.write(break_it, brief=True)]
        outcomes = await asyncio.wait_for(asyncio.gather(*both, return_exceptions=True), 30)
        assert all(isinstance(each, ServiceUnavailable | sqlite3.ProgrammingError) for each in outcomes), outcomes
        failing.clear()
        assert await asyncio.wait_for(opened.write(lambda tx: add(tx, "after"), brief=True), 30) == "after"

    asyncio.run(write())
    assert names(opened) == {"before", "after"}
