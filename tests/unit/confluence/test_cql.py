"""CQL as values: every tree survives its text, no text crashes the parser, instants are what they should be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watersmeet.confluence import cql_fields
from watersmeet.confluence.cql import And, BadQuery, Call, Literal, Not, Or, Order, Query, Term, as_text, parse
from watersmeet.confluence.cql_functions import date, instant_of_call
from watersmeet.confluence.excerpt import excerpt
from watersmeet.confluence.text_query import Beginning, Either, Every, Pattern, Without, Words, parse_text, words_of


def bare(found: Any) -> Any:
    """The same tree without positions."""
    if isinstance(found, tuple):
        return tuple(map(bare, found))
    if not is_dataclass(found) or isinstance(found, type):
        return found
    kept = {each.name: bare(getattr(found, each.name)) for each in fields(found) if each.name != "position"}
    return replace(found, **kept, **({"position": -1} if hasattr(found, "position") else {}))


_names = st.sampled_from(sorted(each.name for each in cql_fields.FIELDS.values()))
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_calls = st.builds(Call, st.sampled_from(["now", "currentUser", "startOfDay"]), st.lists(_texts, max_size=2).map(tuple))
_values = st.builds(Literal, _texts) | _calls
_terms = st.builds(
    Term,
    _names,
    st.sampled_from(["=", "!=", "~", "!~", ">", ">=", "<", "<="]),
    _values.map(lambda value: (value,)),
) | st.builds(Term, _names, st.sampled_from(["in", "not in"]), st.lists(_values, min_size=1, max_size=3).map(tuple))
_clauses = st.recursive(
    _terms,
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=8,
)
_queries = st.builds(Query, _clauses, st.lists(st.builds(Order, _names, st.booleans()), max_size=2).map(tuple))


@given(_queries)
def test_a_tree_survives_its_text(query: Query) -> None:
    assert bare(parse(as_text(query))) == bare(query)


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["type", "=", "page", "and", "or", "not", "in", "(", ")", ",", "~", "'", '"', "x"]), max_size=20
    ).map(" ".join)
)
@example("type in")
@example("type = \\")
@example('type = "a\\"')
def test_no_text_crashes_the_parser(text: str) -> None:
    with suppress(BadQuery):
        cql_fields.check(text, parse(text))


@given(st.text(max_size=60))
def test_no_text_crashes_the_search_box(text: str) -> None:
    words = words_of(parse_text(text))
    excerpt(text, words, marked=True)
    assert all(word.isprintable() and word for word in words)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x" * 20_001, "at most 20000 characters"),
        (" and ".join(["type=page"] * 201), "at most 200 terms"),
        ("id in (" + ",".join(["1"] * 2001) + ")", "at most 2000 values"),
        ("not " * 50 + "type=page", "at most 40 deep"),
        ("type = page and", "expected the name of a field, but the query ends (at character 16)"),
        ("type = page order title", "expected BY"),
        ("type not = page", "expected IN"),
        ("type = page; drop", "found 'drop'"),
    ],
)
def test_what_is_refused_says_why_and_where(text: str, problem: str) -> None:
    with pytest.raises(BadQuery) as refused:
        parse(text)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("boat", Words("boat")),
        ("big boat", Every((Words("big"), Words("boat")))),
        ('"big boat"', Words("big boat")),
        ("big AND boat", Every((Words("big"), Words("boat")))),
        ("big OR boat", Either((Words("big"), Words("boat")))),
        ("big NOT boat", Every((Words("big"), Without(Words("boat"))))),
        ("big -boat", Every((Words("big"), Without(Words("boat"))))),
        ("boa*", Beginning("boa")),
        ("b?at", Pattern("b?at")),
        ("*oat", Pattern("*oat")),
        ("boat~2", Words("boat")),
        ("e-mail", Words("e mail")),
        ("...", None),
        ("", None),
    ],
)
def test_the_text_of_a_search_box(text: str, tree: Any) -> None:
    assert parse_text(text) == tree


def _at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


NOW = _at(2026, 11, 25, 13, 14, 15)  # a Wednesday


@pytest.mark.parametrize(
    ("name", "increment", "expected"),
    [
        ("now", None, NOW),
        ("now", "-4w", _at(2026, 10, 28, 13, 14, 15)),
        ("now", "+90m", _at(2026, 11, 25, 14, 44, 15)),
        ("now", "-1M", _at(2026, 10, 25, 13, 14, 15)),
        ("startOfDay", None, _at(2026, 11, 25)),
        ("startOfDay", "-1", _at(2026, 11, 24)),
        ("startOfWeek", None, _at(2026, 11, 23)),
        ("startOfMonth", "-1M", _at(2026, 10, 1)),
        ("startOfYear", "-1y", _at(2025, 1, 1)),
        ("STARTOFDAY", "-3h", _at(2026, 11, 24, 21)),
        ("endOfDay", None, _at(2026, 11, 26) - 1),
        ("endOfWeek", None, _at(2026, 11, 30) - 1),
        ("endOfMonth", "+3M", _at(2027, 3, 1) - 1),
        ("endOfYear", "-1", _at(2026, 1, 1) - 1),
    ],
)
def test_functions_of_time(name: str, increment: str | None, expected: int) -> None:
    found = instant_of_call(name, (increment,) if increment else (), NOW)
    assert found is not None
    assert found.start == expected


@pytest.mark.parametrize("increment", ["", "soon", "5x", "+99999y", "--1"])
def test_increments_that_mean_nothing(increment: str) -> None:
    with pytest.raises(ValueError, match=r"no increment|too far away"):
        instant_of_call("now", (increment,), NOW)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30", "26-1-1", "2026-01/02", "0000-01-01", "soon"])
def test_what_is_no_date(text: str) -> None:
    assert date(text) is None


def test_a_date_is_a_day_or_a_minute() -> None:
    day, minute = date("2026-11-25"), date("2026/11/25 13:14")
    assert day is not None
    assert minute is not None
    assert (day.start, day.until) == (_at(2026, 11, 25), _at(2026, 11, 26))
    assert (minute.start, minute.until) == (_at(2026, 11, 25, 13, 14), _at(2026, 11, 25, 13, 15))


def test_excerpts_are_cut_around_what_was_found() -> None:
    text = "start " * 40 + "the needle here " + "end " * 100
    shown = excerpt(text, ["needle"], marked=True)
    assert "@@@hl@@@needle@@@endhl@@@" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert excerpt("a @@@hl@@@ b", [], marked=True) == "a b"
