"""The newest contents that say some words: found and counted without looking at each content that says them. SQLite.

Most searches are for words alone, and broad words stand on most pages. The index of words counts them for itself; less
what the caller may not see of them, that is the exact total. And of the newest contents the first few dozen that say
them are soon found. Where either would take long, nothing is found here, and the search goes its usual way.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, select

from watersmeet.confluence.content import ContentStatus
from watersmeet.confluence.cql import Literal, Term
from watersmeet.confluence.cql_fields import field_of
from watersmeet.confluence.permission import bypasses_spaces
from watersmeet.confluence.text_query import parse_text
from watersmeet.database import dialect
from watersmeet.database.permissions import SEES_SPACE, passes_guards, viewer
from watersmeet.database.question import Found, Question
from watersmeet.database.schema import content, content_guards, labels, spaces
from watersmeet.database.search_text import phrases_of
from watersmeet.database.transaction import Transaction

BROAD = 2_000
"""So many contents must say the words; fewer are quickly looked at one by one."""
MOST_HIDDEN = 2_000
"""So many contents may be hidden from the caller: each is asked whether it says the words."""
MOST_PASSED = 5_000
"""So many of the newest contents are asked."""

_OTHER_STATUSES = [status.value for status in ContentStatus if status is not ContentStatus.CURRENT]


def newest_that_say(tx: Transaction, question: Question, start: int, limit: int) -> Found | None:
    """The newest current contents that say what is asked, if nothing else is asked; ``None`` where this is no way."""
    term = question.query.clause
    if (
        dialect.dialect_of(tx) != "sqlite"
        or not limit
        or question.query.orders
        or list(question.statuses) != ["current"]
    ):
        return None
    if not isinstance(term, Term) or not _asks_for_words(tx, term):
        return None
    field = field_of(term.field)
    phrases = phrases_of(parse_text(term.values[0].text)) if isinstance(term.values[0], Literal) else None
    if not phrases:
        return None
    said = dialect.full_text("sqlite", phrases, title_only=field is not None and field.name == "title")
    some = said.limit(BROAD).subquery()
    if tx.execute(select(func.count()).select_from(some)).scalar_one() < BROAD:
        return None
    return _found(tx, question, said, start, limit)


def _asks_for_words(tx: Transaction, term: Term) -> bool:
    field = field_of(term.field)
    if field is None or term.operator != "~" or field.name not in ("text", "title", "siteSearch"):
        return False
    # The search box finds labels too.
    return field.name != "siteSearch" or tx.execute(select(labels.c.id).limit(1)).first() is None


def _found(tx: Transaction, question: Question, said: Select[Any], start: int, limit: int) -> Found | None:
    parameters = viewer(question.caller)
    hidden = tx.execute(_hidden(question).limit(MOST_HIDDEN + 1), parameters).scalars().all()
    if len(hidden) > MOST_HIDDEN:
        return None
    number = said.selected_columns[0]
    counted = tx.execute(select(func.count()).select_from(said.subquery())).scalar_one()
    unseen = 0
    if hidden:
        unseen = tx.execute(
            select(func.count())
            .select_from(content)
            .where(content.c.id.in_(hidden), exists(said.where(number == content.c.id)))
        ).scalar_one()
    total = counted - unseen
    newest = (
        select(content.c.id)
        .where(content.c.status == ContentStatus.CURRENT.value, content.c.id.not_in(hidden))
        .order_by(content.c.updated_at.desc(), content.c.id.desc())
        .limit(MOST_PASSED)
        .subquery()
    )
    saying = select(newest.c.id).where(exists(said.where(number == newest.c.id))).limit(limit).offset(start)
    ids = tx.execute(saying).scalars().all()
    return Found(total, tuple(ids)) if len(ids) == min(limit, max(0, total - start)) else None


def _hidden(question: Question) -> Select[Any]:
    """What is not current, or in a space that is not searched, or kept from the caller."""
    searched: ColumnElement[bool] = SEES_SPACE
    if not question.archived:
        searched = and_(SEES_SPACE, spaces.c.status == "current")
    elsewhere = select(spaces.c.id).where(not_(searched))
    parts = [
        select(content.c.id).where(content.c.status.in_(_OTHER_STATUSES)),
        select(content.c.id).where(content.c.space_id.in_(elsewhere)),
    ]
    if not bypasses_spaces(question.caller.role):
        guarded = content.c.id.in_(select(content_guards.c.content_id))
        parts.append(select(content.c.id).where(guarded, not_(passes_guards(content))))
    hidden = parts[0].union(*parts[1:]).subquery()
    return select(hidden.c.id)
