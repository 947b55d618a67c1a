"""Ranges and conditions of a download (RFC 9110 §13, §14): what a request for a file gets of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime

from watersmeet.clock import SECOND, Instant, as_datetime

_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that can be downloaded: its size in bytes, the digest of what it holds, when it became that."""

    size: int
    digest: str
    changed_at: Instant

    @property
    def etag(self) -> str:
        """The entity tag: the same bytes have the same."""
        return f'"{self.digest}"'

    @property
    def last_modified(self) -> str:
        """The instant as HTTP writes it, in whole seconds."""
        return format_datetime(as_datetime(self.changed_at // SECOND * SECOND), usegmt=True)


@dataclass(frozen=True, slots=True)
class Portion:
    """What is answered: a status, and the bytes from ``start`` up to ``stop``; none with 304, 412 and 416."""

    status: int
    start: int = 0
    stop: int = 0


def portion(headers: Mapping[str, str], stored: Stored) -> Portion:
    """What a GET or HEAD with these headers (lower case) gets; the order of conditions is that of RFC 9110 §13.2.2."""
    if _has_failed(headers, stored):
        return Portion(412)
    if _is_known(headers, stored):
        return Portion(304)
    whole = Portion(200, 0, stored.size)
    wanted = headers.get("range")
    if wanted is None or not _is_still(headers.get("if-range"), stored):
        return whole
    found = _RANGE.fullmatch(wanted)
    # What is no single range of bytes may be ignored (§14.2): several at once are answered with the whole.
    return _within(found, stored.size) if found else whole


def _within(found: re.Match[str], size: int) -> Portion:
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    else:
        start, stop = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < int(first):
            return Portion(200, 0, size)  # not a range (§14.1.1)
    return Portion(206, start, stop) if start < stop else Portion(416)


def _has_failed(headers: Mapping[str, str], stored: Stored) -> bool:
    if (tags := headers.get("if-match")) is not None:
        return not _names(tags, stored, weak=False)
    since = _instant(headers.get("if-unmodified-since"))
    return since is not None and stored.changed_at // SECOND > since // SECOND


def _is_known(headers: Mapping[str, str], stored: Stored) -> bool:
    if (tags := headers.get("if-none-match")) is not None:
        return _names(tags, stored, weak=True)
    since = _instant(headers.get("if-modified-since"))
    return since is not None and stored.changed_at // SECOND <= since // SECOND


def _is_still(condition: str | None, stored: Stored) -> bool:
    """Whether ``If-Range`` holds: a strong tag, or the very date (§13.1.5)."""
    if condition is None:
        return True
    condition = condition.strip()
    return condition == stored.etag or condition == stored.last_modified


def _names(tags: str, stored: Stored, *, weak: bool) -> bool:
    if tags.strip() == "*":
        return True
    found = _TAG.findall(tags)
    return any((tag.removeprefix("W/") if weak else tag) == stored.etag for tag in found)


def _instant(date: str | None) -> Instant | None:
    """The instant of an HTTP date; ``None`` for what is none, which counts as not sent."""
    try:
        return int(parsedate_to_datetime(date).timestamp()) * SECOND if date else None
    except (ValueError, OverflowError):
        return None
