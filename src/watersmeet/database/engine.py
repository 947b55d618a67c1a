"""The engine: runs operations, and decides where each of them runs.

``await database.read(operation)`` and ``await database.write(operation)`` run one operation for one caller;
``read_together`` and ``write_together`` one operation for all callers that wait with a request for it. On SQLite
a read runs at once on the caller's thread (``point_reads``), and writes that wait together are committed together
(``group_commit``). On PostgreSQL an operation is a transaction on a pooled connection, and so is a batch
(``micro_batches``). Nobody waits for a batch to fill. Either way: answered means durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from watersmeet.database import dialect
from watersmeet.database.group_commit import GroupCommit
from watersmeet.database.micro_batches import MicroBatches
from watersmeet.database.point_reads import PointReads
from watersmeet.database.transaction import BatchOperation, Operation, TakesLong, Transaction
from watersmeet.database.waiting import Unit

_AT_LENGTH = 2  # operations at once that turned out to take long

T = TypeVar("T")
Request = TypeVar("Request")


class Database:
    """A database file or server, and the threads that work on it.

    Close it when done: ``close()`` finishes what was accepted. Raises ``ServiceUnavailable`` from every method
    when the work could not be started or locked within ``lock_timeout_seconds``, its leaf ``OutcomeUnknown`` when
    PostgreSQL was lost while it committed, and ``StorageFailed`` when the database itself does not work.
    """

    def __init__(self, url: str, *, lock_timeout_seconds: float = 10, pool_size: int = 8) -> None:
        self.engine = dialect.open_engine(url, lock_timeout_seconds=lock_timeout_seconds, pool_size=pool_size)
        self.dialect = dialect.dialect_name(url)
        self._reads: PointReads | MicroBatches
        self._writes: GroupCommit | MicroBatches
        self._at_length = asyncio.Semaphore(_AT_LENGTH)
        if self.dialect == "sqlite":
            self._reads = PointReads(self.engine)
            self._writes = GroupCommit(self.engine, lock_timeout_seconds)
        else:
            self._reads = self._writes = MicroBatches(self.engine, pool_size)

    async def read(self, operation: Operation[T]) -> T:
        """The value of an operation that changes nothing. One that says that it takes long is run again, apart."""
        if isinstance(self._reads, PointReads):
            try:
                return self._reads.read_now(operation)
            except TakesLong:
                async with self._at_length:
                    return await self._reads.read_apart(operation)
        value: T = await _submitted(self._reads.read, operation)
        return value

    async def read_at_length(self, operation: Operation[T], *, seconds: float = 0) -> T:
        """``read`` for an operation that may take long: it never keeps the caller's thread or other readers waiting.

        Raises ``TookTooLong`` where one of its statements takes longer than ``seconds``; 0 is no limit.
        """

        def limited(tx: Transaction) -> T:
            with dialect.limit_time(tx, seconds):
                return operation(tx)

        if isinstance(self._reads, PointReads):
            return await self._reads.read_apart(limited)
        return await self.read(limited)

    async def read_together(self, operation: BatchOperation[Request, T], request: Request) -> T:
        """The outcome of one request among those that wait for the same reading operation.

        The operation is one statement, and its outcomes depend on nothing but the request, which is hashable, and
        the database: on SQLite they are kept until the database changes.
        """
        if isinstance(self._reads, PointReads):
            return self._reads.read_kept(operation, request)
        value: T = await _submitted(self._reads.read, operation, request, is_one_of_many=True)
        return value

    async def write(self, operation: Operation[T], *, brief: bool = False) -> T:
        """The value of an operation, once everything it changed is durable.

        A ``brief`` operation computes little and runs a handful of point statements, so it may run where the caller
        runs: a thread of its own would cost more than it does.
        """
        value: T = await _submitted(self._writes.write, operation, is_brief=brief)
        return value

    async def write_together(
        self, operation: BatchOperation[Request, T], request: Request, *, brief: bool = False
    ) -> T:
        """The outcome of one request among those that wait for the same operation, once all of it is durable.

        Requests meet by the operation's identity, so make it once. ``brief`` as for ``write``.
        """
        value: T = await _submitted(self._writes.write, operation, request, is_one_of_many=True, is_brief=brief)
        return value

    def read_now(self, operation: Operation[T]) -> T:
        """``read`` for callers without an event loop (the command line, start-up)."""
        return self._reads.read_now(operation)

    def write_now(self, operation: Operation[T]) -> T:
        """``write`` for callers without an event loop (the command line, start-up)."""
        waiting: Future[T] = Future()
        self._writes.write(Unit(operation, None, False, False, waiting, None))
        return waiting.result()

    def close(self) -> None:
        """Finish the accepted work, then let go of every connection."""
        self._writes.close()
        if isinstance(self._reads, PointReads):
            self._reads.close()
        self.engine.dispose()


def _submitted(
    submit: Callable[[Unit], None],
    operation: Any,
    request: Any = None,
    *,
    is_one_of_many: bool = False,
    is_brief: bool = False,
) -> asyncio.Future[Any]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Any] = loop.create_future()
    submit(Unit(operation, request, is_one_of_many, is_brief, waiting, loop))
    return waiting
