"""Watches: who wants to be told when a content or a space changes."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.content import ContentStatus, Person
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import SpacePermission
from watersmeet.content import read, space
from watersmeet.content.right import require
from watersmeet.database import watches
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.database.watches import Watched

_STATUSES = (ContentStatus.CURRENT, ContentStatus.DRAFT)


def find_content(tx: Transaction, caller: User, content_id: int) -> Watched:
    """A content that the caller sees, to be watched. Raises ``ContentNotFound``."""
    return Watched.content(read.find(tx, caller, content_id, _STATUSES, NOTHING).id)


def find_space(tx: Transaction, caller: User, key: str, content_type: str = "") -> Watched:
    """A space that the caller sees, to be watched. Raises ``SpaceNotFound``."""
    return Watched.space(space.find(tx, caller, key, NOTHING).id, content_type)


def is_watching(tx: Transaction, watched: Watched, subject: User) -> bool:
    """Whether somebody watches that."""
    return watches.is_watching(tx, watched, subject.id)


def start(tx: Transaction, watched: Watched, subject: User, now: Instant) -> None:
    """Make somebody watch that; twice is once."""
    watches.add(tx, watched, subject.id, now)


def stop(tx: Transaction, watched: Watched, subject: User) -> None:
    """Let somebody watch that no longer; whether they did does not matter (trap 10)."""
    watches.remove(tx, watched, subject.id)


def list_watchers_of_content(tx: Transaction, caller: User, content_id: int, window: Window) -> Slice[Person]:
    """Who watches a content, told to the administrators of its space.

    Raises ``ContentNotFound`` or ``Forbidden``.
    """
    found = read.find(tx, caller, content_id, _STATUSES, NOTHING)
    require(tx, caller, found.space, SpacePermission.ADMINISTER)
    return watches.list_watchers(tx, Watched.content(found.id), window)


def list_watchers_of_space(tx: Transaction, caller: User, key: str, window: Window) -> Slice[Person]:
    """Who watches a whole space, told to its administrators. Raises ``SpaceNotFound`` or ``Forbidden``."""
    found = space.find_administered(tx, caller, key)
    return watches.list_watchers(tx, Watched.space(found.id), window)
