"""The trash of a space: shown to those who administer it, and emptied by them."""

from __future__ import annotations

from watersmeet.confluence.content import Content, ContentStatus
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read, space
from watersmeet.database import content as contents
from watersmeet.database import spaces
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

BATCH = 50


def list_trash(
    tx: Transaction, caller: User, key: str, after: int, window: Window, expansion: Expansion
) -> Slice[Content]:
    """What is in the trash of a space, beginning after the content with that number.

    Raises ``SpaceNotFound`` or ``Forbidden``.
    """
    space_id = space.find_administered(tx, caller, key).id
    wanted = ContentFilter(statuses=(ContentStatus.TRASHED,), space_id=space_id, after=after)
    return read.load(tx, caller, wanted, window, expansion)


def purge_some(tx: Transaction, caller: User, key: str) -> int:
    """Delete for good some of what is in the trash of a space, what is kept from the caller included; how much.

    Raises ``SpaceNotFound`` or ``Forbidden``.
    """
    space_id = space.find_administered(tx, caller, key).id
    spaces.lock(tx, space_id)
    return contents.purge_some(tx, space_id, BATCH)
