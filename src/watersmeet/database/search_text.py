"""The words, macros and mentions of contents, as they are searched.

Written in the transaction that writes the content, so that a search after an answer finds it. The rows are the same on
both engines; what finds them by their words (FTS5, ``tsvector``) is the dialect's, and the engine keeps it up.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, bindparam, delete, false, insert, not_, or_, select

from watersmeet.confluence.storage_format import macro_names, mentioned_users, plain_text
from watersmeet.confluence.text_query import Beginning, Either, Every, Pattern, TextQuery, Without, Words
from watersmeet.database import dialect
from watersmeet.database.schema import search_facts, search_names, search_texts
from watersmeet.database.transaction import Transaction

MAX_TEXT = 100_000
"""Characters of a body that are searched. PostgreSQL can index no more than a megabyte of words of one row."""

MACRO, MENTION = "macro", "mention"
_MAX_NAME = 255

_FORGET_TEXT = delete(search_texts).where(search_texts.c.content_id == bindparam("indexed"))
_FORGET_NAMES = delete(search_names).where(search_names.c.content_id == bindparam("indexed"))


def index(tx: Transaction, content_id: int, title: str, storage: str, representation: str = "storage") -> None:
    """Let a content be found by what it says now."""
    text, names = storage, set[tuple[str, str]]()
    if representation == "storage":
        text = plain_text(storage)
        names = {(MACRO, name.lower()) for name in macro_names(storage)}
        for person in mentioned_users(storage):
            names |= {(MENTION, known) for known in (person.key, person.username.lower()) if known}
    tx.execute(_FORGET_TEXT, {"indexed": content_id})
    tx.execute(_FORGET_NAMES, {"indexed": content_id})
    tx.execute(insert(search_texts), {"content_id": content_id, "title": title, "body": text[:MAX_TEXT]})
    if names:
        rows = [{"content_id": content_id, "kind": kind, "name": name[:_MAX_NAME]} for kind, name in sorted(names)]
        tx.execute(insert(search_names), [dict(row) for row in {tuple(row.items()): row for row in rows}.values()])


def bodies_of(tx: Transaction, ids: list[int]) -> dict[int, str]:
    """The text of these contents' bodies, for excerpts."""
    rows = tx.execute(select(search_texts.c.content_id, search_texts.c.body).where(search_texts.c.content_id.in_(ids)))
    return {row.content_id: row.body for row in rows}


def phrases_of(query: TextQuery | None) -> list[tuple[str, bool]] | None:
    """What ``dialect.full_text`` takes, if a text asks for nothing but words that are all there; otherwise ``None``."""
    parts = query.parts if isinstance(query, Every) else (query,)
    leaves = [part for part in parts if isinstance(part, Words | Beginning)]
    return [(leaf.text, isinstance(leaf, Beginning)) for leaf in leaves] if len(leaves) == len(parts) else None


def says(tx: Transaction, query: TextQuery | None, *, title_only: bool) -> ColumnElement[bool]:
    """Whether a row of ``search_facts`` says what a text asks for, in its title or in its title and body."""
    if query is None:
        return false()
    return _condition(dialect.dialect_of(tx), query, title_only)


def _condition(name: dialect.DialectName, query: TextQuery, title_only: bool) -> ColumnElement[bool]:
    if isinstance(query, Without):
        return not_(_condition(name, query.part, title_only))
    if isinstance(query, Either):
        return or_(*(_condition(name, part, title_only) for part in query.parts))
    if isinstance(query, Pattern):
        return search_facts.c.id.in_(_like(query, title_only=title_only))
    parts = query.parts if isinstance(query, Every) else (query,)
    leaves = [part for part in parts if isinstance(part, Words | Beginning)]
    others = [_condition(name, part, title_only) for part in parts if not isinstance(part, Words | Beginning)]
    if leaves:  # what must be there together is one look-up
        phrases = [(leaf.text, isinstance(leaf, Beginning)) for leaf in leaves]
        others.append(search_facts.c.id.in_(dialect.full_text(name, phrases, title_only=title_only)))
    return and_(*others)


def _like(pattern: Pattern, *, title_only: bool) -> ColumnElement[int]:
    escaped = pattern.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    form = "%" + escaped.strip("*").replace("*", "%").replace("?", "_") + "%"
    said = [search_texts.c.title] if title_only else [search_texts.c.title, search_texts.c.body]
    chosen = select(search_texts.c.content_id).where(or_(*(column.ilike(form, escape="\\") for column in said)))
    return chosen.scalar_subquery()
