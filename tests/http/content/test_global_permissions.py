"""Who may do what on the instance: shown, granted and revoked over HTTP; every change is in the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site
from watersmeet.database.audit import Entry, Query, search

from .support import CONTENT, SPACE, create, path_of

PATH = "/rest/api/permissions"
USE = {"targetType": "application", "operationKey": "use"}
CREATE_SPACE = {"targetType": "space", "operationKey": "create"}
READ = {"targetType": "space", "operationKey": "read"}


def change(site: Site, path: str, *operations: dict[str, str]) -> int:
    return site.put(path, json=list(operations), user="admin", scope="ADMIN").status_code


def shown(site: Site, subject: str) -> list[tuple[str, str]]:
    answer = site.get(f"{PATH}/{subject}", user="admin", scope="ADMIN")
    assert answer.status_code == 200, answer.text
    return [(item["operation"]["operationKey"], item["operation"]["targetType"]) for item in answer.json()]


def events(site: Site, event: str) -> list[Entry]:
    found = site.environment.database.read_now(lambda tx: search(tx, Query(event=event, limit=100)))
    return list(reversed(found))


def key_of(site: Site, user: str) -> str:
    key: str = site.get("/rest/api/user/current", user=user).json()["userKey"]
    return key


def test_what_everybody_has_from_the_start(site: Site) -> None:
    every = site.get(PATH, user="admin", scope="ADMIN").json()
    assert {(item["subject"]["name"], item["operation"]["targetType"]) for item in every} == {
        ("confluence-users", "application"),
        ("confluence-users", "personal_space"),
        ("confluence-administrators", "application"),
        ("confluence-administrators", "personal_space"),
        ("confluence-administrators", "space"),
    }
    assert shown(site, "anonymous") == shown(site, "unlicensed") == shown(site, f"user/{key_of(site, 'bob')}") == []
    for unknown in ("group/none", "user/none"):
        assert site.get(f"{PATH}/{unknown}", user="admin", scope="ADMIN").status_code == 404


def test_strangers_are_let_in_and_kept_out_again(site: Site) -> None:
    page = create(site, "Open to all")
    assert site.client.get(path_of(page)).status_code == 401
    assert change(site, f"{PATH}/anonymous/grant", USE) == 204
    assert site.client.get(path_of(page)).status_code == 404
    granted = site.put(f"{SPACE}/DEMO/permissions/anonymous/grant", json=[READ], user="admin")
    assert (granted.status_code, site.client.get(path_of(page)).status_code) == (204, 200)
    assert site.client.get("/rest/api/user/current").json()["type"] == "anonymous"
    assert site.client.post(CONTENT, json={}).status_code == 401
    assert change(site, f"{PATH}/anonymous/revoke", USE) == 204
    assert site.client.get(path_of(page)).status_code == 401
    trail = [(entry.event, entry.actor, entry.detail) for entry in events(site, "permission.")]
    assert trail == [
        ("permission.granted", "admin", {"permissions": ["USECONFLUENCE"], "everybody": True}),
        ("permission.granted", "admin", {"permissions": ["VIEWSPACE"], "everybody": True, "space": "DEMO"}),
        ("permission.revoked", "admin", {"permissions": ["USECONFLUENCE"], "everybody": True}),
    ]


def test_a_user_is_let_make_spaces(site: Site) -> None:
    alice, space = f"{PATH}/user/{key_of(site, 'alice')}", {"key": "NEW", "name": "New"}
    assert site.post(SPACE, json=space).status_code == 403
    assert change(site, f"{alice}/grant", CREATE_SPACE) == change(site, f"{alice}/grant", CREATE_SPACE) == 204
    assert site.post(SPACE, json=space).status_code == 200
    [granted] = events(site, "permission.granted")  # what changed nothing left no event
    assert (granted.username, granted.detail) == ("alice", {"permissions": ["CREATESPACE"]})
    assert change(site, f"{alice}/revoke", CREATE_SPACE) == 204
    assert site.post(SPACE, json={"key": "NEWER", "name": "Newer"}).status_code == 403


def test_put_replaces_what_the_named_subjects_have(site: Site) -> None:
    group, bob = "group/confluence-users", key_of(site, "bob")
    sent = [{"groupName": "confluence-users", "operations": [USE, CREATE_SPACE]}, {"userKey": bob, "operations": [USE]}]
    assert site.put(PATH, json=sent, user="admin", scope="ADMIN").status_code == 204
    assert set(shown(site, group)) == {("use", "application"), ("create", "space")}
    assert shown(site, f"user/{bob}") == [("use", "application")]
    assert len(shown(site, "group/confluence-administrators")) == 3
    [revoked] = events(site, "permission.revoked")
    assert revoked.detail == {"permissions": ["PERSONALSPACE"], "group": "confluence-users"}


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("anonymous/grant", [CREATE_SPACE], 400),
        ("anonymous/grant", [{"targetType": "application", "operationKey": "administer"}], 400),
        ("anonymous/grant", [{"targetType": "space", "operationKey": "fly"}], 400),
        ("group/none/grant", [USE], 404),
        ("user/none/revoke", [USE], 404),
        ("unlicensed/grant", [USE], 501),
        ("anonymous/grant", 5, 400),
    ],
)
def test_what_cannot_be_meant_is_refused(site: Site, path: str, sent: Any, status: int) -> None:
    answer = site.put(f"{PATH}/{path}", json=sent, user="admin", scope="ADMIN")
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)
    assert events(site, "permission.") == []


def test_restrictions_leave_an_event_when_they_change(site: Site) -> None:
    page = create(site, "Kept")
    wanted = [{"operation": "read", "restrictions": {"user": [{"username": "alice"}]}}]
    for _ in range(2):
        assert site.put(f"{path_of(page)}/restriction", json=wanted).status_code == 200
    [changed] = events(site, "restrictions.changed")
    before: dict[str, list[str]] = {"read": [], "update": []}
    assert (changed.actor, changed.detail["before"]) == ("alice", before)
    assert changed.detail["after"] == before | {"read": ["user alice"]}
