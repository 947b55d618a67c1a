"""CQL as SQL: the contents, spaces and people that a query matches and that the caller may see.

Every condition of what may be seen is part of the WHERE, so counts and windows tell of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)

from watersmeet.confluence.content import Space, title_key
from watersmeet.confluence.cql import And, BadQuery, Call, Clause, Literal, Not, Order, Term, Value
from watersmeet.confluence.cql_fields import NEGATIVE, Field, Kind, field_of, terms_of
from watersmeet.confluence.cql_functions import Moment, date, instant_of_call
from watersmeet.confluence.metadata import LabelPrefix
from watersmeet.confluence.permission import bypasses_spaces
from watersmeet.confluence.text_query import parse_text, words_of
from watersmeet.database.dialect import dialect_of, find_words_by_index
from watersmeet.database.permissions import SEES_SPACE, is_no_other_ones_draft, passes_guards, viewer
from watersmeet.database.question import Found, Question
from watersmeet.database.schema import (
    content,
    content_guards,
    content_labels,
    content_versions,
    content_views,
    content_watches,
    favourite_content,
    favourite_spaces,
    labels,
    search_facts,
    search_names,
    space_labels,
    spaces,
    users,
)
from watersmeet.database.search_text import MACRO, MENTION, says
from watersmeet.database.search_words import SEARCHED, Saying, spaces_elsewhere, words_in
from watersmeet.database.spaces import COLUMNS as SPACE_COLUMNS
from watersmeet.database.transaction import Transaction

_facts = search_facts.c

_MAX_ID = 2**63 - 1
_MAX_VIEWED = 1_000
_MANY_SPACES = 100


def find_contents(tx: Transaction, question: Question, start: int, limit: int) -> Found:
    """The contents that a question is about."""
    conditions = _Contents(tx, question)
    find_words_by_index(tx)
    sorting = _sorting(question.query.orders)
    said, others = words_in(tx, question.query.clause)
    if said is not None and limit:
        wanted = [*_visible(tx, question), *(conditions.clause(part) for part in others)]
        looked_up, by_index = ([_has_status(tx, question, by_index=each), *wanted] for each in (False, True))
        alone = not others and list(question.statuses) == ["current"]
        saying = Saying(tx, question, said, looked_up, by_index, alone)
        return saying.found(sorting, start, limit, newest_first=_is_newest_first(question))
    # What says little of which contents is counted from the index, and of that the newest come first; by anything else
    # the contents are looked up, once.
    is_indexed = not question.query.orders and _fields_of(question) <= _INDEXED
    visible = [*_visible(tx, question), _has_status(tx, question, by_index=is_indexed)]
    condition = and_(*visible, conditions.clause(question.query.clause))
    orders = [column.desc() if descending else column.asc() for column, descending in sorting]
    return _found(tx, question, search_facts, condition, _facts.id, orders, (start, limit), apart=is_indexed)


_INDEXED = {"type", "space", "space.type", "space.title", "space.category", "lastmodified"}
"""Fields that the index ``ix_search_facts_newest`` answers, together with the spaces."""


def _visible(tx: Transaction, question: Question) -> list[ColumnElement[bool]]:
    """What the caller sees of all contents: ``SEES_CONTENT`` for many rows of few spaces, less what cannot matter."""
    conditions: list[ColumnElement[bool]] = []
    if spaces_elsewhere(tx, question, 1):
        # The spaces once, not for each content anew.
        conditions.append(_facts.space_id.in_(select(spaces.c.id).where(SEARCHED[question.archived]).correlate(None)))
    if tx.execute(_ANY_GUARD).first() is not None:  # on most instances nothing is restricted
        conditions.append(passes_guards(search_facts))
    if "draft" in question.statuses:
        conditions.append(is_no_other_ones_draft(search_facts))
    return conditions


def _has_status(tx: Transaction, question: Question, *, by_index: bool) -> ColumnElement[bool]:
    """Whether a content has one of the statuses that are asked for.

    SQLite knows nothing of how many rows a condition leaves, and takes an index wherever it can: "+" keeps it from
    that, because whatever the clause finds by itself is fewer than all that is current.
    """
    status: ColumnElement[str] = _facts.status
    if dialect_of(tx) == "sqlite" and not by_index:
        status = literal_column("+search_facts.status", String)
    statuses = list(question.statuses)
    return status == statuses[0] if len(statuses) == 1 else status.in_(statuses)


_ANY_GUARD = select(content_guards.c.content_id).limit(1)


def _fields_of(question: Question) -> set[str]:
    """The fields that a question names, in its clause and in its order."""
    named = [term.field for term in terms_of(question.query.clause)]
    named += [order.field for order in question.query.orders]
    return {field.name for name in named if (field := field_of(name))}


def _is_newest_first(question: Question) -> bool:
    """Whether the order is the usual one, and an index gives it."""
    if len(question.statuses) != 1 or len(question.query.orders) > 1:
        return False
    named = [(field_of(each.field), each.descending) for each in question.query.orders]
    return all(field is not None and field.name == "lastmodified" and descending for field, descending in named)


def find_spaces(tx: Transaction, question: Question, start: int, limit: int) -> Found:
    """The spaces that a question is about."""
    condition = and_(
        SEES_SPACE,
        true() if question.archived else spaces.c.status == "current",
        _Spaces(tx, question).clause(question.query.clause),
    )
    return _found(tx, question, spaces, condition, spaces.c.id, [spaces.c.key_lower], (start, limit))


def find_people(tx: Transaction, question: Question, start: int, limit: int) -> Found:
    """The people that a question is about; who is not signed in is told of nobody."""
    known = false() if question.caller.is_anonymous else users.c.enabled
    condition = and_(known, _People(tx, question).clause(question.query.clause))
    return _found(tx, question, users, condition, users.c.id, [users.c.username], (start, limit))


def spaces_of(tx: Transaction, ids: Sequence[int]) -> list[Space]:
    """The spaces with these numbers, in the order of the numbers."""
    rows = tx.execute(select(*SPACE_COLUMNS).where(spaces.c.id.in_(ids)))
    by_id = {row[0]: Space(*row) for row in rows}
    return [by_id[number] for number in ids if number in by_id]


def _found(
    tx: Transaction,
    question: Question,
    source: FromClause,
    condition: ColumnElement[bool],
    number: ColumnElement[int],
    orders: Sequence[ColumnElement[Any]],
    window: tuple[int, int],
    *,
    apart: bool = False,
) -> Found:
    start, limit = window
    parameters = viewer(question.caller)
    if limit and apart:
        newest = select(number).select_from(source).where(condition).order_by(*orders, number.desc())
        ids = tx.execute(newest.limit(limit).offset(start), parameters).scalars().all()
        if ids and len(ids) < limit:
            return Found(start + len(ids), ids)
        return Found(_count(tx, source, condition, parameters), ids)
    if limit:
        # Numbers first: what is not shown is not joined with anybody's name. Counted in the same pass.
        chosen = select(number, func.count().over()).select_from(source).where(condition)
        ordered = chosen.order_by(*orders, number.desc()).limit(limit).offset(start)
        if rows := tx.execute(ordered, parameters).all():
            return Found(rows[0][1], [row[0] for row in rows])
        if not start:
            return Found(0, ())
    return Found(_count(tx, source, condition, parameters), ())


def _count(tx: Transaction, source: FromClause, condition: ColumnElement[bool], parameters: Mapping[str, Any]) -> int:
    return tx.execute(select(func.count()).select_from(source).where(condition), parameters).scalar_one()


# ---- order ------------------------------------------------------------------------------------------------


def _username(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(users.c.username).where(users.c.id == column).scalar_subquery()


_SORTED: dict[str, ColumnElement[Any]] = {
    "id": _facts.id,
    "created": _facts.created_at,
    "lastmodified": _facts.updated_at,
    "title": select(content.c.title_key).where(content.c.id == _facts.id).scalar_subquery(),
    "type": _facts.type,
    "space": select(spaces.c.key_lower).where(spaces.c.id == _facts.space_id).scalar_subquery(),
    "creator": _username(_facts.created_by),
    "contributor": _username(_facts.updated_by),
}


def _sorting(orders: Sequence[Order]) -> list[tuple[ColumnElement[Any], bool]]:
    """What is sorted by, and whether from the highest to the lowest. The newest come first if none is named."""
    if not orders:
        return [(_facts.updated_at, True)]
    return [(_SORTED[field.name], each.descending) for each in orders if (field := field_of(each.field))]


# ---- conditions -------------------------------------------------------------------------------------------


class _Conditions:
    """What has the same meaning whatever is searched. A field that the searched things do not have matches nothing."""

    def __init__(self, tx: Transaction, question: Question) -> None:
        self.tx, self.question = tx, question
        self.fields: dict[str, Callable[[Term], ColumnElement[bool]]] = {}

    def clause(self, clause: Clause) -> ColumnElement[bool]:
        if isinstance(clause, Term):
            return self.term(clause)
        if isinstance(clause, Not):
            return not_(self.clause(clause.part))
        parts = [self.clause(part) for part in clause.parts]
        return and_(*parts) if isinstance(clause, And) else or_(*parts)

    def term(self, term: Term) -> ColumnElement[bool]:
        field = field_of(term.field)
        assert field is not None  # noqa: S101 - the query was checked
        self.check_values(field, term)
        matches = self.fields.get(field.name)
        condition = matches(term) if matches else false()
        return not_(condition) if term.operator in NEGATIVE else condition

    def check_values(self, field: Field, term: Term) -> None:
        """Raises ``BadQuery`` for what can be no value of the field, whatever is searched."""
        if field.kind is Kind.NUMBER:
            self.numbers(term)
        elif field.kind is Kind.USER:
            self.user_names(term)
        elif field.kind is Kind.INSTANT:
            self.moment(term.values[0])
        elif field.name not in ("space", "container"):
            self.texts(term)

    # ---- values ----

    def bad(self, value: Value, problem: str) -> BadQuery:
        return BadQuery(self.question.cql, problem, value.position)

    def no_such(self, value: Call) -> BadQuery:
        return self.bad(value, f"the function {value.name}() has no meaning here")

    def text(self, value: Value) -> str:
        if isinstance(value, Call):
            raise self.no_such(value)
        return value.text

    def texts(self, term: Term) -> list[str]:
        return [self.text(value) for value in term.values]

    def lower(self, term: Term) -> list[str]:
        return [text.lower() for text in self.texts(term)]

    def count(self, value: Call, place: int, default: int) -> int:
        text = value.arguments[place] if place < len(value.arguments) else str(default)
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_VIEWED))):
            raise self.bad(value, f"{value.name}() takes whole numbers up to {_MAX_VIEWED}")
        return min(int(text), _MAX_VIEWED)

    def numbers(self, term: Term) -> list[int] | Select[Any]:
        """The contents that a term names: their numbers, or what selects them."""
        chosen: list[int] = []
        for value in term.values:
            if isinstance(value, Literal):
                chosen.append(self.number(value))
            elif value.name.lower() == "currentcontent":
                chosen.append(self.question.content_id or 0)
            elif value.name.lower() == "recentlyviewedcontent" and len(term.values) == 1:
                return self.viewed_contents(value)
            else:
                raise self.no_such(value)
        return chosen

    def number(self, value: Literal) -> int:
        number = _number_in(value.text.removeprefix("att"))
        if number is None:
            raise self.bad(value, f"{value.text!r} is no number of a content")
        return number

    def viewed_contents(self, value: Call) -> Select[Any]:
        mine = select(content_views.c.content_id).where(content_views.c.user_id == self.question.caller.id)
        newest = mine.order_by(content_views.c.viewed_at.desc(), content_views.c.content_id.desc())
        some = newest.limit(self.count(value, 0, 25)).offset(self.count(value, 1, 0)).subquery()
        return select(some.c.content_id)

    def viewed_spaces(self, value: Call) -> Select[Any]:
        seen = (
            select(content.c.space_id, func.max(content_views.c.viewed_at).label("at"))
            .join(content_views, content_views.c.content_id == content.c.id)
            .where(content_views.c.user_id == self.question.caller.id)
            .group_by(content.c.space_id)
            .subquery()
        )
        some = select(seen.c.space_id).order_by(seen.c.at.desc()).limit(self.count(value, 0, 25)).subquery()
        return select(some.c.space_id)

    def my_spaces(self) -> Select[Any]:
        mine = favourite_spaces.c.user_id == self.question.caller.id
        return select(favourite_spaces.c.space_id).where(mine)

    def user_names(self, term: Term) -> list[str]:
        return [self.user_name(value) for value in term.values]

    def user_name(self, value: Value) -> str:
        if isinstance(value, Literal):
            return value.text
        if value.name.lower() != "currentuser":
            raise self.no_such(value)
        return self.question.caller.username

    def people(self, term: Term) -> Select[Any]:
        """The numbers of the people a term names, by name or by key."""
        names = self.user_names(term)
        known = or_(users.c.username.in_([name.lower() for name in names]), users.c.user_key.in_(names))
        return select(users.c.id).where(known)

    def moment(self, value: Value) -> Moment:
        try:
            found = (
                date(value.text)
                if isinstance(value, Literal)
                else instant_of_call(value.name, value.arguments, self.question.now)
            )
        except ValueError as error:
            raise self.bad(value, str(error)) from error
        if found is None:
            raise self.bad(value, "expected a date (yyyy-MM-dd or yyyy-MM-dd HH:mm) or a function that gives one")
        return found

    def compared(self, column: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
        moment = self.moment(term.values[0])
        if term.operator in ("=", "!="):
            return and_(column >= moment.start, column < moment.until)
        comparisons: dict[str, ColumnElement[bool]] = {
            ">": column > moment.start,
            ">=": column >= moment.start,
            "<": column < moment.start,
            "<=": column <= moment.start,
        }
        return comparisons[term.operator]

    def said(self, column: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
        """A short text: the same, or (``~``) holding all words in any order, as beginnings."""
        texts = self.texts(term)
        if term.operator not in ("~", "!~"):
            return func.lower(column).in_([text.lower() for text in texts])
        words = words_of(parse_text(texts[0]))
        if not words:
            return false()
        return and_(*((literal(" ") + column).ilike(f"% {word}%") for word in words))

    # ---- what is true of a space, and so of what is in it ----

    def in_space(self, term: Term) -> ColumnElement[bool]:
        keys: list[str] = []
        conditions: list[ColumnElement[bool]] = []
        for value in term.values:
            if isinstance(value, Literal):
                keys.append(value.text.lower())
            elif value.name.lower() == "currentspace":
                keys.append((self.question.space_key or "").lower())
            elif value.name.lower() in ("favouritespaces", "favoritespaces"):
                conditions.append(spaces.c.id.in_(self.my_spaces()))
            elif value.name.lower() == "recentlyviewedspaces":
                conditions.append(spaces.c.id.in_(self.viewed_spaces(value)))
            else:
                raise self.no_such(value)
        return or_(spaces.c.key_lower.in_(keys), *conditions) if keys else or_(*conditions)

    def space_type(self, term: Term) -> ColumnElement[bool]:
        types = self.lower(term)
        favourite = {"favourite", "favorite"} & set(types)
        condition = spaces.c.type.in_(types)
        return or_(condition, spaces.c.id.in_(self.my_spaces())) if favourite else condition

    def space_category(self, term: Term) -> ColumnElement[bool]:
        named = (
            select(space_labels.c.space_id)
            .join(labels, labels.c.id == space_labels.c.label_id)
            .where(or_(*(self.label(text) for text in self.lower(term))))
        )
        return spaces.c.id.in_(named)

    def label(self, text: str) -> ColumnElement[bool]:
        """A label as people write it: with its prefix, or any they see. Other people's own are nobody's business."""
        prefix, colon, name = text.partition(":")
        prefixed = bool(colon) and prefix in set(LabelPrefix)
        own = or_(labels.c.owner_id.is_(None), labels.c.owner_id == self.question.caller.id)
        return (
            and_(own, labels.c.name == name, labels.c.prefix == prefix)
            if prefixed
            else and_(own, labels.c.name == text)
        )


def _number_in(text: str) -> int | None:
    """The number that a text is, if rows can have it."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_MAX_ID)) or int(text) > _MAX_ID:
        return None
    return int(text)


class _Contents(_Conditions):
    """Conditions on ``search_facts``."""

    def __init__(self, tx: Transaction, question: Question) -> None:
        super().__init__(tx, question)
        self.fields = {
            "id": lambda term: _facts.id.in_(self.numbers(term)),
            "parent": lambda term: func.coalesce(_facts.parent_id, 0).in_(self.numbers(term)),
            "ancestor": self.below,
            "container": self.held,
            "space": partial(self.of_space, self.in_space),
            "space.type": partial(self.of_space, self.space_type),
            "space.title": partial(self.of_space, partial(self.said, spaces.c.name)),
            "space.category": partial(self.of_space, self.space_category),
            # The types of plug-ins are written as their plug-ins write them.
            "type": lambda term: _facts.type.in_({*self.lower(term), *self.texts(term)}),
            "title": self.titled,
            "text": partial(self.says, title_only=False),
            "siteSearch": self.found_by_box,
            "label": self.labelled,
            "creator": lambda term: _facts.created_by.in_(self.people(term)),
            "contributor": self.contributed,
            "mention": self.mentions,
            "watcher": partial(self.listed, content_watches),
            "favourite": partial(self.listed, favourite_content),
            "created": partial(self.compared, _facts.created_at),
            "lastmodified": partial(self.compared, _facts.updated_at),
            "macro": self.uses_macro,
        }

    def of_space(self, matches: Callable[[Term], ColumnElement[bool]], term: Term) -> ColumnElement[bool]:
        return self.of_spaces(matches(term))

    def of_spaces(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """In a space of which that is true. The spaces are looked up first: to compare with numbers is quicker."""
        found = self.tx.execute(select(spaces.c.id).where(condition).limit(_MANY_SPACES)).scalars().all()
        if len(found) == _MANY_SPACES:
            return _facts.space_id.in_(select(spaces.c.id).where(condition).correlate(None))
        return _facts.space_id == found[0] if len(found) == 1 else _facts.space_id.in_(found)

    def below(self, term: Term) -> ColumnElement[bool]:
        page = content.alias()
        walk = select(page.c.id).where(page.c.parent_id.in_(self.numbers(term))).cte(recursive=True)
        # UNION, not UNION ALL: a circle would end the walk.
        walk = walk.union(select(page.c.id).join(walk, page.c.parent_id == walk.c.id))
        return _facts.id.in_(select(walk.c.id))

    def held(self, term: Term) -> ColumnElement[bool]:
        """In a content, named by its number, or in a space, named by its key."""
        ids: list[int] = []
        keys: list[str] = []
        for value in term.values:
            if isinstance(value, Literal):
                number = _number_in(value.text)
                keys.append(value.text.lower()) if number is None else ids.append(number)
            elif value.name.lower() == "currentcontent":
                ids.append(self.question.content_id or 0)
            elif value.name.lower() == "currentspace":
                keys.append((self.question.space_key or "").lower())
            else:
                raise self.no_such(value)
        in_content = func.coalesce(_facts.container_id, 0).in_(ids)
        return or_(in_content, and_(_facts.container_id.is_(None), self.of_spaces(spaces.c.key_lower.in_(keys))))

    def titled(self, term: Term) -> ColumnElement[bool]:
        if term.operator in ("~", "!~"):
            return self.says(term, title_only=True)
        titled = content.c.title_key.in_([title_key(text) for text in self.texts(term)])
        return _facts.id.in_(select(content.c.id).where(titled))

    def says(self, term: Term, *, title_only: bool) -> ColumnElement[bool]:
        return says(self.tx, parse_text(self.text(term.values[0])), title_only=title_only)

    def found_by_box(self, term: Term) -> ColumnElement[bool]:
        label = self.label(self.text(term.values[0]).strip().lower())
        return or_(self.says(term, title_only=False), _facts.id.in_(self.carriers(label)))

    def carriers(self, label: ColumnElement[bool]) -> Select[Any]:
        joined = select(content_labels.c.content_id).join(labels, labels.c.id == content_labels.c.label_id)
        return joined.where(label)

    def labelled(self, term: Term) -> ColumnElement[bool]:
        return _facts.id.in_(self.carriers(or_(*(self.label(text) for text in self.lower(term)))))

    def contributed(self, term: Term) -> ColumnElement[bool]:
        people = self.people(term)
        before = exists(
            select(content_versions.c.number).where(
                content_versions.c.content_id == _facts.id, content_versions.c.updated_by.in_(people)
            )
        )
        return or_(_facts.created_by.in_(people), _facts.updated_by.in_(people), before)

    def mentions(self, term: Term) -> ColumnElement[bool]:
        wanted = self.people(term).subquery()
        names = select(users.c.username).where(users.c.id.in_(select(wanted.c.id)))
        keys = select(users.c.user_key).where(users.c.id.in_(select(wanted.c.id)))
        named = or_(search_names.c.name.in_(names), search_names.c.name.in_(keys))
        return _facts.id.in_(select(search_names.c.content_id).where(search_names.c.kind == MENTION, named))

    def listed(self, table: FromClause, term: Term) -> ColumnElement[bool]:
        """On somebody's list. Whoever does not see everything sees their own lists only."""
        caller = self.question.caller
        whose = true() if bypasses_spaces(caller.role) else table.c.user_id == caller.id
        return _facts.id.in_(select(table.c.content_id).where(table.c.user_id.in_(self.people(term)), whose))

    def uses_macro(self, term: Term) -> ColumnElement[bool]:
        named = search_names.c.name.in_(self.lower(term))
        return _facts.id.in_(select(search_names.c.content_id).where(search_names.c.kind == MACRO, named))


class _Spaces(_Conditions):
    """Conditions on ``spaces``."""

    def __init__(self, tx: Transaction, question: Question) -> None:
        super().__init__(tx, question)
        named = partial(self.said, spaces.c.name)
        self.fields = {
            "type": lambda term: true() if "space" in self.lower(term) else false(),
            "space": self.in_space,
            "space.type": self.space_type,
            "space.title": named,
            "space.category": self.space_category,
            "label": self.space_category,
            "title": named,
            "text": lambda term: or_(named(term), self.said(spaces.c.description, term)),
            "siteSearch": lambda term: or_(named(term), self.said(spaces.c.description, term), self.in_space(term)),
            "creator": lambda term: spaces.c.creator_id.in_(self.people(term)),
            "created": partial(self.compared, spaces.c.created_at),
            "lastmodified": partial(self.compared, func.coalesce(spaces.c.updated_at, spaces.c.created_at)),
        }


class _People(_Conditions):
    """Conditions on ``users``."""

    def __init__(self, tx: Transaction, question: Question) -> None:
        super().__init__(tx, question)
        named = partial(self.said, users.c.display_name)
        box = lambda term: or_(named(term), self.said(users.c.username, term))  # noqa: E731 - a row of the table below
        self.fields = {
            "type": lambda term: true() if "user" in self.lower(term) else false(),
            "user": lambda term: users.c.id.in_(self.people(term)),
            "user.fullname": named,
            "title": named,
            "text": box,
            "siteSearch": box,
        }
