"""The engine: runs operations, and decides where each of them runs.

``await database.read(operation)`` and ``await database.write(operation)`` are the whole interface. On SQLite a
read runs at once on the caller's thread (a point read is quicker than handing it over), and writes go to one
thread that drains its queue, gives every unit of work a savepoint of its own, commits once for all with
``synchronous=FULL`` and only then answers anybody (group commit). On PostgreSQL each operation is a
transaction on a pooled connection. Either way: answered means durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from watersmeet.database import dialect
from watersmeet.database.transaction import Operation
from watersmeet.errors import OutcomeUnknown, ServiceUnavailable

T = TypeVar("T")

_QUEUE_LENGTH = 2048  # units of work that may wait; beyond it the honest answer is "busy"
_BATCH = 256  # units of work in one commit
_ATTEMPTS = 4  # of a PostgreSQL transaction that lost a serialization race


class Database:
    """A database file or server, and the threads that work on it.

    Close it when done: ``close()`` finishes what was accepted. Raises ``ServiceUnavailable`` from ``read``
    and ``write`` when the work could not be started or locked within ``lock_timeout_seconds``, and its leaf
    ``OutcomeUnknown`` when PostgreSQL was lost while it committed.
    """

    def __init__(self, url: str, *, lock_timeout_seconds: float = 10, pool_size: int = 8) -> None:
        self.engine = dialect.open_engine(url, lock_timeout_seconds=lock_timeout_seconds, pool_size=pool_size)
        self.dialect = dialect.dialect_name(url)
        self._runner: _SqliteRunner | _PostgresRunner
        if self.dialect == "sqlite":
            self._runner = _SqliteRunner(self.engine)
        else:
            self._runner = _PostgresRunner(self.engine, pool_size)

    async def read(self, operation: Operation[T]) -> T:
        """The value of an operation that changes nothing."""
        return await self._runner.read(operation)

    async def read_at_length(self, operation: Operation[T]) -> T:
        """``read`` for an operation that may take long: it never keeps the caller's thread or other readers waiting."""
        return await self._runner.read_at_length(operation)

    async def write(self, operation: Operation[T]) -> T:
        """The value of an operation, once everything it changed is durable."""
        return await asyncio.wrap_future(self._runner.write(operation))

    def read_now(self, operation: Operation[T]) -> T:
        """``read`` for callers without an event loop (the command line, start-up)."""
        return self._runner.read_now(operation)

    def write_now(self, operation: Operation[T]) -> T:
        """``write`` for callers without an event loop (the command line, start-up)."""
        return self._runner.write(operation).result()

    def close(self) -> None:
        """Finish the accepted work, then let go of every connection."""
        self._runner.close()
        self.engine.dispose()


def _translated(error: Exception) -> Exception:
    if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and dialect.is_busy(error)):
        return ServiceUnavailable(detail=str(error.__cause__ or error))
    return error


@dataclass(frozen=True, slots=True)
class _Unit:
    """One queued write: what to do, and who waits for it."""

    operation: Operation[Any]
    answer: Future[Any]


class _SqliteRunner:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader: Connection | None = None
        self._reading = threading.Lock()
        self._queue: queue.Queue[_Unit | None] = queue.Queue(_QUEUE_LENGTH)
        self._closing = False
        self._finished = False
        self._writer = threading.Thread(target=self._write_all, name="watersmeet-writer", daemon=True)
        self._writer.start()

    async def read(self, operation: Operation[T]) -> T:
        return self.read_now(operation)

    def read_now(self, operation: Operation[T]) -> T:
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = self._engine.connect()
                # One snapshot for the whole operation, however many statements it has.
                self._reader.exec_driver_sql("BEGIN")
                try:
                    return operation(self._reader)
                finally:
                    self._reader.exec_driver_sql("ROLLBACK")
            except OperationalError as error:
                raise _translated(error) from error

    async def read_at_length(self, operation: Operation[T]) -> T:
        return await asyncio.to_thread(self._read_apart, operation)

    def _read_apart(self, operation: Operation[T]) -> T:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    return operation(connection)
                finally:
                    connection.exec_driver_sql("ROLLBACK")
        except OperationalError as error:
            raise _translated(error) from error

    def write(self, operation: Operation[T]) -> Future[T]:
        unit = _Unit(operation, Future())
        if self._closing:
            unit.answer.set_exception(ServiceUnavailable(detail="the database is closed"))
            return unit.answer
        try:
            self._queue.put_nowait(unit)
        except queue.Full:
            unit.answer.set_exception(ServiceUnavailable(detail="the write queue is full"))
        return unit.answer

    def close(self) -> None:
        self._closing = True
        self._queue.put(None)
        self._writer.join()
        if self._reader is not None:
            self._reader.close()

    def _write_all(self) -> None:
        with contextlib.ExitStack() as open_until_closed:
            connection: Connection | None = None
            while not self._finished:
                batch = self._next_batch()
                if not batch:
                    continue
                try:
                    connection = connection or open_until_closed.enter_context(self._engine.connect())
                except DBAPIError as error:
                    _answer_all(batch, _translated(error))
                else:
                    _commit_together(connection, batch)

    def _next_batch(self) -> list[_Unit]:
        """Everything that waits, at most ``_BATCH``; the last batch when the runner was closed."""
        batch: list[_Unit] = []
        unit = self._queue.get()
        while unit is not None:
            batch.append(unit)
            if len(batch) == _BATCH:
                return batch
            try:
                unit = self._queue.get_nowait()
            except queue.Empty:
                return batch
        self._finished = True
        return batch


def _commit_together(connection: Connection, batch: list[_Unit]) -> None:
    """Run every unit in a savepoint of its own, commit once, then answer.

    A unit that fails is rolled back alone and harms no neighbour; if the commit fails, everybody is told so.
    """
    answers: list[Callable[[], None]] = []
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        answers.extend(_run_in_savepoint(connection, unit) for unit in batch)
        connection.exec_driver_sql("COMMIT")
    except Exception as error:
        dialect.roll_back(connection)
        _answer_all(batch, _translated(error))
        return
    for answer in answers:
        answer()


def _answer_all(batch: list[_Unit], failure: Exception) -> None:
    for unit in batch:
        _answer_with_exception(unit, failure)()


def _run_in_savepoint(connection: Connection, unit: _Unit) -> Callable[[], None]:
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        value = unit.operation(connection)
    except DBAPIError as error:
        if dialect.is_busy(error):
            raise  # the whole batch is in trouble, not this unit
        connection.exec_driver_sql("ROLLBACK TO unit")
        return _answer_with_exception(unit, error)
    except Exception as error:
        connection.exec_driver_sql("ROLLBACK TO unit")
        return _answer_with_exception(unit, error)
    finally:
        if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("RELEASE unit")
    return lambda: _answer(unit, value)


def _answer(unit: _Unit, value: Any) -> None:
    # A caller that went away cancelled its future; the work is done all the same.
    if unit.answer.set_running_or_notify_cancel():
        unit.answer.set_result(value)


def _answer_with_exception(unit: _Unit, error: Exception) -> Callable[[], None]:
    def answer() -> None:
        if unit.answer.set_running_or_notify_cancel():
            unit.answer.set_exception(error)

    return answer


class _PostgresRunner:
    def __init__(self, engine: Engine, pool_size: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix="watersmeet-database")

    async def read(self, operation: Operation[T]) -> T:
        return await asyncio.wrap_future(self._threads.submit(self._transact, operation))

    async def read_at_length(self, operation: Operation[T]) -> T:
        return await self.read(operation)

    def read_now(self, operation: Operation[T]) -> T:
        return self._transact(operation)

    def write(self, operation: Operation[T]) -> Future[T]:
        return self._threads.submit(self._transact, operation)

    def close(self) -> None:
        self._threads.shutdown()

    def _transact(self, operation: Operation[T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            committing = False
            try:
                with self._engine.connect() as connection:
                    value = operation(connection)
                    committing = True
                    connection.commit()
                    return value
            except DBAPIError as error:
                if dialect.can_try_again(error) and attempt < _ATTEMPTS:
                    continue
                if committing and dialect.is_busy(error):
                    raise OutcomeUnknown(detail=str(error.orig)) from error
                raise _translated(error) from error
            except PoolTimeout as error:
                raise _translated(error) from error
        raise AssertionError("unreachable")
