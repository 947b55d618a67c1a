"""Long tasks: the record of work that goes on after its request was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LongTask:
    """What is being done, for whom, and how far it is. Instants are milliseconds since the epoch."""

    id: str
    name: str
    detail: Mapping[str, Any]
    """What it works on; whoever does the work knows how to read it."""
    user_id: int
    percentage: int
    successful: bool | None
    """``None`` until it has ended."""
    message: str
    started_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step of the work came to."""

    percentage: int
    is_done: bool
    message: str
