"""Budget: what one rendering may add to what its body says, together with all that is included in it.

Lists, names and inclusions are short to write and long to show: what they add is counted, and ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watersmeet.confluence.errors import MalformedStorage
from watersmeet.confluence.storage_format.document import Element, parse
from watersmeet.confluence.storage_format.naming import MACROS
from watersmeet.confluence.storage_format.resolver import Included
from watersmeet.confluence.storage_format.text import parameter

MAX_ADDED = 4_000_000
"""How many characters of HTML lists and names may add, and two more for each character of the body."""
MAX_INCLUSIONS = 100
"""How many contents one rendering shows within others; in place of those after them stands a link."""
MAX_INCLUDED = 2_000_000
"""How many characters of storage format they may have together, and those searched for excerpts as well."""


@dataclass(slots=True)
class Budget:
    """What is left of it. One for the whole chain of inclusions."""

    left: int
    """Characters of HTML."""
    inclusions: list[int] = field(default_factory=list)
    """The lengths of all that is included so far, in the whole, and of what was read for that in vain."""
    _excerpts: dict[int, dict[str, Element | None]] = field(default_factory=dict)
    _searched: int = 0

    @classmethod
    def of(cls, storage: str) -> Budget:
        """That of a body."""
        return cls(MAX_ADDED + 2 * len(storage))

    def takes(self, length: int) -> bool:
        """Whether so many characters may be added; then they are."""
        if length > self.left:
            return False
        self.left -= length
        return True

    def listed(self, entries: Iterator[str], more: str) -> str:
        """The entries of a list as far as they may be added; ``more`` stands for those that may not."""
        shown: list[str] = []
        for entry in entries:
            if not self.takes(len(entry)):
                shown.append(more)
                break
            shown.append(entry)
        return "".join(shown)

    def includes(self, length: int) -> bool:
        """Whether a content of so many characters may be included; then it counts, whatever comes of it."""
        if not self.has_room(length):
            return False
        self.inclusions.append(length)
        return True

    def has_room(self, length: int) -> bool:
        """Whether a content of so many characters could be included."""
        return len(self.inclusions) < MAX_INCLUSIONS and sum(self.inclusions) + length <= MAX_INCLUDED

    def excerpts_of(self, included: Included) -> dict[str, Element | None] | None:
        """The bodies of the excerpts of a content by name, the first under none; ``None`` where too much was searched.

        Each content is read once.
        """
        number = included.page.id
        if number not in self._excerpts:
            if self._searched + len(included.storage) > MAX_INCLUDED:
                return None
            self._searched += len(included.storage)
            self._excerpts[number] = _excerpts(included.storage)
        return self._excerpts[number]


def _excerpts(storage: str) -> dict[str, Element | None]:
    found: dict[str, Element | None] = {}
    try:
        root = parse(storage)
    except MalformedStorage:
        return found
    for one in root.walk():
        if one.name in MACROS and one.get("ac:name") == "excerpt":
            body = one.child("ac:rich-text-body")
            found.setdefault("", body)
            found.setdefault(parameter(one, "name"), body)
    return found
