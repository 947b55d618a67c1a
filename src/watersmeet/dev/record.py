"""Records: the last requests and what became of them, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watersmeet.clock import Instant
from watersmeet.dev.fault import Fault

if TYPE_CHECKING:
    from watersmeet.dev.reason import Finding

CAPACITY = 200
BODY_LIMIT = 16 * 1024
"""Bytes that are kept of a body, so that all records together stay below some 7 MB."""


@dataclass(frozen=True, slots=True)
class Message:
    """Headers, and the beginning of a body."""

    headers: Sequence[tuple[str, str]]
    body: bytes
    length: int

    @property
    def is_truncated(self) -> bool:
        """Whether there was more of the body than is kept."""
        return len(self.body) < self.length

    def header(self, name: str) -> str:
        """The first value of a header; empty when there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def text(self) -> str:
        """The body for people."""
        if b"\0" in self.body:
            return f"({self.length} bytes that are no text)"
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Record:
    """One request: when, what, the answer (``status`` is ``None`` when none was sent), and what was found out."""

    number: int
    at: Instant
    method: str
    path: str
    query: str
    request: Message
    status: int | None
    response: Message
    milliseconds: float
    faults: Sequence[Fault]
    finding: Finding

    @property
    def target(self) -> str:
        """Path and query, as sent."""
        return self.path + (f"?{self.query}" if self.query else "")

    def is_from(self, agent: str) -> bool:
        """Whether the client called itself by that name."""
        return self.request.header("user-agent") == agent

    def is_wanted(self, status: str, path: str, client: str) -> bool:
        """Whether a filter lets it through: ``4xx`` or ``401``, a part of the path, a client's ID or name."""
        shown = str(self.status or "none")
        by_status = shown[0] == status[0] if status.endswith("xx") else status in ("", shown)
        whose = f"{self.finding.client_id} {self.finding.client_name}".casefold()
        return by_status and path in self.path and client.casefold() in whose


class Records:
    """The last ``CAPACITY`` records, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Record] = deque(maxlen=CAPACITY)
        self._last_number = 0

    def __iter__(self) -> Iterator[Record]:
        return iter(self._kept)

    def next_number(self) -> int:
        """The number for one more record."""
        self._last_number += 1
        return self._last_number

    def add(self, record: Record) -> None:
        """Keep a record, and forget the oldest when there are too many."""
        self._kept.append(record)

    def find(self, number: int) -> Record | None:
        """The record of that number, while it is kept."""
        return next((record for record in self._kept if record.number == number), None)

    def find_redirect_to(self, location: str) -> Record | None:
        """The newest record of an answer that sent a browser to that URL."""
        sent = (each for each in reversed(self._kept) if each.response.header("location").partition("#")[0] == location)
        return next(sent, None)

    def newest(self, *, status: str = "", path: str = "", client: str = "") -> list[Record]:
        """The records that a filter lets through, newest first."""
        return [record for record in reversed(self._kept) if record.is_wanted(status, path, client)]

    def clear(self) -> None:
        """Forget everything; numbers go on, so that an old link never shows another request."""
        self._kept.clear()
