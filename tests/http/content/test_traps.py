"""What clients trip over (S8), each trap by its number; those of files and of spaces are tested with them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site, SiteFactory
from tests.support.grants import together

from .support import CONTENT, SPACE, create, draft, path_of


def test_trap_02_property_put_version_1_upserts(site: Site) -> None:
    path = f"{path_of(create(site))}/property/hash"
    assert site.put(path, json={"value": "a", "version": {"number": 1}}).status_code == 200
    assert site.put(path, json={"value": "b", "version": {"number": 1}}).status_code == 409
    assert site.put(path, json={"value": "b", "version": {"number": 2}}).json()["value"] == "b"


@pytest.mark.parametrize("content_type", ["page", "blogpost", "a.b:note"])
def test_trap_03_metadata_properties_become_content_properties(site: Site, content_type: str) -> None:
    sent = draft("Plan", metadata={"properties": {"emoji-title-published": {"value": "1f600"}}})
    made = site.post(CONTENT, json=sent | {"type": content_type}).json()
    path = f"{path_of(made)}/property"
    assert site.get(f"{path}/emoji-title-published").json()["value"] == "1f600"
    change = {"emoji-title-published": {"value": "1f601"}, "new": {"value": 1}}
    update = {"version": {"number": 2}, "metadata": {"properties": change}}
    assert site.put(path_of(made), json=update).status_code == 200
    assert {each["key"]: each["value"] for each in site.get(path).json()["results"]} == {
        "emoji-title-published": "1f601", "new": 1
    }  # fmt: skip


@pytest.mark.parametrize("status", ["current", "draft"])
def test_trap_04_post_content_is_200_with_an_expanded_answer(site: Site, status: str) -> None:
    made = site.post(f"{CONTENT}/", json=draft("Plan", status=status))
    assert made.status_code == 200
    assert {"space", "version", "ancestors", "body", "history", "container"} <= made.json().keys()
    assert made.json()["body"]["storage"]["value"] == "<p>Hello</p>"


@pytest.mark.parametrize(
    "query",
    [
        "expand=body.editor2,version,nonsense.deeper.still",
        "expand=children.nonsense,descendants.page.nonsense,operations.x,restrictions.read.x,history.nonsense",
        "expand=,,.,..a,%20",
        "id=5&whatever=1&limit=0",
        "limit=1000",
    ],
)
def test_trap_05_what_is_not_known_is_accepted(site: Site, query: str) -> None:
    one = path_of(create(site))
    for path in (one, f"{one}/", CONTENT, f"{one}/child/comment", f"{one}/child/", f"{one}/descendant/page/"):
        assert site.get(f"{path}?{query}").status_code == 200


def test_trap_06_the_att_prefix_is_accepted_and_digits_are_returned(site: Site) -> None:
    made = create(site)
    assert site.get(f"{CONTENT}/att{made['id']}").json()["id"] == made["id"]


def test_trap_09_a_duplicate_title_says_so(site: Site) -> None:
    create(site, "Plan")
    begun = site.post(CONTENT, json=draft("Plan", status="draft")).json()
    for refused in (
        site.post(CONTENT, json=draft("plan")),
        site.put(f"{CONTENT}/blueprint/instance/{begun['id']}", json={}),
    ):
        assert refused.status_code == 400
        assert "title already exists" in refused.json()["message"]


def test_trap_11_numbers_where_numbers_are_expected(site: Site) -> None:
    made = create(site)
    assert isinstance(made["id"], str)
    assert isinstance(made["space"]["id"], int)
    assert (made["position"], made["extensions"]["position"]) == (-1, "none")
    child = create(site, "Child", ancestors=[{"id": made["id"]}])
    other = create(site, "Other", ancestors=[{"id": made["id"]}])
    site.put(f"{path_of(other)}/move/before/{child['id']}")
    shown = site.get(f"{path_of(made)}?expand=children.page").json()["children"]["page"]["results"]
    assert [(each["title"], each["extensions"]["position"]) for each in shown] == [("Other", 0), ("Child", 1)]


def test_trap_12_next_is_relative_without_context_and_only_there_when_there_is_more(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    page = create(site, "Top")
    for number in range(3):
        create(site, f"Child {number}", ancestors=[{"id": page["id"]}])
    path = f"{path_of(page)}/child/page?limit=2"
    first = site.get(path).json()
    assert (first["size"], first["_links"]["next"]) == (2, f"{path_of(page)}/child/page?limit=2&start=2")
    last = site.get(first["_links"]["next"]).json()
    assert (last["size"], "next" in last["_links"]) == (1, False)


def test_trap_13_an_unexpanded_space_is_named(site: Site) -> None:
    page = create(site, "Top")
    create(site, "Child", ancestors=[{"id": page["id"]}])
    shown = site.get(f"{path_of(page)}?expand=children.page,ancestors").json()
    for each in (shown, *shown["children"]["page"]["results"]):
        assert each["_expandable"]["space"] == f"{SPACE}/DEMO"


def test_trap_14_what_is_in_the_trash_is_404_unless_it_is_asked_for(site: Site) -> None:
    page = path_of(create(site))
    assert site.delete(page).status_code == 204
    expected = {"": 404, "?status=current": 404, "?status=trashed": 200, "?status=any": 200}
    assert {query: site.get(page + query).status_code for query in expected} == expected


def test_trap_15_what_was_written_is_found_at_once(site: Site) -> None:
    page = create(site, "Quokka")
    assert site.get(f"{CONTENT}/search?cql=title~quokka").json()["totalSize"] == 1
    assert site.get(f"{CONTENT}?spaceKey=DEMO&title=quokka").json()["size"] == 1
    copied = site.post(f"{path_of(page)}/copy", json={"destination": {"type": "space", "value": "DEMO"}})
    assert copied.status_code == 200
    assert site.get(f"{CONTENT}/search?cql=title~quokka").json()["totalSize"] == 2


def test_trap_16_of_updates_at_once_one_wins(site: Site) -> None:
    page = create(site)
    site.put(path_of(page), json={"version": {"number": 2}})  # whoever is asked later has a token already

    def update(number: int) -> Any:
        return site.put(path_of(page), json={"version": {"number": 3}, "title": f"By {number}"}).status_code

    assert sorted(map(str, together(4, update))) == ["200", "409", "409", "409"]


def test_trap_19_titles_are_unique_among_current_content_of_a_type(site: Site) -> None:
    page = create(site, "Straße")
    assert site.post(CONTENT, json=draft("STRASSE")).status_code == 400
    assert site.post(CONTENT, json=draft("strasse") | {"type": "blogpost"}).status_code == 200
    site.delete(path_of(page))
    assert site.post(CONTENT, json=draft("strasse")).status_code == 200
    restored = {"status": "current", "version": {"number": 2}}
    assert site.put(path_of(page), json=restored).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{CONTENT}/987654"),
        ("POST", CONTENT),
        ("POST", f"{CONTENT}/987654/copy"),
        ("PUT", f"{CONTENT}/blueprint/instance/987654"),
        ("POST", "/rest/experimental/template"),
        ("GET", "/rest/experimental/template/987654"),
        ("POST", "/rest/inlinecomments/1.0/comments"),
        ("DELETE", "/rest/likes/1.0/content/987654/likes"),
        ("PATCH", f"{CONTENT}/987654"),
    ],
)
def test_trap_20_errors_always_have_a_message_and_a_status(site: Site, method: str, path: str) -> None:
    refused = site.request(method, path, scope="WRITE", json={})
    assert refused.status_code >= 400
    assert refused.json()["statusCode"] == refused.status_code
    assert refused.json()["message"]


def test_trap_21_get_with_a_json_content_type_and_no_body(site: Site) -> None:
    page = path_of(create(site))
    for path in (page, f"{page}/child/page", "/rest/experimental/template/page"):
        assert site.get(path, headers={"Content-Type": "application/json"}).status_code == 200


def test_trap_22_an_empty_page_ends_paging_and_the_limit_is_honoured(site: Site) -> None:
    page = create(site, "Top")
    create(site, "Child", ancestors=[{"id": page["id"]}])
    path = f"{path_of(page)}/child/page?limit=100"
    assert site.get(path).json()["limit"] == 100
    beyond = site.get(f"{path}&start=100").json()
    assert (beyond["results"], "next" in beyond["_links"]) == ([], False)
