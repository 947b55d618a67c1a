"""Categories of spaces: labels of a space itself, given by those who administer it.

The label ``my:favourite`` is everybody's own: it marks a space they see as their favourite, and is no category.
"""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.metadata import LabelPrefix
from watersmeet.content import space
from watersmeet.content.label import Word
from watersmeet.database import favourites, labels, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def add(tx: Transaction, caller: User, key: str, name: str, now: Instant) -> None:
    """Put a space into a category; one it is in already changes nothing.

    Raises ``SpaceNotFound``, ``Forbidden`` or ``BadBody``.
    """
    if Word.of(name).marks_favourites:
        _mark(tx, caller, key, now, is_favourite=True)
        return
    found, word = space.find_administered(tx, caller, key), Word.of(name, LabelPrefix.TEAM)
    spaces.lock(tx, found.id)
    labels.attach_to_space(tx, found.id, labels.find_or_add(tx, word.prefix, word.name, caller), now)


def remove(tx: Transaction, caller: User, key: str, name: str, now: Instant) -> None:
    """Take a space out of a category; whether it was in it does not matter.

    Raises ``SpaceNotFound``, ``Forbidden`` or ``BadBody``.
    """
    if Word.of(name).marks_favourites:
        _mark(tx, caller, key, now, is_favourite=False)
        return
    found, word = space.find_administered(tx, caller, key), Word.of(name, LabelPrefix.TEAM)
    labels.detach_from_space(tx, found.id, word.name)


def _mark(tx: Transaction, caller: User, key: str, now: Instant, *, is_favourite: bool) -> None:
    found = space.find(tx, caller, key, NOTHING)
    spaces.lock(tx, found.id)
    favourites.mark_space(tx, found.id, caller, now, is_favourite=is_favourite)
