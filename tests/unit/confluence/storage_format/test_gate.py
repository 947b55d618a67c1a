"""The gate lets through all that the renderer writes for our pages, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html

from watersmeet.confluence.storage_format.gate import admitted

from .test_render import ATTACKS

_FOLDER = Path(__file__).parents[3] / "data" / "rendering"
_CLASSES = re.compile(r'class="([^"]*)"')
# What the renderer writes for converters alone; no rule of our pages needs it.
_UNNEEDED = {
    "x", "wrapped", "aui", "children", "plugin_pagetree", "confluence-anchor-link", "confluence-userlink", "noformat",
    "syntaxhighlighter-pre", "plugin-tabmeta-details", "metadata-summary-macro", "attachments-container",
    "toc-level-1", "toc-level-2", "toc-level-3",
}  # fmt: skip


@pytest.mark.parametrize("file", sorted(_FOLDER.glob("*.page.html")), ids=lambda file: file.name)
def test_what_the_renderer_writes_is_let_through(file: Path) -> None:
    rendered = file.read_text()
    kept = admitted(rendered)
    before, after = (html.fromstring(f"<div>{text}</div>") for text in (rendered, kept))
    assert after.text_content() == before.text_content()
    assert [one.tag for one in after.iter()] == [one.tag for one in before.iter()]
    for name in ("href", "src", "id", "datetime", "rel"):
        assert after.xpath(f"//@{name}") == before.xpath(f"//@{name}")
    wanted, found = ({name for value in _CLASSES.findall(text) for name in value.split()} for text in (rendered, kept))
    assert wanted - found <= _UNNEEDED
    assert "style=" not in kept


@pytest.mark.parametrize("attack", [*ATTACKS, "<p><b>open", "<!-- <script> -->", "<p class='notice card panel'>x</p>"])
def test_an_attack_that_had_passed_the_renderer_would_end_here(attack: str) -> None:
    kept = admitted(attack)
    root = html.fromstring(f"<div>{kept}</div>")
    elements = {"script", "style", "svg", "iframe", "form", "input", "meta", "base", "object", "embed", "link"}
    assert not [one.tag for one in root.iter() if one.tag in elements]
    assert not [name for one in root.iter() for name in one.attrib if name.startswith("on") or name == "style"]
    assert not re.search(r"(?:javascript|data|vbscript)\s*:", " ".join(root.xpath("//@href | //@src")), re.IGNORECASE)
    assert not {name for one in root.iter() for name in one.get("class", "").split()} - {"panel"}
