"""What ``expand`` shows, alone and nested, and that ``_expandable`` names what it does not (S3.1, S3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, path_of


def _expanded(site: Site, content: dict[str, Any], expand: str, **more: Any) -> dict[str, Any]:
    answer = site.get(f"{path_of(content)}?expand={expand}", **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _comment(site: Site, page: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    body = {"storage": {"value": f"<p>{text}</p>", "representation": "storage"}}
    sent = {"type": "comment", "container": {"id": page["id"], "type": "page"}, "body": body, **more}
    made = site.post(CONTENT, json=sent)
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def test_children_are_shown_by_type_and_the_other_types_are_named(site: Site) -> None:
    page = create(site, "Top")
    below = [create(site, title, ancestors=[{"id": page["id"]}]) for title in ("First", "Second")]
    _comment(site, page, "one")
    shown = _expanded(site, page, "children.page.version,children.comment.body.storage")
    children, path = shown["children"], path_of(page) + "/child"
    assert [each["id"] for each in children["page"]["results"]] == [each["id"] for each in below]
    assert children["page"]["results"][0]["version"]["number"] == 1
    assert {name: children["page"][name] for name in ("start", "limit", "size", "_links")} == {
        "start": 0, "limit": 25, "size": 2, "_links": {"self": f"{site.base_url}{path}/page"}
    }  # fmt: skip
    assert children["comment"]["results"][0]["body"]["storage"]["value"] == "<p>one</p>"
    assert children["_expandable"] == {"attachment": f"{path}/attachment"}
    assert children["_links"] == {"self": site.base_url + path}
    assert "children" not in shown["_expandable"]
    bare = _expanded(site, page, "children")["children"]
    assert bare["_expandable"] == {name: f"{path}/{name}" for name in ("attachment", "comment", "page")}


def test_children_nest_and_a_long_list_says_where_it_goes_on(site: Site) -> None:
    page = create(site, "Top")
    middle = create(site, "Middle", ancestors=[{"id": page["id"]}])
    for number in range(26):
        create(site, f"Leaf {number:02}", ancestors=[{"id": middle["id"]}])
    shown = _expanded(site, page, "children.page.children.page.ancestors")["children"]["page"]["results"][0]
    leaves = shown["children"]["page"]
    assert [each["title"] for each in leaves["results"]] == [f"Leaf {number:02}" for number in range(25)]
    assert [each["title"] for each in leaves["results"][0]["ancestors"]] == ["Top", "Middle"]
    assert leaves["_links"]["next"] == f"{path_of(middle)}/child/page?limit=25&start=25"


def test_a_list_shows_the_children_of_each(site: Site) -> None:
    tops = [create(site, f"Top {number}") for number in range(3)]
    for top in tops[:2]:
        create(site, f"Below {top['title']}", ancestors=[{"id": top["id"]}])
    ids = ",".join(top["id"] for top in tops)
    shown = site.get(f"{CONTENT}?ids={ids}&expand=children.page,descendants.page").json()["results"]
    for relation in ("children", "descendants"):
        below = [[each["title"] for each in item[relation]["page"]["results"]] for item in shown]
        assert below == [["Below Top 0"], ["Below Top 1"], []]


def test_descendants_are_of_every_depth(site: Site) -> None:
    page = create(site, "Top")
    middle = create(site, "Middle", ancestors=[{"id": page["id"]}])
    create(site, "Leaf", ancestors=[{"id": middle["id"]}])
    _comment(site, middle, "deep")
    shown = _expanded(site, page, "descendants.page,descendants.comment")["descendants"]
    assert [each["title"] for each in shown["page"]["results"]] == ["Middle", "Leaf"]
    assert [each["title"] for each in shown["comment"]["results"]] == ["Re: Middle"]
    assert shown["_expandable"] == {"attachment": f"{path_of(page)}/descendant/attachment"}


def test_what_may_not_be_seen_is_nobody_s_child(site: Site) -> None:
    page = create(site, "Top")
    hidden = create(site, "Hidden", ancestors=[{"id": page["id"]}])
    create(site, "Under hidden", ancestors=[{"id": hidden["id"]}])
    only = [{"operation": "read", "restrictions": {"user": [{"username": "alice"}], "group": []}}]
    assert site.put(path_of(hidden) + "/restriction", json=only).status_code == 200
    expand = "children.page,descendants.page"
    seen = _expanded(site, page, expand)
    assert [seen["children"]["page"]["size"], seen["descendants"]["page"]["size"]] == [1, 2]
    unseen = _expanded(site, page, expand, user="bob")
    assert [unseen["children"]["page"]["size"], unseen["descendants"]["page"]["size"]] == [0, 0]


_ALL = "read page, update page, delete page, create comment, create attachment, restrict_content page"


@pytest.mark.parametrize(("user", "operations"), [("alice", _ALL), ("bob", "read page"), ("admin", _ALL)])
def test_operations_are_those_of_the_caller(site: Site, user: str, operations: str) -> None:
    shown = _expanded(site, create(site), "operations", user=user)["operations"]
    assert ", ".join(f"{each['operation']} {each['targetType']}" for each in shown) == operations


def test_operations_follow_restrictions(site: Site) -> None:
    page = create(site)
    only = [{"operation": "update", "restrictions": {"user": [{"username": "admin"}], "group": []}}]
    assert site.put(path_of(page) + "/restriction", json=only, user="admin").status_code == 200
    shown = [each["operation"] for each in _expanded(site, page, "operations")["operations"]]
    assert shown == ["read", "create", "create"]


def test_one_operation_of_the_restrictions(site: Site) -> None:
    page = create(site)
    shown = _expanded(site, page, "restrictions.read.restrictions.user")["restrictions"]
    assert shown["read"]["restrictions"]["user"]["results"] == []
    assert shown["_expandable"] == {"update": f"{path_of(page)}/restriction/byOperation/update"}
    assert _expanded(site, page, "restrictions")["restrictions"].keys() == {"read", "update", "_links", "_expandable"}


def test_history_in_lists_as_in_one(site: Site) -> None:
    page = create(site, "Plan")
    site.put(path_of(page), json={"version": {"number": 2, "message": "second"}}, user="admin")
    expand = "history.previousVersion,history.nextVersion,history.lastUpdated,history.contributors.publishers"
    one = _expanded(site, page, expand)["history"]
    listed = site.get(f"{CONTENT}?ids={page['id']}&expand={expand}").json()["results"][0]["history"]
    assert one == listed
    assert one["previousVersion"]["number"] == 1
    assert (one["lastUpdated"]["number"], one["lastUpdated"]["message"]) == (2, "second")
    assert [user["username"] for user in one["contributors"]["publishers"]["users"]] == ["alice", "admin"]
    assert one["_expandable"] == {"nextVersion": ""}


def test_the_reader_s_own_part_of_metadata(site: Site) -> None:
    page = create(site, "Plan")
    shown = _expanded(site, page, "metadata.currentuser.lastcontributed,metadata.currentuser.favourited")["metadata"]
    assert shown["currentuser"]["favourited"] == {"isFavourite": False}
    assert shown["currentuser"]["lastcontributed"] == {"status": "EDITOR", "when": page["version"]["when"]}
    assert shown["currentuser"]["_expandable"] == {}
    assert "currentuser" not in shown["_expandable"]
    assert "lastcontributed" not in _expanded(site, page, "metadata.currentuser", user="bob")["metadata"]["currentuser"]


def test_what_a_content_stands_in_is_shown_with_its_own_parts(site: Site) -> None:
    page = create(site, "Top")
    site.post(path_of(page) + "/label", json=[{"name": "shelf"}])
    child = create(site, "Child", ancestors=[{"id": page["id"]}])
    remark = _comment(site, child, "one")
    shown = _expanded(site, child, "ancestors.metadata.labels,ancestors.version,space.homepage.version")
    assert shown["ancestors"][0]["metadata"]["labels"]["results"][0]["name"] == "shelf"
    assert shown["ancestors"][0]["version"]["number"] == 1
    assert shown["space"]["homepage"]["version"]["number"] == 1
    container = _expanded(site, remark, "container.ancestors,container.space")["container"]
    assert ([each["title"] for each in container["ancestors"]], container["space"]["key"]) == (["Top"], "DEMO")


def test_what_a_content_stands_in_does_not_show_what_is_below_again(site: Site) -> None:
    page = create(site, "Top")
    remark = _comment(site, page, "one")
    shown = _expanded(site, remark, "container.children.comment,space.homepage.children.page")
    assert shown["container"]["_expandable"]["children"] == f"{path_of(page)}/child"
    assert "children" in shown["space"]["homepage"]["_expandable"]


@pytest.mark.parametrize("name", ["operations", "children", "descendants", "restrictions", "metadata", "history"])
def test_a_part_is_shown_or_named_never_both(site: Site, name: str) -> None:
    page = create(site)
    assert name in _expanded(site, page, "nonsense")["_expandable"]
    shown = _expanded(site, page, f"{name}.nonsense,nonsense.{name}")
    assert name in shown
    assert name not in shown["_expandable"]
