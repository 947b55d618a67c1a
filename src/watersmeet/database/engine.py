"""The engine: runs operations, and decides where each of them runs.

``await database.read(operation)`` and ``await database.write(operation)`` run one operation for one caller;
``read_together`` and ``write_together`` one operation for all callers that wait with a request for it. On SQLite
a read runs at once on the caller's thread (a point read is quicker than handing it over), and writes go to one
thread that drains its queue, gives every unit of work a savepoint of its own, commits once for all with
``synchronous=FULL`` and only then answers anybody (group commit). On PostgreSQL an operation is a transaction on
a pooled connection, and so is a batch. Nobody waits for a batch to fill. Either way: answered means durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from watersmeet.database import dialect
from watersmeet.database.transaction import BatchOperation, Operation
from watersmeet.database.waiting import Failed, Group, Unit, answer, groups
from watersmeet.errors import OutcomeUnknown, ServiceUnavailable

T = TypeVar("T")
Request = TypeVar("Request")

_QUEUE_LENGTH = 2048  # units of work that may wait; beyond it the honest answer is "busy"
_BATCH = 256  # units of work in one commit
_ATTEMPTS = 4  # of a PostgreSQL transaction that lost a serialization race
_KEPT = 4096  # outcomes of point reads that are kept until the database changes
_SERVING = 2  # transactions that serve one batch operation: one computes while the other's commit is flushed


class Database:
    """A database file or server, and the threads that work on it.

    Close it when done: ``close()`` finishes what was accepted. Raises ``ServiceUnavailable`` from every method
    when the work could not be started or locked within ``lock_timeout_seconds``, and its leaf ``OutcomeUnknown``
    when PostgreSQL was lost while it committed.
    """

    def __init__(self, url: str, *, lock_timeout_seconds: float = 10, pool_size: int = 8) -> None:
        self.engine = dialect.open_engine(url, lock_timeout_seconds=lock_timeout_seconds, pool_size=pool_size)
        self.dialect = dialect.dialect_name(url)
        self._runner: _SqliteRunner | _PostgresRunner = (
            _SqliteRunner(self.engine) if self.dialect == "sqlite" else _PostgresRunner(self.engine, pool_size)
        )

    async def read(self, operation: Operation[T]) -> T:
        """The value of an operation that changes nothing."""
        if isinstance(self._runner, _SqliteRunner):
            return self.read_now(operation)
        value: T = await _submitted(self._runner.read, operation)
        return value

    async def read_at_length(self, operation: Operation[T]) -> T:
        """``read`` for an operation that may take long: it never keeps the caller's thread or other readers waiting."""
        if isinstance(self._runner, _SqliteRunner):
            return await asyncio.to_thread(self._runner.read_apart, operation)
        return await self.read(operation)

    async def write(self, operation: Operation[T]) -> T:
        """The value of an operation, once everything it changed is durable."""
        value: T = await _submitted(self._runner.write, operation)
        return value

    async def read_together(self, operation: BatchOperation[Request, T], request: Request) -> T:
        """The outcome of one request among those that wait for the same reading operation.

        The operation is one statement, and its outcomes depend on nothing but the request, which is hashable, and
        the database: on SQLite they are kept until the database changes.
        """
        if isinstance(self._runner, _SqliteRunner):
            return self._runner.read_kept(operation, request)
        value: T = await _submitted(self._runner.read, operation, request, is_one_of_many=True)
        return value

    async def write_together(self, operation: BatchOperation[Request, T], request: Request) -> T:
        """The outcome of one request among those that wait for the same operation, once all of it is durable.

        Requests meet by the operation's identity, so make it once.
        """
        value: T = await _submitted(self._runner.write, operation, request, is_one_of_many=True)
        return value

    def read_now(self, operation: Operation[T]) -> T:
        """``read`` for callers without an event loop (the command line, start-up)."""
        return self._runner.read_now(operation)

    def write_now(self, operation: Operation[T]) -> T:
        """``write`` for callers without an event loop (the command line, start-up)."""
        waiting: Future[T] = Future()
        self._runner.write(Unit(operation, None, False, waiting, None))
        return waiting.result()

    def close(self) -> None:
        """Finish the accepted work, then let go of every connection."""
        self._runner.close()
        self.engine.dispose()


def _submitted(
    submit: Callable[[Unit], None], operation: Any, request: Any = None, *, is_one_of_many: bool = False
) -> asyncio.Future[Any]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Any] = loop.create_future()
    submit(Unit(operation, request, is_one_of_many, waiting, loop))
    return waiting


def _translated(error: Exception) -> Exception:
    if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and dialect.is_busy(error)):
        return ServiceUnavailable(detail=str(error.__cause__ or error))
    return error


def _refuse(unit: Unit, detail: str) -> None:
    answer([(unit, Failed(ServiceUnavailable(detail=detail)))])


# ---- SQLite -----------------------------------------------------------------------------------------------


class _SqliteRunner:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader: Connection | None = None
        self._reading = threading.Lock()
        self._kept: dict[object, object] = {}
        self._kept_version = -1
        self._queue: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._closing = False
        self._finished = False
        self._writer = threading.Thread(target=self._write_all, name="watersmeet-writer", daemon=True)
        self._writer.start()

    def read_now(self, operation: Operation[T]) -> T:
        with self._reading, self._translating():
            reader = self._open_reader()
            # One snapshot for the whole operation, however many statements it has.
            reader.exec_driver_sql("BEGIN")
            try:
                return operation(reader)
            finally:
                reader.exec_driver_sql("ROLLBACK")

    def read_apart(self, operation: Operation[T]) -> T:
        """``read_now`` on a connection of its own, so that no other reader waits for it."""
        with self._translating(), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                return operation(connection)
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def read_kept(self, operation: BatchOperation[Request, T], request: Request) -> T:
        """The outcome of one request, from memory if the database is still as it was.

        SQLite itself says whether any other connection, of this process or of another, has committed since
        (``PRAGMA data_version``), so what is kept is never older than what a statement would find.
        """
        with self._reading, self._translating():
            reader = self._open_reader()
            version = dialect.data_version(reader)
            if version != self._kept_version or len(self._kept) >= _KEPT:
                self._kept_version, self._kept = version, {}
            key = (operation, request)
            if key not in self._kept:
                [self._kept[key]] = operation(reader, [request])
            outcome = self._kept[key]
        if isinstance(outcome, Exception):
            raise outcome
        return cast("T", outcome)

    def _open_reader(self) -> Connection:
        if self._reader is None:
            self._reader = self._engine.connect()
        return self._reader

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise _translated(error) from error

    def write(self, unit: Unit) -> None:
        if self._closing:
            _refuse(unit, "the database is closed")
        elif self._queue.qsize() >= _QUEUE_LENGTH:
            _refuse(unit, "the write queue is full")
        else:
            self._queue.put(unit)

    def close(self) -> None:
        self._closing = True
        self._queue.put(None)
        self._writer.join()
        while not self._queue.empty():  # came while the door was closing
            unit = self._queue.get()
            if unit is not None:
                _refuse(unit, "the database is closed")
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
                    answer(Group(batch).fail(_translated(error)))
                else:
                    _commit_together(connection, batch)

    def _next_batch(self) -> list[Unit]:
        """Everything that waits, at most ``_BATCH``; the last batch when the runner was closed."""
        batch: list[Unit] = []
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


def _commit_together(connection: Connection, batch: list[Unit]) -> None:
    """Run every group in a savepoint of its own, commit once, then answer.

    A group that fails is rolled back alone and harms no neighbour; if the commit fails, everybody is told so. A
    connection that cannot even be rolled back is dropped, and the next batch gets a new one.
    """
    outcomes: list[tuple[Unit, Any]] = []
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        for group in groups(batch):
            outcomes += _run_in_savepoint(connection, group)
        connection.exec_driver_sql("COMMIT")
    except Exception as error:
        outcomes = Group(batch).fail(_translated(error))
        try:
            dialect.roll_back(connection)
        except Exception:  # whatever it is, the thread must go on: everybody's next write waits for it
            connection.invalidate()
            connection.rollback()  # SQLAlchemy's own transaction; only then does it connect again
    answer(outcomes)


def _run_in_savepoint(connection: Connection, group: Group) -> list[tuple[Unit, Any]]:
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        return group.run(connection)
    except Exception as error:
        if isinstance(error, DBAPIError) and dialect.is_busy(error):
            raise  # the whole batch is in trouble, not this group
        connection.exec_driver_sql("ROLLBACK TO unit")
        failure = error
    finally:
        if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("RELEASE unit")
    if len(group.units) == 1:
        return group.fail(failure)
    return [each for alone in group.apart() for each in _run_in_savepoint(connection, alone)]


# ---- PostgreSQL -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """Units that wait for one batch operation, and how many transactions are serving them."""

    engine: Engine
    waiting: deque[Unit] = field(default_factory=deque)
    serving: int = 0


class _PostgresRunner:
    def __init__(self, engine: Engine, pool_size: int) -> None:
        self._engine = engine
        # One statement needs no transaction around it: two round trips less.
        self._reading_engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix="watersmeet-database")
        self._lock = threading.Lock()
        self._lines: dict[object, _Line] = {}
        self._waiting = 0

    def read_now(self, operation: Operation[T]) -> T:
        return self._transact(self._engine, operation)

    def read(self, unit: Unit) -> None:
        self._accept(unit, self._reading_engine if unit.is_one_of_many else self._engine)

    def write(self, unit: Unit) -> None:
        self._accept(unit, self._engine)

    def close(self) -> None:
        self._threads.shutdown()

    def _accept(self, unit: Unit, engine: Engine) -> None:
        with self._lock:
            if self._waiting >= _QUEUE_LENGTH:
                _refuse(unit, "too many wait for the database")
                return
            line = self._lines.get(unit.operation) if unit.is_one_of_many else _Line(engine)
            if line is None:
                line = self._lines[unit.operation] = _Line(engine)
            if line.serving < _SERVING:
                try:
                    self._threads.submit(self._serve, line)
                except RuntimeError:
                    _refuse(unit, "the database is closed")
                    return
                line.serving += 1
            self._waiting += 1
            line.waiting.append(unit)

    def _serve(self, line: _Line) -> None:
        """Serve whoever waits in a line until it is empty."""
        while units := self._take(line):
            answer(self._run(line.engine, Group(units)))

    def _take(self, line: _Line) -> list[Unit]:
        with self._lock:
            units = [line.waiting.popleft() for _ in range(min(_BATCH, len(line.waiting)))]
            self._waiting -= len(units)
            if not units:
                line.serving -= 1
            return units

    def _run(self, engine: Engine, group: Group) -> list[tuple[Unit, Any]]:
        try:
            return self._transact(engine, group.run)
        except ServiceUnavailable as error:
            return group.fail(error)
        except Exception as error:
            if len(group.units) == 1:
                return group.fail(error)
            return [each for alone in group.apart() for each in self._run(engine, alone)]

    def _transact(self, engine: Engine, operation: Operation[T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            committing = False
            try:
                with engine.connect() as connection:
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
