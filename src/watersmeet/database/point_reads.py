"""Point reads: SQLite's reading side. A read runs at once, on the caller's thread, which is quicker than another's.

One that may take long runs apart: on a thread and a connection that no other reader waits for, and on none of the
threads that files go through.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from watersmeet.database import dialect
from watersmeet.database.transaction import BatchOperation, Operation

T = TypeVar("T")
Request = TypeVar("Request")

_APART = 4  # reads at once that run apart
_KEPT = 4096  # outcomes of point reads that are kept until the database changes


class PointReads:
    """The reading side of a SQLite database: one connection, one reader at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader: Connection | None = None
        self._reading = threading.Lock()
        self._threads = ThreadPoolExecutor(_APART, thread_name_prefix="watersmeet-reader")
        self._spare: list[Connection] = []
        """Open connections for reads that run apart: to open one takes as long as to find a page."""
        self._kept: dict[object, object] = {}
        self._kept_version = -1

    def read_now(self, operation: Operation[T]) -> T:
        """The value of an operation that changes nothing."""
        with self._reading, self._translating():
            reader = self._open_reader()
            # One snapshot for the whole operation, however many statements it has.
            dialect.run(reader, "BEGIN")
            try:
                return operation(reader)
            finally:
                dialect.run(reader, "ROLLBACK")

    async def read_apart(self, operation: Operation[T]) -> T:
        """The value of an operation that changes nothing and may take long."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_apart, operation)

    def _read_apart(self, operation: Operation[T]) -> T:
        with self._translating(), self._lent() as connection:
            dialect.run(connection, "BEGIN")
            try:
                return operation(connection)
            finally:
                dialect.run(connection, "ROLLBACK")

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Connection]:
        """A connection of one's own; one that failed is not used again."""
        try:
            connection = self._spare.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
        except DBAPIError:
            connection.close()
            raise
        finally:
            if not connection.closed:
                self._spare.append(connection)

    def read_kept(self, operation: BatchOperation[Request, T], request: Request) -> T:
        """The outcome of one request, from memory if the database is still as it was.

        SQLite itself says whether any other connection, of this process or of another, has committed since
        (``PRAGMA data_version``), so what is kept is never older than what a statement would find.
        """
        key = (operation, request)
        with self._reading:
            try:  # without ``_translating``: every Bearer check comes this way
                reader = self._open_reader()
                version = dialect.data_version(reader)
                if version != self._kept_version or len(self._kept) >= _KEPT:
                    self._kept_version, self._kept = version, {}
                if key not in self._kept:
                    [self._kept[key]] = operation(reader, [request])
                outcome = self._kept[key]
            except DBAPIError as error:
                raise dialect.translated(error) from error
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
        except DBAPIError as error:
            raise dialect.translated(error) from error

    def close(self) -> None:
        """Finish what runs apart, and let go of the connections."""
        self._threads.shutdown()
        for connection in self._spare:
            connection.close()
        if self._reader is not None:
            self._reader.close()
