"""The clock: the only place that reads the time of day.

The edge reads it once per request and hands ``now`` down as a value, so lifetimes are tested in
milliseconds and a virtual clock is a matter of passing another object.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

Instant: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND: Instant = 1000
DAY: Instant = 86_400 * SECOND


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> Instant:
        """The present instant."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Instant:
        """The present instant, from the operating system."""
        return time.time_ns() // 1_000_000


def epoch_seconds(instant: Instant) -> int:
    """The whole seconds since the epoch, as OAuth answers and JWTs count them."""
    return instant // SECOND


def as_datetime(instant: Instant) -> datetime:
    """The same instant as an aware ``datetime`` in UTC."""
    return datetime.fromtimestamp(instant / SECOND, tz=UTC)
