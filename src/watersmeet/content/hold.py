"""Holding a content where it is: whoever decides by its space must know that it stays there until the end."""

from __future__ import annotations

from watersmeet.confluence.content import Content
from watersmeet.confluence.expansion import NOTHING
from watersmeet.content import read
from watersmeet.database import spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def hold(tx: Transaction, caller: User, content_id: int, statuses: tuple[str, ...]) -> Content:
    """The content as it is now that the lock of its space is held. Raises ``ContentNotFound``.

    It may have been moved to another space while we waited for the lock of the one it was in.
    """
    found = read.find(tx, caller, content_id, statuses, NOTHING)
    while True:
        spaces.lock(tx, found.space.id)
        held = read.find(tx, caller, content_id, statuses, NOTHING)
        if held.space.id == found.space.id:
            return held
        found = held
