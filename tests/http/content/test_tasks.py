"""Ticking a task in a page, as clients do it."""

from __future__ import annotations

import httpx
import pytest

from tests.http.conftest import Site

from .support import create, path_of

STORAGE = (
    "<p>a&nbsp;b</p><ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>incomplete</ac:task-status>"
    "<ac:task-body>do</ac:task-body></ac:task></ac:task-list>"
)


def tick(site: Site, number: str, status: str = "CHECKED", task: str = "7", **more: str) -> httpx.Response:
    sent = {"status": status, "trigger": "VIEW_PAGE"}
    return site.post(f"/rest/inlinetasks/1/task/{number}/{task}/", json=sent, **more)


def test_ticking_is_a_version_that_differs_in_nothing_else(site: Site) -> None:
    made = create(site, storage=STORAGE)
    answer = tick(site, made["id"])
    assert answer.json() == {"contentId": made["id"], "taskId": "7", "status": "CHECKED", "version": 2}
    page = site.get(f"{path_of(made)}?expand=body.storage,body.view,version").json()
    assert page["body"]["storage"]["value"] == STORAGE.replace("incomplete", "complete")
    assert 'class="checked"' in page["body"]["view"]["value"]
    assert (page["version"]["number"], page["version"]["minorEdit"], page["title"]) == (2, True, made["title"])
    assert tick(site, made["id"]).json()["version"] == 2
    assert tick(site, made["id"], "UNCHECKED").json()["version"] == 3
    page = site.get(f"{path_of(made)}?expand=body.storage").json()
    assert page["body"]["storage"]["value"] == STORAGE


@pytest.mark.parametrize(
    ("task", "status", "user", "expected"),
    [
        ("8", "CHECKED", "alice", 404),
        ("7", "DONE", "alice", 400),
        ("7", "", "alice", 400),
        ("7", "CHECKED", "viewer", 403),
    ],
)
def test_what_cannot_be_ticked(site: Site, task: str, status: str, user: str, expected: int) -> None:
    made = create(site, storage=STORAGE)
    assert tick(site, made["id"], status, task, user=user).status_code == expected
    assert site.get(f"{path_of(made)}?expand=version").json()["version"]["number"] == 1


def test_what_one_does_not_see_is_not_there(site: Site) -> None:
    hidden = create(site, key="ENG", storage=STORAGE)
    assert tick(site, hidden["id"], user="bob").status_code == 404
    assert tick(site, "99999999").status_code == 404
