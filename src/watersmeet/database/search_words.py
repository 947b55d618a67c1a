"""Contents that say some words: counted and found without reading one of them.

The index of words tells how many say them, on SQLite in two milliseconds for a hundred thousand. Less what the caller
may not see of these, that is the exact total of a search for words alone. With further conditions every match is looked
up in the narrow rows of ``search_facts``. Where matches are dense, the first few are found by walking from the newest
on (docs/decisions/0085).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, select

from watersmeet.confluence.content import ContentStatus
from watersmeet.confluence.cql import And, Clause, Literal, Term
from watersmeet.confluence.cql_fields import field_of
from watersmeet.confluence.permission import bypasses_spaces
from watersmeet.confluence.text_query import parse_text
from watersmeet.database import dialect
from watersmeet.database.permissions import SEES_SPACE, passes_guards, viewer
from watersmeet.database.question import Found, Question
from watersmeet.database.schema import content, content_guards, labels, search_facts, spaces
from watersmeet.database.search_text import phrases_of
from watersmeet.database.transaction import Transaction

A_PROBE: dict[dialect.DialectName, int] = {"sqlite": 50, "postgresql": 500}
"""To ask of one content whether it says the words takes as long as to look up so many that do."""
MOST_PASSED = 2_000
"""So many of the newest are asked before they are all looked up after all."""

_OTHER_STATUSES = [status.value for status in ContentStatus if status is not ContentStatus.CURRENT]
SEARCHED = {True: SEES_SPACE, False: and_(SEES_SPACE, spaces.c.status == "current")}
"""Whether a row of ``spaces`` is of a space whose contents are searched; by whether archived ones are."""
_ELSEWHERE = {archived: select(spaces.c.id).where(not_(searched)) for archived, searched in SEARCHED.items()}
_GUARDED = select(search_facts.c.id).where(
    search_facts.c.id.in_(select(content_guards.c.content_id)), not_(passes_guards(search_facts))
)
_HIGHEST = select(func.max(search_facts.c.id))
_NEWEST_FIRST = (search_facts.c.updated_at.desc(), search_facts.c.id.desc())


Sorting: TypeAlias = Sequence[tuple[ColumnElement[Any], bool]]
"""What is sorted by, and whether from the highest to the lowest."""


def spaces_elsewhere(tx: Transaction, question: Question, limit: int) -> Sequence[int]:
    """Of the spaces whose contents are not searched, so many."""
    return tx.execute(_ELSEWHERE[question.archived].limit(limit), viewer(question.caller)).scalars().all()


def words_in(tx: Transaction, clause: Clause) -> tuple[Select[Any] | None, Sequence[Clause]]:
    """What says the words that all matches of a query must say, and the conditions beside them."""
    parts: Sequence[Clause] = clause.parts if isinstance(clause, And) else (clause,)
    phrases = {place: found for place, part in enumerate(parts) if (found := _phrases(tx, part))}
    # One look-up finds what says several things, either in the title or anywhere.
    titled = {place for place in phrases if _is_of_titles(parts[place])}
    chosen = phrases.keys() - titled or titled
    if not chosen:
        return None, parts
    together = [phrase for place in sorted(chosen) for phrase in phrases[place]]
    said = dialect.full_text(dialect.dialect_of(tx), together, title_only=chosen == titled)
    return said, [part for place, part in enumerate(parts) if place not in chosen]


def _phrases(tx: Transaction, part: Clause) -> list[tuple[str, bool]] | None:
    """What ``dialect.full_text`` takes, if a part of a query asks for words that are all there."""
    field = field_of(part.field) if isinstance(part, Term) else None
    if not isinstance(part, Term) or field is None or part.operator != "~":
        return None
    if field.name not in ("text", "title", "siteSearch") or not isinstance(part.values[0], Literal):
        return None
    text = part.values[0].text
    if field.name == "siteSearch" and _is_a_label(tx, text.strip().lower()):
        return None  # the search box finds what carries it, too
    return phrases_of(parse_text(text))


def _is_a_label(tx: Transaction, text: str) -> bool:
    names = {text, text.partition(":")[2]}
    return tx.execute(select(labels.c.id).where(labels.c.name.in_(names)).limit(1)).first() is not None


def _is_of_titles(part: Clause) -> bool:
    field = field_of(part.field) if isinstance(part, Term) else None
    return field is not None and field.name == "title"


@dataclass(frozen=True, slots=True)
class Saying:
    """What says some words, and fulfils conditions on ``search_facts``, those of what the caller may see among them."""

    tx: Transaction
    question: Question
    said: Select[Any]
    """The numbers of all that say the words, whoever may see them."""
    conditions: Sequence[ColumnElement[bool]]
    by_index: Sequence[ColumnElement[bool]]
    """The same conditions, for going through the index of the newest."""
    words_alone: bool
    """Whether the conditions are of nothing but what is current and may be seen."""

    def found(self, sorting: Sorting, start: int, limit: int, *, newest_first: bool) -> Found:
        """The exact total, and a window in that order; ``newest_first`` if it is that of a search that names none."""
        matches = self._number(self.said.with_only_columns(func.count(), maintain_column_froms=True))
        total = self._total(matches)
        wanted = min(limit, max(0, total - start))
        if not wanted:
            return Found(total, ())
        if newest_first and self._is_dense(start + wanted, total):
            ids = self._newest(start, wanted)
            if len(ids) == wanted:
                return Found(total, ids)
        return Found(total, self._sorted(sorting, start, wanted))

    # ---- the total ----

    def _total(self, matches: int) -> int:
        if self.words_alone:
            most = matches // self._probe
            hidden = self._hidden(most + 1)
            if len(hidden) <= most:
                return matches - (self._number(self._saying(hidden)) if hidden else 0)
        return self._number(self._looked_up(func.count()))

    def _hidden(self, limit: int) -> Sequence[int]:
        """Of what is not current, or in a space that is not searched, or kept from the caller, so many."""
        elsewhere = spaces_elsewhere(self.tx, self.question, limit)
        if len(elsewhere) == limit:
            return elsewhere
        parts = [select(search_facts.c.id).where(search_facts.c.status.in_(_OTHER_STATUSES))]
        if elsewhere:
            parts.append(select(content.c.id).where(content.c.space_id.in_(elsewhere)))
        if not bypasses_spaces(self.question.caller.role):
            parts.append(_GUARDED)
        hidden: set[int] = set()
        for part in parts:
            hidden.update(self._ids(part.limit(limit)))
        return sorted(hidden)

    def _saying(self, ids: Sequence[int]) -> Select[Any]:
        """How many of these contents say the words."""
        asked = (search_facts.c.id.in_(ids), self._says(search_facts.c.id))
        return select(func.count()).select_from(search_facts).where(*asked)

    # ---- the window ----

    def _is_dense(self, reach: int, total: int) -> bool:
        """Whether the window is full after so few of the newest that to look up all takes longer."""
        highest = self._number(_HIGHEST)
        expected = reach * highest // total
        return expected < MOST_PASSED and expected * self._probe < total

    def _newest(self, start: int, limit: int) -> Sequence[int]:
        newest = select(search_facts.c.id).where(*self.by_index).order_by(*_NEWEST_FIRST).limit(MOST_PASSED)
        walked = newest.subquery()
        return self._ids(select(walked.c.id).where(self._says(walked.c.id)).limit(limit).offset(start))

    @property
    def _probe(self) -> int:
        return A_PROBE[dialect.dialect_of(self.tx)]

    def _sorted(self, sorting: Sorting, start: int, limit: int) -> Sequence[int]:
        """All are looked up, then sorted. PostgreSQL would go through an index in that order, and ask each."""
        keys = [column.label(f"key_{place}") for place, (column, _) in enumerate(sorting)]
        matches = self._looked_up(search_facts.c.id, *keys).cte("matches")
        matches = matches.prefix_with("MATERIALIZED", dialect="postgresql")
        orders = [
            matches.c[key.name].desc() if descending else matches.c[key.name].asc()
            for key, (_, descending) in zip(keys, sorting, strict=True)
        ]
        chosen = select(matches.c.id).order_by(*orders, matches.c.id.desc())
        return self._ids(chosen.limit(limit).offset(start))

    # ---- statements ----

    def _says(self, number: ColumnElement[int]) -> ColumnElement[bool]:
        """Asked of one content."""
        return exists(self.said.where(self.said.selected_columns[0] == number))

    def _looked_up(self, *columns: Any) -> Select[Any]:
        """All matches in their narrow rows."""
        is_said = dialect.is_among(dialect.dialect_of(self.tx), search_facts.c.id, self.said)
        return select(*columns).where(is_said, *self.conditions)

    def _number(self, chosen: Select[Any]) -> int:
        return int(self.tx.execute(chosen, viewer(self.question.caller)).scalar_one())

    def _ids(self, chosen: Select[Any]) -> Sequence[int]:
        return self.tx.execute(chosen, viewer(self.question.caller)).scalars().all()
