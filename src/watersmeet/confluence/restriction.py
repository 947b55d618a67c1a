"""Restrictions: whom a content is kept to, for reading it or for changing it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.confluence.content import Person


class Restricted(StrEnum):
    """What a restriction keeps to some. Reading is inherited by what is below and in a content, changing is not."""

    READ = "read"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Whom one content is kept to, for one operation; without anybody, it is not restricted."""

    content_id: int
    operation: Restricted
    people: tuple[Person, ...] = ()
    groups: tuple[str, ...] = ()
