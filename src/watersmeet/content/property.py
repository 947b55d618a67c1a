"""Properties that applications keep with contents and spaces: reading, adding, changing and removing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.content import ContentStatus
from watersmeet.confluence.errors import PropertyNotFound, PropertyTaken, VersionConflict
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.metadata import Property
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read, space
from watersmeet.content.right import require_change
from watersmeet.database.application_properties import OF_CONTENT, OF_SPACE, Properties
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_WITH_PROPERTIES = (ContentStatus.CURRENT, ContentStatus.DRAFT)


class _Owner:
    """Whose properties a request is about, found by the number of a content or the key of a space."""

    def __init__(self, table: Properties) -> None:
        self.table = table

    def seen(self, tx: Transaction, caller: User, name: int | str) -> int:
        """Its number. Raises ``ContentNotFound`` or ``SpaceNotFound``."""
        if isinstance(name, int):
            return read.find(tx, caller, name, _WITH_PROPERTIES, NOTHING).id
        return space.find(tx, caller, name, NOTHING).id

    def changed(self, tx: Transaction, caller: User, name: int | str) -> int:
        """``seen``, by somebody who may change it: a space's properties are its administrators'.

        Raises ``Forbidden``.
        """
        if isinstance(name, int):
            found = read.find(tx, caller, name, _WITH_PROPERTIES, NOTHING)
            require_change(tx, caller, found)
            return found.id
        return space.find_administered(tx, caller, name).id


def _owner(name: int | str) -> _Owner:
    return _Owner(OF_CONTENT if isinstance(name, int) else OF_SPACE)


def list_properties(tx: Transaction, caller: User, owner: int | str, window: Window) -> Slice[Property]:
    """The properties of a content, by its number, or of a space, by its key."""
    kind = _owner(owner)
    return kind.table.list_of(tx, kind.seen(tx, caller, owner), window)


def find_property(tx: Transaction, caller: User, owner: int | str, key: str) -> Property:
    """One property. Raises ``PropertyNotFound``."""
    kind = _owner(owner)
    return _present(tx, kind.table, kind.seen(tx, caller, owner), key)


def add_property(tx: Transaction, caller: User, owner: int | str, key: str, value: str, now: Instant) -> Property:
    """A new property. Raises ``PropertyTaken`` or ``Forbidden``."""
    kind = _owner(owner)
    owner_id = kind.changed(tx, caller, owner)
    if kind.table.find(tx, owner_id, key):
        raise PropertyTaken(key)
    kind.table.add(tx, owner_id, key, value, caller, now)
    return _present(tx, kind.table, owner_id, key)


def put_property(
    tx: Transaction, caller: User, owner: int | str, key: str, value: str, version: int, now: Instant
) -> Property:
    """The next version of a property; version 1 creates one that is not there (trap 2).

    Raises ``PropertyNotFound``, ``VersionConflict`` or ``Forbidden``.
    """
    kind = _owner(owner)
    owner_id = kind.changed(tx, caller, owner)
    present = kind.table.find(tx, owner_id, key)
    if present is None:
        if version != 1:
            raise PropertyNotFound(key)
        kind.table.add(tx, owner_id, key, value, caller, now)
    elif not kind.table.change(tx, owner_id, key, value, version, caller, now):
        raise VersionConflict(_present(tx, kind.table, owner_id, key).version)
    return _present(tx, kind.table, owner_id, key)


def remove_property(tx: Transaction, caller: User, owner: int | str, key: str) -> None:
    """Forget a property. Raises ``PropertyNotFound`` or ``Forbidden``."""
    kind = _owner(owner)
    if not kind.table.remove(tx, kind.changed(tx, caller, owner), key):
        raise PropertyNotFound(key)


@dataclass(frozen=True, slots=True)
class SentAlong:
    """The value of a property that was sent along with a content; ``version`` where its next one was named."""

    value: str
    version: int | None = None


def keep_properties(
    tx: Transaction, caller: User, content_id: int, sent: Mapping[str, SentAlong], now: Instant
) -> None:
    """Keep what was sent along with a content that the caller just wrote (trap 3).

    Clients send back what they read, so what says nothing new is left alone. Raises ``VersionConflict`` for a change
    of another version than the present one.
    """
    for key, each in sent.items():
        present = OF_CONTENT.find(tx, content_id, key)
        if present is None:
            OF_CONTENT.add(tx, content_id, key, each.value, caller, now)
        elif present.value != each.value:
            version = present.version + 1 if each.version is None else each.version
            if not OF_CONTENT.change(tx, content_id, key, each.value, version, caller, now):
                raise VersionConflict(_present(tx, OF_CONTENT, content_id, key).version)


def _present(tx: Transaction, table: Properties, owner_id: int, key: str) -> Property:
    found = table.find(tx, owner_id, key)
    if not found:
        raise PropertyNotFound(key)
    return found
