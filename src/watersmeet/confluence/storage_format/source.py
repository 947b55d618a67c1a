"""Source: the text of a body as it was written, and putting marks into it without touching another byte.

Takes well-formed bodies: hold them against ``document.validate`` first.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape

from watersmeet.confluence.storage_format.document import parse

MARKER = "ac:inline-comment-marker"

_TOKEN = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>
    |<(?P<end>/?)(?P<name>[^\s/>!?]+)(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>
    |&(?P<entity>[^;]+);
    |(?P<text>[^<&]+)""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_SPACE = re.compile(r"\s+")
_SPACES = re.compile(r"\s{2,}")
# What stands in these is a line with what is around it; everything else begins and ends one.
_IN_LINE = frozenset([
    "a", "abbr", "b", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "q", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", MARKER, "ac:link", "ac:link-body",
])  # fmt: skip
_NOT_SHOWN = frozenset([
    "ac:parameter", "ac:default-parameter", "ac:plain-text-body", "ac:plain-text-link-body", "ac:placeholder",
    "ac:task-id", "ac:task-uuid", "ac:task-status", "at:declarations", "script", "style",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as it was written, between two places of the source."""

    name: str
    start: int
    end: int
    closes: bool
    empty: bool
    attributes: str = ""

    def get(self, name: str) -> str:
        """The value of an attribute; empty where there is none."""
        for key, double, single in _ATTRIBUTE.findall(self.attributes):
            if key == name:
                return unescape(double or single)
        return ""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that stand together between two places of the source; an entity is a run of its own."""

    text: str
    start: int
    end: int


def tokens(storage: str) -> Iterator[Tag | Run]:
    """The tags and characters of a body. Comments, instructions and CDATA sections are neither."""
    for found in _TOKEN.finditer(storage):
        start, end = found.span()
        if found["text"]:
            yield Run(found["text"], start, end)
        elif found["entity"]:
            yield Run(unescape(found[0]), start, end)
        elif found["name"]:
            attributes = found["attributes"]
            yield Tag(found["name"], start, end, bool(found["end"]), attributes.endswith("/"), attributes)


def mark(storage: str, selection: str, index: int, ref: str) -> str | None:
    """The body with a marker around the occurrence of that number, from 0, of what somebody selected.

    ``None`` where there is no such occurrence. White space counts as one space, as on the screen, and what spans
    several elements gets a marker in each.
    """
    runs = list(_shown(storage))
    text = "".join(run.text for run in runs)
    span = _occurrence(text, " ".join(selection.split()), index)
    if span is None:
        return None
    opening, closing = f'<{MARKER} ac:ref="{escape(ref)}">', f"</{MARKER}>"
    written, position = [], 0
    for start, end in _pieces(runs, *span):
        if storage[start:end].strip():
            written += [storage[position:start], opening, storage[start:end], closing]
            position = end
    return "".join(written) + storage[position:]


def marked_refs(storage: str) -> frozenset[str]:
    """The references of all markers in a body."""
    if MARKER not in storage:
        return frozenset()
    return frozenset(element.get("ac:ref") for element in parse(storage).walk() if element.name == MARKER)


def without_markers(storage: str) -> str:
    """The body as if nobody had ever commented on a part of it."""
    if MARKER not in storage:
        return storage
    kept, position = [], 0
    for token in tokens(storage):
        if isinstance(token, Tag) and token.name == MARKER:
            kept.append(storage[position : token.start])
            position = token.end
    return "".join(kept) + storage[position:]


def _shown(storage: str) -> Iterator[Run]:
    """The characters that a reader sees, in order; a line break that was not written is a run of no length."""
    hidden: list[str] = []
    for token in tokens(storage):
        if isinstance(token, Run):
            if not hidden:
                yield token
        elif token.name in _NOT_SHOWN and not token.empty:
            if token.closes:
                hidden.pop()
            else:
                hidden.append(token.name)
        elif token.name not in _IN_LINE:
            yield Run("\n", token.end, token.end)


def _occurrence(text: str, words: str, index: int) -> tuple[int, int] | None:
    """From where to where a text says words with one space between them, for the time of that number from 0.

    Searched with ``str.find``, whose time is linear: both texts are somebody's choice.
    """
    if not words:
        return None
    even = _SPACE.sub(" ", text)
    start = even.find(words)
    for _ in range(index):
        if start < 0:
            break
        start = even.find(words, start + len(words))
    if start < 0:
        return None
    first, last = _places(text, start, start + len(words) - 1)
    return first, last + 1


def _places(text: str, *even: int) -> list[int]:
    """Where the characters at rising places of a text with single spaces stand in the text as it is."""
    found: list[int] = []
    longer = 0
    for space in _SPACES.finditer(text):
        while len(found) < len(even) and even[len(found)] <= space.start() - longer:
            found.append(even[len(found)] + longer)
        longer += space.end() - space.start() - 1
    return found + [place + longer for place in even[len(found) :]]


def _pieces(runs: list[Run], start: int, end: int) -> list[tuple[int, int]]:
    """Where in the source the characters from ``start`` to ``end`` stand, what stands together as one."""
    offsets, total = [], 0
    for run in runs:
        offsets.append(total)
        total += len(run.text)
    pieces: list[tuple[int, int]] = []
    for number in range(bisect_right(offsets, start) - 1, len(runs)):
        run, offset = runs[number], offsets[number]
        if offset >= end:
            break
        whole = run.end - run.start != len(run.text)  # an entity, or no source at all
        piece_start = run.start if whole else run.start + max(0, start - offset)
        piece_end = run.end if whole else run.start + min(len(run.text), end - offset)
        if pieces and pieces[-1][1] == piece_start and run.start != run.end:
            pieces[-1] = (pieces[-1][0], piece_end)
        elif run.start != run.end:
            pieces.append((piece_start, piece_end))
    return pieces
