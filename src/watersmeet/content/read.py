"""Reading content: one by its number, old versions, lists."""

from __future__ import annotations

from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import ContentNotFound
from watersmeet.confluence.expansion import Expansion
from watersmeet.content.part import ANY, CURRENT, complete, load
from watersmeet.database import content as contents
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

__all__ = ["ANY", "CURRENT", "complete", "find", "find_version", "load"]


def find(tx: Transaction, caller: User, content_id: int, statuses: tuple[str, ...], expansion: Expansion) -> Content:
    """A content as it is now. Raises ``ContentNotFound``."""
    found = contents.find_visible(tx, content_id, caller, statuses, body="body" in expansion)
    if not found:
        raise ContentNotFound(content_id)
    return _complete(tx, caller, found, expansion)


def find_version(tx: Transaction, caller: User, content_id: int, number: int, expansion: Expansion) -> Content:
    """What a current content was in that version, or is. Raises ``ContentNotFound``."""
    found = contents.find_version(tx, content_id, number, caller)
    if found:
        return _complete(tx, caller, found, expansion)
    present = find(tx, caller, content_id, CURRENT, expansion)
    if present.version.number != number:
        raise ContentNotFound(content_id, number)
    return present


def _complete(tx: Transaction, caller: User, found: Content, expansion: Expansion) -> Content:
    return complete(tx, caller, [found], expansion)[0]
