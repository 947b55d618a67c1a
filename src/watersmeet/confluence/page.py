"""Paging: ``start`` and ``limit``, and the envelope of a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.site import Site

T = TypeVar("T")

MAX_LIMIT = 1000
_MAX_START = 2**31 - 1
_NUMBER = re.compile(r"[0-9]+")
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that was asked for."""

    start: int = 0
    limit: int = 25

    @classmethod
    def parse(cls, start: str | None, limit: str | None, *, default_limit: int = 25) -> Window:
        """The window of two query parameters. A limit beyond ``MAX_LIMIT`` is lowered to it, 0 is a limit.

        Raises ``BadParameter`` where one is not a whole number from 0 upwards.
        """
        return cls(_number("start", start, 0, _MAX_START), _number("limit", limit, default_limit, MAX_LIMIT))

    @property
    def reach(self) -> int:
        """How many items to look for: one more than are shown tells whether there is a next page."""
        return self.limit + 1


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """The items of one window, and whether more follow."""

    items: Sequence[T]
    window: Window
    more: bool

    @classmethod
    def of(cls, found: Sequence[T], window: Window) -> Slice[T]:
        """The slice of what was found when looking for ``window.reach`` items."""
        return cls(found[: window.limit], window, more=len(found) > window.limit)


def list_envelope(
    results: Sequence[Any], part: Slice[Any], site: Site, path: str, query: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """The JSON of a list that is an answer by itself, with the links that only the outermost object has."""
    shown = list_json(results, part, site, path, query)
    shown["_links"] |= site.outermost
    return shown


def list_json(
    results: Sequence[Any], part: Slice[Any], site: Site, path: str, query: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """The JSON of a list: ``path`` and ``query`` are those of the request, for the links to its neighbours.

    ``next`` and ``prev`` leave the context path out, as the original does (S3.4). A limit of 0 has neither:
    following it would never end.
    """
    window = part.window
    kept = [(name, value) for name, value in query if name not in ("start", "limit")]

    def neighbour(start: int) -> str:
        return path + "?" + urlencode([*kept, ("limit", str(window.limit)), ("start", str(start))])

    links = {"self": site.absolute(path)}
    if part.more and window.limit:
        links["next"] = neighbour(window.start + window.limit)
    if window.start and window.limit:
        links["prev"] = neighbour(max(0, window.start - window.limit))
    return {
        "results": results,
        "start": window.start,
        "limit": window.limit,
        "size": len(results),
        "_links": links,
    }


def _number(name: str, text: str | None, default: int, most: int) -> int:
    if text is None or text == "":
        return default
    if not _NUMBER.fullmatch(text):
        raise BadParameter(f"The parameter {name} must be a whole number from 0 upwards.")
    # However long a number is, no list reaches that far; int() would refuse the longest.
    digits = text.lstrip("0")
    return most if len(digits) > _MAX_DIGITS else min(int(digits or "0"), most)
