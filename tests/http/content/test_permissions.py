"""Who may do what in a space: shown, granted and revoked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, draft

PATH = f"{SPACE}/ENG/permissions"
READ = {"targetType": "space", "operationKey": "read"}
CREATE = {"targetType": "page", "operationKey": "create"}
ADMINISTER = {"targetType": "space", "operationKey": "administer"}


def _key(site: Site, user: str) -> str:
    key: str = site.get("/rest/api/user/current", user=user).json()["userKey"]
    return key


def _of(site: Site, subject: str) -> list[tuple[str, str]]:
    answer = site.get(f"{PATH}/{subject}", user="admin")
    assert answer.status_code == 200, answer.text
    return [(item["operation"]["operationKey"], item["operation"]["targetType"]) for item in answer.json()]


def test_grants_are_shown_to_administrators(site: Site) -> None:
    viewer = site.get(f"{PATH}/user/{_key(site, 'viewer')}", user="admin").json()
    assert len(viewer) == 1
    assert (viewer[0]["operation"], viewer[0]["spaceKey"]) == ({"operationKey": "read", "targetType": "space"}, "ENG")
    assert (viewer[0]["subject"]["username"], type(viewer[0]["spaceId"])) == ("viewer", int)
    everyone = site.get(PATH, user="admin").json()
    assert {item["subject"]["username"] for item in everyone} == {"admin", "alice", "viewer"}
    assert _of(site, "anonymous") == _of(site, "group/confluence-users") == []
    for path in (PATH, f"{PATH}/anonymous"):
        assert [site.get(path, user=user).status_code for user in ("alice", "bob")] == [403, 404]
    for subject in ("group/none", "user/none"):
        assert site.get(f"{PATH}/{subject}", user="admin").status_code == 404


def test_granting_lets_in_and_revoking_keeps_out(site: Site) -> None:
    subject = f"{PATH}/user/{_key(site, 'bob')}"
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 404
    for _ in range(2):
        assert site.put(f"{subject}/grant", json=[READ], user="admin").status_code == 204
    assert _of(site, f"user/{_key(site, 'bob')}") == [("read", "space")]
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 200
    assert site.post(CONTENT, json=draft("Mine", key="ENG"), user="bob").status_code == 403
    site.put(f"{subject}/grant", json=[CREATE], user="admin")
    assert site.post(CONTENT, json=draft("Mine", key="ENG"), user="bob").status_code == 200
    assert site.put(f"{subject}/revoke", json=[READ, CREATE], user="admin").status_code == 204
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 404
    site.put(f"{PATH}/group/Confluence-Users/grant", json=[READ], user="admin")
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 200
    assert _of(site, "group/Confluence-Users") == [("read", "space")]


def test_several_subjects_at_once(site: Site) -> None:
    bob = {"userKey": _key(site, "bob"), "operations": [READ, CREATE]}
    answer = site.post(PATH, json=[bob, {"operations": [READ]}], user="admin")
    assert answer.status_code == 200, answer.text
    assert _of(site, "anonymous") == [("read", "space")]
    assert _of(site, f"user/{bob['userKey']}") == [("read", "space"), ("create", "page")]
    assert answer.json() == site.get(PATH, user="admin").json()
    # Who is named has just what is said; an empty list leaves nothing; who is not named keeps what they have.
    again = [{"userKey": bob["userKey"], "operations": [READ]}, {"operations": []}]
    assert site.post(PATH, json=again, user="admin").status_code == 200
    assert (_of(site, f"user/{bob['userKey']}"), _of(site, "anonymous")) == ([("read", "space")], [])
    assert len(_of(site, f"user/{_key(site, 'alice')}")) > 5
    assert site.post(PATH, json=[{"operations": [READ]}] * 41, user="admin").status_code == 400


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([{"userKey": "none", "operations": [READ]}], 404),
        ([{"groupName": "none", "operations": [READ]}], 404),
        ([{"operations": [ADMINISTER]}], 400),
        ([{"operations": [{"targetType": "space", "operationKey": "fly"}]}], 400),
        ([{"userKey": "a", "groupName": "b", "operations": [READ]}], 400),
        ({}, 400),
    ],
)
def test_grants_that_cannot_be_meant_change_nothing(site: Site, sent: Any, status: int) -> None:
    before = site.get(PATH, user="admin").json()
    also = [{"groupName": "confluence-users", "operations": [READ]}]
    body = also + sent if isinstance(sent, list) else sent
    assert site.post(PATH, json=body, user="admin").status_code == status
    assert site.get(PATH, user="admin").json() == before


def test_only_administrators_grant(site: Site) -> None:
    mine = f"{PATH}/user/{_key(site, 'alice')}/grant"
    assert site.put(mine, json=[ADMINISTER]).status_code == 403
    assert site.put(f"{PATH}/user/{_key(site, 'bob')}/grant", json=[READ], user="bob").status_code == 404
    assert site.post(PATH, json=[]).status_code == 403
    assert site.put(mine, json=[ADMINISTER], user="admin").status_code == 204
    assert site.get(PATH).status_code == 200


def test_somebody_always_administers_a_space(site: Site) -> None:
    admin = f"{PATH}/user/{_key(site, 'admin')}"
    assert site.put(f"{admin}/revoke", json=[ADMINISTER], user="admin").status_code == 400
    assert ("administer", "space") in _of(site, f"user/{_key(site, 'admin')}")
    site.put(f"{PATH}/user/{_key(site, 'alice')}/grant", json=[ADMINISTER], user="admin")
    assert site.put(f"{admin}/revoke", json=[ADMINISTER]).status_code == 204
