"""Converting bodies, and the macros in them."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.http.conftest import Site
from tests.http.content.support import create, path_of
from watersmeet.confluence.storage_format.document import Element
from watersmeet.content import macro
from watersmeet.content.http import sent_body

_CONVERT = "/rest/api/contentbody/convert"


def convert(site: Site, value: str, representation: str, into: str, query: str = "", **more: Any) -> httpx.Response:
    body = {"value": value, "representation": representation}
    return site.post(f"{_CONVERT}/{into}{query}", json=body, scope="READ", **more)


def test_wiki_markup_becomes_storage_format(site: Site) -> None:
    answer = convert(site, "h1. One\n\n*two* [Home]", "wiki", "storage")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "value": '<h1>One</h1><p><strong>two</strong> <ac:link><ri:page ri:content-title="Home" /></ac:link></p>',
            "representation": "storage",
            "_expandable": {"content": "", "webresource": ""},
        },
    )


def test_what_comes_out_of_wiki_markup_can_be_kept_and_shown(site: Site) -> None:
    storage = convert(site, "|| a ||\n| b |\n{code}\n<x>\n{code}", "wiki", "storage").json()["value"]
    made = create(site, storage=storage)
    assert "&lt;x&gt;" in site.get(f"{path_of(made)}?expand=body.view").json()["body"]["view"]["value"]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"wiki": {"value": "h1. One", "representation": "wiki"}}, "<h1>One</h1>"),
        ({"wiki": {"value": "h1. One"}}, "<h1>One</h1>"),
        ({"storage": {"value": "h1. One", "representation": "wiki"}}, "<h1>One</h1>"),
        ({"editor": {"value": "<p>One</p>", "representation": "editor"}}, "<p>One</p>"),
        ({"storage": {"value": "<p>One</p>"}, "wiki": {"value": "two"}}, "<p>One</p>"),
    ],
)
def test_what_is_written_in_another_notation_is_kept_as_storage_format(
    site: Site, body: dict[str, Any], kept: str
) -> None:
    page = {"type": "page", "title": "One", "space": {"key": "DEMO"}, "body": body}
    made = site.post("/rest/api/content", json=page).json()
    assert made["body"]["storage"]["value"] == kept
    other = create(site, "Other", storage="<p>before</p>")
    changed = site.put(path_of(other), json={"version": {"number": 2}, "body": body}).json()
    assert (changed["body"]["storage"]["value"], changed["version"]["number"]) == (kept, 2)
    comment = {"type": "comment", "container": {"id": made["id"], "type": "page"}, "body": body}
    assert site.post("/rest/api/content", json=comment).json()["body"]["storage"]["value"] == kept
    note = {"type": "acme:note", "container": {"id": made["id"]}, "body": body}
    assert site.post("/rest/api/content", json=note).json()["body"]["storage"]["value"] == kept
    copy = {"destination": {"type": "space", "value": "DEMO"}, "pageTitle": "Copied", "body": body}
    assert site.post(f"{path_of(made)}/copy", json=copy).json()["body"]["storage"]["value"] == kept


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"editor": {"value": "<p>a</p>\n<p>b<p>"}}, 400, "[row,col]: [2,"),
        ({"editor": {"value": '<img class="editor-inline-macro" />'}}, 501, "storage"),
        ({"wiki": {"value": "x" * 200_001}}, 413, "at most"),
        ({"wiki": {"value": "a\0b"}}, 400, ""),
        ({"wiki": {"value": "x", "representation": "storage"}}, 400, "body.wiki must have the representation"),
        ({"view": {"value": "<p>x</p>", "representation": "view"}}, 400, "body.wiki"),
    ],
)
def test_what_cannot_be_kept_is_refused(site: Site, body: dict[str, Any], status: int, said: str) -> None:
    page = {"type": "page", "title": "One", "space": {"key": "DEMO"}, "body": body}
    answer = site.post("/rest/api/content", json=page)
    assert answer.status_code == status
    assert said in answer.json()["message"]
    assert site.get("/rest/api/content?spaceKey=DEMO&title=One").json()["results"] == []


def test_what_markup_becomes_is_no_longer_than_what_is_sent_may_be(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"type": "page", "title": "One", "space": {"key": "DEMO"}, "body": {"wiki": {"value": "h1. One"}}}
    monkeypatch.setattr(sent_body, "MAX_BODY", 10)
    assert site.post("/rest/api/content", json=page).status_code == 413
    monkeypatch.setattr(sent_body, "MAX_BODY", len("<h1>One</h1>"))
    assert site.post("/rest/api/content", json=page).status_code == 200


@pytest.mark.parametrize("into", ["view", "export_view", "styled_view", "editor", "anonymous_export_view"])
def test_names_are_looked_up_where_the_body_is_to_stand(site: Site, into: str) -> None:
    target = create(site, "Target")
    holder = create(site, "Holder")
    link = '<ac:link><ri:page ri:content-title="Target" /></ac:link><script>alert(1)</script>'
    sign = f'data-linked-resource-id="{target["id"]}"'
    for query in ("?spaceKeyContext=DEMO", f"?contentIdContext={holder['id']}"):
        shown = convert(site, link, "storage", into, query).json()["value"]
        assert (sign in shown) is (into != "anonymous_export_view")
        assert "script" not in shown
    assert sign not in convert(site, link, "storage", into).json()["value"]  # in no space there is no such page
    assert convert(site, link, "storage", into, "?spaceKeyContext=ENG", user="bob").status_code == 404
    assert convert(site, link, "storage", into, "?contentIdContext=999999").status_code == 404


@pytest.mark.parametrize(
    ("value", "representation", "into", "status"),
    [
        ("<p>x", "storage", "view", 400),
        ("<p>x</p>", "storage", "pdf", 400),
        ("<p>x</p>", "view", "storage", 400),
        ("<p>x</p>", "editor", "storage", 200),
        ('<img class="editor-inline-macro" data-macro-name="toc" />', "editor", "storage", 501),
        ("x" * 200_001, "wiki", "storage", 413),
        ("a\0b", "wiki", "storage", 400),
    ],
)
def test_what_cannot_be_converted_is_said(site: Site, value: str, representation: str, into: str, status: int) -> None:
    answer = convert(site, value, representation, into)
    assert answer.status_code == status
    assert status == 200 or answer.json()["message"]
    assert site.post(f"{_CONVERT}/view", json={"value": "x"}, scope="READ").status_code == 400


def test_a_macro_of_a_version_by_its_id_and_by_its_hash(site: Site) -> None:
    first = (
        '<ac:structured-macro ac:name="info" ac:macro-id="m-1"><ac:parameter ac:name="title">T</ac:parameter>'
        "<ac:rich-text-body><p>one &amp; <b>x</b><br /></p></ac:rich-text-body></ac:structured-macro>"
    )
    made = create(site, storage=first)
    site.put(
        path_of(made),
        json={
            "type": "page", "title": "A page", "version": {"number": 2},
            "body": {"storage": {"value": first.replace("one", "two"), "representation": "storage"}},
        },
    )  # fmt: skip
    for number, word in ((1, "one"), (2, "two")):
        body = f"<p>{word} &amp; <b>x</b><br /></p>"
        found = {"name": "info", "body": body, "parameters": {"title": {"value": "T"}}}
        digest = hashlib.md5(body.encode()).hexdigest()
        for path in ("id/m-1", f"hash/{digest}"):
            assert site.get(f"{path_of(made)}/history/{number}/macro/{path}").json() == found
    for path in ("3/macro/id/m-1", "1/macro/id/m-2", "x/macro/id/m-1", f"1/macro/hash/{'0' * 32}"):
        assert site.get(f"{path_of(made)}/history/{path}").status_code == 404, path


def test_only_the_macro_that_is_meant_is_written_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    around = '<ac:macro ac:name="x" ac:macro-id="{}"><ac:rich-text-body>{}</ac:rich-text-body></ac:macro>'
    storage = "<p>held</p>"
    for number in range(40):
        storage = around.format(f"m-{number}", storage)
    made = create(site, storage=storage)
    written_out: list[Element] = []
    body_of = macro._body_of

    def counted(one: Element) -> str:
        written_out.append(one)
        return body_of(one)

    monkeypatch.setattr(macro, "_body_of", counted)
    found = site.get(f"{path_of(made)}/history/1/macro/id/m-0")
    assert (found.json()["body"], len(written_out)) == ("<p>held</p>", 1)
