"""The JSON of spaces, contents and people (S3.2, 3.5, 3.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.content import Content, ContentVersion, Person, Space
from watersmeet.confluence.expansion import NOTHING, ONE_CONTENT, Expansion
from watersmeet.confluence.representation import content_json, instant_text, person_json, space_json
from watersmeet.confluence.site import Site, tiny_link
from watersmeet.confluence.storage_format import render

SITE = Site("http://h/confluence", "/confluence")
ADA = Person("ada", "4028818b8a1f0001018a1f0b00010000", "Ada L")
DEMO = Space(32769, "DEMO", "Demo", "global", "current", "Try <it>", 98310)
PLAN = Content(
    id=98312,
    type="page",
    status="current",
    title="Release plan: 50% & more",
    space=DEMO,
    parent_id=98310,
    position=None,
    version=ContentVersion(3, "typo", True, ADA, 1_772_446_272_345),
    created_by=ADA,
    created_at=1_772_446_272_345,
    storage="<p>Hello</p>",
    ancestors=(),
)


def _shown(expand: str = "", content: Content = PLAN, *, outermost: bool = True) -> dict[str, Any]:
    return content_json(content, Expansion.parse([expand]), SITE, outermost=outermost)


def test_dates_have_milliseconds_and_an_offset() -> None:
    assert instant_text(1_772_446_272_345) == "2026-03-02T10:11:12.345+00:00"
    assert instant_text(0) == "1970-01-01T00:00:00.000+00:00"


def test_what_is_not_expanded_is_expandable() -> None:
    shown = _shown()
    assert shown["_expandable"] == {
        "space": "/rest/api/space/DEMO",
        "history": "/rest/api/content/98312/history",
        "version": "",
        "ancestors": "",
        "container": "/rest/api/space/DEMO",
        "body": "",
        "metadata": "",
        "operations": "",
        "children": "/rest/api/content/98312/child",
        "restrictions": "/rest/api/content/98312/restriction/byOperation",
        "descendants": "/rest/api/content/98312/descendant",
    }
    assert not shown["_expandable"].keys() & shown.keys()
    assert (shown["id"], shown["position"], shown["extensions"]) == ("98312", -1, {"position": "none"})


def test_links_are_relative_without_the_context_but_for_self() -> None:
    assert _shown()["_links"] == {
        "webui": "/spaces/DEMO/pages/98312/Release+plan%3A+50%25+%26+more",
        "edit": "/pages/resumedraft.action?draftId=98312",
        "tinyui": "/x/CIAB",
        "self": "http://h/confluence/rest/api/content/98312",
        "collection": "/rest/api/content",
        "base": "http://h/confluence",
        "context": "/confluence",
    }


def test_only_the_outermost_object_says_where_it_is_from() -> None:
    shown = _shown("space,container,ancestors,version", replace(PLAN, ancestors=(PLAN,)))
    for nested in (shown["space"], shown["container"], *shown["ancestors"], shown["version"]["by"]):
        assert not {"base", "context", "collection"} & nested["_links"].keys()


def test_the_default_expansion_of_one_content() -> None:
    shown = content_json(PLAN, ONE_CONTENT, SITE)
    assert shown["history"]["_expandable"].keys() == {
        "lastUpdated", "previousVersion", "contributors", "nextVersion"
    }  # fmt: skip
    assert shown["history"]["createdDate"] == "2026-03-02T10:11:12.345+00:00"
    version = shown["version"]
    assert (version["number"], version["message"], version["minorEdit"]) == (3, "typo", True)
    assert version["friendlyWhen"] == "Mar 02, 2026"
    assert version["_links"]["self"] == "http://h/confluence/rest/experimental/content/98312/version/3"


@pytest.mark.parametrize("name", ["storage", "view", "export_view", "styled_view", "anonymous_export_view", "editor"])
def test_each_form_of_the_body(name: str) -> None:
    body = _shown(f"body.{name}")["body"]
    assert (body[name]["value"], body[name]["representation"]) == ("<p>Hello</p>", name)
    assert len(body["_expandable"]) == 5
    assert name not in body["_expandable"]


def test_a_body_that_was_not_loaded_stays_expandable() -> None:
    assert _shown("body.storage", replace(PLAN, storage=None))["_expandable"]["body"] == ""


def test_an_old_version_does_not_pass_for_the_content_itself() -> None:
    shown = _shown("history.lastUpdated", replace(PLAN, status="historical"))
    assert shown["history"]["latest"] is False
    assert "lastUpdated" in shown["history"]["_expandable"]
    assert shown["_links"]["self"].endswith("/98312?status=historical&version=3")


def test_a_blog_post_is_found_by_its_day() -> None:
    shown = _shown(content=replace(PLAN, type="blogpost", title="News"))
    assert shown["_links"]["webui"] == "/spaces/DEMO/blog/2026/03/02/98312/News"


def test_a_space() -> None:
    shown = space_json(DEMO, Expansion.parse(["description.view"]), SITE, outermost=True)
    assert shown["id"] == 32769
    assert shown["description"]["view"]["value"] == "Try &lt;it&gt;"
    assert shown["description"]["_expandable"] == {"plain": ""}
    assert shown["_expandable"]["homepage"] == "/rest/api/content/98310"
    assert shown["_links"]["webui"] == "/display/DEMO"


def test_a_homepage_at_hand_is_shown() -> None:
    shown = space_json(replace(DEMO, homepage=PLAN), Expansion.parse(["homepage"]), SITE)
    assert shown["homepage"]["title"] == PLAN.title
    assert "homepage" not in shown["_expandable"]


def test_a_person_has_no_e_mail() -> None:
    shown = person_json(ADA, SITE)
    assert shown["_links"] == {"self": f"http://h/confluence/rest/api/user?key={ADA.user_key}"}
    assert (shown["type"], shown["username"], shown["displayName"]) == ("known", "ada", "Ada L")
    assert "email" not in shown


@given(st.text())
def test_no_title_breaks_a_link(title: str) -> None:
    link = content_json(replace(PLAN, title=title), NOTHING, SITE)["_links"]["webui"]
    prefix = "/spaces/DEMO/pages/98312/"
    assert link.startswith(prefix)
    assert not set(link[len(prefix) :]) & set('/?#&<>" ')


@given(st.integers(1, 2**62))
def test_tiny_links_are_those_that_clients_decode(number: int) -> None:
    from base64 import b64decode

    tiny = tiny_link(number).removeprefix("/x/").replace("_", "+").replace("-", "/")
    padded = tiny + "A" * (12 - len(tiny))
    assert int.from_bytes(b64decode(padded)[:8], "little") == number


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        '<a href="javascript:alert(1)">x</a>',
        "<svg><script>alert(1)</script></svg>",
        "<iframe src='//evil'></iframe>",
    ],
)
def test_nothing_in_a_view_can_run(hostile: str) -> None:
    view = render(f"<p>before</p>{hostile}<p>after</p>")
    assert not any(sign in view for sign in ("script", "onerror", "iframe"))
    assert "before" in view
    assert "after" in view
