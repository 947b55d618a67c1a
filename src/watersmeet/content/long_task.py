"""Long tasks: work in bounded steps, each a transaction, that goes on after its request was answered.

All that is known of a task is in its row, so any worker can do the next step, and a restart loses nothing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from watersmeet.clock import Clock, Instant
from watersmeet.confluence.errors import LongTaskNotFound
from watersmeet.confluence.long_task import LongTask, Progress
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import bypasses_spaces
from watersmeet.database import long_tasks
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.errors import ServiceUnavailable
from watersmeet.web.log import log

INTERVAL_SECONDS = 1
_MOST_FAILURES = 5
_GIVEN_UP = "This did not work, and was given up. The server's log says why."


@dataclass(frozen=True, slots=True)
class Work:
    """How the tasks of one name are done: a bounded step of it, and what is to be done should it be given up."""

    step: Callable[[Transaction, LongTask], Progress]
    give_up: Callable[[Transaction, LongTask], None]


def begin(
    tx: Transaction, caller: User, name: str, detail: Mapping[str, Any], now: Instant, entropy: Entropy
) -> LongTask:
    """A new task of the caller, on which work will begin soon."""
    task_id = str(uuid.UUID(hex=entropy.hex(16), version=4))
    return long_tasks.add(tx, task_id, name, detail, caller.id, now)


def find(tx: Transaction, caller: User, task_id: str) -> LongTask:
    """A task of the caller's; administrators see everybody's. Raises ``LongTaskNotFound``."""
    found = long_tasks.find(tx, task_id)
    if not found or (found.user_id != caller.id and not bypasses_spaces(caller.role)):
        raise LongTaskNotFound(task_id)
    return found


def list_tasks(tx: Transaction, caller: User, window: Window) -> Slice[LongTask]:
    """The tasks that the caller sees, the newest first."""
    return long_tasks.list_of(tx, None if bypasses_spaces(caller.role) else caller.id, window)


def step(tx: Transaction, works: Mapping[str, Work], task_id: str, now: Instant) -> bool:
    """Do the next step of a task; ``False`` if it ended, or another worker is at it."""
    task = long_tasks.hold(tx, task_id)
    if task:
        long_tasks.keep(tx, task_id, works[task.name].step(tx, task), now)
    return task is not None


def give_up(tx: Transaction, works: Mapping[str, Work], task_id: str, now: Instant) -> None:
    """End a task without success."""
    task = long_tasks.hold(tx, task_id)
    if task:
        works[task.name].give_up(tx, task)
        long_tasks.fail(tx, task_id, _GIVEN_UP, now)


async def run(works: Callable[[], Mapping[str, Work]], database: Database, clock: Clock) -> None:
    """Work for ever on whatever there is to do; ``works`` are asked for once there is something."""
    failures: Counter[str] = Counter()
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            if await database.read(long_tasks.next_unfinished):
                await work_off(works(), database, clock, failures)
        except ServiceUnavailable as error:
            log.warning("long task postponed", detail=error.detail)
        except Exception as error:  # whatever it was, the next round may fare better
            log.error("long tasks failed", exc_info=error)


async def work_off(works: Mapping[str, Work], database: Database, clock: Clock, failures: Counter[str]) -> None:
    """Do what there is to do. After each step it rests for as long as that took, so that requests hardly notice it.

    A step that fails is tried again in the next round; after ``_MOST_FAILURES`` its task is given up.
    """
    time = asyncio.get_running_loop().time
    while task_id := await database.read(long_tasks.next_unfinished):
        began = time()
        try:
            went_on = await database.write(partial(step, works=works, task_id=task_id, now=clock.now()))
        except ServiceUnavailable:
            raise
        except Exception as error:  # of whatever kind: a task must not stay for ever without an end
            failures[task_id] += 1
            log.error("long task failed", task=task_id, times=failures[task_id], exc_info=error)
            if failures[task_id] < _MOST_FAILURES:
                return
            await database.write(partial(give_up, works=works, task_id=task_id, now=clock.now()))
            continue
        if not went_on:
            return
        await asyncio.sleep(time() - began)
