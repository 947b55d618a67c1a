"""Marking what somebody selected in the text of a body, without touching another byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.storage_format import mark, marked_refs, plain_text, validate, without_markers
from watersmeet.confluence.storage_format.source import MARKER

OPEN, CLOSE = f'<{MARKER} ac:ref="r">', f"</{MARKER}>"


@pytest.mark.parametrize(
    ("storage", "selection", "index", "marked"),
    [
        ("<p>Hello world</p>", "Hello", 0, "<p>[Hello] world</p>"),
        ("<p>one two one</p>", "one", 1, "<p>one two [one]</p>"),
        ("<p>a  b\n c</p>", "a b c", 0, "<p>[a  b\n c]</p>"),
        ("<p>Hel<b>lo wo</b>rld</p>", "lo world", 0, "<p>Hel<b>[lo wo]</b>[rld]</p>"),
        ("<p>one</p>\n<p>two</p>", "one two", 0, "<p>[one]</p>\n<p>[two]</p>"),
        ("<p>fish &amp; chips &nbsp;now</p>", "& chips now", 0, "<p>fish [&amp; chips &nbsp;now]</p>"),
        ("<p>x &lt;y&gt; z</p>", "<y>", 0, "<p>x [&lt;y&gt;] z</p>"),
        ('<p title="one > two">one</p>', "one", 0, '<p title="one > two">[one]</p>'),
        ("<!-- one --><p>one</p>", "one", 0, "<!-- one --><p>[one]</p>"),
        ("one<br/>two", "one two", 0, "[one]<br/>[two]"),
        (
            '<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">one</ac:parameter>'
            "<ac:rich-text-body><p>one</p></ac:rich-text-body></ac:structured-macro>",
            "one",
            0,
            '<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">one</ac:parameter>'
            "<ac:rich-text-body><p>[one]</p></ac:rich-text-body></ac:structured-macro>",
        ),
        ("<p>(a+b)*</p>", "(a+b)*", 0, "<p>[(a+b)*]</p>"),
    ],
)
def test_a_selection_is_marked_where_it_stands(storage: str, selection: str, index: int, marked: str) -> None:
    found = mark(storage, selection, index, "r")
    assert found == marked.replace("[", OPEN).replace("]", CLOSE)
    validate(found)
    assert marked_refs(found) == {"r"}
    assert without_markers(found) == storage


@pytest.mark.parametrize(
    ("storage", "selection", "index"),
    [
        ("<p>Hello</p>", "World", 0),
        ("<p>Hello</p>", "Hello", 1),
        ("<p>Hello</p>", "hello", 0),
        ("<p>Hello</p>", " ", 0),
        ("<p>onetwo</p>", "one two", 0),
        ("<p>one</p><p>two</p>", "onetwo", 0),
        ("<ac:plain-text-body><![CDATA[one]]></ac:plain-text-body>", "one", 0),
    ],
)
def test_what_the_text_does_not_say_cannot_be_marked(storage: str, selection: str, index: int) -> None:
    assert mark(storage, selection, index, "r") is None


def test_a_selection_is_sought_in_linear_time() -> None:
    storage = "<p>" + "a " * 1_000_000 + "</p>"
    assert mark(storage, "a " * 4_999 + "b", 0, "r") is None


@pytest.mark.parametrize("text", ["a  b\n a b", "  a\u00a0 b a  b ", "\na b  a b\n\n", "xa b ya   b"])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_occurrence_is_where_a_pattern_finds_it(text: str, index: int) -> None:
    spans = [found.span() for found in re.finditer(r"a\s+b", text)]
    expected = None
    if index < len(spans):
        start, end = spans[index]
        expected = text[:start] + OPEN + text[start:end] + CLOSE + text[end:]
    assert mark(text, " a \n b ", index, "r") == expected


def test_many_pieces_are_marked_at_once() -> None:
    storage = "<p>a</p>" * 5_000
    marked = mark(storage, "a " * 5_000, 0, "r")
    assert marked == f"<p>{OPEN}a{CLOSE}</p>" * 5_000


def test_markers_may_overlap() -> None:
    once = mark("<p>one two three</p>", "one two", 0, "a")
    assert once
    twice = mark(once, "two three", 0, "b")
    assert twice
    validate(twice)
    assert marked_refs(twice) == {"a", "b"}
    assert without_markers(twice) == "<p>one two three</p>"


_INNER = st.recursive(
    st.text(alphabet="ab <&\u00a0\n", max_size=6).map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: st.tuples(st.sampled_from(["p", "b", "li", "ac:parameter"]), st.lists(inner, max_size=3)).map(
        lambda made: f"<{made[0]}>{''.join(made[1])}</{made[0]}>"
    ),
    max_leaves=8,
)


@given(_INNER, st.text(alphabet="ab <&", min_size=1, max_size=4), st.integers(0, 2))
def test_marking_changes_nothing_that_is_read(storage: str, selection: str, index: int) -> None:
    marked = mark(storage, selection, index, "r")
    if marked is not None:
        validate(marked)
        assert without_markers(marked) == storage
        assert plain_text(marked).split() == plain_text(storage).split()
        assert marked_refs(marked) == {"r"}
