"""Deleting a space, its trash, its categories, and the labels in use."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import httpx

from tests.http.conftest import Site
from tests.support.client import token_of
from tests.support.server import RunningServer
from watersmeet.app import long_works
from watersmeet.content import long_task
from watersmeet.database.audit import Query, search

from .support import CONTENT, SPACE, create, path_of


def _work(site: Site) -> None:
    asyncio.run(long_task.work_off(long_works(), site.environment.database, site.clock, Counter()))


def test_deleting_a_space_is_a_long_task(site: Site) -> None:
    page = create(site, key="ENG")
    assert [site.delete(f"{SPACE}/ENG", user=user).status_code for user in ("alice", "bob")] == [403, 404]
    begun = site.delete(f"{SPACE}/ENG", user="admin")
    assert begun.status_code == 202
    status = begun.json()["links"]["status"]
    assert status == f"/rest/api/longtask/{begun.json()['id']}"
    for gone in (f"{SPACE}/ENG", path_of(page), f"{CONTENT}?spaceKey=ENG"):
        assert [site.get(gone, user=user).status_code for user in ("admin", "alice")] == [404, 404]
    found = site.get(f'{CONTENT}/search?cql=space="ENG"', user="admin").json()
    assert (found["results"], found["totalSize"]) == ([], 0)
    taken = site.post(SPACE, json={"key": "ENG", "name": "Again"}, user="admin")
    assert taken.status_code == 400
    site.clock.advance(2)
    task = site.get(status, user="admin").json()
    assert (task["percentageComplete"], task["successful"], task["elapsedTime"]) == (0, False, 2000)
    _work(site)
    task = site.get(status, user="admin").json()
    assert (task["percentageComplete"], task["successful"], task["messages"][0]["args"]) == (100, True, [])
    assert task["name"] == {"key": "watersmeet.deleting.a.space", "args": [], "translation": "Deleting a space"}
    assert [each["id"] for each in site.get("/rest/api/longtask", user="admin").json()["results"]] == [task["id"]]
    assert site.get("/rest/api/longtask").json()["results"] == []
    assert site.get(status).status_code == site.get("/rest/api/longtask/none").status_code == 404
    assert site.post(SPACE, json={"key": "ENG", "name": "Again"}, user="admin").status_code == 200
    [event] = site.environment.database.read_now(lambda tx: search(tx, Query(event="space.deleted")))
    assert (event.actor, event.detail) == ("admin", {"space": "ENG"})


def test_the_trash_is_shown_and_emptied(site: Site) -> None:
    thrown = [create(site, f"Thrown {number}") for number in range(3)]
    kept = create(site, "Kept")
    for page in thrown:
        assert site.delete(path_of(page)).status_code == 204
    trash = f"{SPACE}/DEMO/trash"
    assert [site.get(trash, user=user).status_code for user in ("alice", "bob")] == [403, 403]
    first = site.get(f"{trash}?limit=2&expand=version", user="admin").json()
    assert [item["title"] for item in first["results"]] == ["Thrown 0", "Thrown 1"]
    assert (first["results"][0]["status"], first["nextCursor"]) == ("trashed", thrown[1]["id"])
    second = site.get(first["_links"]["next"], user="admin").json()
    assert ([item["title"] for item in second["results"]], "next" in second["_links"]) == (["Thrown 2"], False)
    assert site.get(f"{trash}?cursor=x", user="admin").status_code == 400
    assert site.delete(trash).status_code == 403
    assert site.delete(trash, user="admin").status_code == 204
    assert site.get(trash, user="admin").json()["results"] == []
    assert site.get(f"{path_of(thrown[0])}?status=trashed", user="admin").status_code == 404
    assert site.get(path_of(kept)).status_code == 200
    assert site.get(f"{SPACE}/DEMO/content/trash", user="admin").status_code == 404  # no type of content


def test_spaces_are_found_by_their_categories(site: Site) -> None:
    path = f"{SPACE}/ENG/category/Internal"
    assert site.post(path).status_code == 403
    assert [site.post(path, user="admin").status_code for _ in range(2)] == [204, 204]

    def keys(query: str) -> list[str]:
        return [item["key"] for item in site.get(f"{SPACE}?{query}").json()["results"]]

    assert (keys("label=internal"), keys("label=other"), keys("label=Internal&label=other")) == (["ENG"], [], ["ENG"])
    found = site.get("/rest/api/search?cql=type=space and space.category=internal").json()
    assert [item["space"]["key"] for item in found["results"]] == ["ENG"]
    assert site.get("/rest/api/search?cql=type=space and space.category=internal", user="bob").json()["results"] == []
    shown = site.get(f"{SPACE}/ENG?expand=metadata.labels").json()["metadata"]["labels"]
    assert ([(each["prefix"], each["name"]) for each in shown["results"]], shown["size"]) == ([("team", "internal")], 1)
    assert site.get(f"{SPACE}/ENG").json()["_expandable"]["metadata"] == ""
    assert [site.delete(path, user="admin").status_code for _ in range(2)] == [204, 204]
    assert keys("label=internal") == []
    assert site.get(f"{SPACE}?expand=metadata.labels").json()["results"][1]["metadata"]["labels"]["results"] == []
    page = create(site, "Labelled", key="ENG")
    site.post(f"{path_of(page)}/label", json=[{"name": "red"}])
    assert (keys("contentLabel=red"), keys("contentLabel=blue")) == (["ENG"], [])
    kept = [{"operation": "read", "restrictions": {"user": [{"username": "admin"}]}}]
    site.put(f"{path_of(page)}/restriction", json=kept, user="admin")
    assert keys("contentLabel=red") == []
    assert site.post(f"{SPACE}/ENG/category/two words", user="admin").status_code == 400
    numbers = [item["id"] for item in site.get(SPACE).json()["results"]]
    assert (keys(f"spaceIds={numbers[1]}"), keys("spaceIds=x")) == (["ENG"], [])
    assert (keys("favourite=true"), keys("favourite=false")) == ([], ["DEMO", "ENG"])


def _label(site: Site, page: dict[str, Any], *names: str, user: str = "alice") -> None:
    sent = [{"prefix": "my" if name.startswith("own") else "global", "name": name} for name in names]
    assert site.post(f"{path_of(page)}/label", json=sent, user=user).status_code == 200
    site.clock.advance(1)


def test_labels_in_use_are_those_of_what_one_sees(site: Site) -> None:
    seen, hidden, thrown = create(site, "Seen"), create(site, "Hidden", key="ENG"), create(site, "Thrown")
    _label(site, seen, "red", "green", "own")
    _label(site, hidden, "red", "secret")
    _label(site, thrown, "gone")
    site.delete(path_of(thrown))

    def names(path: str, user: str = "alice") -> list[str]:
        answer = site.get(path, user=user)
        assert answer.status_code == 200, answer.text
        return [label["name"] for label in answer.json()["results"]]

    label = "/rest/api/label"
    assert names(f"{label}/labels") == ["green", "own", "red", "secret"]
    assert names(f"{label}/labels", "bob") == ["green", "red"]
    assert (names(f"{label}/popular")[0], names(f"{label}/recent", "bob")) == ("red", ["green", "red"])
    assert names(f"{label}/recent")[:2] == ["red", "secret"]
    assert (names(f"{label}/red/related"), names(f"{label}/red/related", "bob")) == (
        ["green", "own", "secret"],
        ["green"],
    )
    assert names(f"{label}/labels?labelName=RED") == ["red"]
    assert names(f"{label}/labels?namespace=my") == ["own"]
    assert names(f"{label}/labels?spaceKey=ENG") == names(f"{SPACE}/ENG/labels") == ["red", "secret"]
    assert names(f"{SPACE}/DEMO/labels/popular", "bob") == names(f"{SPACE}/DEMO/labels/recent", "bob")
    assert names(f"{SPACE}/ENG/labels/secret/related") == ["red"]
    assert site.get(f"{SPACE}/ENG/labels", user="bob").status_code == 404
    assert site.get(f"{label}/labels?namespace=x").status_code == 400
    page = site.get(f"{SPACE}/DEMO/labels?limit=1").json()
    assert page["_links"]["next"] == f"{SPACE}/DEMO/labels?limit=1&start=1"


def test_a_running_server_works_on_long_tasks_by_itself(dev_server: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {token_of(dev_server, user='admin')}"}
    with httpx.Client(base_url=dev_server.base_url, headers=headers) as client:
        assert client.post(SPACE, json={"key": "DELETED", "name": "Deleted"}).status_code == 200
        status = client.delete(f"{SPACE}/DELETED").json()["links"]["status"]
        deadline = time.monotonic() + 60
        while not (task := client.get(status).json())["successful"] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (task["percentageComplete"], task["successful"]) == (100, True)
