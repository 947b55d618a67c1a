"""The tree over HTTP: what is below a content, and moving pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, create, draft, path_of

NO_CHECK = {"X-Atlassian-Token": "no-check"}


def _below(site: Site, parent: dict[str, Any], *titles: str) -> list[dict[str, Any]]:
    return [create(site, title, ancestors=[{"id": parent["id"]}]) for title in titles]


def _titles(site: Site, path: str, **more: Any) -> list[str]:
    answer = site.get(path, **more)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["results"]]


def test_children_are_those_directly_below(site: Site) -> None:
    top = create(site, "Top")
    one, _ = _below(site, top, "One", "Two")
    _below(site, one, "Deeper")
    assert _titles(site, path_of(top) + "/child/page") == ["One", "Two"]
    assert _titles(site, path_of(top) + "/descendant/page") == ["One", "Two", "Deeper"]
    assert _titles(site, path_of(top) + "/child/attachment") == []
    page = site.get(path_of(top) + "/child/page?limit=1&expand=version").json()
    assert page["results"][0]["version"]["number"] == 1
    assert page["_links"]["next"] == f"{path_of(top)}/child/page?expand=version&limit=1&start=1"


@pytest.mark.parametrize("relation", ["child", "descendant"])
def test_the_map_of_types_shows_what_is_asked_for(site: Site, relation: str) -> None:
    top = create(site, "Top")
    _below(site, top, "One")
    path = f"{path_of(top)}/{relation}"
    bare = site.get(path).json()
    assert bare["_expandable"] == {name: f"{path}/{name}" for name in ("attachment", "comment", "page")}
    full = site.get(path + "?expand=page.version").json()
    assert [(page["title"], page["version"]["number"]) for page in full["page"]["results"]] == [("One", 1)]
    assert full["_expandable"].keys() == {"attachment", "comment"}
    assert site.get(f"{CONTENT}/999999/{relation}").status_code == 404


def test_trashed_pages_are_nobody_s_children(site: Site) -> None:
    top = create(site, "Top")
    one, _ = _below(site, top, "One", "Two")
    assert site.delete(path_of(one)).status_code == 204
    assert _titles(site, path_of(top) + "/child/page") == ["Two"]


@pytest.mark.parametrize(
    ("place", "target", "expected"),
    [
        ("append", "Top", ["B", "C", "A"]),
        ("before", "C", ["B", "A", "C"]),
        ("after", "C", ["B", "C", "A"]),
        ("above", "B", ["A", "B", "C"]),
        ("below", "B", ["B", "A", "C"]),
    ],
)
def test_a_page_is_moved_among_its_siblings(site: Site, place: str, target: str, expected: list[str]) -> None:
    top = create(site, "Top")
    pages = {page["title"]: page for page in [top, *_below(site, top, "A", "B", "C")]}
    moved = site.put(f"{path_of(pages['A'])}/move/{place}/{pages[target]['id']}")
    assert (moved.status_code, moved.json()) == (200, {"pageId": pages["A"]["id"]})
    assert _titles(site, path_of(top) + "/child/page") == expected
    shown = site.get(path_of(pages["A"])).json()
    assert shown["extensions"]["position"] == shown["position"] == expected.index("A")
    assert shown["version"]["number"] == 1


def test_a_page_takes_what_is_below_it_along(site: Site) -> None:
    old, new = create(site, "Old"), create(site, "New")
    [moved] = _below(site, old, "Moved")
    [deeper] = _below(site, moved, "Deeper")
    assert site.put(f"{path_of(moved)}/move/append/{new['id']}").status_code == 200
    line = site.get(path_of(deeper) + "?expand=ancestors").json()["ancestors"]
    assert [page["title"] for page in line][-2:] == ["New", "Moved"]


def test_no_page_is_moved_below_itself(site: Site) -> None:
    top = create(site, "Top")
    [below] = _below(site, top, "Below")
    for target in (top, below):
        assert site.put(f"{path_of(top)}/move/append/{target['id']}").status_code == 400
    assert site.put(f"{path_of(top)}/move/sideways/{below['id']}").status_code == 400
    assert site.put(f"{path_of(top)}/move/append/999999").status_code == 404


def test_moving_to_another_space_needs_rights_and_free_titles(site: Site) -> None:
    page, target = create(site, "Traveller"), create(site, "There", key="ENG")
    [child] = _below(site, page, "Luggage")
    taken = create(site, "Luggage", key="ENG")
    refused = site.put(f"{path_of(page)}/move/append/{target['id']}")
    assert (refused.status_code, "title that is taken" in refused.json()["message"]) == (400, True)
    assert site.delete(path_of(taken)).status_code == 204
    assert site.put(f"{path_of(page)}/move/append/{target['id']}").status_code == 200
    assert site.get(path_of(child) + "?expand=space").json()["space"]["key"] == "ENG"
    other = create(site, "Other")
    # viewer sees both, and may write in neither
    assert site.put(f"{path_of(other)}/move/append/{target['id']}", user="viewer").status_code == 403
    # bob does not even see the target
    assert site.put(f"{path_of(other)}/move/append/{target['id']}", user="bob").status_code == 404


def test_moving_away_is_removing(site: Site) -> None:
    homepage = site.get(f"{SPACE}/DEMO?expand=homepage", user="admin").json()["homepage"]
    mine, target = create(site, "Mine"), create(site, "There", key="ENG")
    key = site.get("/rest/api/user/current").json()["userKey"]
    removal = [{"targetType": "page", "operationKey": "delete"}]
    assert site.put(f"{SPACE}/DEMO/permissions/user/{key}/revoke", json=removal, user="admin").status_code == 204
    others = site.post(CONTENT, json=draft("The administrator's"), user="admin").json()
    refused = site.put(f"{path_of(others)}/move/append/{target['id']}")
    assert (refused.status_code, "delete" in refused.json()["message"]) == (403, True)
    assert site.put(f"{path_of(others)}/move/append/{homepage['id']}").status_code == 200  # within the space
    assert site.put(f"{path_of(mine)}/move/append/{target['id']}").status_code == 200  # one's own


def test_a_space_whose_homepage_is_moved_away_has_none(site: Site) -> None:
    target = create(site, "There", key="ENG")
    homepage = site.get("/rest/api/space/DEMO?expand=homepage").json()["homepage"]
    above = create(site, "Above")
    assert site.put(f"{path_of(homepage)}/move/append/{above['id']}").status_code == 200
    assert site.put(f"{path_of(above)}/move/append/{target['id']}").status_code == 200
    assert "homepage" not in site.get("/rest/api/space/DEMO?expand=homepage").json()


def test_a_page_that_may_not_be_seen_is_no_target_by_its_title_either(site: Site) -> None:
    hidden, page = create(site, "Hidden", user="admin"), create(site, "Page")
    only_admin = {"user": [{"type": "known", "username": "admin"}], "group": []}
    restricted = [{"operation": "read", "restrictions": only_admin}]
    assert site.put(path_of(hidden) + "/restriction", json=restricted, user="admin").status_code == 200
    address = f"/pages/movepage.action?pageId={page['id']}&spaceKey=DEMO&targetTitle="
    answers = [site.post(address + title, headers=NO_CHECK).json() for title in ("Hidden", "Nowhere")]
    assert answers[0] == answers[1]
    assert answers[0]["statusCode"] == 404


def test_the_older_address_moves_too(site: Site) -> None:
    top, page = create(site, "Top"), create(site, "Page")
    address = "/pages/movepage.action"
    wanted = f"{address}?pageId={page['id']}&spaceKey=DEMO&targetTitle=top&position=append"
    assert "XSRF" in site.post(wanted).json()["message"]
    assert site.post(wanted).status_code == 403
    assert site.post(wanted, headers=NO_CHECK).status_code == 200
    assert _titles(site, path_of(top) + "/child/page") == ["Page"]
    back = f"{address}?pageId={page['id']}&targetId={top['id']}&position=above"
    assert site.post(back, headers=NO_CHECK).status_code == 200
    assert _titles(site, path_of(top) + "/child/page") == []
    assert site.post(f"{address}?pageId=x", headers=NO_CHECK).status_code == 400
    nowhere = f"{address}?pageId={page['id']}&spaceKey=DEMO&targetTitle=nowhere"
    assert site.post(nowhere, headers=NO_CHECK).status_code == 404
