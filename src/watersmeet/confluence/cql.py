"""CQL: the query language, from text to a tree and back.

The grammar is that of the original's documentation (*Advanced searching using CQL*)::

    query  := clause [ "order by" field ["asc" | "desc"] { "," … } ]
    clause := and { "or" and }      and := unary { "and" unary }      unary := ["not"] ( term | "(" clause ")" )
    term   := field op value | field ["not"] "in" ( "(" value { "," value } ")" | function )
    value  := word | "quoted" | 'quoted' | function "(" [ value { "," value } ] ")"

Keywords and the names of fields are read without regard to letter case. What fields there are and what they mean is
``cql_fields``'s; here a name is a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from watersmeet.confluence.errors import RestError

MAX_LENGTH = 20_000
"""Characters of a query."""
MAX_DEPTH = 40
"""Parentheses and negations inside each other."""
MAX_TERMS = 200
MAX_VALUES = 2_000
"""Values in all lists of a query together."""


class BadQuery(RestError):
    """A query that cannot be read or means nothing. The first words are the original's (S3.13)."""

    def __init__(self, cql: str, problem: str, position: int | None = None) -> None:
        where = "" if position is None else f" (at character {position + 1})"
        shown = cql if len(cql) <= _SHOWN else cql[:_SHOWN] + "…"
        super().__init__(f"Could not parse cql : {shown} : {problem}{where}")


_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Literal:
    """A word, a number or a quoted text."""

    text: str
    position: int = -1


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[str, ...] = ()
    position: int = -1


Value: TypeAlias = Literal | Call


@dataclass(frozen=True, slots=True)
class Term:
    """A field compared with a value, or with several (``in``, ``not in``)."""

    field: str
    operator: str
    values: tuple[Value, ...]
    position: int = -1


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever its part does not match."""

    part: Clause


@dataclass(frozen=True, slots=True)
class And:
    """What all parts match."""

    parts: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What any part matches."""

    parts: tuple[Clause, ...]


Clause: TypeAlias = Term | Not | And | Or


@dataclass(frozen=True, slots=True)
class Order:
    """A field to sort by."""

    field: str
    descending: bool = False
    position: int = -1


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    clause: Clause
    orders: tuple[Order, ...] = ()


# ---- words ------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<operator>!=|!~|>=|<=|=|~|>|<)
    | (?P<mark>[(),])
    | (?P<word>[^\s"'()=!~<>,]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WORD = re.compile(r"[^\s\"'()=!~<>,]+")
_RESERVED = frozenset({"and", "or", "not", "in", "order", "by", "asc", "desc"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # quoted | operator | mark | word | end
    text: str
    position: int

    @property
    def keyword(self) -> str:
        """The word in lower case, where it could be a keyword."""
        return self.text.lower() if self.kind == "word" else ""


def _tokens(cql: str) -> list[_Token]:
    tokens: list[_Token] = []
    end, place = len(cql.rstrip()), 0
    while place < end:
        found = _TOKEN.match(cql, place)
        if not found:
            raise _unreadable(cql, place + len(cql[place:]) - len(cql[place:].lstrip()))
        kind = found.lastgroup or ""
        text = found[kind]
        if kind == "quoted":
            text = _ESCAPED.sub(r"\1", text[1:-1])
        tokens.append(_Token(kind, text, found.start(kind)))
        place = found.end()
    return [*tokens, _Token("end", "", end)]


def _unreadable(cql: str, place: int) -> BadQuery:
    if cql[place] in "\"'":
        return BadQuery(cql, f"the quotation that begins with {cql[place]} is not closed", place)
    return BadQuery(cql, f"did not expect {cql[place]!r}", place)


# ---- sentences --------------------------------------------------------------------------------------------


def parse(cql: str) -> Query:
    """The query that a text says. Raises ``BadQuery`` with the position and what was expected there."""
    if len(cql) > MAX_LENGTH:
        raise BadQuery(cql, f"a query may have at most {MAX_LENGTH} characters")
    if "\0" in cql:
        raise BadQuery(cql, "did not expect the character NUL", cql.index("\0"))
    return _Parser(cql, _tokens(cql)).query()


class _Parser:
    """Recursive descent over the tokens; a method a rule of the grammar."""

    def __init__(self, cql: str, tokens: list[_Token]) -> None:
        self.cql, self.tokens = cql, tokens
        self.place = self.depth = self.terms = self.values = 0

    def query(self) -> Query:
        clause = self.clause()
        orders = self.orders() if self.token.keyword == "order" else ()
        if self.token.kind != "end":
            raise self.expected("AND, OR, ORDER BY or the end of the query")
        return Query(clause, orders)

    def clause(self) -> Clause:
        parts = [self.conjunction()]
        while self.took("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self) -> Clause:
        parts = [self.unary()]
        while self.took("and"):
            parts.append(self.unary())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def unary(self) -> Clause:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadQuery(self.cql, f"a query may nest at most {MAX_DEPTH} deep", self.token.position)
        found: Clause
        if self.took("not"):
            found = Not(self.unary())
        elif self.took_mark("("):
            found = self.clause()
            self.take_mark(")")
        else:
            found = self.term()
        self.depth -= 1
        return found

    def term(self) -> Term:
        name = self.token
        if name.kind != "word" or name.keyword in _RESERVED:
            raise self.expected("the name of a field")
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise BadQuery(self.cql, f"a query may have at most {MAX_TERMS} terms", name.position)
        self.place += 1
        if self.token.kind == "operator":
            operator = self.next().text
            return Term(name.text, operator, (self.value(),), name.position)
        operator = "not in" if self.took("not") else "in"
        if not self.took("in"):
            raise self.expected("an operator (= != ~ !~ > >= < <= IN, NOT IN)" if operator == "in" else "IN")
        return Term(name.text, operator, self.list(), name.position)

    def list(self) -> tuple[Value, ...]:
        if self.token.kind == "word":  # favouriteSpaces() is a list by itself
            return (self.value(),)
        self.take_mark("(")
        found = [self.value()]
        while self.took_mark(","):
            found.append(self.value())
        self.take_mark(")")
        return tuple(found)

    def value(self) -> Value:
        token = self.token
        if token.kind not in ("word", "quoted") or token.keyword in _RESERVED:
            raise self.expected("a value")
        self.values += 1
        if self.values > MAX_VALUES:
            raise BadQuery(self.cql, f"a query may have at most {MAX_VALUES} values", token.position)
        self.place += 1
        if token.kind == "word" and self.took_mark("("):
            return Call(token.text, self.arguments(), token.position)
        return Literal(token.text, token.position)

    def arguments(self) -> tuple[str, ...]:
        found: list[str] = []
        while not self.took_mark(")"):
            if found:
                self.take_mark(",")
            if self.token.kind not in ("word", "quoted"):
                raise self.expected("an argument or )")
            found.append(self.next().text)
        return tuple(found)

    def orders(self) -> tuple[Order, ...]:
        self.place += 1
        if not self.took("by"):
            raise self.expected("BY")
        found = [self.order()]
        while self.took_mark(","):
            found.append(self.order())
        return tuple(found)

    def order(self) -> Order:
        name = self.token
        if name.kind != "word" or name.keyword in _RESERVED:
            raise self.expected("the name of a field to sort by")
        self.place += 1
        descending = self.took("desc")
        if not descending:
            self.took("asc")
        return Order(name.text, descending, name.position)

    # ---- tokens ----

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def next(self) -> _Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def took(self, keyword: str) -> bool:
        found = self.token.keyword == keyword
        self.place += found
        return found

    def took_mark(self, mark: str) -> bool:
        found = self.token.kind == "mark" and self.token.text == mark
        self.place += found
        return found

    def take_mark(self, mark: str) -> None:
        if not self.took_mark(mark):
            raise self.expected(mark)

    def expected(self, what: str) -> BadQuery:
        token = self.token
        found = "the query ends" if token.kind == "end" else f"found {token.text!r}"
        return BadQuery(self.cql, f"expected {what}, but {found}", token.position)


# ---- and back ---------------------------------------------------------------------------------------------


def as_text(query: Query) -> str:
    """A text that says this query: ``parse`` makes the same of it, positions aside."""
    text = _clause_text(query.clause)
    if query.orders:
        text += " order by " + ", ".join(each.field + (" desc" if each.descending else "") for each in query.orders)
    return text


def _clause_text(clause: Clause) -> str:
    if isinstance(clause, Term):
        return _term_text(clause)
    if isinstance(clause, Not):
        return f"not ({_clause_text(clause.part)})"
    word = " and " if isinstance(clause, And) else " or "
    return word.join(
        _clause_text(part) if isinstance(part, Term) else f"({_clause_text(part)})" for part in clause.parts
    )


def _term_text(term: Term) -> str:
    values = ", ".join(map(_value_text, term.values))
    return f"{term.field} {term.operator} " + (f"({values})" if term.operator.endswith("in") else values)


def _value_text(value: Value) -> str:
    if isinstance(value, Call):
        return f"{value.name}({', '.join(map(_quoted, value.arguments))})"
    plain = _WORD.fullmatch(value.text) and value.text.lower() not in _RESERVED
    return value.text if plain else _quoted(value.text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
