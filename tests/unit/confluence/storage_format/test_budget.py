"""What a rendering adds ends, and what it reads it reads once: sizes and steps are counted, no time is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from watersmeet.confluence.content import Person
from watersmeet.confluence.storage_format import render
from watersmeet.confluence.storage_format.document import Element
from watersmeet.confluence.storage_format.naming import PageName, Place
from watersmeet.confluence.storage_format.resolver import Branch, Known, ListedFile, NamedPerson, Target
from watersmeet.confluence.storage_format.text import UserReference

_HERE = Place("S", 1)
_MOST = 8_000_000
_LONG = "ü" * 250


def _macro(name: str, inside: str = "") -> str:
    return f'<ac:structured-macro ac:name="{name}">{inside}</ac:structured-macro>'


def _target(number: int) -> Target:
    return Target(number, "page", f"/spaces/S/pages/{number}/{'%C3%BC' * 250}", _LONG, "S")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many elements were walked over, had their text read or were asked for what they hold."""
    counted, walk, text, elements = [0], Element.walk, Element.text, Element.elements

    def walked(self: Element) -> Iterator[Element]:
        for one in walk(self):
            counted[0] += 1
            yield one

    def read(self: Element) -> str:
        counted[0] += 1
        return text(self)

    def held(self: Element) -> Iterator[Element]:
        counted[0] += 1
        return elements(self)

    monkeypatch.setattr(Element, "elements", held)
    monkeypatch.setattr(Element, "walk", walked)
    monkeypatch.setattr(Element, "text", read)
    return counted


def test_tables_of_contents_end() -> None:
    html = render("<h1>a</h1>" * 1000 + _macro("toc") * 1000, "export_view")
    assert len(html) < _MOST
    assert html.count("toc-macro") == 1000
    assert "<ul><li>…</li></ul>" in html


def test_the_longest_ordinary_table_of_contents_is_whole() -> None:
    html = render("<h1>a heading</h1>" * 5000 + _macro("toc"), "export_view")
    assert html.count("toc-level-1") == 5000
    assert "…" not in html


def test_headings_within_one_another_are_told_once() -> None:
    html = render("<h1>" * 140 + "a" * 100_000 + "</h1>" * 140 + _macro("toc"), "export_view")
    assert len(html) < 300_000


@pytest.mark.parametrize("level", ["1", "6"])
def test_headings_are_read_once_for_all_tables(steps: list[int], level: str) -> None:
    parameter = f'<ac:parameter ac:name="minLevel">{level}</ac:parameter>'
    render("<h1>a</h1>" * 500 + _macro("toc", parameter) * 500, "export_view")
    assert steps[0] < 10_000


def test_anchors_are_read_once_for_all_links(steps: list[int]) -> None:
    html = render('<h1>x</h1><ac:link ac:anchor="x"><ac:link-body>y</ac:link-body></ac:link>' * 500, "view")
    assert html.count('href="#h-1"') == 500
    assert steps[0] < 10_000


def test_excerpts_of_a_content_are_read_once(steps: list[int]) -> None:
    including = _macro("excerpt-include", '<ac:parameter ac:name="">T</ac:parameter>')
    excerpt = _macro("excerpt", "<ac:rich-text-body><p>held</p></ac:rich-text-body>")
    known = Known({PageName("s", "page", "t"): _target(2)}, {2: "<b>x</b>" * 5000 + excerpt})
    html = render(including * 200, "view", known.at(_HERE), place=_HERE)
    assert html.count("held") == 49  # of 40,133 characters each, two million may be included
    assert html.count(_LONG) == 200  # and the others are linked to
    assert steps[0] < 15_000


def test_contents_searched_in_vain_for_excerpts_end(steps: list[int]) -> None:
    including = "".join(
        _macro("excerpt-include", f'<ac:parameter ac:name="">T{number}</ac:parameter>') for number in range(2, 100)
    )
    pages = {PageName("s", "page", f"t{number}"): _target(number) for number in range(2, 100)}
    known = Known(pages, dict.fromkeys(range(2, 100), "<b>x</b>" * 12500))
    render(including, "view", known.at(_HERE), place=_HERE)
    assert steps[0] < 300_000  # twenty contents of 100,000 characters


@pytest.mark.parametrize("name", ["children", "pagetree", "attachments"])
def test_lists_of_pages_and_files_end(name: str) -> None:
    known = Known(
        trees={1: [Branch(_target(number)) for number in range(500)]},
        lists={1: [ListedFile(_target(number), 1, Person("u", "k", "U"), 0) for number in range(500)]},
    )
    once = render(_macro(name), "view", known.at(_HERE), place=_HERE)
    assert (once.count(_LONG), "…" in once) == (500, False)
    html = render(_macro(name) * 200, "view", known.at(_HERE), place=_HERE)
    assert "…" in html
    assert len(html) < _MOST


def test_names_that_the_body_does_not_say_end() -> None:
    known = Known(
        contents={2: _target(2)},
        spaces={"s": _target(3)},
        people={UserReference(key="k"): NamedPerson("n" * 250, _LONG)},
    )
    links = ('<ri:content-entity ri:content-id="2"/>', '<ri:space ri:space-key="S"/>', '<ri:user ri:userkey="k"/>')
    storage = "".join(f"<ac:link>{link}</ac:link>" for link in links) * 4000
    html = render(storage, "view", known.at(_HERE), place=_HERE)
    assert len(html) < _MOST
    assert 'data-linked-resource-id="2"' in html
