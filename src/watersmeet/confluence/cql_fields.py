"""The fields of CQL, which operators each takes, and the check of a query against them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.confluence.cql import And, BadQuery, Call, Clause, Not, Or, Query, Term


class Kind(StrEnum):
    """What the values of a field are."""

    NUMBER = "number of a content"
    NAME = "name"
    USER = "user"
    TEXT = "text"
    INSTANT = "date"


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name as it is kept, what its values are, its operators."""

    name: str
    kind: Kind
    operators: frozenset[str]


_EXACT = frozenset({"=", "!=", "in", "not in"})
_TEXT = frozenset({"~", "!~"})
_ORDER = frozenset({"=", "!=", ">", ">=", "<", "<="})

_FIELDS = (
    Field("id", Kind.NUMBER, _EXACT),
    Field("ancestor", Kind.NUMBER, _EXACT),
    Field("parent", Kind.NUMBER, _EXACT),
    Field("container", Kind.NAME, _EXACT),
    Field("space", Kind.NAME, _EXACT),
    Field("space.type", Kind.NAME, _EXACT),
    Field("space.title", Kind.TEXT, _EXACT | _TEXT),
    Field("space.category", Kind.NAME, _EXACT),
    Field("type", Kind.NAME, _EXACT),
    Field("title", Kind.TEXT, _EXACT | _TEXT),
    Field("text", Kind.TEXT, _TEXT),
    Field("siteSearch", Kind.TEXT, _TEXT),
    Field("label", Kind.NAME, _EXACT),
    Field("creator", Kind.USER, _EXACT),
    Field("contributor", Kind.USER, _EXACT),
    Field("mention", Kind.USER, _EXACT),
    Field("watcher", Kind.USER, _EXACT),
    Field("favourite", Kind.USER, _EXACT),
    Field("created", Kind.INSTANT, _ORDER),
    Field("lastmodified", Kind.INSTANT, _ORDER),
    Field("macro", Kind.NAME, _EXACT),
    Field("user", Kind.USER, _EXACT),
    Field("user.fullname", Kind.TEXT, _EXACT | _TEXT),
)
FIELDS = {field.name.lower(): field for field in _FIELDS}
FIELDS |= {
    "content": FIELDS["id"],
    "space.key": FIELDS["space"],
    "favorite": FIELDS["favourite"],
    "user.accountid": FIELDS["user"],
    "user.username": FIELDS["user"],
}
SORTABLE = frozenset({"created", "creator", "contributor", "id", "lastmodified", "space", "title", "type"})

NEGATIVE = frozenset({"!=", "!~", "not in"})


def field_of(name: str) -> Field | None:
    """The field of that name, in any letter case."""
    return FIELDS.get(name.lower())


def check(cql: str, query: Query) -> None:
    """Raises ``BadQuery`` where a field is unknown or does not take its operator, or nothing positive is asked for."""
    for term in terms_of(query.clause):
        field = field_of(term.field)
        if field is None:
            raise BadQuery(cql, f"there is no field {term.field!r}", term.position)
        if term.operator not in field.operators:
            known = " ".join(sorted(field.operators))
            problem = f"the field {field.name} does not take the operator {term.operator!r}; it takes {known}"
            raise BadQuery(cql, problem, term.position)
    for order in query.orders:
        field = field_of(order.field)
        if field is None or field.name not in SORTABLE:
            raise BadQuery(cql, f"results cannot be sorted by {order.field!r}", order.position)
    if not _has_positive(query.clause):
        raise BadQuery(cql, "a query needs a term that is not a negative one", 0)


def terms_of(clause: Clause) -> list[Term]:
    """Every term of a clause, in order."""
    if isinstance(clause, Term):
        return [clause]
    if isinstance(clause, Not):
        return terms_of(clause.part)
    return [term for part in clause.parts for term in terms_of(part)]


def literals_of(term: Term) -> list[str]:
    """The texts a term compares with; functions have none."""
    return [value.text for value in term.values if not isinstance(value, Call)]


def _has_positive(clause: Clause, *, negated: bool = False) -> bool:
    if isinstance(clause, Term):
        return (term_is_negative(clause)) is negated
    if isinstance(clause, Not):
        return _has_positive(clause.part, negated=not negated)
    assert isinstance(clause, And | Or)  # noqa: S101 - the last kinds there are
    return any(_has_positive(part, negated=negated) for part in clause.parts)


def term_is_negative(term: Term) -> bool:
    """Whether a term says what not to match."""
    return term.operator in NEGATIVE
