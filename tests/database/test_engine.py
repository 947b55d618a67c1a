"""The runner on both engines: answered means durable, refused means nothing changed."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.support.grants import together
from tests.support.lock import locked
from watersmeet.database import waiting as waiting_module
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata, properties
from watersmeet.database.transaction import Operation, Transaction
from watersmeet.errors import ServiceUnavailable, TookTooLong, WatersmeetError

T = TypeVar("T")

PATIENCE = 0.3


def add(tx: Transaction, name: str) -> str:
    tx.execute(insert(properties), {"name": name, "value": ""})
    return name


def names(database: Database) -> set[str]:
    return database.read_now(lambda tx: set(tx.execute(select(properties.c.name)).scalars()))


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url, lock_timeout_seconds=PATIENCE)
    try:
        yield database
    finally:
        database.close()


class Refusal(WatersmeetError):
    """What an operation of these tests raises."""


# ---- values and exceptions ----------------------------------------------------------------------------------


def test_a_written_value_is_returned_and_can_be_read(database: Database) -> None:
    assert database.write_now(lambda tx: add(tx, "a")) == "a"
    assert names(database) == {"a"}


def test_reading_and_writing_from_an_event_loop(database: Database) -> None:
    async def both() -> set[str]:
        await asyncio.gather(*(database.write(lambda tx, n=n: add(tx, str(n))) for n in range(30)))  # type: ignore[misc]
        return await database.read(lambda tx: set(tx.execute(select(properties.c.name)).scalars()))

    assert asyncio.run(both()) == {str(number) for number in range(30)}


def test_an_exception_of_an_operation_reaches_its_caller_and_nothing_is_kept(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        add(tx, "a")
        raise Refusal("no")

    with pytest.raises(Refusal, match="no"):
        database.write_now(fail)
    with pytest.raises(Refusal):
        database.read_now(fail)
    with pytest.raises(Refusal):
        asyncio.run(database.write(fail))
    assert names(database) == set()


def test_an_error_of_the_database_reaches_its_caller_and_names_no_values(database: Database) -> None:
    database.write_now(lambda tx: add(tx, "the-name"))
    with pytest.raises(IntegrityError) as failure:
        database.write_now(lambda tx: add(tx, "the-name"))
    assert "[parameters" not in str(failure.value).replace("parameters hidden", "")
    assert database.write_now(lambda tx: add(tx, "another")) == "another"


def test_what_a_reading_operation_writes_is_not_kept_on_sqlite(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/a.db") as database:
        metadata.create_all(database.engine)
        database.read_now(lambda tx: add(tx, "a"))
        assert names(database) == set()


def test_a_unit_that_fails_harms_no_neighbour(database: Database) -> None:
    holding, release = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> str:
        holding.set()
        release.wait(30)
        return add(tx, "first")

    def unit(tx: Transaction, number: int) -> str:
        add(tx, f"unit {number}")
        if number % 3 == 1:
            raise Refusal("no")
        if number % 3 == 2:
            add(tx, f"unit {number}")  # breaks a constraint
        return f"unit {number}"

    with ThreadPoolExecutor(32) as pool:
        first = pool.submit(database.write_now, hold)
        assert holding.wait(30)
        # On SQLite these wait together and are committed together.
        waiting: list[Future[str]] = [pool.submit(database.write_now, lambda tx, n=n: unit(tx, n)) for n in range(30)]
        release.set()
        assert first.result() == "first"
        failures = [future.exception() for future in waiting]
    assert [type(failure) for failure in failures] == [type(None), Refusal, IntegrityError] * 10
    assert names(database) == {"first", *(f"unit {number}" for number in range(0, 30, 3))}


def test_units_that_wait_together_on_sqlite_are_committed_together(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/a.db") as database:
        metadata.create_all(database.engine)
        commits: list[str] = []

        @event.listens_for(database.engine, "before_cursor_execute")
        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement == "COMMIT":
                commits.append(statement)

        holding, release = threading.Event(), threading.Event()

        def hold(tx: Transaction) -> None:
            holding.set()
            release.wait(30)

        async def many() -> None:
            first = asyncio.ensure_future(database.write(hold))
            await asyncio.to_thread(holding.wait, 30)
            rest = [asyncio.ensure_future(database.write(lambda tx, n=n: add(tx, str(n)))) for n in range(100)]  # type: ignore[misc]
            await asyncio.sleep(0)
            release.set()
            await asyncio.gather(first, *rest)

        asyncio.run(many())
        assert len(commits) == 2
        assert len(names(database)) == 100


def test_a_caller_that_goes_away_harms_nobody(database: Database) -> None:
    async def go_away() -> str:
        going = asyncio.ensure_future(database.write(lambda tx: add(tx, "a")))
        await asyncio.sleep(0)
        going.cancel()
        return await database.write(lambda tx: add(tx, "b"))

    assert asyncio.run(go_away()) == "b"
    assert "b" in names(database)


def test_20_threads_that_write_at_once_are_all_answered(database: Database) -> None:
    outcomes = together(20, lambda number: database.write_now(lambda tx: add(tx, str(number))))
    assert sorted(outcomes, key=str) == sorted(map(str, range(20)))
    assert names(database) == {str(number) for number in range(20)}


# ---- what cannot be taken on --------------------------------------------------------------------------------


def test_s105_a_full_write_queue_is_answered_busy_and_works_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_module, "QUEUE_LENGTH", 2)
    with opened(f"sqlite:///{tmp_path}/a.db") as database:
        metadata.create_all(database.engine)
        holding, release = threading.Event(), threading.Event()

        def hold(tx: Transaction) -> None:
            holding.set()
            release.wait(30)

        async def fill() -> None:
            first = asyncio.ensure_future(database.write(hold))
            await asyncio.to_thread(holding.wait, 30)
            waiting = [asyncio.ensure_future(database.write(lambda tx, n=n: add(tx, str(n)))) for n in range(2)]  # type: ignore[misc]
            await asyncio.sleep(0)
            with pytest.raises(ServiceUnavailable) as busy:
                await database.write(lambda tx: add(tx, "too many"))
            assert busy.value.detail == "the write queue is full"
            release.set()
            await asyncio.gather(first, *waiting)

        asyncio.run(fill())
        assert names(database) == {"0", "1"}
        assert database.write_now(lambda tx: add(tx, "again")) == "again"


def test_s105_a_lock_held_too_long_is_answered_busy_and_nothing_changes(database_url: str) -> None:
    with opened(database_url) as database:
        database.write_now(lambda tx: add(tx, "before"))
        with locked(database_url, "properties"):
            with pytest.raises(ServiceUnavailable):
                database.write_now(lambda tx: add(tx, "during"))
            outcomes = together(4, lambda number: database.write_now(lambda tx: add(tx, f"during {number}")))
            assert all(isinstance(outcome, ServiceUnavailable) for outcome in outcomes)
        assert names(database) == {"before"}
        assert database.write_now(lambda tx: add(tx, "during")) == "during"
        assert names(database) == {"before", "during"}


def test_s105_a_lock_held_when_the_database_is_first_used_is_answered_busy_too(database_url: str) -> None:
    with opened(database_url) as database:
        with locked(database_url, "properties"), pytest.raises(ServiceUnavailable):
            database.write_now(lambda tx: add(tx, "during"))
        assert database.write_now(lambda tx: add(tx, "after")) == "after"


def test_readers_on_sqlite_do_not_wait_for_a_writer(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        return  # there the lock of this test is one that readers honour
    with opened(database_url) as database, locked(database_url, "properties"):
        assert names(database) == set()


def test_a_lock_held_shorter_is_waited_for(database_url: str) -> None:
    database = Database(database_url, lock_timeout_seconds=20)
    try:
        with ThreadPoolExecutor(1) as pool:
            with locked(database_url, "properties"):
                waiting = pool.submit(database.write_now, lambda tx: add(tx, "a"))
                assert not waiting.done()
            assert waiting.result(timeout=20) == "a"
    finally:
        database.close()


@pytest.mark.parametrize("broken", ["closed", "commit and rollback fail"])
def test_a_connection_that_cannot_be_rolled_back_is_replaced(tmp_path: Path, broken: str) -> None:
    with opened(f"sqlite:///{tmp_path}/a.db") as database:
        metadata.create_all(database.engine)
        failing = set[str]()

        @event.listens_for(database.engine, "before_cursor_execute")
        def fail(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement in failing:
                raise OperationalError(statement, None, sqlite3.OperationalError("disk I/O error"))

        def break_it(tx: Transaction) -> None:
            add(tx, "lost")
            if broken == "closed":
                tx.connection.dbapi_connection.close()  # type: ignore[union-attr]
            else:
                failing.update({"COMMIT", "ROLLBACK"})

        async def write(operation: Operation[T]) -> T:
            return await asyncio.wait_for(database.write(operation), 30)

        database.write_now(lambda tx: add(tx, "before"))
        with pytest.raises((ServiceUnavailable, sqlite3.ProgrammingError)):
            asyncio.run(write(break_it))
        failing.clear()
        assert asyncio.run(write(lambda tx: add(tx, "after"))) == "after"
        assert names(database) == {"before", "after"}


# ---- durability ---------------------------------------------------------------------------------------------


def test_s104_connections_are_set_up_to_survive_a_power_cut(database: Database) -> None:
    def ask(tx: Connection) -> object:
        if database.dialect == "sqlite":
            return [
                tx.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        return [tx.exec_driver_sql(f"SHOW {name}").scalar() for name in ("synchronous_commit", "transaction_isolation")]

    expected = ["wal", 2, 1] if database.dialect == "sqlite" else ["on", "read committed"]
    assert database.read_now(ask) == expected
    assert database.write_now(ask) == expected


def test_accepted_work_is_finished_before_the_database_closes(database_url: str) -> None:
    async def write_and_leave() -> None:
        database = Database(database_url)
        writes = [asyncio.ensure_future(database.write(lambda tx, n=n: add(tx, str(n)))) for n in range(50)]  # type: ignore[misc]
        await asyncio.sleep(0)
        await asyncio.to_thread(database.close)
        assert await asyncio.gather(*writes) == [str(number) for number in range(50)]

    asyncio.run(write_and_leave())
    with opened(database_url) as again:
        assert len(names(again)) == 50


def test_a_new_database_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with opened(f"sqlite:///{path}") as database:
        metadata.create_all(database.engine)
        database.write_now(lambda tx: add(tx, "a"))
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes["new.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_opening_a_database_again_takes_no_locks_from_those_who_have_it_open(tmp_path: Path) -> None:
    """A file that is closed takes every lock of its process along; the next to close it would think to be the last."""
    path = tmp_path / "shared.db"
    with opened(f"sqlite:///{path}") as database:
        metadata.create_all(database.engine)
        database.write_now(lambda tx: add(tx, "a"))
        Database(f"sqlite:///{path}").close()
        visit = (
            "import sqlite3, sys; one = sqlite3.connect(sys.argv[1]); one.execute('PRAGMA user_version'); one.close()"
        )
        subprocess.run([sys.executable, "-c", visit, str(path)], check=True)
        assert (tmp_path / "shared.db-wal").exists(), "another process has tidied up what is in use"


def test_a_url_of_another_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="unsupported database 'mysql'"):
        Database("mysql://u:p@h/n")


def test_writing_to_a_closed_database_is_refused_at_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'closed.db'}")
    database.close()
    with pytest.raises(ServiceUnavailable):
        database.write_now(lambda tx: tx.exec_driver_sql("select 1"))


# ---- reads that take too long -----------------------------------------------------------------------------

_ENDLESS = text(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000000) SELECT max(x) FROM n"
)


def test_a_read_that_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(TookTooLong, match="Narrow the search"):
        asyncio.run(database.read_at_length(lambda tx: tx.execute(_ENDLESS).scalar_one(), seconds=0.2))
    # Neither the connection nor another read has a limit of it.
    assert asyncio.run(database.read_at_length(lambda tx: tx.execute(text("SELECT 1")).scalar_one())) == 1
    if database.dialect == "postgresql":
        limit = database.read_now(lambda tx: tx.execute(text("SHOW statement_timeout")).scalar_one())
        assert limit == "0"
