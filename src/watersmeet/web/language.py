"""Languages: which one a reader asked for, and what each sentence is in it (gettext; the sources are English)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

from watersmeet.errors import WatersmeetError

LANGUAGES = ("en", "de")
"""The first is the sources' own and what everybody gets who asks for none of them."""

_FOLDER = Path(__file__).parents[1] / "locales"


class Sentence:
    """What is said later, when it is known in which language: a pattern and what stands in its braces.

    A value may be a sentence itself, or a list of them. Its text (``str``) is English.
    """

    __slots__ = ("message", "values")

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        """The sentence in English, for scripts."""
        return told(self, LANGUAGES[0])


def translatable(*sentences: str) -> tuple[str, ...]:
    """The sentences as they are; the word by which `make catalogues` finds them in the code."""
    return sentences


@lru_cache(maxsize=256)
def preferred(accept_language: str | None) -> str:
    """The language a browser likes best among those there are (RFC 9110 §12.5.4)."""
    wishes = []
    for position, wish in enumerate((accept_language or "").lower()[:200].split(",")):
        name, _, parameters = wish.strip().partition(";")
        language = name.partition("-")[0].strip()
        if language in LANGUAGES:
            wishes.append((-_quality(parameters), position, language))
    best = min(wishes, default=(0.0, 0, LANGUAGES[0]))
    return best[2] if best[0] < 0 else LANGUAGES[0]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> gettext.NullTranslations:
    """The sentences of a language, read once."""
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    with (_FOLDER / f"{language}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def told(said: WatersmeetError | Sentence, language: str) -> str:
    """A sentence, or the public one of an error, in a language."""
    pattern = catalogue(language).gettext(said.message)
    values = {name: _in_words(value, language) for name, value in said.values.items()}
    return pattern.format(**values) if values else pattern


def _in_words(value: object, language: str) -> object:
    match value:
        case Sentence():
            return told(value, language)
        case list():
            return ", ".join(str(_in_words(item, language)) for item in value)
    return value
