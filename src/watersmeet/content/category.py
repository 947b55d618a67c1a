"""Categories of spaces: labels of a space itself, given by those who administer it."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.metadata import LabelPrefix
from watersmeet.content import space
from watersmeet.content.label import Word
from watersmeet.database import labels, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def add(tx: Transaction, caller: User, key: str, name: str, now: Instant) -> None:
    """Put a space into a category; one it is in already changes nothing.

    Raises ``SpaceNotFound``, ``Forbidden`` or ``BadBody``.
    """
    found, word = space.find_administered(tx, caller, key), Word.of(name, LabelPrefix.TEAM)
    spaces.lock(tx, found.id)
    labels.attach_to_space(tx, found.id, labels.find_or_add(tx, word.prefix, word.name, caller), now)


def remove(tx: Transaction, caller: User, key: str, name: str) -> None:
    """Take a space out of a category; whether it was in it does not matter.

    Raises ``SpaceNotFound``, ``Forbidden`` or ``BadBody``.
    """
    found, word = space.find_administered(tx, caller, key), Word.of(name, LabelPrefix.TEAM)
    labels.detach_from_space(tx, found.id, word.name)
