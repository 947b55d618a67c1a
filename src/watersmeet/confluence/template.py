"""Templates: the record of a body that pages begin with."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.confluence.content import Space

MAX_DESCRIPTION = 255


@dataclass(frozen=True, slots=True)
class Template:
    """A template, of one space or of all (``space`` is ``None``). ``labels`` are put on the pages made from it."""

    id: int
    name: str
    description: str
    storage: str
    labels: tuple[str, ...]
    version: int
    space: Space | None = None
