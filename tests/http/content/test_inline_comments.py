"""Comments on a part of a text: made, listed, answered, resolved, and left dangling when the text changes (S3.8)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, path_of

_RESOLVE = "/rest/inlinecomments/1.0/comments"
_EXPAND = "expand=extensions.inlineProperties,extensions.resolution"


def _properties(selection: str, index: int = 0, count: int = 1) -> dict[str, Any]:
    highlights = '[["Hello","0:0","0:5"]]'
    return {
        "originalSelection": selection,
        "numMatches": count,
        "matchIndex": index,
        "lastFetchTime": "1772442672345",
        "serializedHighlights": highlights,
    }


def _say(site: Site, page: dict[str, Any], extensions: Any, *, user: str = "alice", **more: Any) -> httpx.Response:
    body = {"storage": {"value": "<p>why?</p>", "representation": "storage"}}
    container = {"id": page["id"], "type": "page", "status": "current"}
    sent = {"type": "comment", "container": container, "body": body, "extensions": extensions, **more}
    return site.post(CONTENT, json=sent, user=user)


def _remark(site: Site, page: dict[str, Any], selection: str, index: int = 0, **more: Any) -> dict[str, Any]:
    properties = _properties(selection, index, index + 1)
    made = _say(site, page, {"location": "inline", "inlineProperties": properties}, **more)
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def _extensions(site: Site, comment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = site.get(f"{path_of(comment)}?{_EXPAND}").json()["extensions"]
    return found


def _status(site: Site, comment: dict[str, Any]) -> str:
    return str(_extensions(site, comment)["resolution"]["status"])


def _storage(site: Site, page: dict[str, Any]) -> str:
    return str(site.get(f"{path_of(page)}?expand=body.storage").json()["body"]["storage"]["value"])


def _listed(site: Site, page: dict[str, Any], query: str) -> list[str]:
    return [each["id"] for each in site.get(f"{path_of(page)}/child/comment?{query}").json()["results"]]


def test_the_selection_is_marked_and_the_version_stays(site: Site) -> None:
    page = create(site, "Plan", storage="<p>Hello <b>wor</b>ld, Hello</p>")
    remark = _remark(site, page, "Hello", 1)
    extensions = _extensions(site, remark)
    ref = extensions["inlineProperties"]["markerRef"]
    assert extensions == {
        "location": "inline",
        "inlineProperties": {"originalSelection": "Hello", "markerRef": ref},
        "resolution": {
            "status": "open",
            "lastModifier": remark["history"]["createdBy"],
            "lastModifiedDate": remark["history"]["createdDate"],
        },
        "_expandable": {},
    }
    marker = f'<ac:inline-comment-marker ac:ref="{ref}">Hello</ac:inline-comment-marker>'
    assert _storage(site, page) == f"<p>Hello <b>wor</b>ld, {marker}</p>"
    shown = site.get(f"{path_of(page)}?expand=body.view,version").json()
    assert shown["version"]["number"] == 1
    assert f'<span class="inline-comment-marker" data-ref="{ref}">Hello</span>' in shown["body"]["view"]["value"]


def test_whoever_may_comment_may_mark_what_they_may_not_edit(site: Site) -> None:
    page = create(site, "Plan")
    only = [{"operation": "update", "restrictions": {"user": [{"username": "admin"}], "group": []}}]
    assert site.put(path_of(page) + "/restriction", json=only, user="admin").status_code == 200
    _remark(site, page, "Hello")
    refused = _say(site, page, {"location": "inline", "inlineProperties": _properties("Hello")}, user="bob")
    assert refused.status_code == 403


@pytest.mark.parametrize("missing", list(_properties("Hello")))
def test_an_inline_comment_needs_all_its_properties(site: Site, missing: str) -> None:
    page = create(site, "Plan")
    properties = {name: value for name, value in _properties("Hello").items() if name != missing}
    refused = _say(site, page, {"location": "inline", "inlineProperties": properties})
    assert (refused.status_code, missing in refused.json()["message"]) == (400, True)
    assert _listed(site, page, "") == []


@pytest.mark.parametrize(
    "extensions",
    [
        {"location": "inline"},
        {"location": "margin"},
        {"location": "inline", "inlineProperties": _properties("Goodbye")},
        {"location": "inline", "inlineProperties": _properties("Hello", 1, 2)},
        {"location": "inline", "inlineProperties": _properties("Hello", 1, 1)},
        {"location": "inline", "inlineProperties": _properties("x" * 10_001)},
    ],
)
def test_what_cannot_be_marked_is_refused_and_the_page_stays(site: Site, extensions: Any) -> None:
    page = create(site, "Plan")
    assert _say(site, page, extensions).status_code == 400
    assert _storage(site, page) == "<p>Hello</p>"


def test_lists_by_location(site: Site) -> None:
    page = create(site, "Plan", storage="<p>one two</p>")
    inline, resolved = _remark(site, page, "one"), _remark(site, page, "two")
    footer = _say(site, page, {"location": "footer"}).json()
    site.post(f"{_RESOLVE}/{resolved['id']}/resolve/true/dangling/false")
    assert _listed(site, page, "location=inline") == [inline["id"]]
    assert _listed(site, page, "location=resolved") == [resolved["id"]]
    assert _listed(site, page, "location=footer") == [footer["id"]]
    assert _listed(site, page, "location=inline&location=footer") == [inline["id"], footer["id"]]
    assert _listed(site, page, "") == [inline["id"], resolved["id"], footer["id"]]
    refused = site.get(f"{path_of(page)}/child/comment?location=nonsense")
    assert (refused.status_code, "footer, inline, resolved" in refused.json()["message"]) == (400, True)


def test_replies_are_where_their_comment_is(site: Site) -> None:
    page = create(site, "Plan")
    remark = _remark(site, page, "Hello")
    reply = _say(site, page, {"location": "inline"}, ancestors=[{"id": remark["id"]}]).json()
    assert _extensions(site, reply)["location"] == "inline"
    assert _extensions(site, reply)["inlineProperties"] == {"originalSelection": "Hello", "markerRef": None}
    assert _listed(site, page, "location=inline") == [remark["id"]]
    assert _listed(site, page, "location=inline&depth=all") == [remark["id"], reply["id"]]
    assert site.post(f"{_RESOLVE}/{reply['id']}/resolve/true/dangling/false").status_code == 200
    assert (_status(site, remark), _status(site, reply)) == ("resolved", "resolved")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_comment_is_resolved_and_reopened(site: Site, method: str) -> None:
    page = create(site, "Plan")
    path = f"{_RESOLVE}/{_remark(site, page, 'Hello')['id']}"
    done = site.request(method, f"{path}/resolve/true/dangling/false", scope="WRITE", user="admin")
    assert (done.status_code, done.json()["resolveProperties"]["resolved"]) == (200, True)
    assert done.json()["resolveProperties"]["resolvedUser"] == "admin"
    again = site.request(method, f"{path}/resolve/false/dangling/false", scope="WRITE")
    assert again.json()["resolveProperties"] == {
        "resolved": False,
        "resolvedByDangling": False,
        "resolvedTime": 0,
        "resolvedFriendlyDate": "",
        "resolvedUser": None,
    }
    shown = site.get(f"{_RESOLVE}?containerId={page['id']}").json()
    assert [(each["originalSelection"], each["body"]) for each in shown] == [("Hello", "<p>why?</p>")]


def test_a_comment_is_made_at_the_older_address(site: Site) -> None:
    page = create(site, "Plan")
    sent = {"containerId": page["id"], "body": "<p>why?</p>", **_properties("Hello"), "serializedHighlights": ""}
    made = site.post(_RESOLVE, json=sent)
    assert (made.status_code, made.json()["originalSelection"]) == (200, "Hello")
    assert made.json()["markerRef"] in _storage(site, page)
    assert _listed(site, page, "location=inline") == [str(made.json()["id"])]
    assert site.post(_RESOLVE, json=sent | {"body": ""}).status_code == 400
    assert site.post(_RESOLVE, json=sent | {"containerId": "x"}).status_code == 400
    assert site.post(_RESOLVE, json=sent, user="bob").status_code == 403


def test_an_update_can_resolve_too_and_sends_back_what_it_read(site: Site) -> None:
    remark = _remark(site, create(site, "Plan"), "Hello")
    change = {"version": {"number": 2}, "extensions": {"resolution": {"status": "resolved"}}}
    assert site.put(path_of(remark), json=change).status_code == 200
    first = _extensions(site, remark)["resolution"]
    assert (first["status"], first["lastModifier"]["username"]) == ("resolved", "alice")
    site.clock.advance(60)
    same = {"version": {"number": 3}, "extensions": _extensions(site, remark)}
    assert site.put(path_of(remark), json=same).status_code == 200
    assert _extensions(site, remark)["resolution"] == first
    wrong = {"version": {"number": 4}, "extensions": {"resolution": {"status": "gone"}}}
    assert site.put(path_of(remark), json=wrong).status_code == 400


def test_who_may_not_comment_may_not_resolve(site: Site) -> None:
    page = create(site, "Plan")
    remark, footer = _remark(site, page, "Hello"), _say(site, page, {"location": "footer"}).json()
    resolve = "resolve/true/dangling/false"
    assert site.post(f"{_RESOLVE}/{remark['id']}/{resolve}", user="bob").status_code == 403
    assert site.post(f"{_RESOLVE}/{remark['id']}/{resolve}", scope="READ").status_code == 403
    assert site.post(f"{_RESOLVE}/{footer['id']}/{resolve}").status_code == 400
    assert site.post(f"{_RESOLVE}/{page['id']}/{resolve}").status_code == 404
    assert site.post(f"{_RESOLVE}/{remark['id']}/resolve/yes/dangling/false").status_code == 400
    assert site.get(_RESOLVE).status_code == 400
    secret = create(site, "Secret", key="ENG")
    hidden = _remark(site, secret, "Hello")
    assert site.post(f"{_RESOLVE}/{hidden['id']}/{resolve}", user="bob").status_code == 404
    assert site.get(f"{_RESOLVE}?containerId={secret['id']}", user="bob").status_code == 404


def test_a_comment_dangles_while_its_text_is_gone(site: Site) -> None:
    page = create(site, "Plan")
    remark = _remark(site, page, "Hello")
    marked = _storage(site, page)
    change = {"version": {"number": 2}, "title": "Renamed"}
    assert site.put(path_of(page), json=change).status_code == 200
    assert _status(site, remark) == "open"
    for number, storage, status in ((3, "<p>Hello</p>", "dangling"), (4, marked, "reopened")):
        body = {"storage": {"value": storage, "representation": "storage"}}
        assert site.put(path_of(page), json={"version": {"number": number}, "body": body}).status_code == 200
        assert _status(site, remark) == status
    assert _listed(site, page, "location=inline") == [remark["id"]]


def test_a_comment_that_comes_back_from_the_trash_may_have_lost_its_text(site: Site) -> None:
    page = create(site, "Plan")
    remark = _remark(site, page, "Hello")
    site.delete(path_of(remark))
    body = {"storage": {"value": "<p>new</p>", "representation": "storage"}}
    site.put(path_of(page), json={"version": {"number": 2}, "body": body})
    assert site.put(path_of(remark), json={"status": "current", "version": {"number": 2}}).status_code == 200
    assert _status(site, remark) == "dangling"


def test_the_marker_is_part_of_the_version_it_was_put_into(site: Site) -> None:
    page = create(site, "Plan")
    _remark(site, page, "Hello")
    body = {"storage": {"value": "<p>new</p>", "representation": "storage"}}
    site.put(path_of(page), json={"version": {"number": 2}, "body": body})
    old = site.get(f"{path_of(page)}?status=historical&version=1&expand=body.storage").json()
    assert "ac:inline-comment-marker" in old["body"]["storage"]["value"]
    assert site.get(f"{CONTENT}/search?cql=text~Hello and id={page['id']}").json()["totalSize"] == 0
