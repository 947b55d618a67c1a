"""Holding contents where they are: whoever decides by their space must know that they stay there until the end."""

from __future__ import annotations

from watersmeet.confluence.content import Content
from watersmeet.confluence.expansion import NOTHING
from watersmeet.content import read
from watersmeet.database import spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def hold(tx: Transaction, caller: User, content_id: int, statuses: tuple[str, ...]) -> Content:
    """The content as it is now that the lock of its space is held. Raises ``ContentNotFound``."""
    return hold_all(tx, caller, (content_id,), statuses)[0]


def hold_all(tx: Transaction, caller: User, ids: tuple[int, ...], statuses: tuple[str, ...]) -> list[Content]:
    """``hold`` for several contents, in the order of their numbers as given.

    They may have been moved to other spaces while we waited for the locks of those they were in.
    """
    held: set[int] = set()
    while True:
        found = [read.find(tx, caller, content_id, statuses, NOTHING) for content_id in ids]
        needed = {content.space.id for content in found}
        if needed <= held:
            return found
        for space_id in sorted(needed - held):  # in one order: no two of us wait for each other
            spaces.lock(tx, space_id)
        held |= needed
