"""Watches, users and groups, and what people say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site
from watersmeet.database import users
from watersmeet.database.audit import Query, search

from .support import SPACE, create, path_of

USER = "/rest/api/user"
GROUP = "/rest/api/group"


def _key(site: Site, user: str) -> str:
    key: str = site.get(f"{USER}/current", user=user).json()["userKey"]
    return key


# ---- watches ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["content", "space"])
def watched(site: Site, request: pytest.FixtureRequest) -> str:
    return f"{USER}/watch/content/{create(site)['id']}" if request.param == "content" else f"{USER}/watch/space/DEMO"


def test_watching_starts_and_stops(site: Site, watched: str) -> None:
    assert site.delete(watched).status_code == 204  # though nobody is watching
    assert site.get(watched).json() == {"watching": False}
    assert [site.post(watched).status_code for _ in range(2)] == [204, 204]
    assert site.get(watched).json() == {"watching": True}
    assert site.get(watched, user="viewer").json() == {"watching": False}
    assert site.delete(watched).status_code == 204
    assert site.get(watched).json() == {"watching": False}


def test_administrators_decide_for_others(site: Site, watched: str) -> None:
    assert site.post(f"{watched}?username=bob", user="admin").status_code == 204
    assert site.get(f"{watched}?key={_key(site, 'bob')}", user="admin").json() == {"watching": True}
    assert site.get(watched, user="bob").json() == {"watching": True}
    assert site.get(f"{watched}?username=BOB", user="bob").json() == {"watching": True}
    for answer in (site.get(f"{watched}?username=bob"), site.delete(f"{watched}?key={_key(site, 'bob')}")):
        assert answer.status_code == 403
    assert site.post(f"{watched}?username=nobody", user="admin").status_code == 404
    assert site.get(watched, user="bob").json() == {"watching": True}


def test_a_space_is_watched_by_type(site: Site) -> None:
    path = f"{USER}/watch/space/DEMO"
    site.post(f"{path}?contentType=blogpost")
    assert site.get(path).json() == {"watching": False}
    assert site.get(f"{path}?contentType=blogpost").json() == {"watching": True}
    assert site.post(f"{path}?contentType={'x' * 256}").status_code == 400


def test_what_one_does_not_see_cannot_be_watched(site: Site) -> None:
    hidden = create(site, key="ENG")
    for path in (f"{USER}/watch/content/{hidden['id']}", f"{USER}/watch/space/ENG"):
        for method in ("GET", "POST", "DELETE"):
            assert site.request(method, path, user="bob", scope="WRITE").status_code == 404


def test_watchers_are_told_to_administrators(site: Site) -> None:
    made = create(site)
    for user in ("viewer", "alice"):
        site.post(f"{USER}/watch/content/{made['id']}", user=user)
    site.post(f"{USER}/watch/space/DEMO", user="bob")
    found = {
        path: [item["username"] for item in site.get(path, user="admin").json()["results"]]
        for path in (f"{path_of(made)}/watchers", f"{SPACE}/DEMO/watchers")
    }
    assert list(found.values()) == [["alice", "viewer"], ["bob"]]
    assert [site.get(path).status_code for path in found] == [403, 403]


# ---- users and groups -------------------------------------------------------------------------------------


def test_a_user_is_found_by_key_and_by_name(site: Site) -> None:
    key = _key(site, "bob")
    by_key, by_name = site.get(f"{USER}?key={key}").json(), site.get(f"{USER}?username=BOB").json()
    assert by_key == by_name
    assert (by_key["type"], by_key["username"], by_key["displayName"]) == ("known", "bob", "Bob Example")
    assert by_key["_links"]["self"] == f"{site.base_url}{USER}?key={key}"
    assert "email" not in by_key
    assert site.get(f"{USER}?username=nobody").status_code == 404
    assert site.get(f"{USER}?key=nobody").status_code == 404
    assert site.get(USER).status_code == 400


def test_groups_and_who_is_in_them(site: Site) -> None:
    groups = site.get(GROUP).json()
    assert [item["name"] for item in groups["results"]] == ["confluence-administrators", "confluence-users"]
    assert (groups["limit"], groups["size"]) == (200, 2)
    assert site.get(f"{GROUP}/Confluence-Users").json()["name"] == "confluence-users"
    for path in (f"{GROUP}/confluence-users/member", f"{GROUP}/member?name=confluence-users"):
        members = site.get(path).json()
        assert [item["username"] for item in members["results"]] == ["admin", "alice", "bob", "viewer"]
    page = site.get(f"{GROUP}/member?name=confluence-users&limit=3").json()
    rest = site.get(page["_links"]["next"]).json()
    assert [item["username"] for item in rest["results"]] == ["viewer"]
    for path in (f"{GROUP}/none", f"{GROUP}/none/member", f"{GROUP}/member?name=none"):
        assert site.get(path).status_code == 404
    assert site.get(f"{GROUP}/member").status_code == 400
    of_admin = site.get(f"{USER}/memberof?username=admin").json()["results"]
    assert [item["name"] for item in of_admin] == ["confluence-administrators", "confluence-users"]
    assert [item["name"] for item in site.get(f"{USER}/memberof?key={_key(site, 'bob')}").json()["results"]] == [
        "confluence-users"
    ]


def test_nobody_in_particular(site: Site) -> None:
    shown = site.get(f"{USER}/anonymous").json()
    assert (shown["type"], shown["displayName"]) == ("anonymous", "Anonymous")
    assert "username" not in shown


# ---- one's own profile and password -----------------------------------------------------------------------


def _stored(site: Site, name: str = "alice") -> users.User:
    found = site.environment.database.write_now(lambda tx: users.find_by_name(tx, name))
    assert found
    return found


def test_one_s_own_profile(site: Site) -> None:
    assert site.put(f"{USER}/current", json={"fullName": "Alice Anew"}).status_code == 204
    assert site.get(f"{USER}/current").json()["displayName"] == "Alice Anew"
    new: dict[str, Any] = {"email": "alice@new.example"}
    for refused in (new, {**new, "currentPassword": "wrong"}, {"fullName": ""}, {"fullName": "x" * 81}):
        assert site.put(f"{USER}/current", json=refused).status_code == 400
    assert _stored(site).email != "alice@new.example"
    assert site.put(f"{USER}/current", json={**new, "currentPassword": "alice"}).status_code == 204
    assert (_stored(site).email, _stored(site).display_name) == ("alice@new.example", "Alice Anew")
    assert site.request("PUT", f"{USER}/current", scope="READ", json={"fullName": "X"}).status_code == 403


def test_one_s_own_password(site: Site) -> None:
    path, before = f"{USER}/current/password", _stored(site).password_hash
    refused = ({"newPassword": "a new password"}, {"oldPassword": "wrong", "newPassword": "a new password"})
    for body in (*refused, {"oldPassword": "alice", "newPassword": "short"}):
        assert site.post(path, json=body).status_code == 400
    assert _stored(site).password_hash == before
    assert site.post(path, json={"oldPassword": "alice", "newPassword": "a new password"}).status_code == 204
    assert _stored(site).password_hash != before
    assert site.get(f"{USER}/current", scope="WRITE").status_code == 401  # the grant ended with the old password


def test_passwords_are_not_guessed_through_the_api(site: Site) -> None:
    body = {"oldPassword": "wrong", "newPassword": "a new password"}
    answers = [site.post(f"{USER}/current/password", json=body) for _ in range(12)]
    assert {answer.status_code for answer in answers} == {400, 429}
    assert answers[-1].headers["retry-after"]


def test_who_is_here(site: Site) -> None:
    people = site.get(f"{USER}/list").json()
    assert [person["username"] for person in people["results"]] == ["admin", "alice", "bob", "viewer"]
    assert site.get(f"{USER}/list?limit=1").json()["_links"]["next"] == f"{USER}/list?limit=1&start=1"
    active = "/rest/api/admin/users/list/active"
    assert site.get(active, user="admin", scope="ADMIN").json()["results"] == people["results"]
    assert site.get(active, user="admin", scope="WRITE").status_code == 403


# ---- groups are made and joined ---------------------------------------------------------------------------


def _administered(site: Site, method: str, path: str, **options: Any) -> int:
    return site.request(method, path, user="admin", scope="ADMIN", **options).status_code


def test_groups_are_made_joined_left_and_deleted(site: Site) -> None:
    made = site.post("/rest/api/admin/group", json={"type": "group", "name": "Editors"}, user="admin", scope="ADMIN")
    assert (made.status_code, made.json()["name"]) == (200, "editors")
    assert _administered(site, "POST", "/rest/api/admin/group", json={"name": "EDITORS"}) == 409
    assert _administered(site, "POST", "/rest/api/admin/group", json={"name": "a/b"}) == 400
    bob = f"{USER}/BOB/group/Editors"
    assert [_administered(site, "PUT", bob) for _ in range(2)] == [204, 204]
    assert [each["username"] for each in site.get(f"{GROUP}/editors/member").json()["results"]] == ["bob"]
    read = [{"targetType": "space", "operationKey": "read"}]
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 404
    site.put(f"{SPACE}/ENG/permissions/group/editors/grant", json=read, user="admin")
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 200
    assert [_administered(site, "DELETE", bob) for _ in range(2)] == [204, 204]
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 404
    assert _administered(site, "PUT", f"{USER}/nobody/group/editors") == 404
    assert _administered(site, "PUT", f"{USER}/bob/group/nobodies") == 404
    assert _administered(site, "DELETE", "/rest/api/admin/group/Editors") == 204
    assert _administered(site, "DELETE", "/rest/api/admin/group/editors") == 404
    trail = site.environment.database.read_now(lambda tx: search(tx, Query(event="group.")))
    assert [(each.event, each.username) for each in reversed(trail)] == [
        ("group.created", None),
        ("group.joined", "bob"),
        ("group.left", "bob"),
        ("group.deleted", None),
    ]


def test_a_group_that_content_is_kept_to_stays(site: Site) -> None:
    """Without it, its restrictions would be empty: open to everybody."""
    _administered(site, "POST", "/rest/api/admin/group", json={"name": "editors"})
    page = create(site, "Kept")
    kept = {"operation": "update", "restrictions": {"user": [{"username": "alice"}], "group": [{"name": "editors"}]}}
    assert site.put(f"{path_of(page)}/restriction", json=[kept]).status_code == 200
    assert _administered(site, "DELETE", "/rest/api/admin/group/editors") == 409
    assert site.put(f"{path_of(page)}/restriction", json=[]).status_code == 200
    assert _administered(site, "DELETE", "/rest/api/admin/group/editors") == 204


def test_no_group_is_in_another(site: Site) -> None:
    assert site.get(f"{GROUP}/info?name=Confluence-Users").json()["name"] == "confluence-users"
    for kind in ("groupmember", "groupparent", "groupancestor"):
        assert site.get(f"{GROUP}/confluence-users/{kind}").json()["results"] == []
        assert site.get(f"{GROUP}/{kind}?name=confluence-users").json()["results"] == []
        assert site.get(f"{GROUP}/nobodies/{kind}").status_code == 404
    assert site.get(f"{GROUP}/info").status_code == 400
