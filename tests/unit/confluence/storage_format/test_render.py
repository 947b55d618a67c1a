"""Rendering: the contract that converters rely on (S6.3), and that nothing in a body can run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watersmeet.confluence.content import Person
from watersmeet.confluence.storage_format import render
from watersmeet.confluence.storage_format.budget import MAX_INCLUSIONS
from watersmeet.confluence.storage_format.naming import PageName, Place
from watersmeet.confluence.storage_format.resolver import (
    Branch,
    Known,
    ListedFile,
    NamedPerson,
    NothingKnown,
    Target,
)
from watersmeet.confluence.storage_format.text import AttachmentReference, PageReference, UserReference


@dataclass(frozen=True)
class _Site(NothingKnown):
    def page(self, reference: PageReference) -> Target | None:
        return Target(7, "page", "/spaces/K/pages/7/T") if reference.title == "T" else None

    def attachment(self, reference: AttachmentReference) -> Target | None:
        return Target(8, "attachment", "/download/attachments/7/a.png") if reference.filename == "a.png" else None

    def person(self, reference: UserReference) -> NamedPerson | None:
        return NamedPerson("ada", "Ada <L>") if reference.key == "k1" else None


def _macro(name: str, body: str = "", **parameters: str) -> str:
    given_parameters = "".join(f'<ac:parameter ac:name="{k}">{v}</ac:parameter>' for k, v in parameters.items())
    return f'<ac:structured-macro ac:name="{name}">{given_parameters}{body}</ac:structured-macro>'


def _rich(text: str) -> str:
    return f"<ac:rich-text-body>{text}</ac:rich-text-body>"


@pytest.mark.parametrize(
    ("storage", "held"),
    [
        (_macro("info", _rich("<p>x</p>"), title="T"), ['data-macro-name="info"', "panelHeader", "panelContent"]),
        (
            _macro("expand", _rich("x"), title="More"),
            ["expand-container", '"expand-control-text">More<', "expand-content"],
        ),
        (
            _macro("code", "<ac:plain-text-body><![CDATA[<b>]]></ac:plain-text-body>", language="python"),
            ['data-syntaxhighlighter-params="brush: python;', "&lt;b&gt;"],
        ),
        (_macro("status", title="Done", colour="Green"), ["status-macro aui-lozenge aui-lozenge-success", ">Done<"]),
        (_macro("drawio", _rich("kept")), ['data-macro-name="drawio"', "ap-container", 'data-hasbody="true"', "kept"]),
        (_macro("jira", key="X-1"), ['class="jira-issue-key"', "X-1"]),
        (
            '<ac:layout><ac:layout-section ac:type="two_equal"><ac:layout-cell>x</ac:layout-cell></ac:layout-section>'
            "</ac:layout>",
            ['<div class="columnLayout two_equal" data-layout="two_equal"><div class="cell">'],
        ),
        (
            '<ac:link><ri:page ri:content-title="T"/></ac:link>',
            ['href="/spaces/K/pages/7/T"', 'data-linked-resource-type="page"', 'data-linked-resource-id="7"', ">T<"],
        ),
        ('<ac:link><ri:page ri:content-title="No"/></ac:link>', ["/pages/createpage.action?", 'class="createlink"']),
        ('<ac:link><ri:user ri:userkey="k1"/></ac:link>', ["user-mention", "Ada &lt;L&gt;"]),
        (
            '<ac:image ac:width="50"><ri:attachment ri:filename="a.png"/></ac:image>',
            ['data-linked-resource-id="8"', 'src="/download/attachments/7/a.png"', 'width="50"'],
        ),
        ('<ac:emoticon ac:name="smile"/>', ['data-emoji-id="smile"', 'data-emoji-shortname=":smile:"', "🙂"]),
        (
            "<ac:task-list><ac:task><ac:task-id>3</ac:task-id><ac:task-status>complete</ac:task-status>"
            "<ac:task-body>do</ac:task-body></ac:task></ac:task-list>",
            ['<li data-inline-task-id="3" class="checked">do'],
        ),
        ('<time datetime="2026-03-02"/>', ['<time datetime="2026-03-02">']),
        (
            '<ac:inline-comment-marker ac:ref="u-1">x</ac:inline-comment-marker>',
            ['<span class="inline-comment-marker" data-ref="u-1">x</span>'],
        ),
    ],
)
def test_a_construct_is_shown_as_converters_look_for_it(storage: str, held: list[str]) -> None:
    shown = render(storage, "view", _Site())
    assert [part for part in held if part not in shown] == []


def test_export_has_absolute_addresses_and_a_real_table_of_contents() -> None:
    storage = _macro("toc") + "<h1>One</h1><h2>Two</h2>" + '<ac:link><ri:page ri:content-title="T"/></ac:link>'
    export, view = (render(storage, name, _Site(), "https://wiki.example") for name in ("export_view", "view"))
    assert 'href="https://wiki.example/spaces/K/pages/7/T"' in export
    assert '<a href="#h-2">Two</a>' in export
    assert '<h2 id="h-2">' in export
    assert "https://wiki.example" not in view
    assert "<ul>" not in view


ATTACKS = [
    "<script>alert(1)</script>",
    '<p onclick="alert(1)">x</p>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#10;script:alert(1)">x</a>',
    '<a href="&#1;javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt&colon;alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<a href="vbscript:x">x</a>',
    '<img src="x" onerror="alert(1)"/>',
    '<img src="data:image/svg+xml,x"/>',
    '<svg onload="alert(1)"><script>1</script></svg>',
    "<style>@import 'x'</style>",
    '<p style="background-image: url(javascript:1)">x</p>',
    '<p style="position: fixed; width: expression(1)">x</p>',
    '<iframe src="https://evil.example"/>',
    '<form action="https://evil.example"><input name="p"/></form>',
    '<ac:link><ri:url ri:value="javascript:alert(1)"/></ac:link>',
    '<ac:image><ri:url ri:value="javascript:alert(1)"/></ac:image>',
    _macro('x" onload="alert(1)'.replace('"', "&quot;"), _rich("x")),
    _macro("code", "<ac:plain-text-body><![CDATA[</pre><script>1</script>]]></ac:plain-text-body>", language='"&gt;x'),
    _macro("html", "<ac:plain-text-body><![CDATA[<script>1</script>]]></ac:plain-text-body>"),
    '<ac:emoticon ac:name="&quot; onerror=&quot;x"/>',
    '<meta http-equiv="refresh" content="0;url=javascript:1"/><base href="//evil.example"/>',
]
_FORBIDDEN_ELEMENTS = {"script", "style", "svg", "iframe", "form", "input", "meta", "base", "object", "embed", "link"}


def _assert_harmless(html: str) -> None:
    for element in ET.fromstring(f"<r>{html}</r>").iter():  # well-formed, or this raises
        assert element.tag not in _FORBIDDEN_ELEMENTS
        assert not [name for name in element.attrib if name.startswith("on")]
        for name in ("href", "src"):
            address = re.sub(r"[\x00-\x20]", "", element.get(name, "")).lower()
            assert not address.startswith(("javascript", "data:", "vbscript"))
        assert not re.search(r"url|expression|position|@import", element.get("style", ""))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_survives(attack: str) -> None:
    for representation in ("view", "export_view", "styled_view", "editor", "anonymous_export_view"):
        _assert_harmless(render(attack, representation))


_NAMES = st.sampled_from(
    [
        "p",
        "a",
        "img",
        "b",
        "table",
        "tr",
        "td",
        "script",
        "style",
        "svg",
        "h1",
        "br",
        "ac:link",
        "ac:image",
        "ac:structured-macro",
        "ac:task",
        "ac:parameter",
        "ac:rich-text-body",
        "ac:plain-text-body",
        "ri:page",
        "ri:url",
        "ri:user",
        "ac:layout-section",
        "ac:layout-cell",
        "ac:emoticon",
        "ac:inline-comment-marker",
        "form",
        "unheard-of",
    ]
)
_ATTRIBUTES = st.sampled_from(
    ["href", "src", "style", "onclick", "class", "id", "width", "ac:name", "ri:value", "ri:content-title", "ac:ref"]
)
_TEXTS = st.one_of(
    st.sampled_from(["javascript:x", '"><script>', "color: red; position: fixed", "toc", "code", "info", "data:x"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=12),
)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace(">", "&gt;")


def _element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def build(name: str, attributes: dict[str, str], inside: list[str]) -> str:
        written = "".join(f' {key}="{_quoted(value)}"' for key, value in attributes.items())
        return f"<{name}{written}>{''.join(inside)}</{name}>"

    return st.builds(build, _NAMES, st.dictionaries(_ATTRIBUTES, _TEXTS, max_size=3), st.lists(children, max_size=4))


@settings(max_examples=150, deadline=None)
@given(st.recursive(_TEXTS.map(_quoted), _element, max_leaves=15))
def test_every_valid_body_renders_to_well_formed_harmless_html(storage: str) -> None:
    for representation in ("view", "export_view"):
        _assert_harmless(render(storage, representation, _Site(), "https://wiki.example"))


_HERE = Place("S", 1)
_HOSTILE = 'x"><script>alert(1)</script><img src=x onerror=alert(1)>'
_LISTING = (
    _macro("include", _parameter="T")
    + _macro("excerpt-include", _parameter="T")
    + _macro("children")
    + _macro("attachments")
    + '<ac:link><ri:page ri:content-title="T"/></ac:link><ac:link><ri:user ri:username="u"/></ac:link>'
    '<ac:link><ri:space ri:space-key="S"/></ac:link><ac:link><ri:content-entity ri:content-id="5"/></ac:link>'
    '<ac:image><ri:attachment ri:filename="f"/></ac:image>'
).replace('ac:name="_parameter"', 'ac:name=""')


def _known(body: str) -> Known:
    """A site where everything is called something hostile, and the page T has that body."""
    page = Target(5, "page", f"/spaces/S/pages/5/{quote(_HOSTILE)}", _HOSTILE, "S")
    file = Target(6, "attachment", f"/download/attachments/5/{quote(_HOSTILE)}", _HOSTILE)
    person = NamedPerson(_HOSTILE, _HOSTILE)
    return Known(
        pages={PageName("s", "page", "t"): page},
        bodies={5: body},
        attachments={(1, "f"): file},
        people={UserReference(username="u"): person},
        spaces={"s": page},
        contents={5: page},
        trees={1: [Branch(page, [Branch(page)])]},
        lists={1: [ListedFile(file, None, Person(_HOSTILE, "k", _HOSTILE), 0)]},
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_survives_by_way_of_what_is_named(attack: str) -> None:
    resolver = _known(f"<p>held</p>{attack}{_macro('excerpt', _rich(attack + 'kept'))}").at(_HERE)
    for representation in ("view", "export_view", "page"):
        rendered = render(_LISTING, representation, resolver, "https://wiki.example", _HERE)
        _assert_harmless(rendered)
        # Included as a whole, and as an excerpt; a malformed body is included nowhere.
        assert rendered.count("kept") == (0 if "&#1;" in attack or "&colon;" in attack else 2)


def test_inclusion_is_bounded() -> None:
    """Four contents that each include the next a hundred times would be a hundred million."""
    page = {number: Target(number, "page", f"/{number}", f"T{number}", "S") for number in range(2, 7)}
    body = {number: _macro("include", _p=f"T{number + 1}").replace("_p", "") * 100 for number in page}
    known = Known(pages={PageName("s", "page", f"t{n}"): one for n, one in page.items()}, bodies=body)
    rendered = render(_macro("include", _p="T2").replace("_p", "") * 100, "view", known.at(_HERE), place=_HERE)
    assert rendered.count('class="panelContent"') == MAX_INCLUSIONS
    assert len(rendered) < 2_000_000


def test_levels_of_included_contents_add_up() -> None:
    """Python's stack must do for all of them together: what would be too deep is only linked to."""
    deep = "<div>" * 90 + "{}" + "</div>" * 90
    include = _macro("include", _p="T").replace("_p", "")
    page = Target(2, "page", "/2", "T", "S")
    known = Known(pages={PageName("s", "page", "t"): page}, bodies={2: deep.format("held")})
    assert "held" not in render(deep.format(include), "view", known.at(_HERE), place=_HERE)
    assert "held" in render(include, "view", known.at(_HERE), place=_HERE)
