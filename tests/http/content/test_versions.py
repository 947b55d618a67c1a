"""Versions over HTTP: the history of a content, the list of its versions, and forgetting an old one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site

from .support import create, draft, path_of


@pytest.fixture
def page(site: Site) -> dict[str, Any]:
    """A page of three versions: two of alice's and then one of admin's."""
    made = create(site, "Plan", storage="<p>1</p>")
    for number, user in ((2, "alice"), (3, "admin")):
        body = draft("Plan", storage=f"<p>{number}</p>", version={"number": number, "message": f"change {number}"})
        assert site.put(path_of(made), json=body, user=user).status_code == 200
    return made


def _versions(page: dict[str, Any]) -> str:
    return f"/rest/experimental/content/{page['id']}/version"


def test_every_version_is_listed_newest_first(site: Site, page: dict[str, Any]) -> None:
    listed = site.get(_versions(page)).json()
    assert [(each["number"], each["message"], each["by"]["username"]) for each in listed["results"]] == [
        (3, "change 3", "admin"),
        (2, "change 2", "alice"),
        (1, "", "alice"),
    ]
    numbers, path = [], _versions(page) + "?limit=1"
    while path:
        part = site.get(path).json()
        numbers += [each["number"] for each in part["results"]]
        path = part["_links"].get("next", "")
    assert numbers == [3, 2, 1]


def test_one_version_is_shown(site: Site, page: dict[str, Any]) -> None:
    shown = site.get(f"{_versions(page)}/2").json()
    assert (shown["number"], shown["message"]) == (2, "change 2")
    assert shown["_links"]["self"] == f"{site.base_url}{_versions(page)}/2"
    assert site.get(f"{_versions(page)}/3").json()["number"] == 3
    for missing in ("4", "x", "99999999999999"):
        assert site.get(f"{_versions(page)}/{missing}").status_code == 404
    assert site.get(f"{path_of(page)}/version").status_code == 404  # as on Data Center


def test_the_history_knows_neighbours_and_contributors(site: Site, page: dict[str, Any]) -> None:
    shown = site.get(path_of(page) + "/history").json()
    assert (shown["lastUpdated"]["number"], shown["previousVersion"]["number"]) == (3, 2)
    assert shown["_expandable"] == {"nextVersion": "", "contributors": ""}
    people = site.get(path_of(page) + "/history?expand=contributors.publishers").json()["contributors"]["publishers"]
    assert [person["username"] for person in people["users"]] == ["alice", "admin"]
    old = "?status=historical&version=2&expand=history.previousVersion,history.nextVersion,history.lastUpdated"
    history = site.get(path_of(page) + old).json()["history"]
    assert history["latest"] is False
    assert [history[name]["number"] for name in ("previousVersion", "nextVersion", "lastUpdated")] == [1, 3, 3]
    first = site.get(path_of(page) + "?version=1&expand=history.previousVersion").json()["history"]
    assert "previousVersion" in first["_expandable"]


@pytest.mark.parametrize("path", ["/rest/experimental/content/{id}/version/2", "/rest/api/content/{id}/version/2"])
def test_an_old_version_can_be_forgotten(site: Site, page: dict[str, Any], path: str) -> None:
    path = path.format(id=page["id"])
    assert site.delete(path, user="viewer").status_code == 403
    assert site.delete(path).status_code == 204
    assert site.delete(path).status_code == 404
    assert [each["number"] for each in site.get(_versions(page)).json()["results"]] == [3, 1]
    refused = site.delete(path.replace("version/2", "version/3"))
    assert (refused.status_code, "current version" in refused.json()["message"]) == (400, True)
    assert site.get(path_of(page) + "/history").json()["previousVersion"]["number"] == 1
    first = site.get(path_of(page) + "?version=1&expand=history.nextVersion").json()
    assert first["history"]["nextVersion"]["number"] == 3
    shown = site.get(path_of(page) + "?expand=body.storage").json()
    assert shown["body"]["storage"]["value"] == "<p>3</p>"
