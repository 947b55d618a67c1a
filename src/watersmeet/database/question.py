"""The question of a search and what is found: the records that the searching modules share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.cql import Query
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class Question:
    """A checked query, who asks it, when, and where they are (``cqlcontext``)."""

    cql: str
    query: Query
    caller: User
    now: Instant
    space_key: str | None = None
    content_id: int | None = None
    statuses: Sequence[str] = ("current",)
    archived: bool = True
    """Whether what is in archived spaces is found too."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many there are, and the numbers of those in the window, in order."""

    total: int
    ids: Sequence[int]
