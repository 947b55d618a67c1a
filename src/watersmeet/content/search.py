"""Searching: contents, spaces and people that a CQL query matches, as far as the caller may see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from watersmeet.confluence.content import Content, Person
from watersmeet.confluence.cql_fields import field_of, literals_of, terms_of
from watersmeet.confluence.excerpt import excerpt, highlighted
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.representation_search import Hit
from watersmeet.confluence.text_query import parse_text, words_of
from watersmeet.content import read
from watersmeet.database import search, users
from watersmeet.database import search_text as texts
from watersmeet.database.content import ContentFilter
from watersmeet.database.question import Found, Question
from watersmeet.database.transaction import Transaction

_CONTAINED = Expansion.parse(["container"])


@dataclass(frozen=True, slots=True)
class Page:
    """A window of what was found, and how much there is in all."""

    part: Slice[Content] | Slice[Hit]
    total: int


def search_contents(tx: Transaction, question: Question, window: Window, expansion: Expansion) -> Page:
    """The contents that match. Raises ``BadQuery``."""
    found = search.find_contents(tx, question, window.start, window.limit)
    return Page(_slice(_contents(tx, question, found.ids, expansion), window, found.total), found.total)


def search_all(tx: Transaction, question: Question, window: Window, expansion: Expansion, style: str) -> Page:
    """Whatever matches, contents first, then spaces, then people. ``style``: highlight, indexed or none.

    Raises ``BadQuery``. Spaces and people are looked at where the query speaks of them.
    """
    hits: list[Hit] = []
    total = 0
    for find, show in _kinds(question):
        before = total
        reach = window.limit - len(hits)
        found = find(tx, question, max(0, window.start - before), reach)
        total += found.total
        hits += show(tx, question, found.ids, expansion)
    words = _words(question) if style != "none" else []
    return Page(_slice(_dressed(tx, hits, words, style), window, total), total)


def search_people(tx: Transaction, question: Question, window: Window) -> Page:
    """The people that match. Raises ``BadQuery``."""
    found = search.find_people(tx, question, window.start, window.limit)
    return Page(_slice(_people(tx, question, found.ids, Expansion()), window, found.total), found.total)


# ---- steps ------------------------------------------------------------------------------------------------

_Find: TypeAlias = Callable[[Transaction, Question, int, int], Found]
_Show: TypeAlias = Callable[[Transaction, Question, Sequence[int], Expansion], list[Hit]]


def _kinds(question: Question) -> list[tuple[_Find, _Show]]:
    """The kinds of things that a query can be about."""
    kinds: list[tuple[_Find, _Show]] = [(search.find_contents, _content_hits)]
    fields = [(field_of(term.field), term) for term in terms_of(question.query.clause)]
    types = {text.lower() for field, term in fields if field and field.name == "type" for text in literals_of(term)}
    if "space" in types:
        kinds.append((search.find_spaces, _spaces))
    if "user" in types or any(field and field.name.startswith("user") for field, _ in fields):
        kinds.append((search.find_people, _people))
    return kinds


def _contents(tx: Transaction, question: Question, ids: Sequence[int], expansion: Expansion) -> list[Content]:
    if not ids:
        return []
    part = read.load(tx, question.caller, ContentFilter(ids=ids), Window(0, len(ids)), expansion)
    by_id = {item.id: item for item in part.items}
    return [by_id[number] for number in ids if number in by_id]


def _content_hits(tx: Transaction, question: Question, ids: Sequence[int], expansion: Expansion) -> list[Hit]:
    wanted = expansion.within("content") | _CONTAINED
    return [Hit(item, item.title, "") for item in _contents(tx, question, ids, wanted)]


def _spaces(tx: Transaction, _: Question, ids: Sequence[int], __: Expansion) -> list[Hit]:
    return [Hit(item, item.name, item.description) for item in search.spaces_of(tx, ids)]


def _people(tx: Transaction, _: Question, ids: Sequence[int], __: Expansion) -> list[Hit]:
    found = users.list_by_ids(tx, ids)
    return [Hit(Person(user.username, user.user_key, user.display_name), user.display_name, "") for user in found]


def _dressed(tx: Transaction, hits: list[Hit], words: list[str], style: str) -> list[Hit]:
    """The hits with their excerpts."""
    if style == "none":
        return [replace(hit, excerpt="") for hit in hits]
    marked = style == "highlight"
    bodies = texts.bodies_of(tx, [hit.item.id for hit in hits if isinstance(hit.item, Content)])
    dressed = []
    for hit in hits:
        text = bodies.get(hit.item.id, "") if isinstance(hit.item, Content) else hit.excerpt
        title = highlighted(hit.title, words) if marked else hit.title
        dressed.append(Hit(hit.item, title, excerpt(text, words, marked=marked)))
    return dressed


def _words(question: Question) -> list[str]:
    words: list[str] = []
    for term in terms_of(question.query.clause):
        if term.operator == "~":
            words += [word for text in literals_of(term) for word in words_of(parse_text(text))]
    return words


def _slice(items: Sequence[Content] | Sequence[Hit], window: Window, total: int) -> Slice[Content] | Slice[Hit]:
    return Slice(items, window, more=window.start + window.limit < total)  # type: ignore[return-value]
