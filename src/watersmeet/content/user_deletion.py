"""Deleting a user as a long task: out for everybody at once, what only they could see erased step by step."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.long_task import LongTask, Progress
from watersmeet.content import long_task
from watersmeet.content.long_task import Work
from watersmeet.database import former_users
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.users.deletion import delete_user

NAME = "Deleting a user"
BATCH = 200


def begin(
    tx: Transaction, caller: User | None, username: str, now: Instant, entropy: Entropy, origin: Origin
) -> LongTask:
    """Delete a user, and begin to erase what only they could see. Without a caller the task is nobody's but theirs.

    Raises ``UnknownUser`` or ``LastAdministrator``.
    """
    user = delete_user(tx, username, now, entropy, origin)
    return long_task.begin(tx, caller or user, NAME, {"user_id": user.id}, now, entropy)


def _step(tx: Transaction, task: LongTask) -> Progress:
    if former_users.forget_some(tx, task.detail["user_id"], BATCH):
        return Progress(min(99, task.percentage + 1), is_done=False, message="Drafts and what was viewed are erased.")
    former_users.forget(tx, task.detail["user_id"])  # what requests that were under way have added since
    return Progress(100, is_done=True, message="The user was deleted.")


def _give_up(_tx: Transaction, _task: LongTask) -> None:
    """What is left can be seen by nobody."""


WORK = Work(_step, _give_up)
