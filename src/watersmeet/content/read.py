"""Reading content: one by its number, old versions, lists."""

from __future__ import annotations

from dataclasses import replace

from watersmeet.confluence.content import Content, ContentStatus
from watersmeet.confluence.errors import ContentNotFound
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.database import content as contents
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

CURRENT = (ContentStatus.CURRENT,)
ANY = (ContentStatus.CURRENT, ContentStatus.TRASHED)


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
        raise ContentNotFound(content_id)
    return present


def load(tx: Transaction, caller: User, wanted: ContentFilter, window: Window, expansion: Expansion) -> Slice[Content]:
    """The contents the caller sees; whatever their number, a constant count of queries."""
    part = contents.list_visible(tx, wanted, window, caller, body="body" in expansion)
    if "ancestors" in expansion:
        part = replace(part, items=contents.with_ancestors(tx, part.items, caller))
    return part


def _complete(tx: Transaction, caller: User, found: Content, expansion: Expansion) -> Content:
    return contents.with_ancestors(tx, [found], caller)[0] if "ancestors" in expansion else found
