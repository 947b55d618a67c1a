"""Group commit: SQLite's runner. One writer at a time, one flush for everybody who waits (docs/decisions/0051).

Whoever has the turn takes the units of work that wait, gives every group of them a savepoint of its own, and commits
once for all with ``synchronous=FULL``; only then is anybody answered. Two can have the turn. Brief units are run by
the event loop they came from, on the spot: a second thread would take turns with the loop at Python's lock, statement
by statement, which costs more than the statements. All others, and whatever finds the database locked by another
process, are run by the writing thread, which may wait. The flush, during which Python's lock is free, is the writing
thread's in either case; meanwhile the loop reads the next requests.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from watersmeet.database import dialect, waiting
from watersmeet.database.waiting import Group, Unit, answer, groups, refuse
from watersmeet.errors import ServiceUnavailable

_BATCH = 256  # units of work in one commit
_BRIEF_BATCH = 64  # of those that the event loop runs: for so long nobody else is served

_Outcomes: TypeAlias = list[tuple[Unit, Any]]


class GroupCommit:
    """The writing side of a SQLite database."""

    def __init__(self, engine: Engine, lock_timeout_seconds: float) -> None:
        self._engine = engine
        self._patience = lock_timeout_seconds
        self._connection: Connection | None = None
        """Opened, used and replaced by whoever has the turn."""
        self._lock = threading.Lock()
        """Over what follows."""
        self._waiting: deque[Unit] = deque()
        self._turn: object | None = None
        """Whose turn it is: nobody's, a loop's that has not begun yet (``_Due``), or somebody's who is at work."""
        self._closing = False
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._do_jobs, name="watersmeet-writer", daemon=True)
        self._thread.start()

    def write(self, unit: Unit) -> None:
        """Take on a unit, or refuse it."""
        with self._lock:
            refusal = self._refusal()
            if refusal is None:
                self._waiting.append(unit)
                if self._turn is None or (isinstance(self._turn, _Due) and not self._turn.suits(unit)):
                    self._give_turn()
        if refusal is not None:
            refuse(unit, refusal)

    def _refusal(self) -> str | None:
        if self._closing:
            return "the database is closed"
        return "the write queue is full" if len(self._waiting) >= waiting.QUEUE_LENGTH else None

    def close(self) -> None:
        """Finish what was accepted."""
        with self._lock:
            self._closing = True
            if self._turn is None or isinstance(self._turn, _Due):
                self._give_turn()
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    # ---- turns --------------------------------------------------------------------------------------------

    def _give_turn(self) -> None:
        """Decide who serves those that wait. The lock is held."""
        due = self._due() if self._waiting else None
        if due is not None and due.announce(self._serve_on_the_loop):
            self._turn = due
        elif self._waiting:
            self._turn = self._thread
            self._jobs.put(self._serve_on_the_thread)
        else:
            self._turn = None
            if self._closing:
                self._jobs.put(None)

    def _due(self) -> _Due | None:
        """The turn of the loop from which all that wait have come, if all are brief."""
        connection = self._connection
        if connection is None or connection.invalidated or self._closing:  # opening one may have to wait
            return None
        due = _Due(self._waiting[0].loop)
        return due if all(due.suits(unit) for unit in self._waiting) else None

    def _take(self, at_most: int) -> list[Unit]:
        return [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]

    def _serve_on_the_loop(self, turn: _Due) -> None:
        with self._lock:
            if self._turn is not turn:
                return  # somebody came who could not wait for this loop
            self._turn, units = self._thread, self._take(_BRIEF_BATCH)
        job: Callable[[], None] = partial(self._give_up, units, ServiceUnavailable(detail="interrupted"))
        try:
            connection = self._connection
            if connection is None or not _begin_at_once(connection):
                job = partial(self._serve, units)
                return
            job = partial(self._commit, connection, units, _run(connection, units))
        except Exception as error:
            job = partial(self._give_up, units, error)
        finally:
            self._jobs.put(job)

    # ---- the writing thread -------------------------------------------------------------------------------

    def _do_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _serve_on_the_thread(self) -> None:
        with self._lock:
            units = self._take(_BATCH)
        self._serve(units)

    def _serve(self, units: list[Unit]) -> None:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            dialect.begin_writing(self._connection, self._patience)
            outcomes = _run(self._connection, units)
        except Exception as error:
            self._give_up(units, error)
        else:
            self._commit(self._connection, units, outcomes)

    def _commit(self, connection: Connection, units: list[Unit], outcomes: _Outcomes) -> None:
        try:
            dialect.run(connection, "COMMIT")
        except Exception as error:
            self._give_up(units, error)
        else:
            self._end_turn(outcomes)

    def _give_up(self, units: list[Unit], error: Exception) -> None:
        """Nothing of the batch is kept, and everybody is told so."""
        if self._connection is not None:
            _clear(self._connection)
        self._end_turn(Group(units).fail(dialect.translated(error)))

    def _end_turn(self, outcomes: _Outcomes) -> None:
        answer(outcomes)
        with self._lock:
            self._give_turn()


class _Due:
    """The turn of an event loop, which comes to it when it has read what has arrived so far."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop

    def suits(self, unit: Unit) -> bool:
        """Whether the loop may run that unit."""
        return unit.is_brief and unit.loop is self._loop is not None

    def announce(self, serve: Callable[[_Due], None]) -> bool:
        """Let the loop serve; ``False`` if there is no loop any more."""
        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(serve, self)
        except RuntimeError:
            return False
        return True


# ---- the batch --------------------------------------------------------------------------------------------


def _begin_at_once(connection: Connection) -> bool:
    """Begin to write if nobody else does; whatever is wrong, the thread meets it again, and has time for it."""
    try:
        dialect.begin_writing(connection, 0)
    except Exception:
        return False
    return True


def _run(connection: Connection, units: Sequence[Unit]) -> _Outcomes:
    return [outcome for group in groups(units) for outcome in _run_in_savepoint(connection, group)]


def _run_in_savepoint(connection: Connection, group: Group) -> _Outcomes:
    """A group that fails is rolled back alone and harms no neighbour."""
    dialect.run(connection, "SAVEPOINT unit")
    try:
        return group.run(connection)
    except Exception as error:
        if isinstance(error, DBAPIError) and dialect.is_busy(error):
            raise  # the whole batch is in trouble, not this group
        dialect.run(connection, "ROLLBACK TO unit")
        failure = error
    finally:
        if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            dialect.run(connection, "RELEASE unit")
    if len(group.units) == 1:
        return group.fail(failure)
    return [each for alone in group.apart() for each in _run_in_savepoint(connection, alone)]


def _clear(connection: Connection) -> None:
    """Roll back. A connection that cannot even do that is dropped, and the next batch gets a new one."""
    try:
        dialect.roll_back(connection)
    except Exception:  # whatever it is, the thread must go on: everybody's next write waits for it
        connection.invalidate()
        connection.rollback()  # SQLAlchemy's own transaction; only then does it connect again
