"""The members of each answer, compared with those of the specification's examples (S3.2, 3.4, 3.5, 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site, SiteFactory

from .support import CONTENT, SPACE, create, draft, path_of

NESTED_LINKS = {"webui", "edit", "tinyui", "self"}
OUTERMOST_LINKS = {*NESTED_LINKS, "collection", "base", "context"}
ALWAYS = {"id", "type", "status", "title", "position", "extensions", "_links", "_expandable"}
NEVER_EXPANDED = {"metadata", "operations", "children", "restrictions", "descendants"}
PARTS = {"space", "history", "version", "ancestors", "container", "body"}
PERSON = {"type", "username", "userKey", "displayName", "profilePicture", "_links", "_expandable"}


def _is_content(shown: dict[str, Any], expanded: set[str], *, outermost: bool = True) -> None:
    assert shown.keys() == ALWAYS | expanded
    assert shown["_expandable"].keys() == NEVER_EXPANDED | (PARTS - expanded)
    assert shown["_links"].keys() == (OUTERMOST_LINKS if outermost else NESTED_LINKS)


def test_one_content_by_default(site: Site) -> None:
    shown = site.get(path_of(create(site))).json()
    _is_content(shown, {"history", "space", "version"})
    history, version = shown["history"], shown["version"]
    assert history.keys() == {"latest", "createdBy", "createdDate", "_links", "_expandable"}
    assert history["_expandable"].keys() == {"lastUpdated", "previousVersion", "contributors", "nextVersion"}
    assert version.keys() - {"friendlyWhen"} == {
        "by", "when", "message", "number", "minorEdit", "hidden", "_links", "_expandable"
    }  # fmt: skip
    assert version["_expandable"] == {"content": f"/rest/api/content/{shown['id']}"}
    assert history["createdBy"].keys() == version["by"].keys() == PERSON


def test_a_written_content_shows_all_parts(site: Site) -> None:
    made = create(site, "Top")
    child = create(site, "Child", ancestors=[{"id": made["id"]}])
    body = {"version": {"number": 2, "message": "m", "minorEdit": True}, "title": "Child", "type": "page"}
    changed = site.put(path_of(child), json=body)
    assert changed.status_code == 200
    for shown in (made, child, changed.json()):
        _is_content(shown, PARTS)
        assert shown["container"]["key"] == shown["space"]["key"] == "DEMO"
        assert shown["body"].keys() == {"storage", "_expandable"}
        assert shown["body"]["_expandable"].keys() == {
            "editor", "view", "export_view", "styled_view", "anonymous_export_view"
        }  # fmt: skip
        assert shown["body"]["storage"].keys() == {"value", "representation", "_expandable"}
    _is_content(child["ancestors"][0], set(), outermost=False)
    version = changed.json()["version"]
    assert (version["number"], version["message"], version["minorEdit"]) == (2, "m", True)


def test_a_list_shows_nothing_expanded(site: Site) -> None:
    shown = site.get(CONTENT).json()
    assert shown.keys() == {"results", "start", "limit", "size", "_links"}
    assert shown["_links"].keys() == {"self", "base", "context"}
    for item in shown["results"]:
        _is_content(item, set(), outermost=False)
        assert item["_expandable"]["space"].startswith("/rest/api/space/")


def test_a_list_shows_what_is_asked_for(site: Site) -> None:
    shown = site.get(f"{CONTENT}?expand=space,version&expand=body.view,ancestors,nonsense.deep&unknown=1").json()
    for item in shown["results"]:
        _is_content(item, {"space", "version", "body", "ancestors"}, outermost=False)


def test_a_space_by_default_and_expanded(site: Site) -> None:
    shown = site.get(f"{SPACE}/DEMO").json()
    assert shown.keys() == {"id", "key", "name", "status", "type", "_links", "_expandable"}
    assert shown["_links"].keys() == {"webui", "collection", "base", "context", "self"}
    assert shown["_expandable"].keys() == {"metadata", "icon", "description", "retentionPolicy", "homepage"}
    full = site.get(f"{SPACE}/DEMO?expand=description.plain,icon,homepage.body.storage").json()
    assert full["description"] == {
        "plain": {"value": "A space to try things out in.", "representation": "plain", "_expandable": {}},
        "_expandable": {"view": ""},
    }
    assert full["_expandable"].keys() == {"metadata", "retentionPolicy"}
    _is_content(full["homepage"], {"body"}, outermost=False)
    assert shown["_expandable"]["homepage"] == f"/rest/api/content/{full['homepage']['id']}"


def test_a_list_of_spaces(site: Site) -> None:
    shown = site.get(f"{SPACE}?expand=homepage&unknown=1").json()
    assert [item["key"] for item in shown["results"]] == ["DEMO", "ENG"]
    for item in shown["results"]:
        assert item["_links"].keys() == {"webui", "self"}
        _is_content(item["homepage"], set(), outermost=False)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("spaceKey=eng", ["ENG"]),
        ("spaceKey=ENG&spaceKey=DEMO&spaceKey=NOPE", ["DEMO", "ENG"]),
        ("spaceKeys=DEMO,ENG", ["DEMO", "ENG"]),
        ("type=personal", []),
        ("type=global&status=current", ["DEMO", "ENG"]),
    ],
)
def test_spaces_by_key_type_and_status(site: Site, query: str, keys: list[str]) -> None:
    assert [item["key"] for item in site.get(f"{SPACE}?{query}").json()["results"]] == keys


def test_the_current_user_is_an_outermost_object(site: Site) -> None:
    shown = site.get("/rest/api/user/current/").json()
    assert shown.keys() == PERSON
    assert shown["profilePicture"].keys() == {"path", "width", "height", "isDefault"}
    assert shown["_links"] == {
        "self": f"{site.base_url}/rest/api/user?key={shown['userKey']}", "base": site.base_url, "context": ""
    }  # fmt: skip
    assert shown["_expandable"] == {"status": ""}


def test_links_under_a_context_path(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    shown = site.get(path_of(create(site, "Über 50% & mehr"))).json()
    links, number = shown["_links"], shown["id"]
    assert (links["base"], links["context"]) == (site.base_url, "/confluence")
    assert links["self"] == f"{site.base_url}/rest/api/content/{number}"
    assert links["webui"] == f"/spaces/DEMO/pages/{number}/%C3%9Cber+50%25+%26+mehr"
    assert links["collection"] == CONTENT
    assert not any(value.startswith("/confluence") for name, value in links.items() if name != "context")
    assert shown["space"]["_links"]["self"] == f"{site.base_url}/rest/api/space/DEMO"


def test_neighbours_of_a_page_of_a_list(site: Site) -> None:
    links = site.get(f"{SPACE}?expand=icon&limit=1&start=1").json()["_links"]
    assert links["prev"] == "/rest/api/space?expand=icon&limit=1&start=0"
    assert "next" not in links
    assert site.get(f"{SPACE}?limit=1").json()["_links"]["next"] == "/rest/api/space?limit=1&start=1"


@pytest.mark.parametrize(("asked", "granted"), [("0", 0), ("7", 7), ("1000", 1000), ("1001", 1000), ("", 25)])
def test_the_limit_that_is_granted(site: Site, asked: str, granted: int) -> None:
    for path in (CONTENT, SPACE):
        shown = site.get(f"{path}?limit={asked}").json()
        assert shown["limit"] == granted
        assert shown["size"] == len(shown["results"]) <= granted


def test_every_path_takes_a_trailing_slash(site: Site) -> None:
    made = site.post(f"{CONTENT}/", json=draft("A page")).json()
    for path in (path_of(made), f"{path_of(made)}/history", SPACE, f"{SPACE}/DEMO"):
        plain, slashed = site.get(path), site.get(f"{path}/")
        assert (plain.status_code, plain.json()) == (slashed.status_code, slashed.json()) == (200, plain.json())
    assert site.put(f"{path_of(made)}/", json={"version": {"number": 2}}).status_code == 200
    assert site.delete(f"{path_of(made)}/").status_code == 204


def test_who_asked_is_named(site: Site) -> None:
    made = site.post(CONTENT, json=draft("A page"))
    answers = [
        made,
        site.put(path_of(made.json()), json={"version": {"number": 2}}),
        site.delete(path_of(made.json())),
        site.get(SPACE),
        site.get(f"{SPACE}/DEMO"),
        site.get("/rest/api/user/current"),
    ]
    assert [answer.headers.get("x-ausername") for answer in answers] == ["alice"] * 6
