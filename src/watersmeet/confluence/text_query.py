"""The text after ``~``: words, "phrases", wildcards and AND, OR, NOT, as a tree that any full-text engine can follow.

Nothing in it is an error: people type it, and a search box answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

MAX_WORDS = 50
"""Words of one text that are looked for; the rest is ignored."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words that follow each other: one is a word, several are a phrase. Engines compare their stems."""

    text: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """Words that begin so."""

    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text of that form: ``*`` is any text, ``?`` any one character."""

    text: str


@dataclass(frozen=True, slots=True)
class Without:
    """What does not match the part."""

    part: TextQuery


@dataclass(frozen=True, slots=True)
class Every:
    """What matches all parts."""

    parts: tuple[TextQuery, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """What matches any part."""

    parts: tuple[TextQuery, ...]


TextQuery: TypeAlias = Words | Beginning | Pattern | Without | Every | Either

_PIECE = re.compile(r'"([^"]*)"?(?:~[0-9]*)?|[^\s"]+')
_FUZZY = re.compile(r"[~^][0-9.]*$")  # accepted and ignored: stems are near enough


def parse_text(text: str) -> TextQuery | None:
    """What a text asks for; ``None`` where it holds no word. Words that merely follow each other must all be there."""
    alternatives: list[list[TextQuery]] = [[]]
    negated = False
    for found in list(_PIECE.finditer(text))[: 2 * MAX_WORDS]:
        piece, phrase = found[0].strip("()"), found[1]
        if phrase is None and piece in ("AND", "&&"):
            continue
        if phrase is None and piece in ("OR", "||"):
            alternatives.append([])
        elif phrase is None and piece in ("NOT", "!"):
            negated = True
        else:
            alternatives[-1] += _leaves(piece, phrase, negated=negated)
            negated = False
    parts = [part for part in map(_every, alternatives) if part]
    return parts[0] if len(parts) == 1 else Either(tuple(parts)) if parts else None


def words_of(query: TextQuery | None) -> list[str]:
    """What is to be marked in an excerpt: the words that are asked for, not those that must be absent."""
    if isinstance(query, Words | Beginning):
        return query.text.split()
    if isinstance(query, Every | Either):
        return [word for part in query.parts for word in words_of(part)]
    return []


def _every(parts: list[TextQuery]) -> TextQuery | None:
    chosen = parts[:MAX_WORDS]
    return chosen[0] if len(chosen) == 1 else Every(tuple(chosen)) if chosen else None


def _leaves(piece: str, phrase: str | None, *, negated: bool) -> list[TextQuery]:
    if phrase is not None:
        leaf: TextQuery | None = Words(" ".join(_split(phrase))) if _split(phrase) else None
    else:
        negated = negated or piece[:1] == "-"
        leaf = _leaf(_FUZZY.sub("", piece.lstrip("+-")))
    if leaf is None:
        return []
    return [Without(leaf)] if negated else [leaf]


def _leaf(word: str) -> TextQuery | None:
    stem = word.rstrip("*")
    if not _split(word):
        return None
    if "*" not in stem and "?" not in stem:
        pieces = _split(word)
        return Beginning(pieces[0]) if stem != word and len(pieces) == 1 else Words(" ".join(pieces))
    return Pattern(word)


def _split(text: str) -> list[str]:
    """The words of a text as engines see them: runs of letters and digits."""
    return re.findall(r"[^\W_]+", text)
