"""The protected API: content and spaces, their shapes, paging, rules and permissions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.http.conftest import Site, SiteFactory

from .support import CONTENT, SPACE, create, draft


def refused(response: httpx.Response, status: int, message: str) -> None:
    assert response.status_code == status
    body = response.json()
    assert body.keys() == {"statusCode", "data", "message", "reason"}
    assert body["statusCode"] == status
    assert body["data"].keys() == {"authorized", "valid", "allowedInReadOnlyMode", "errors", "successful"}
    assert message in body["message"]


# ---- shapes -----------------------------------------------------------------------------------------------


def test_one_content_has_the_original_s_members(site: Site) -> None:
    made = create(site)
    found = site.get(f"{CONTENT}/{made['id']}").json()
    assert {"id", "type", "status", "title", "space", "history", "version", "extensions", "_links"} <= found.keys()
    assert isinstance(found["id"], str)
    assert isinstance(found["space"]["id"], int)
    assert found["extensions"] == {"position": "none"}
    assert {"webui", "edit", "tinyui", "collection", "base", "context", "self"} <= found["_links"].keys()
    assert found["_links"]["self"] == f"{site.base_url}{CONTENT}/{made['id']}"
    assert {"body", "ancestors", "children", "metadata", "restrictions"} <= found["_expandable"].keys()
    assert found["version"]["number"] == 1
    assert found["version"]["by"]["username"] == "alice"
    assert found["history"]["createdDate"] == "2027-01-15T08:00:00.000+00:00"


def test_what_was_written_comes_back_expanded_and_byte_for_byte(site: Site) -> None:
    storage = '<p>é 😀 &nbsp;<ac:structured-macro ac:name="info"/><script>x</script></p>\n  '
    made = create(site, body={"storage": {"value": storage, "representation": "storage"}})
    assert {"space", "version", "history", "ancestors", "container", "body"} <= made.keys()
    assert made["body"]["storage"]["value"] == storage
    found = site.get(f"{CONTENT}/{made['id']}?expand=body.storage,body.view,body.editor2,nonsense&foo=bar").json()
    assert found["body"]["storage"]["value"] == storage
    assert "script" not in found["body"]["view"]["value"]
    assert found["_expandable"]["space"] == "/rest/api/space/DEMO"


@pytest.mark.parametrize("suffix", ["", "/"])
def test_trailing_slashes_and_a_content_type_on_get(site: Site, suffix: str) -> None:
    answer = site.get(CONTENT + suffix, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["x-ausername"] == "alice"


def test_ancestors_from_the_root_down(site: Site) -> None:
    parent = create(site, "Parent")
    child = create(site, "Child", ancestors=[{"id": parent["id"]}])
    found = site.get(f"{CONTENT}/att{child['id']}?expand=ancestors,space").json()
    assert [ancestor["title"] for ancestor in found["ancestors"]] == ["Parent"]


def test_the_current_user(site: Site) -> None:
    found = site.get("/rest/api/user/current", user="bob").json()
    assert (found["type"], found["username"], found["displayName"]) == ("known", "bob", "Bob Example")
    assert {"userKey", "profilePicture", "_links", "_expandable"} <= found.keys()


def test_a_space(site: Site) -> None:
    found = site.get(f"{SPACE}/DEMO?expand=homepage,description.plain").json()
    assert (found["key"], found["type"], found["homepage"]["type"]) == ("DEMO", "global", "page")
    assert isinstance(found["id"], int)


def test_history_names_the_newest_version(site: Site) -> None:
    made = create(site)
    update(site, made, 2)
    found = site.get(f"{CONTENT}/{made['id']}/history").json()
    assert found["lastUpdated"]["number"] == 2


# ---- lists ------------------------------------------------------------------------------------------------


def test_pages_of_a_list_under_a_context_path(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    everything = site.get(f"{CONTENT}?limit=1000").json()["results"]
    seen, path = [], f"{CONTENT}?limit=2"
    while path:
        found = site.get(path).json()
        assert found["_links"]["context"] == "/confluence"
        assert found["_links"]["base"] == site.base_url
        assert found["size"] == len(found["results"])
        seen += found["results"]
        path = found["_links"].get("next")
        assert path is None or (path.startswith("/rest/api/content?") and found["size"] == 2)
    assert [item["id"] for item in seen] == [item["id"] for item in everything]


def test_paging_has_no_holes_for_who_sees_less(site: Site) -> None:
    found = site.get(f"{SPACE}?limit=1", user="bob").json()
    assert [item["key"] for item in found["results"]] == ["DEMO"]
    assert "next" not in found["_links"]


def test_limit_nought_and_beyond(site: Site) -> None:
    assert site.get(f"{CONTENT}?limit=0").json()["results"] == []
    assert site.get(f"{CONTENT}?start=10000").json()["results"] == []
    assert site.get(f"{CONTENT}?limit=x").status_code == 400


def test_looking_up_a_title_in_any_case(site: Site) -> None:
    made = create(site, "Straße nach Rom")
    found = site.get(f"{CONTENT}?spaceKey=DEMO&title=STRASSE NACH ROM").json()
    assert [item["id"] for item in found["results"]] == [made["id"]]


def test_blog_posts(site: Site) -> None:
    made = create(site, "News", type="blogpost")
    assert made["type"] == "blogpost"
    found = site.get(f"{CONTENT}?type=blogpost&postingDay=2027-01-15").json()
    assert [item["id"] for item in found["results"]] == [made["id"]]


# ---- rules ------------------------------------------------------------------------------------------------


def update(site: Site, content: dict[str, Any], number: int, **more: Any) -> httpx.Response:
    body = {"type": "page", "title": content["title"], "version": {"number": number}, **more}
    return site.put(f"{CONTENT}/{content['id']}", json=body)


def test_the_version_rule(site: Site) -> None:
    made = create(site)
    for number in (1, 3):
        refused(update(site, made, number), 409, "Version must be incremented on update. Current version is: 1")
    changed = update(site, made, 2, title="Renamed")
    assert (changed.json()["version"]["number"], changed.json()["title"]) == (2, "Renamed")
    assert changed.json()["body"]["storage"]["value"] == "<p>Hello</p>"
    old = site.get(f"{CONTENT}/{made['id']}?status=historical&version=1").json()
    assert old["title"] == "A page"


def test_of_racing_updates_one_wins(site: Site) -> None:
    made = create(site)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: update(site, made, 2, title=f"By {n}").status_code, range(8)))
    assert sorted(answers) == [200] + [409] * 7


def test_titles_are_unique_among_current_content(site: Site) -> None:
    made = create(site)
    text = (
        "A page with this title already exists: A page already exists with the title a PAGE in the space with key DEMO"
    )
    refused(site.post(CONTENT, json=draft("a PAGE")), 400, text)
    other = create(site, "Other")
    refused(update(site, other, 2, title="A page"), 400, "title already exists")
    assert site.delete(f"{CONTENT}/{made['id']}").status_code == 204
    create(site)  # a trashed title is free again


def test_trash_and_purge(site: Site) -> None:
    made = create(site)
    path = f"{CONTENT}/{made['id']}"
    assert site.delete(path).status_code == 204
    refused(site.get(path), 404, f"No content found with id: ContentId{{id={made['id']}}}")
    assert site.get(f"{path}?status=any").json()["status"] == "trashed"
    assert site.delete(f"{path}?status=trashed").status_code == 204
    assert site.get(f"{path}?status=any").status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"type": 1}', b'{"type":"page","title":"x"}', b'{"type":"whiteboard","title":"x"}']
)
def test_a_wrong_body_is_explained(site: Site, body: bytes) -> None:
    answer = site.post(CONTENT, content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["message"]


def test_no_such_things(site: Site) -> None:
    refused(site.get(f"{SPACE}/NOPE"), 404, "No space with key : NOPE")
    refused(site.get(f"{CONTENT}/999999"), 404, "No content found with id: ContentId{id=999999}")
    assert site.get(f"{CONTENT}/abc").status_code == 404


# ---- permissions ------------------------------------------------------------------------------------------


def test_what_one_may_not_see_does_not_exist(site: Site) -> None:
    home = site.get(f"{SPACE}/ENG?expand=homepage").json()["homepage"]["id"]
    assert site.get(f"{CONTENT}/{home}", user="viewer").status_code == 200
    assert site.get(f"{CONTENT}/{home}", user="bob").status_code == 404
    assert site.get(f"{SPACE}/ENG", user="bob").status_code == 404
    assert site.get(f"{CONTENT}?spaceKey=ENG", user="bob").status_code == 404


@pytest.mark.parametrize("user", ["bob", "viewer"])
def test_what_one_may_see_but_not_change_is_forbidden(site: Site, user: str) -> None:
    made = create(site)
    refused(site.post(CONTENT, json=draft("Mine"), user=user), 403, "")
    refused(site.put(f"{CONTENT}/{made['id']}", json=draft("A page", version={"number": 2}), user=user), 403, "")
    refused(site.delete(f"{CONTENT}/{made['id']}", user=user), 403, "")


def test_spaces_are_made_by_administrators(site: Site) -> None:
    body = {"key": "OPS", "name": "Operations", "description": {"plain": {"value": "x", "representation": "plain"}}}
    assert site.post(SPACE, json=body).status_code == 403
    assert site.post(SPACE, json=body, user="admin").json()["key"] == "OPS"
    assert site.post(SPACE, json=body, user="admin").status_code == 400
    assert site.get(f"{SPACE}/OPS").status_code == 404


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/rest/api/content?type=foo", "blogpost"),
        ("/rest/api/content?status=curent", "current"),
        ("/rest/api/space?type=bogus", "global, personal"),
        ("/rest/api/space?status=bogus", "current, archived"),
        ("/rest/api/content/1/child/weird", "attachment"),
    ],
)
def test_a_word_that_nobody_knows_is_no_empty_list(site: Site, path: str, known: str) -> None:
    """Whoever mirrors a wiki would delete everything for a slip of the pen."""
    refused = site.get(path)
    assert (refused.status_code, known in refused.json()["message"]) == (400, True), refused.text


def test_an_address_or_a_method_that_is_not_served_is_explained(site: Site) -> None:
    assert site.get("/rest/api/nothing").json()["message"].startswith("There is no such resource")
    refused = site.new_browser().patch("/rest/api/content/1", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["message"]) == (
        405, f"This resource does not serve that method; it serves {refused.headers['allow']}.",
    )  # fmt: skip
