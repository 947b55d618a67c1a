"""Long tasks, as rows. They outlive the process that began them: whoever comes next goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.long_task import LongTask, Progress
from watersmeet.confluence.page import Slice, Window
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog
from watersmeet.database.schema import long_tasks
from watersmeet.database.transaction import Transaction

_COLUMNS = (
    long_tasks.c.id,
    long_tasks.c.name,
    long_tasks.c.detail,
    long_tasks.c.user_id,
    long_tasks.c.percentage,
    long_tasks.c.successful,
    long_tasks.c.message,
    long_tasks.c.started_at,
    long_tasks.c.finished_at,
)
_BY_ID = select(*_COLUMNS).where(long_tasks.c.id == bindparam("task_id"))
_UNFINISHED = long_tasks.c.finished_at.is_(None)
_NEXT = select(long_tasks.c.id).where(_UNFINISHED).order_by(long_tasks.c.started_at, long_tasks.c.id).limit(1)
# Another worker is at it: none of us waits for the other.
_HOLD = _BY_ID.where(_UNFINISHED).with_for_update(skip_locked=True)

_ANY_OVER = expiry.any_ended(long_tasks.c.finished_at)
_OVER = expiry.ended(long_tasks.c.id, long_tasks.c.finished_at)


def _as_task(row: Any) -> LongTask:
    task = LongTask(*row)
    return replace(task, detail=msgspec.json.decode(row[2]))


def add(tx: Transaction, task_id: str, name: str, detail: Mapping[str, Any], user_id: int, now: Instant) -> LongTask:
    """A new task, of which nothing is done."""
    task = LongTask(task_id, name, detail, user_id, 0, None, "", now, None)
    values = {column.name: getattr(task, column.name) for column in _COLUMNS}
    tx.execute(insert(long_tasks), values | {"detail": msgspec.json.encode(detail).decode()})
    return task


def find(tx: Transaction, task_id: str) -> LongTask | None:
    """The task of that number."""
    row = tx.execute(_BY_ID, {"task_id": task_id}).first()
    return _as_task(row) if row else None


def list_of(tx: Transaction, user_id: int | None, window: Window) -> Slice[LongTask]:
    """The tasks that a user began, or everybody's; the newest first."""
    query = select(*_COLUMNS).order_by(long_tasks.c.started_at.desc(), long_tasks.c.id)
    if user_id is not None:
        query = query.where(long_tasks.c.user_id == user_id)
    rows = tx.execute(query.limit(window.reach).offset(window.start))
    return Slice.of([_as_task(row) for row in rows], window)


def next_unfinished(tx: Transaction) -> str | None:
    """The task that was begun first of those that have not ended."""
    return tx.execute(_NEXT).scalar()


def hold(tx: Transaction, task_id: str) -> LongTask | None:
    """The task, which nobody else works on before the transaction ends; ``None`` if it ended, or somebody does."""
    row = tx.execute(_HOLD, {"task_id": task_id}).first()
    return _as_task(row) if row else None


def keep(tx: Transaction, task_id: str, progress: Progress, now: Instant) -> None:
    """Write down how far a task is."""
    values: dict[str, Any] = {"percentage": progress.percentage, "message": progress.message}
    if progress.is_done:
        values |= {"percentage": 100, "successful": True, "finished_at": now}
    tx.execute(update(long_tasks).where(long_tasks.c.id == task_id).values(values))


def fail(tx: Transaction, task_id: str, message: str, now: Instant) -> None:
    """End a task without success; how far it came stays to be seen."""
    values = {"successful": False, "message": message, "finished_at": now}
    tx.execute(update(long_tasks).where(long_tasks.c.id == task_id).values(values))


def any_over(tx: Transaction, before: Instant) -> bool:
    """Whether any task ended before an instant."""
    return tx.execute(_ANY_OVER, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Forget what ended before an instant, a bounded number; how much went."""
    found = list(tx.execute(_OVER, {"before": before, "at_most": at_most}).scalars())
    tx.execute(delete(long_tasks).where(long_tasks.c.id.in_(found)))
    return len(found)


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {long_tasks.name: expiry.backlog(tx, long_tasks.c.finished_at, before)}
