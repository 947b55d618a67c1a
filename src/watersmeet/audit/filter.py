"""Filters: from what a person typed to the query it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from watersmeet.clock import DAY, SECOND, Instant
from watersmeet.database.audit import Event, Query
from watersmeet.errors import WatersmeetError

FIELDS = ("since", "until", "event", "user", "client")
PAGE_SIZE = 100

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": DAY}
_CURSOR = re.compile(r"(\d{1,15})-(\d{1,18})")


class UnreadableFilter(WatersmeetError):
    """A filter that means nothing; the description says what it should look like."""


def parse_instant(text: str, now: Instant) -> Instant:
    """A moment: ``2026-03-02``, ``2026-03-02T14:00``, with or without a zone (UTC), or how long ago, like ``24h``.

    Raises ``UnreadableFilter``.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * SECOND)
    except (ValueError, OverflowError):
        raise UnreadableFilter("A time looks like 2026-03-02, 2026-03-02T14:00 (UTC), or 24h for a day ago.") from None


def parse_query(typed: Mapping[str, str], now: Instant, *, limit: int = PAGE_SIZE) -> Query:
    """The query of the fields ``since``, ``until``, ``event``, ``user``, ``client`` and the cursor ``before``.

    Empty fields count as absent. Raises ``UnreadableFilter``.
    """
    given = {name: typed.get(name, "").strip() for name in (*FIELDS, "before")}
    return Query(
        since=parse_instant(given["since"], now) if given["since"] else None,
        until=parse_instant(given["until"], now) if given["until"] else None,
        event=_event(given["event"]) if given["event"] else None,
        user=given["user"] or None,
        client_id=given["client"] or None,
        before=_cursor(given["before"]) if given["before"] else None,
        limit=limit,
    )


def _event(text: str) -> str:
    if text in set(Event):
        return text
    text = f"{text.removesuffix('.')}."  # the dot of a group is easily taken for that of the sentence
    if not any(event.startswith(text) for event in Event):
        raise UnreadableFilter(
            "An event is one of {events}, or the beginning of some, like tokens.", events=", ".join(Event)
        )
    return text


def _cursor(text: str) -> tuple[Instant, int]:
    found = _CURSOR.fullmatch(text)
    if not found:
        raise UnreadableFilter("The page to continue from is not one of this log.")
    return int(found[1]), int(found[2])
