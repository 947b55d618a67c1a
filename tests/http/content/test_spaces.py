"""Spaces: changing them, putting them away, personal ones, and what is in one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, create, draft, path_of


@pytest.fixture
def own(site: Site) -> str:
    """The path of a space of admin's, which alice does not see."""
    site.post(SPACE, json={"key": "OWN", "name": "Own"}, user="admin")
    return f"{SPACE}/OWN"


def test_a_space_is_changed_by_its_administrators(site: Site, own: str) -> None:
    page = site.post(CONTENT, json=draft("Start", key="OWN"), user="admin").json()
    described = {"plain": {"value": "What it is for", "representation": "plain"}}
    body: dict[str, Any] = {"name": " Renamed ", "description": described, "homepage": {"id": page["id"]}}
    answer = site.put(f"{own}?expand=homepage,description.plain", json=body, user="admin")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["name"], shown["description"]["plain"]["value"]) == ("Renamed", "What it is for")
    assert shown["homepage"]["id"] == page["id"]
    site.put(own, json={"homepage": None}, user="admin")
    after = site.get(f"{own}?expand=homepage,description.plain", user="admin").json()
    assert (after["name"], after["homepage"]["id"]) == ("Renamed", page["id"])
    assert site.put(own, json=body).status_code == 404
    assert site.put(f"{SPACE}/DEMO", json={"name": "Taken over"}).status_code == 403


def test_a_homepage_is_a_page_of_its_space(site: Site, own: str) -> None:
    elsewhere = create(site)
    post = site.post(CONTENT, json=draft("News", key="OWN", type="blogpost"), user="admin").json()
    before = site.get(f"{own}?expand=homepage", user="admin").json()["homepage"]["id"]
    for number, status in ((elsewhere["id"], 400), (post["id"], 400), ("999999", 404), ("x", 400)):
        assert site.put(own, json={"homepage": {"id": number}}, user="admin").status_code == status
    for name in ("", " ", "x" * 256):
        assert site.put(own, json={"name": name}, user="admin").status_code == 400
    after = site.get(f"{own}?expand=homepage", user="admin").json()
    assert (after["homepage"]["id"], after["name"]) == (before, "Own")


def test_a_space_is_archived_and_restored(site: Site) -> None:
    def keys(status: str) -> list[str]:
        return [item["key"] for item in site.get(f"{SPACE}?status={status}").json()["results"]]

    assert site.put(f"{SPACE}/ENG/archive").status_code == 403
    assert site.put(f"{SPACE}/ENG/archive", user="bob").status_code == 404
    assert site.put(f"{SPACE}/ENG/archive", user="admin").status_code == 204
    assert (keys("archived"), keys("current")) == (["ENG"], ["DEMO"])
    assert site.get(f"{SPACE}/ENG").json()["status"] == "archived"
    assert site.put(f"{SPACE}/ENG/restore", user="admin").status_code == 204
    assert (keys("archived"), keys("current")) == ([], ["DEMO", "ENG"])


def test_a_space_of_one_s_own(site: Site) -> None:
    made = site.post(f"{SPACE}/personal", json={})
    assert made.status_code == 200, made.text
    shown = made.json()
    assert (shown["key"], shown["name"], shown["type"]) == ("~alice", "Alice Example", "personal")
    assert shown["_links"]["self"] == f"{site.base_url}{SPACE}/~alice"
    assert site.post(f"{SPACE}/personal", json={}).status_code == 409
    assert site.get(f"{SPACE}/~alice", user="bob").status_code == 404
    assert site.get(f"{SPACE}/~ALICE?expand=homepage").json()["homepage"]["title"] == "Alice Example Home"
    assert [item["key"] for item in site.get(f"{SPACE}?type=personal").json()["results"]] == ["~alice"]
    assert create(site, key="~alice")["_links"]["webui"].startswith("/spaces/~alice/pages/")
    assert site.post(SPACE, json={"key": "~bob", "name": "Bob's"}, user="admin").status_code == 400


def test_a_private_space_is_its_creator_s(site: Site) -> None:
    assert site.post(f"{SPACE}/_private", json={"key": "HID", "name": "Hidden"}, user="admin").status_code == 200
    assert site.post(f"{SPACE}/_private", json={"key": "HID2", "name": "Hidden"}).status_code == 403
    assert site.get(f"{SPACE}/HID").status_code == 404


def test_what_is_in_a_space(site: Site) -> None:
    top = create(site, "Top")
    create(site, "Below", ancestors=[{"id": top["id"]}])
    create(site, "News", type="blogpost")
    both = site.get(f"{SPACE}/DEMO/content?limit=100").json()
    pages = {item["title"] for item in both["page"]["results"]}
    assert {"Top", "Below"} < pages
    assert "News" in {item["title"] for item in both["blogpost"]["results"]}
    roots = {item["title"] for item in site.get(f"{SPACE}/DEMO/content/page?depth=root&limit=100").json()["results"]}
    assert "Top" in roots < pages
    assert "Below" not in roots
    first = site.get(f"{SPACE}/DEMO/content/page?limit=1&expand=version").json()
    assert first["_links"]["self"] == f"{site.base_url}{SPACE}/DEMO/content/page"
    assert first["results"][0]["version"]["number"] == 1
    assert site.get(first["_links"]["next"]).json()["start"] == 1
    assert site.get(f"{SPACE}/DEMO/content?depth=deep").status_code == 400
    assert site.get(f"{SPACE}/ENG/content", user="bob").status_code == 404
    site.put(
        f"{path_of(top)}/restriction",
        json=[{"operation": "read", "restrictions": {"user": [{"username": "alice"}]}}],
    )
    hidden = site.get(f"{SPACE}/DEMO/content/page?limit=100", user="bob").json()["results"]
    assert not {"Top", "Below"} & {item["title"] for item in hidden}


def test_the_access_mode_is_a_bare_string(site: Site) -> None:
    assert site.get("/rest/api/accessmode").json() == "READ_WRITE"
