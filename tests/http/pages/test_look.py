"""The look is its own, turns around with the direction of writing, and says whose it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.http.conftest import Site
from watersmeet.web.static import FOLDER

STYLES = sorted(FOLDER.glob("*.css"))
# Blues and greys of the vendor's products.
_ATLASSIAN = {
    "#0052cc", "#0747a6", "#0065ff", "#2684ff", "#4c9aff", "#deebff", "#172b4d", "#42526e", "#1868db", "#0c66e4",
}  # fmt: skip
_SIDES = re.compile(
    r"(?:margin|padding|border|inset)-(?:left|right)\b|(?<![-\w])(?:left|right|float)\s*:|text-align:\s*(?:left|right)"
)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: str(style.name))
def test_styles_know_no_left_and_right_and_no_colour_of_the_vendor_s(style: Path) -> None:
    text = style.read_text().lower()
    assert _SIDES.search(text) is None
    assert not _ATLASSIAN & set(re.findall(r"#[0-9a-f]{6}\b", text))


def test_the_search_for_sides_finds_them() -> None:
    for rule in ("margin-left: 1px", "a { left: 0 }", "text-align: right", "float: left"):
        assert _SIDES.search(rule), rule
    assert _SIDES.search("inset-inline-start: 0; align-items: start") is None


@pytest.mark.parametrize("path", ["/", "/login.action", "/nothing", "/rest/oauth2/latest/authorize?client_id=x"])
def test_every_page_says_that_it_is_not_the_vendor_s(site: Site, path: str) -> None:
    page = site.client.get(path).text
    assert "not affiliated with Atlassian" in page[page.index("<footer>") :]
