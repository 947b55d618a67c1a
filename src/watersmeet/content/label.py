"""Labels of contents: listing, adding and removing them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.content import Content, ContentStatus
from watersmeet.confluence.errors import BadBody, LabelNotFound
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.metadata import FAVOURITE, MAX_LABEL, Label, LabelPrefix
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read
from watersmeet.content.right import require_change
from watersmeet.database import favourites, labels, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

LABELLED = (ContentStatus.CURRENT, ContentStatus.DRAFT)


@dataclass(frozen=True, slots=True)
class Word:
    """A label by its name, in the lower case that all names have."""

    prefix: str
    name: str

    @property
    def marks_favourites(self) -> bool:
        """Whether it is the label with which people mark their favourites."""
        return self.prefix == LabelPrefix.MY and self.name in FAVOURITE

    @classmethod
    def of(cls, name: str, prefix: str | None = None) -> Word:
        """The label that a client names: ``name``, or ``prefix:name``. Raises ``BadBody``."""
        before, colon, after = name.partition(":")
        if colon and prefix in (None, before) and before in list(LabelPrefix):
            prefix, name = before, after
        prefix, name = prefix or LabelPrefix.GLOBAL, name.strip().lower()
        if prefix not in list(LabelPrefix):
            raise BadBody(f"The prefix of a label is 'global', 'my' or 'team', not {prefix!r}.")
        if not name or len(name) > MAX_LABEL or "\0" in name or any(character.isspace() for character in name):
            raise BadBody(f"A label has 1 to {MAX_LABEL} characters and no spaces.")
        return cls(prefix, name)


def list_labels(
    tx: Transaction, caller: User, content_id: int, prefixes: Collection[str], window: Window
) -> Slice[Label]:
    """The labels of a content. Raises ``ContentNotFound``."""
    found = read.find(tx, caller, content_id, LABELLED, NOTHING)
    return labels.list_of(tx, found.id, prefixes, window, caller)


def add_labels(tx: Transaction, caller: User, content_id: int, words: Sequence[Word], now: Instant) -> None:
    """Put labels on a content, besides those it has. Raises ``ContentNotFound`` or ``Forbidden``."""
    found = _find_for_change(tx, caller, content_id, words)
    spaces.lock(tx, found.space.id)
    attach(tx, caller, found, words, now)


def attach(tx: Transaction, caller: User, content: Content, words: Sequence[Word], now: Instant) -> None:
    """Put labels on a content the caller may change. Hold the space's lock."""
    for word in words:
        labels.attach(tx, content.id, labels.find_or_add(tx, word.prefix, word.name, caller), now)
    if any(word.marks_favourites for word in words):
        favourites.follow_labels(tx, content.id, caller, now)


def remove_label(tx: Transaction, caller: User, content_id: int, word: Word, now: Instant) -> None:
    """Take a label off a content. Raises ``ContentNotFound``, ``Forbidden`` or ``LabelNotFound``."""
    found = _find_for_change(tx, caller, content_id, [word])
    spaces.lock(tx, found.space.id)
    if not labels.detach(tx, found.id, word.prefix, word.name, caller):
        raise LabelNotFound(word.name)
    if word.marks_favourites:
        favourites.follow_labels(tx, found.id, caller, now)


def _find_for_change(tx: Transaction, caller: User, content_id: int, words: Sequence[Word]) -> Content:
    found = read.find(tx, caller, content_id, LABELLED, NOTHING)
    # One's own labels are seen by nobody else: whoever sees the content may put them there.
    if any(word.prefix != LabelPrefix.MY for word in words):
        require_change(tx, caller, found)
    return found
