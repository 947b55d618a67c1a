"""The piece of a text that shows why it was found, and the marks around the words that were looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

BEGIN, END = "@@@hl@@@", "@@@endhl@@@"
LENGTH = 300
_LEAD = 80
_SHORT = 3


def excerpt(text: str, words: Sequence[str], *, marked: bool) -> str:
    """At most ``LENGTH`` characters of a text around the first of the words, in one line."""
    line = " ".join(text.replace(BEGIN, "").replace(END, "").split())
    found = _pattern(words).search(line) if words else None
    start = max(0, found.start() - _LEAD) if found else 0
    if start:
        start = line.find(" ", start) + 1 or start
    piece = line[start : start + LENGTH]
    shown = ("…" if start else "") + piece + ("…" if start + LENGTH < len(line) else "")
    return highlighted(shown, words) if marked else shown


def highlighted(text: str, words: Sequence[str]) -> str:
    """The text with marks around the words that were looked for, endings of the language included."""
    return _pattern(words).sub(lambda found: f"{BEGIN}{found[0]}{END}", text) if words else text


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    # Engines compare stems; a stem is near the word without its last letters.
    stems = {word[: max(_SHORT, len(word) - 2)] for word in words}
    longest_first = sorted(stems, key=lambda stem: (-len(stem), stem))
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\w*", re.IGNORECASE)
