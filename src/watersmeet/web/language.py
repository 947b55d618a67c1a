"""Languages: which one a reader asked for, and what each sentence is in it (gettext; the sources are English)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

from watersmeet.errors import WatersmeetError

LANGUAGES = ("en", "de")
"""The first is the sources' own and what everybody gets who asks for none of them."""

_FOLDER = Path(__file__).parents[1] / "locales"


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


def told(error: WatersmeetError, language: str) -> str:
    """The public sentence of an error, in a language."""
    sentence = catalogue(language).gettext(error.message)
    return sentence.format(**error.values) if error.values else sentence
