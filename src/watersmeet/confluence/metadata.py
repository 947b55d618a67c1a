"""Metadata: the records of labels, and of the properties that applications keep with a content or a space."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.confluence.content import Person

MAX_LABEL = 255
MAX_KEY = 255
MAX_VALUE = 32_768  # bytes of JSON


class LabelPrefix(StrEnum):
    """Whose a label is: everybody's, one person's own, or that of a team (a category of spaces)."""

    GLOBAL = "global"
    MY = "my"
    TEAM = "team"


FAVOURITE = ("favourite", "favorite")
"""What somebody's own label is called with which they mark their favourites."""


@dataclass(frozen=True, slots=True)
class Label:
    """A word that contents are found by, always in lower case."""

    id: int
    prefix: str
    name: str


@dataclass(frozen=True, slots=True)
class Property:
    """A value that an application keeps with a content or a space; ``value`` is JSON, byte for byte as it was sent."""

    id: int
    key: str
    value: str
    version: int
    by: Person
    when: int


@dataclass(frozen=True, slots=True)
class Regard:
    """What one reader has to do with a content; ``None`` for what they never did."""

    favourite_since: int | None = None
    viewed_at: int | None = None
    contributed_at: int | None = None
