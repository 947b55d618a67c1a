"""Exports of the audit log: JSON lines for machines, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from watersmeet.clock import as_datetime
from watersmeet.database.audit import Entry

COLUMNS = (
    "time", "event", "actor", "user", "client_id", "client", "family", "address", "request", "detail", "id",
)  # fmt: skip

# Numbers from here on, 2001, are instants: nothing that is counted comes near.
_EARLIEST_INSTANT = 978_307_200_000

# What a spreadsheet takes for the beginning of a formula (CWE-1236).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_json(entry: Entry) -> dict[str, Any]:
    """An event for machines; times are ISO 8601 in UTC with milliseconds."""
    return {
        "id": entry.id,
        "time": as_datetime(entry.at).isoformat(timespec="milliseconds"),
        "event": entry.event,
        "actor": entry.actor,
        "user": entry.username,
        "client_id": entry.client_id,
        "client": entry.client_name,
        "family": entry.family_id,
        "address": entry.address,
        "request": entry.request_id,
        "detail": dict(entry.detail),
    }


def in_words(detail: Mapping[str, Any]) -> str:
    """What else is known of an event, for people: ``scope: READ → WRITE`` where something changed, ``–`` for nothing.

    What is empty, or is as it was before, is left out.
    """
    before, after = detail.get("before", {}), detail.get("after", {})
    rest = {name: value for name, value in detail.items() if name not in ("before", "after")}
    changed = [
        f"{name}: {_plain(before[name]) or '–'} → {_plain(value) or '–'}" if name in before else _said(name, value)
        for name, value in after.items()
        if name not in before or before[name] != value
    ]
    return "; ".join(filter(None, [*changed, *(_said(name, value) for name, value in rest.items())]))


def _said(name: str, value: object) -> str:
    plain = _plain(value)
    return f"{name}: {plain}" if plain else ""


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, int) and value > _EARLIEST_INSTANT:
        return as_datetime(value).strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def json_lines(entries: Iterable[Entry]) -> str:
    """One JSON object a line."""
    return "".join(msgspec.json.encode(as_json(entry)).decode() + "\n" for entry in entries)


def csv_header() -> str:
    """The first line of a CSV export."""
    return csv_line(COLUMNS)


def csv_lines(entries: Iterable[Entry]) -> str:
    """One record an event, in the order of ``COLUMNS``."""
    return "".join(csv_line(_cells(as_json(entry))) for entry in entries)


def _cells(fields: Mapping[str, Any]) -> list[str]:
    values = {**fields, "detail": msgspec.json.encode(fields["detail"]).decode() if fields["detail"] else ""}
    return ["" if values[name] is None else str(values[name]) for name in COLUMNS]


def csv_line(cells: Iterable[str]) -> str:
    """A record (RFC 4180). No cell can become a formula: an apostrophe in front makes a spreadsheet show it as text."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return line.getvalue()
