"""Micro-batches: PostgreSQL's runner. An operation is a transaction on a pooled connection, and so is a batch.

Requests for one operation that wait together are one transaction; nobody waits for a batch to fill.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from watersmeet.database import dialect, waiting
from watersmeet.database.transaction import Operation
from watersmeet.database.waiting import Group, Unit, answer, refuse
from watersmeet.errors import OutcomeUnknown, ServiceUnavailable

T = TypeVar("T")

_BATCH = 256  # units of work in one transaction
SERVING = 2  # transactions that serve one writing operation: one computes while the other's commit is flushed
_SERVING_READERS = 1  # nothing is flushed, so two would only halve the batches
_ATTEMPTS = 4  # of a transaction that lost a serialization race


@dataclass(slots=True)
class _Line:
    """Units that wait for one batch operation, and how many transactions are serving them."""

    engine: Engine
    waiting: deque[Unit] = field(default_factory=deque)
    serving: int = 0


class MicroBatches:
    """The transactions on a PostgreSQL server."""

    def __init__(self, engine: Engine, pool_size: int) -> None:
        self._engine = engine
        # One statement needs no transaction around it: two round trips less.
        self._reading_engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix="watersmeet-database")
        self._lock = threading.Lock()
        self._lines: dict[object, _Line] = {}
        self._waiting = 0

    def read_now(self, operation: Operation[T]) -> T:
        """The value of an operation that changes nothing, on the caller's thread."""
        return self._transact(self._engine, operation)

    def read(self, unit: Unit) -> None:
        """Take on a unit that changes nothing, or refuse it."""
        self._accept(unit, self._reading_engine if unit.is_one_of_many else self._engine, _SERVING_READERS)

    def write(self, unit: Unit) -> None:
        """Take on a unit, or refuse it."""
        self._accept(unit, self._engine, SERVING)

    def close(self) -> None:
        """Finish what was accepted."""
        self._threads.shutdown()

    def _accept(self, unit: Unit, engine: Engine, at_most: int) -> None:
        with self._lock:
            if self._waiting >= waiting.QUEUE_LENGTH:
                refuse(unit, "too many wait for the database")
                return
            line = self._lines.get(unit.operation) if unit.is_one_of_many else _Line(engine)
            if line is None:
                line = self._lines[unit.operation] = _Line(engine)
            if line.serving < at_most:
                try:
                    self._threads.submit(self._serve, line)
                except RuntimeError:
                    refuse(unit, "the database is closed")
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
                raise dialect.translated(error) from error
            except PoolTimeout as error:
                raise dialect.translated(error) from error
        raise AssertionError("unreachable")
