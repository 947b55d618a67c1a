"""Every construct as it is rendered, against files: ``tests/data/rendering/NAME.storage.xml`` and what it becomes.

``WATERSMEET_TEST_GOLDEN=1`` writes the files anew; what changed is then read in the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watersmeet.confluence.content import Person
from watersmeet.confluence.storage_format import render
from watersmeet.confluence.storage_format.naming import PageName, Place
from watersmeet.confluence.storage_format.resolver import Branch, Known, ListedFile, NamedPerson, Target
from watersmeet.confluence.storage_format.text import UserReference

_FOLDER = Path(__file__).parents[3] / "data" / "rendering"
_NAMES = sorted(file.name.removesuffix(".storage.xml") for file in _FOLDER.glob("*.storage.xml"))
_HERE = Place("DEMO", 70)
_PLAN = Target(71, "page", "/spaces/DEMO/pages/71/Release+plan", "Release plan", "DEMO")
_RUNBOOK = Target(72, "page", "/spaces/ENG/pages/72/Runbook", "Runbook", "ENG")
_NEWS = Target(73, "blogpost", "/spaces/DEMO/blog/2026/03/02/73/News", "News", "DEMO")
_ROUND = Target(74, "page", "/spaces/DEMO/pages/74/Round", "Round", "DEMO")
_DEEP = Target(75, "page", "/spaces/DEMO/pages/75/Deep", "Deep", "DEMO")
_FILE = Target(81, "attachment", "/download/attachments/70/plan%20a%2Bb.png", "plan a+b.png")
_FILE_OF_PLAN = Target(82, "attachment", "/download/attachments/71/plan%20a%2Bb.png", "plan a+b.png")
_TREE = (Branch(_PLAN, (Branch(_DEEP, (Branch(_ROUND),)),)), Branch(_ROUND))
_EXCERPT = (
    '<ac:structured-macro ac:name="excerpt">{}<ac:rich-text-body><p>{}</p></ac:rich-text-body></ac:structured-macro>'
)
_NAME = '<ac:parameter ac:name="name">second</ac:parameter>'
_KNOWN = Known(
    pages={
        PageName("demo", "page", "release plan"): _PLAN,
        PageName("eng", "page", "runbook"): _RUNBOOK,
        PageName("demo", "blogpost", "news"): _NEWS,
        PageName("demo", "page", "round"): _ROUND,
    },
    bodies={
        71: "<h2>Plan</h2>"
        + _EXCERPT.format("", "first")
        + _EXCERPT.format(_NAME, "second")
        # Names are relative to where they are written: this file is the plan's own, and ENG has no such page.
        + '<ac:image><ri:attachment ri:filename="plan a+b.png" /></ac:image>',
        72: '<ac:link><ri:page ri:content-title="Release plan" /></ac:link><script>alert(1)</script>',
        74: '<p>round</p><ac:structured-macro ac:name="include"><ac:parameter ac:name="">'
        '<ac:link><ri:page ri:content-title="Round" /></ac:link></ac:parameter></ac:structured-macro>',
    },
    attachments={(70, "plan a+b.png"): _FILE, (71, "plan a+b.png"): _FILE_OF_PLAN},
    people={
        UserReference(key="key-ada"): NamedPerson("ada", "Ada <L>"),
        UserReference(username="ada"): NamedPerson("ada", "Ada <L>"),
    },
    spaces={"eng": Target(2, "space", "/display/ENG", "Engineering", "ENG")},
    contents={71: _PLAN},
    trees={70: _TREE, 71: (Branch(_DEEP, (Branch(_ROUND),)),)},
    lists={70: [ListedFile(_FILE, 4321, Person("ada", "key-ada", "Ada <L>"), 1_772_442_672_345)]},
)


@pytest.mark.parametrize("form", ["view", "export_view", "page"])
@pytest.mark.parametrize("name", _NAMES)
def test_a_construct_is_rendered_as_before(name: str, form: str) -> None:
    storage = (_FOLDER / f"{name}.storage.xml").read_text().removesuffix("\n")
    rendered = render(storage, form, _KNOWN.at(_HERE), "https://wiki.example/c", _HERE, "/c") + "\n"
    file = _FOLDER / f"{name}.{form}.html"
    if os.environ.get("WATERSMEET_TEST_GOLDEN") == "1":
        file.write_text(rendered)
    assert rendered == file.read_text()
    assert "<script" not in rendered


def test_no_file_is_left_over() -> None:
    assert len(_NAMES) >= 20
    assert {file.name.split(".")[0] for file in _FOLDER.iterdir()} == set(_NAMES)
