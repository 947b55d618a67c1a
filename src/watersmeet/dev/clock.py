"""The virtual clock: the system's, moved by an offset that people and scripts set."""

from __future__ import annotations

from datetime import UTC, datetime

from watersmeet.clock import SECOND, Clock, Instant, SystemClock
from watersmeet.errors import WatersmeetError

_LAST: Instant = 253_370_764_800_000  # 9999-01-01: what every date still fits into


class ImpossibleTime(WatersmeetError):
    """The clock was sent to a moment that has no date, or that is no moment at all."""

    description = "Give a time between 1970 and 9999: seconds since the epoch, or ISO 8601."


class VirtualClock:
    """A clock that runs as fast as the system's, but may stand elsewhere."""

    def __init__(self, system: Clock | None = None) -> None:
        self._system = system or SystemClock()
        self._offset: Instant = 0

    def now(self) -> Instant:
        """The present instant, as everybody but the system sees it."""
        return self._system.now() + self._offset

    @property
    def offset(self) -> Instant:
        """How far it is ahead of the system's clock, in milliseconds."""
        return self._offset

    def advance(self, seconds: float) -> None:
        """Move on, or with a negative number back. Raises ``ImpossibleTime``."""
        self._set(self._offset + _milliseconds(seconds))

    def set(self, moment: str | float) -> None:
        """Stand at a moment, ISO 8601 (UTC unless it says otherwise) or epoch seconds. Raises ``ImpossibleTime``."""
        instant = _milliseconds(moment) if isinstance(moment, int | float) else _parse(moment)
        self._set(instant - self._system.now())

    def reset(self) -> None:
        """Show the system's time again."""
        self._offset = 0

    def _set(self, offset: Instant) -> None:
        if not 0 <= self._system.now() + offset < _LAST:
            raise ImpossibleTime
        self._offset = offset


def _milliseconds(seconds: float) -> Instant:
    try:
        return round(seconds * SECOND)
    except (ValueError, OverflowError) as error:  # not a number, or infinite
        raise ImpossibleTime from error


def _parse(text: str) -> Instant:
    try:
        moment = datetime.fromisoformat(text.strip())
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * SECOND)
    except (ValueError, OverflowError) as error:
        raise ImpossibleTime from error
