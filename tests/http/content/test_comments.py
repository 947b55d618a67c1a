"""Comments over HTTP: on a page, in answer to one another, and gone with their page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, path_of


def _say(
    site: Site, page: dict[str, Any], text: str, *, user: str = "alice", to: dict[str, Any] | None = None, **more: Any
) -> httpx.Response:
    body = {"storage": {"value": f"<p>{text}</p>", "representation": "storage"}}
    ancestors = [{"id": to["id"]}] if to else []
    container = {"id": page["id"], "type": "page", "status": "current"}
    sent = {"type": "comment", "container": container, "ancestors": ancestors, "body": body, **more}
    return site.post(CONTENT, json=sent, user=user)


def _said(site: Site, path: str, user: str = "alice") -> list[str]:
    answer = site.get(path + ("&" if "?" in path else "?") + "expand=body.storage", user=user)
    assert answer.status_code == 200, answer.text
    return [item["body"]["storage"]["value"] for item in answer.json()["results"]]


def test_a_comment_and_a_reply(site: Site) -> None:
    page = create(site, "Plan")
    first = _say(site, page, "one").json()
    reply = _say(site, page, "two", to=first).json()
    assert (first["type"], first["title"], first["extensions"]["location"]) == ("comment", "Re: Plan", "footer")
    assert (first["container"]["id"], first["container"]["title"]) == (page["id"], "Plan")
    assert first["extensions"]["_expandable"] == {"inlineProperties": "", "resolution": ""}
    assert first["_links"]["webui"].endswith(f"focusedCommentId={first['id']}#comment-{first['id']}")
    assert [each["id"] for each in reply["ancestors"]] == [first["id"]]
    comments = path_of(page) + "/child/comment"
    assert _said(site, comments) == ["<p>one</p>"]
    assert _said(site, comments + "?depth=all") == ["<p>one</p>", "<p>two</p>"]
    assert _said(site, path_of(first) + "/child/comment") == ["<p>two</p>"]
    assert _said(site, comments + "?location=footer&location=inline") == ["<p>one</p>"]
    assert _said(site, comments + "?location=inline") == []
    assert _said(site, path_of(page) + "/descendant/comment") == ["<p>one</p>", "<p>two</p>"]


def test_comments_are_changed_by_their_authors_and_whoever_administers_the_space(site: Site) -> None:
    page = create(site, "Plan")
    mine = _say(site, page, "one", user="admin").json()
    body = {"storage": {"value": "<p>changed</p>", "representation": "storage"}}
    change = {"type": "comment", "version": {"number": 2}, "body": body}
    assert site.put(path_of(mine), json=change).status_code == 403  # alice may write pages, and comments of her own
    assert site.put(path_of(mine), json=change, user="admin").json()["version"]["number"] == 2
    assert _say(site, page, "no", user="viewer").status_code == 403


def test_comments_go_and_come_back_with_their_page(site: Site) -> None:
    page = create(site, "Plan")
    said, gone = _say(site, page, "one").json(), _say(site, page, "two").json()
    assert site.delete(path_of(gone)).status_code == 204
    assert site.delete(path_of(page)).status_code == 204
    for status in ("current", "trashed", "any"):
        assert site.get(f"{path_of(said)}?status={status}").status_code == 404
    restored = {"type": "page", "title": "Plan", "status": "current", "version": {"number": 2}}
    assert site.put(path_of(page), json=restored).status_code == 200
    assert _said(site, path_of(page) + "/child/comment") == ["<p>one</p>"]
    site.delete(path_of(page))
    assert site.delete(path_of(page) + "?status=trashed").status_code == 204
    assert site.get(f"{path_of(said)}?status=any").status_code == 404


def test_several_comments_may_have_one_title(site: Site) -> None:
    page = create(site, "Plan")
    assert [_say(site, page, text).status_code for text in ("one", "two")] == [200, 200]


def test_what_cannot_be_a_comment_is_refused(site: Site) -> None:
    page, other = create(site, "Plan"), create(site, "Other")
    first = _say(site, page, "one").json()
    assert _say(site, other, "reply", to=first).status_code == 400
    assert _say(site, page, "reply", to=page).status_code == 404
    assert _say(site, first, "on a comment").status_code == 400
    assert _say(site, page, "<b>malformed").status_code == 400
    assert _say(site, page, "inline", extensions={"location": "inline"}).status_code == 400
    assert site.post(CONTENT, json={"type": "comment"}).status_code == 400
    secret = create(site, "Secret", key="ENG")
    assert _say(site, secret, "psst", user="bob").status_code == 404


@pytest.mark.parametrize("content_type", ["attachment", "space", "whiteboard"])
def test_other_types_are_refused_in_words(site: Site, content_type: str) -> None:
    refused = site.post(CONTENT, json={"type": content_type, "title": "x", "space": {"key": "DEMO"}})
    assert (refused.status_code, content_type in refused.json()["message"]) == (400, True)
