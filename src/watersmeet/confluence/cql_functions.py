"""The functions of CQL that are worked out before a query runs: instants, and who and where the caller is.

Instants are reckoned in UTC, weeks begin on Monday.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watersmeet.clock import Instant

_INCREMENT = re.compile(r"([+-]?)([0-9]{1,5})([yMwdhm]?)")
_START_END = re.compile(r"(start|end)of(day|week|month|year)", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})(?:[ T]([0-9]{1,2}):([0-9]{2})(?::[0-9]{2}.*)?)?")
_MINUTE = 60_000
_UNITS = {"day": "d", "week": "w", "month": "M", "year": "y"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A span of time that a value names: a day, a minute or an instant. ``until`` is the first instant after it."""

    start: Instant
    until: Instant


def date(text: str) -> Moment | None:
    """What ``yyyy-MM-dd[ HH:mm]`` or ``yyyy/MM/dd[ HH:mm]`` names; ``None`` if it is no date."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    year, month, day, hour, minute = (int(found[place] or 0) for place in (1, 3, 4, 5, 6))
    try:
        start = _instant(datetime(year, month, day, hour, minute, tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    return Moment(start, start + (_MINUTE if found[5] else 24 * 60 * _MINUTE))


def instant_of_call(name: str, arguments: tuple[str, ...], now: Instant) -> Moment | None:
    """What ``now``, ``startOf…`` or ``endOf…`` say; ``None`` if it is no such function.

    Raises ``ValueError`` with what is wrong with the arguments.
    """
    bound = _START_END.fullmatch(name)
    if not bound and name.lower() != "now":
        return None
    if len(arguments) > 1:
        raise ValueError(f"{name}() takes at most one argument")
    moment = datetime.fromtimestamp(now / 1000, tz=UTC)
    try:
        if bound:
            unit = bound[2].lower()
            moment = _moved(_start_of(moment, unit), arguments, _UNITS[unit])
            if bound[1].lower() == "end":
                # After the increment: the end of the month that was moved to, however long it is.
                last = _moved(_start_of(moment, unit), ("+1",), _UNITS[unit])
                moment = last - timedelta(milliseconds=1) + (moment - _start_of(moment, unit))
        else:
            moment = _moved(moment, arguments, "d")
        at = _instant(moment)
    except OverflowError as error:
        raise ValueError("that is too far away") from error
    return Moment(at, at + 1)


def _start_of(moment: datetime, unit: str) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _moved(moment: datetime, arguments: tuple[str, ...], default_unit: str) -> datetime:
    if not arguments:
        return moment
    found = _INCREMENT.fullmatch(arguments[0].strip())
    if not found:
        raise ValueError(f'{arguments[0]!r} is no increment, which is a number and one of y M w d h m: "-4w"')
    count, unit = int(found[2]) * (-1 if found[1] == "-" else 1), found[3] or default_unit
    if unit in "yM":
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        if not 1 <= year <= 9999:
            raise OverflowError
        return moment.replace(year=year, month=month + 1, day=min(moment.day, _days_in(year, month + 1)))
    return moment + count * {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1)}.get(
        unit, timedelta(minutes=1)
    )


def _days_in(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) if (year, month) != (9999, 12) else None
    return (following - timedelta(days=1)).day if following else 31


def _instant(moment: datetime) -> Instant:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
