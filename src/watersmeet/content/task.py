"""Tasks in the body of a content: ticking one is a new version of it, which differs in nothing else."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import TaskNotFound
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.storage_format import with_task
from watersmeet.content import read
from watersmeet.content.right import require_change
from watersmeet.content.write import Revision, update
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_BODY = Expansion.parse(["body"])


def tick(tx: Transaction, caller: User, content_id: int, number: str, now: Instant, *, complete: bool) -> Content:
    """The content with the task of that number ticked, or no longer; as it was where it was so already.

    Raises ``ContentNotFound``, ``TaskNotFound``, ``Forbidden`` or ``VersionConflict``.
    """
    present = read.find(tx, caller, content_id, read.CURRENT, _BODY)
    require_change(tx, caller, present)
    is_storage = present.representation == "storage"
    storage = with_task(present.storage or "", number, complete=complete) if is_storage else None
    if storage is None:
        raise TaskNotFound(number)
    if storage == present.storage:
        return present
    revision = Revision(version=present.version.number + 1, storage=storage, minor_edit=True)
    return update(tx, caller, content_id, revision, now, NOTHING)
