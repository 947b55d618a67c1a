"""Restrictions: whom a page is kept to, what inherits it, and what then is in no list and no count."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, create, draft, path_of

Sent = dict[str, Any]


def _kept_to(operation: str, *usernames: str, groups: tuple[str, ...] = ()) -> Sent:
    people = [{"type": "known", "username": name} for name in usernames]
    return {
        "operation": operation,
        "restrictions": {"user": people, "group": [{"type": "group", "name": name} for name in groups]},
    }


def _restrict(site: Site, path: str, *sent: Sent, user: str = "alice") -> httpx.Response:
    return site.put(f"{path}/restriction", json=list(sent), user=user)


def _sees(site: Site, path: str, user: str = "bob") -> bool:
    status = site.get(path, user=user).status_code
    assert status in (200, 404)
    return status == 200


def _titles(site: Site, user: str) -> set[str]:
    return {item["title"] for item in site.get(f"{CONTENT}?limit=1000&spaceKey=DEMO", user=user).json()["results"]}


def test_the_answer_has_its_shape(site: Site) -> None:
    path = path_of(create(site))
    answer = _restrict(site, path, _kept_to("read", "alice", groups=("confluence-administrators",)))
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["start"], shown["limit"], shown["size"]) == (0, 200, 2)
    assert [item["operation"] for item in shown["results"]] == ["read", "update"]
    assert shown["_links"] == {
        "byOperation": f"{site.base_url}{path}/restriction/byOperation",
        "base": site.base_url,
        "context": "",
    }
    read, update = shown["results"]
    assert [item["username"] for item in read["restrictions"]["user"]["results"]] == ["alice"]
    assert read["restrictions"]["group"]["results"] == [
        {
            "type": "group",
            "name": "confluence-administrators",
            "_links": {"self": f"{site.base_url}/rest/api/group/confluence-administrators"},
        }
    ]
    assert read["_links"] == {"self": f"{site.base_url}{path}/restriction/byOperation/read"}
    assert read["_expandable"] == {"content": path}
    assert update["restrictions"]["user"] == {"results": [], "start": 0, "limit": 200, "size": 0}
    by_operation = site.get(f"{path}/restriction/byOperation").json()
    assert (by_operation["read"], by_operation["update"]) == (read, update)
    one = site.get(f"{path}/restriction/byOperation/read").json()
    assert one["restrictions"] == read["restrictions"]
    assert site.get(f"{path}/restriction/byOperation/delete").status_code == 404
    expanded = site.get(f"{path}?expand=restrictions.read.restrictions.user").json()["restrictions"]
    assert expanded["read"] == read
    # Sent back as it was answered, it changes nothing.
    again = site.put(f"{path}/restriction", json=shown["results"])
    assert again.json()["restrictionsHash"] == shown["restrictionsHash"]
    assert _restrict(site, path).json()["restrictionsHash"] != shown["restrictionsHash"]


def test_who_is_kept_out_finds_the_page_nowhere(site: Site) -> None:
    made = create(site, "Secret")
    path = path_of(made)
    assert _sees(site, path)
    before = site.get(f"{CONTENT}?spaceKey=DEMO&limit=1000", user="bob").json()["size"]
    assert _restrict(site, path, _kept_to("read", "alice")).status_code == 200
    assert [_sees(site, path, user) for user in ("alice", "admin", "bob", "viewer")] == [True, True, False, False]
    assert "Secret" not in _titles(site, "bob")
    assert site.get(f"{CONTENT}?spaceKey=DEMO&limit=1000", user="bob").json()["size"] == before - 1
    assert site.get(f"{CONTENT}?ids={made['id']}&title=Secret", user="bob").json()["results"] == []
    for below in ("/label", "/property", "/history", "/restriction/byOperation"):
        assert site.get(path + below, user="bob").status_code == 404, below
    assert _restrict(site, path).status_code == 200
    assert _sees(site, path)


def test_reading_is_inherited_through_creating_and_moving(site: Site) -> None:
    top = create(site, "Top")
    child = create(site, "Child", ancestors=[{"id": top["id"]}])
    elsewhere = create(site, "Elsewhere")
    _restrict(site, path_of(top), _kept_to("read", "alice"))
    below = create(site, "Below", ancestors=[{"id": child["id"]}])
    assert not any(_sees(site, path_of(page)) for page in (top, child, below))
    moved = site.put(
        path_of(elsewhere), json={"version": {"number": 2}, "title": "Elsewhere", "ancestors": [{"id": child["id"]}]}
    )
    assert moved.status_code == 200
    assert not _sees(site, path_of(elsewhere))
    relevant = site.get(f"{path_of(elsewhere)}/restriction/relevantViewRestrictions").json()["results"]
    assert [item["_expandable"]["content"] for item in relevant] == [path_of(top)]
    assert site.get(f"{path_of(elsewhere)}/restriction/byOperation").json()["read"]["restrictions"]["user"]["size"] == 0
    # The restrictions on a page and above it hold together.
    _restrict(site, path_of(child), _kept_to("read", "alice", "bob"))
    assert not _sees(site, path_of(child))
    assert _restrict(site, path_of(top)).status_code == 200
    assert [_sees(site, path_of(page)) for page in (top, child, below)] == [True, True, True]
    assert not _sees(site, path_of(child), "viewer")
    assert not _sees(site, path_of(below), "viewer")
    home = site.get(f"{SPACE}/DEMO?expand=homepage").json()["homepage"]["id"]
    site.put(path_of(below), json={"version": {"number": 2}, "title": "Below", "ancestors": [{"id": home}]})
    assert _sees(site, path_of(below), "viewer")


def test_changing_is_not_inherited(site: Site) -> None:
    top = create(site, "Top")
    child = create(site, "Child", ancestors=[{"id": top["id"]}])
    assert _restrict(site, path_of(top), _kept_to("update", "admin"), user="admin").status_code == 200
    assert _sees(site, path_of(top), "alice")
    body = {"version": {"number": 2}, "title": "Changed"}
    assert site.put(path_of(top), json=body).status_code == 403
    assert site.post(f"{path_of(top)}/label", json=[{"name": "x"}]).status_code == 403
    assert site.delete(path_of(top)).status_code == 403
    assert _restrict(site, path_of(top)).status_code == 403
    assert site.put(path_of(child), json=body).status_code == 200


def test_nobody_locks_themselves_out(site: Site) -> None:
    path = path_of(create(site))
    for sent in (
        _kept_to("read", "bob"),
        _kept_to("update", "bob"),
        _kept_to("read", groups=("confluence-administrators",)),
    ):
        answer = _restrict(site, path, sent)
        assert answer.status_code == 400
        assert answer.json().keys() == {"statusCode", "data", "message", "reason"}
    assert _sees(site, path)
    assert _restrict(site, path, _kept_to("update", groups=("confluence-users",))).status_code == 200


def test_post_adds_to_what_is_there(site: Site) -> None:
    path = path_of(create(site))
    _restrict(site, path, _kept_to("read", "alice"))
    added = site.post(f"{path}/restriction", json=[_kept_to("read", "bob", "alice")]).json()
    assert [item["username"] for item in added["results"][0]["restrictions"]["user"]["results"]] == ["alice", "bob"]
    assert [_sees(site, path, user) for user in ("bob", "viewer")] == [True, False]


def test_who_may_not_restrict(site: Site) -> None:
    path = path_of(create(site))
    assert _restrict(site, path, _kept_to("read", "viewer"), user="viewer").status_code == 403
    hidden = path_of(create(site, key="ENG"))
    assert _restrict(site, hidden, _kept_to("read", "bob"), user="bob").status_code == 404
    assert site.request("PUT", f"{path}/restriction", scope="READ", json=[]).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{"operation": "delete", "restrictions": {}}],
        [{"restrictions": {"user": [{"username": "alice"}]}}],
        [_kept_to("read", "alice", "nobody")],
        [_kept_to("read", "alice", groups=("no-such-group",))],
        [{"operation": "read", "restrictions": {"user": [{"type": "known"}]}}],
    ],
)
def test_restrictions_that_cannot_be_meant_change_nothing(site: Site, body: object) -> None:
    path = path_of(create(site))
    _restrict(site, path, _kept_to("read", "alice"))
    assert site.put(f"{path}/restriction", json=body).status_code == 400
    shown = site.get(f"{path}/restriction/byOperation").json()
    assert [item["username"] for item in shown["read"]["restrictions"]["user"]["results"]] == ["alice"]


def test_a_restricted_parent_is_not_there_for_those_it_is_kept_from(site: Site) -> None:
    top = create(site, "Top")
    _restrict(site, path_of(top), _kept_to("read", "admin", "alice"))
    site.post(SPACE, json={"key": "OWN", "name": "Own"}, user="admin")
    assert site.post(CONTENT, json=draft("Child", ancestors=[{"id": top["id"]}])).status_code == 200
    assert _restrict(site, path_of(top), _kept_to("read", "admin"), user="admin").status_code == 200
    assert site.post(CONTENT, json=draft("Another", ancestors=[{"id": top["id"]}])).status_code == 404
