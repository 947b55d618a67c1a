"""Deleting a space with all that is in it: gone for everybody at once, deleted in the background step by step."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.content import SpaceStatus
from watersmeet.confluence.long_task import LongTask, Progress
from watersmeet.content import long_task, space
from watersmeet.content.long_task import Work
from watersmeet.database import audit, spaces
from watersmeet.database import content as contents
from watersmeet.database.audit import Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy

NAME = "Deleting a space"
BATCH = 50


def begin(tx: Transaction, caller: User, key: str, now: Instant, entropy: Entropy, origin: Origin) -> LongTask:
    """Take a space out of sight and begin to delete it. Its key stays taken until the end.

    Raises ``SpaceNotFound`` or ``Forbidden``.
    """
    found = space.find_administered(tx, caller, key)
    spaces.change(tx, found.id, caller, now, status=SpaceStatus.DELETED)
    audit.record(tx, Event.SPACE_DELETED, origin, now, detail={"space": found.key})
    detail = {"space_id": found.id, "contents": contents.count_in_space(tx, found.id)}
    return long_task.begin(tx, caller, NAME, detail, now, entropy)


def _step(tx: Transaction, task: LongTask) -> Progress:
    space_id, total = task.detail["space_id"], max(1, task.detail["contents"])
    spaces.lock(tx, space_id)  # who found it before it was out of sight may still write
    contents.delete_some(tx, space_id, BATCH)
    left = contents.count_in_space(tx, space_id)
    if left:
        done = max(0, total - left)
        return Progress(min(99, 100 * done // total), is_done=False, message=f"{done} of {total} contents deleted.")
    spaces.delete(tx, space_id)
    return Progress(100, is_done=True, message=f"The space and {total} contents were deleted.")


def _give_up(tx: Transaction, task: LongTask) -> None:
    """What is left can be seen again, and deleted again."""
    spaces.show_again(tx, task.detail["space_id"])


WORK = Work(_step, _give_up)
