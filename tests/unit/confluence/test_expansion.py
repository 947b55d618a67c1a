"""``expand``: comma lists, dots, repetition, indices; unknown names do no harm (S3.1)."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.expansion import NOTHING, Expansion

_names = st.text(string.ascii_lowercase, min_size=1, max_size=5)
_paths = st.lists(_names, min_size=1, max_size=5)
_expansions = st.lists(_paths, max_size=6)


def _written(paths: list[list[str]]) -> Expansion:
    return Expansion.parse([".".join(path) for path in paths])


def test_commas_dots_and_repetition_add_up() -> None:
    expansion = Expansion.parse(["a,b.c", "d[0:2].e"])
    assert set(expansion.names) == {"a", "b", "d"}
    assert "c" in expansion.within("b")
    assert "e" in expansion.within("d")
    assert expansion.within("a") == NOTHING == expansion.within("unknown")


def test_blanks_and_empty_names_are_tolerated() -> None:
    assert Expansion.parse([" a , ,b. c,", ".", ""]) == Expansion.parse(["a,b.c"])


def test_depth_is_bounded() -> None:
    deep = Expansion.parse([".".join("a" * 10_000)])
    for _ in range(8):
        assert "a" in deep
        deep = deep.within("a")
    assert deep == NOTHING


@given(st.lists(st.text()))
def test_anything_can_be_parsed(values: list[str]) -> None:
    Expansion.parse(values)


@given(_expansions)
def test_every_name_on_a_path_is_expanded(paths: list[list[str]]) -> None:
    expansion = _written(paths)
    for path in paths:
        inner = expansion
        for name in path:
            assert name in inner
            inner = inner.within(name)


@given(_expansions, _expansions)
def test_a_union_is_what_both_ask_for(left: list[list[str]], right: list[list[str]]) -> None:
    assert _written(left) | _written(right) == _written(left + right)


@given(_expansions)
def test_order_and_repetition_do_not_matter(paths: list[list[str]]) -> None:
    assert _written(paths) == _written(list(reversed(paths)) + paths)
