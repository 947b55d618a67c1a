"""Likes over HTTP."""

from __future__ import annotations

from typing import Any

from tests.http.conftest import Site

from .support import create


def _path(content: dict[str, Any]) -> str:
    return f"/rest/likes/1.0/content/{content['id']}/likes"


def _names(site: Site, content: dict[str, Any]) -> list[str]:
    shown = site.get(_path(content)).json()
    assert (shown["content_type"], shown["content_id"]) == ("page", content["id"])
    return [each["user"]["name"] for each in shown["likes"]]


def test_whoever_sees_a_page_may_like_it_once(site: Site) -> None:
    page = create(site)
    assert _names(site, page) == []
    for user in ("alice", "bob"):
        assert site.post(_path(page), json={"username": user}, user=user).status_code == 200
        site.clock.advance(1)
    again = site.post(_path(page), json={})
    assert (again.status_code, "cannot be liked" in again.json()["message"]) == (400, True)
    assert _names(site, page) == ["alice", "bob"]
    assert site.delete(_path(page)).status_code == 204
    assert site.delete(_path(page)).status_code == 204
    assert _names(site, page) == ["bob"]


def test_nobody_likes_for_somebody_else_or_what_they_do_not_see(site: Site) -> None:
    page = create(site)
    assert site.post(_path(page), json={"username": "bob"}).status_code == 200
    assert _names(site, page) == ["alice"]
    secret = create(site, "Secret", key="ENG")
    assert site.get(_path(secret), user="bob").status_code == 404
    assert site.post(_path(secret), user="bob").status_code == 404
    assert site.delete(_path(secret), user="bob").status_code == 404
    assert site.post(_path(page), scope="READ").status_code == 403
