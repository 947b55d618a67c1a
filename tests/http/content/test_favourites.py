"""Favourites: what somebody has put the label ``my:favourite`` on."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, create, path_of


def _found(site: Site, cql: str, user: str = "alice") -> list[str]:
    answer = site.get(f"{CONTENT}/search?cql={quote(cql)}", user=user)
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["results"]]


def _keys(site: Site, user: str) -> list[str]:
    return [each["key"] for each in site.get(f"{SPACE}?favourite=true", user=user).json()["results"]]


@pytest.mark.parametrize("name", ["favourite", "favorite"])
def test_the_label_marks_a_favourite_of_whoever_put_it_on(site: Site, name: str) -> None:
    page = create(site, "Plan")
    expand = f"{path_of(page)}?expand=metadata.currentuser.favourited"
    assert _found(site, "favourite = currentUser()") == []
    assert site.post(f"{path_of(page)}/label", json=[{"prefix": "my", "name": name}], user="viewer").status_code == 200
    for cql in ("favourite = currentUser()", "favorite = viewer and type = page"):
        assert _found(site, cql, "viewer") == ["Plan"]
        assert _found(site, cql) == []
    shown = site.get(expand, user="viewer").json()["metadata"]["currentuser"]["favourited"]
    assert (shown["isFavourite"], "favouritedDate" in shown) == (True, True)
    assert site.get(expand).json()["metadata"]["currentuser"]["favourited"] == {"isFavourite": False}
    assert site.delete(f"{path_of(page)}/label/my:{name}", user="viewer").status_code == 204
    assert _found(site, "favourite = currentUser()", "viewer") == []


def test_it_stays_a_favourite_until_the_last_such_label_goes_and_no_other_label_makes_one(site: Site) -> None:
    page = create(site, "Plan")
    site.post(f"{path_of(page)}/label", json=[{"name": "favourite"}, {"prefix": "my", "name": "favourites"}])
    assert _found(site, "favourite = currentUser()") == []
    site.post(f"{path_of(page)}/label", json=[{"name": "my:favourite"}, {"name": "my:favorite"}])
    for name, left in (("favourite", ["Plan"]), ("favorite", [])):
        site.delete(f"{path_of(page)}/label/my:{name}")
        assert _found(site, "favourite = currentUser()") == left


def test_a_space_is_a_favourite_of_whoever_sees_it(site: Site) -> None:
    page = create(site, "Plan", key="ENG")
    path = f"{SPACE}/ENG/category/my:favourite"
    assert [site.post(path).status_code for _ in range(2)] == [204, 204]
    assert (_keys(site, "alice"), _keys(site, "admin")) == (["ENG"], [])
    assert page["title"] in _found(site, "space in favouriteSpaces()")
    assert _found(site, "space.type = favourite", "admin") == []
    labels = site.get(f"{SPACE}/ENG?expand=metadata.labels").json()["metadata"]["labels"]["results"]
    assert labels == []
    assert site.post(path, user="bob").status_code == 404
    assert [site.delete(path).status_code for _ in range(2)] == [204, 204]
    assert _keys(site, "alice") == []
