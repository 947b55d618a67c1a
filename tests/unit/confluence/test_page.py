"""Paging: the window, and a list's links to its neighbours (S3.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.page import MAX_LIMIT, Slice, Window, list_envelope
from watersmeet.confluence.site import Site

SITE = Site("http://h/confluence", "/confluence")
PATH = "/rest/api/content"


def _shown(total: int, window: Window, query: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    found = list(range(total))[window.start : window.start + window.reach]
    part = Slice.of(found, window)
    return list_envelope(part.items, part, SITE, PATH, query or [])


@pytest.mark.parametrize(
    ("start", "limit", "window"),
    [
        (None, None, Window(0, 25)),
        ("", "", Window(0, 25)),
        ("5", "0", Window(5, 0)),
        ("0", "1000", Window(0, 1000)),
        ("0", "5000", Window(0, MAX_LIMIT)),
    ],
)
def test_windows(start: str | None, limit: str | None, window: Window) -> None:
    assert Window.parse(start, limit) == window


@pytest.mark.parametrize("text", ["9" * 13, "9" * 20, "1" * 5000])
def test_a_number_beyond_every_list_is_beyond_every_list(text: str) -> None:
    assert Window.parse(text, text) == Window(2**31 - 1, 1000)
    assert Window.parse("0" * 5000, None) == Window(0, 25)


@pytest.mark.parametrize("text", ["-1", "+1", "1.5", "ten", "1_0", " 1", "٣"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        Window.parse(text, None)
    with pytest.raises(BadParameter):
        Window.parse(None, text)


def test_links_leave_the_context_path_out_and_keep_the_query() -> None:
    query = [("spaceKey", "A B"), ("expand", "a"), ("expand", "b"), ("start", "4"), ("limit", "2")]
    links = _shown(10, Window(4, 2), query)["_links"]
    assert links == {
        "self": "http://h/confluence/rest/api/content",
        "next": "/rest/api/content?spaceKey=A+B&expand=a&expand=b&limit=2&start=6",
        "prev": "/rest/api/content?spaceKey=A+B&expand=a&expand=b&limit=2&start=2",
        "base": "http://h/confluence",
        "context": "/confluence",
    }


def test_a_limit_of_nought_leads_nowhere() -> None:
    shown = _shown(10, Window(3, 0))
    assert (shown["results"], shown["limit"], shown["size"]) == ([], 0, 0)
    assert not {"next", "prev"} & shown["_links"].keys()


@given(total=st.integers(0, 60), limit=st.integers(1, 20))
def test_following_next_shows_everything_once(total: int, limit: int) -> None:
    seen: list[int] = []
    window: Window | None = Window(0, limit)
    while window:
        shown = _shown(total, window)
        assert shown["size"] == len(shown["results"]) <= limit
        seen += shown["results"]
        link = shown["_links"].get("next")
        assert link is None or shown["size"] == limit  # only the last page may be short
        query = parse_qs(urlsplit(link).query) if link else None
        window = Window.parse(query["start"][0], query["limit"][0]) if query else None
    assert seen == list(range(total))


@given(total=st.integers(0, 60), start=st.integers(0, 80), limit=st.integers(1, 20))
def test_next_only_where_more_follows_and_prev_only_where_something_precedes(
    total: int, start: int, limit: int
) -> None:
    links = _shown(total, Window(start, limit))["_links"]
    assert ("next" in links) == (start + limit < total)
    assert ("prev" in links) == (start > 0)
