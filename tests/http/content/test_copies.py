"""Copies of pages and of trees over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site
from watersmeet.content import copy
from watersmeet.database import audit
from watersmeet.database import content as contents

from .support import CONTENT, create, path_of


def _copy(site: Site, page: dict[str, Any], to: dict[str, Any] | str, **more: Any) -> httpx.Response:
    where = {"type": "space", "value": to} if isinstance(to, str) else {"type": "parent_page", "value": to["id"]}
    user = more.pop("user", "alice")
    return site.post(f"{path_of(page)}/copy", json={"destination": where, **more}, user=user)


def _copy_tree(site: Site, page: dict[str, Any], to: dict[str, Any], **more: Any) -> httpx.Response:
    user = more.pop("user", "alice")
    sent = {"destinationPageId": to["id"], **more}
    return site.post(f"{path_of(page)}/pagehierarchy/copy", json=sent, user=user)


def _below(site: Site, page: dict[str, Any]) -> list[str]:
    shown = site.get(f"{path_of(page)}/descendant/page?expand=ancestors").json()["results"]
    return ["/".join([*(each["title"] for each in item["ancestors"]), item["title"]]) for item in shown]


def test_a_page_is_copied_under_another_or_into_a_space(site: Site) -> None:
    page, shelf = create(site, "Plan", storage="<p>&nbsp;as it was</p>"), create(site, "Shelf")
    site.put(path_of(page), json={"version": {"number": 2}})
    copied = _copy(site, page, shelf)
    assert copied.status_code == 200, copied.text
    shown = copied.json()
    assert (shown["title"], shown["version"]["number"], shown["status"]) == ("Copy of Plan", 1, "current")
    assert shown["body"]["storage"]["value"] == "<p>&nbsp;as it was</p>"
    assert [each["id"] for each in shown["ancestors"]] == [shelf["id"]]
    other = _copy(site, page, "ENG", pageTitle="Plan", body={"storage": {"value": "<p>new</p>"}}).json()
    assert (other["space"]["key"], other["title"], other["body"]["storage"]["value"]) == ("ENG", "Plan", "<p>new</p>")
    assert site.get(path_of(page)).json()["version"]["number"] == 2


def test_what_is_copied_along_is_chosen(site: Site) -> None:
    page = create(site, "Plan", metadata={"properties": {"mood": {"value": {"good": True}}}})
    site.post(f"{path_of(page)}/label", json=[{"name": "early"}, {"prefix": "my", "name": "own"}])
    note = {"type": "a.b:note", "title": "n", "container": {"id": page["id"], "type": "page"}}
    assert site.post(CONTENT, json=note).status_code == 200
    only = [{"operation": "read", "restrictions": {"user": [{"username": "alice"}], "group": []}}]
    assert site.put(path_of(page) + "/restriction", json=only).status_code == 200
    expand = "?expand=metadata.labels,metadata.properties.mood,restrictions.read"
    bare = site.get(path_of(_copy(site, page, "DEMO").json()) + expand).json()
    assert (bare["metadata"]["labels"]["size"], bare["metadata"]["properties"].keys()) == (0, {"_expandable"})
    assert bare["restrictions"]["read"]["restrictions"]["user"]["size"] == 0
    flags = ("copyPermissions", "copyProperties", "copyLabels", "copyCustomContents")
    whole = _copy(site, page, "DEMO", pageTitle="Whole", **dict.fromkeys(flags, True)).json()
    shown = site.get(path_of(whole) + expand).json()
    assert [each["name"] for each in shown["metadata"]["labels"]["results"]] == ["early"]
    assert shown["metadata"]["properties"]["mood"]["value"] == {"good": True}
    assert shown["metadata"]["properties"]["mood"]["version"]["number"] == 1
    assert shown["restrictions"]["read"]["restrictions"]["user"]["results"][0]["username"] == "alice"
    assert site.get(path_of(whole), user="bob").status_code == 404
    query = audit.Query(event=audit.Event.RESTRICTIONS_CHANGED)
    found = site.environment.database.read_now(lambda tx: audit.search(tx, query))
    assert [entry.detail["content"] for entry in found] == [int(whole["id"]), int(page["id"])]
    notes = site.get(f"{path_of(whole)}/child/a.b:note").json()["results"]
    assert [each["title"] for each in notes] == ["n"]
    assert site.get(path_of(notes[0]), user="bob").status_code == 404


def test_files_are_copied_with_their_names_and_bytes(site: Site) -> None:
    page, headers = create(site, "Plan"), {"X-Atlassian-Token": "nocheck"}
    files = {"file": ("a b.txt", b"first", "text/plain")}
    added = site.post(f"{path_of(page)}/child/attachment", files=files, headers=headers)
    assert added.status_code == 200, added.text
    attachment = added.json()["results"][0]
    again = {"file": ("a b.txt", b"second", "text/plain")}
    data = f"{path_of(page)}/child/attachment/{attachment['id']}/data"
    assert site.post(data, files=again, headers=headers).status_code == 200
    assert site.put(path_of(attachment), json={"version": {"number": 3}, "title": "renamed.txt"}).status_code == 200
    copied = _copy(site, page, "ENG", copyAttachments=True).json()
    shown = site.get(f"{path_of(copied)}/child/attachment").json()["results"]
    assert [(each["title"], each["extensions"]["fileSize"]) for each in shown] == [("renamed.txt", len(b"second"))]
    assert site.get(shown[0]["_links"]["download"]).content == b"second"
    assert site.get(f"{path_of(_copy(site, page, 'DEMO').json())}/child/attachment").json()["size"] == 0


def test_a_copy_is_not_marked(site: Site) -> None:
    page = create(site, "Plan")
    properties = {"originalSelection": "Hello", "numMatches": 1, "matchIndex": 0, "lastFetchTime": 1}
    extensions = {"location": "inline", "inlineProperties": {**properties, "serializedHighlights": "[]"}}
    comment = {"type": "comment", "container": {"id": page["id"], "type": "page"}, "extensions": extensions}
    assert site.post(CONTENT, json=comment).status_code == 200
    copied = _copy(site, page, "DEMO").json()
    assert copied["body"]["storage"]["value"] == "<p>Hello</p>"
    assert site.get(f"{path_of(copied)}/child/comment").json()["results"] == []


def test_a_tree_is_copied_as_far_as_one_sees_it(site: Site) -> None:
    top, shelf = create(site, "Top"), create(site, "Shelf", key="ENG")
    one = create(site, "One", ancestors=[{"id": top["id"]}])
    create(site, "Leaf", ancestors=[{"id": one["id"]}])
    hidden = create(
        site,
        "Hidden",
        ancestors=[{"id": top["id"]}],
    )
    create(site, "Under hidden", ancestors=[{"id": hidden["id"]}])
    only = [{"operation": "read", "restrictions": {"user": [{"username": "admin"}], "group": []}}]
    assert site.put(path_of(hidden) + "/restriction", json=only, user="admin").status_code == 200
    copied = _copy_tree(site, top, shelf)
    assert copied.status_code == 202, copied.text
    task = site.get(copied.json()["links"]["status"]).json()
    assert (task["percentageComplete"], task["successful"]) == (100, True)
    assert site.get(copied.json()["links"]["status"], user="bob").status_code == 404
    assert _below(site, shelf) == ["Shelf/Top", "Shelf/Top/One", "Shelf/Top/One/Leaf"]
    named = {"prefix": "New ", "search": "O", "replace": "0"}
    assert _copy_tree(site, top, top, titleOptions=named).status_code == 202
    assert [each for each in _below(site, top) if "New" in each] == [
        "Top/New Top", "Top/New Top/New 0ne", "Top/New Top/New 0ne/New Leaf"
    ]  # fmt: skip
    only_one = {"copyDescendants": False, "titleOptions": {"prefix": "Only "}}
    assert _copy_tree(site, one, shelf, **only_one).status_code == 202
    assert [each for each in _below(site, shelf) if "Only" in each] == ["Shelf/Only One"]


def test_a_tree_is_copied_whole_or_not_at_all(site: Site) -> None:
    top, shelf = create(site, "Top"), create(site, "Shelf", key="ENG")
    create(site, "Taken", ancestors=[{"id": top["id"]}])
    create(site, "Taken", key="ENG")
    refused = _copy_tree(site, top, shelf)
    assert (refused.status_code, "title already exists" in refused.json()["message"]) == (400, True)
    assert _below(site, shelf) == []


@pytest.mark.parametrize("name", ["prefix", "search", "replace"])
def test_titles_are_bounded_before_they_are_made(site: Site, name: str) -> None:
    page, shelf = create(site, "a" * 255), create(site, "Shelf")
    for length, said in ((256, "at most 255 characters each"), (255, "A title may have")):
        titles = {"search": "a", "replace": "bb", name: "a" * length}
        refused = _copy_tree(site, page, shelf, titleOptions=titles)
        if refused.status_code == 202:
            assert (name, length) == ("search", 255)
        else:
            assert (refused.status_code, said in refused.json()["message"]) == (400, True)


def test_bodies_are_read_one_by_one_and_measured(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    top, shelf = create(site, "Top", storage="x" * 100), create(site, "Shelf", key="ENG")
    for number in range(5):
        create(site, f"Leaf {number}", storage="x" * 100, ancestors=[{"id": top["id"]}])
    read: list[int] = []
    find, load = contents.find_visible, contents.list_visible

    def found(*values: Any, body: bool = False) -> Any:
        content = find(*values, body=body)
        read.append(len(content.storage or "") if content else 0)
        return content

    def loaded(*values: Any, body: bool = False) -> Any:
        assert not body
        return load(*values, body=body)

    with monkeypatch.context() as patched:
        patched.setattr(contents, "find_visible", found)
        patched.setattr(contents, "list_visible", loaded)
        patched.setattr(copy, "MOST_CHARACTERS", 300)
        refused = _copy_tree(site, top, shelf)
        assert refused.status_code == 400
        assert "at most 300 characters" in refused.json()["message"]
        assert [length for length in read if length] == [100] * 4
    assert _below(site, shelf) == []
    monkeypatch.setattr(copy, "MOST_CHARACTERS", 600)
    assert _copy_tree(site, top, shelf).status_code == 202
    assert len(_below(site, shelf)) == 6


def test_parts_are_counted_however_deep_they_are(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    top, shelf = create(site, "Top"), create(site, "Shelf", key="ENG")
    leaf = create(site, "Leaf", ancestors=[{"id": top["id"]}])
    file = {"file": ("a.txt", b"x", "text/plain")}
    for page in (top, leaf):
        path = f"{path_of(page)}/child/attachment"
        assert site.post(path, files=file, headers={"X-Atlassian-Token": "nocheck"}).status_code == 200
    holder = leaf
    for _ in range(2):
        note = {"type": "a.b:note", "title": "n", "container": {"id": holder["id"], "type": holder["type"]}}
        holder = site.post(CONTENT, json=note).json()
    both = {"copyAttachments": True, "copyCustomContents": True}
    monkeypatch.setattr(copy, "MOST_PARTS", 3)
    refused = _copy_tree(site, top, shelf, **both)
    assert refused.status_code == 400
    assert "At most 3 attachments and custom contents" in refused.json()["message"]
    assert _below(site, shelf) == []
    monkeypatch.setattr(copy, "MOST_PARTS", 4)
    assert _copy_tree(site, top, shelf, **both).status_code == 202
    made = site.get(f"{CONTENT}?spaceKey=ENG&title=Leaf").json()["results"][0]
    for _ in range(2):
        (made,) = site.get(f"{path_of(made)}/child/a.b:note").json()["results"]
    assert site.get(f"{path_of(made)}/child/a.b:note").json()["results"] == []


def test_siblings_keep_their_order(site: Site) -> None:
    top, shelf = create(site, "Top"), create(site, "Shelf", key="ENG")
    first, second = (create(site, title, ancestors=[{"id": top["id"]}]) for title in ("First", "Second"))
    assert site.put(f"{path_of(second)}/move/before/{first['id']}").status_code == 200
    assert _copy_tree(site, top, shelf).status_code == 202
    copied = site.get(f"{path_of(shelf)}/child/page").json()["results"][0]
    shown = site.get(f"{path_of(copied)}/child/page").json()["results"]
    assert [each["title"] for each in shown] == ["Second", "First"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 400),
        ({"destination": {"type": "existing_page", "value": "x"}}, 400),
        ({"destination": {"type": "existing_page", "value": "987654"}}, 404),
        ({"destination": {"type": "parent_page", "value": "x"}}, 400),
        ({"destination": {"type": "parent_page", "value": "987654"}}, 404),
        ({"destination": {"type": "space", "value": "NOPE"}}, 404),
        ({"destination": {"type": "space", "value": "DEMO"}, "pageTitle": "Plan"}, 400),
        ({"destination": {"type": "space", "value": "DEMO"}, "pageTitle": " "}, 400),
        ({"destination": {"type": "space", "value": "DEMO"}, "body": {"storage": {"value": "<b>"}}}, 400),
    ],
)
def test_what_cannot_be_copied_is_refused(site: Site, sent: dict[str, Any], status: int) -> None:
    page = create(site, "Plan")
    assert site.post(f"{path_of(page)}/copy", json=sent).status_code == status


def _copy_onto(site: Site, page: dict[str, Any], onto: dict[str, Any], **more: Any) -> httpx.Response:
    user, where = more.pop("user", "alice"), {"type": "existing_page", "value": onto["id"]}
    return site.post(f"{path_of(page)}/copy", json={"destination": where, **more}, user=user)


def test_a_page_is_copied_onto_another_as_its_next_version(site: Site) -> None:
    page, onto = create(site, "Plan", storage="<p>&nbsp;new</p>"), create(site, "Old", key="ENG", storage="<p>old</p>")
    answer = _copy_onto(site, page, onto)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["id"], shown["title"], shown["version"]["number"]) == (onto["id"], "Old", 2)
    assert (shown["space"]["key"], shown["body"]["storage"]["value"]) == ("ENG", "<p>&nbsp;new</p>")
    before = site.get(f"{path_of(onto)}?version=1&expand=body.storage").json()
    assert before["body"]["storage"]["value"] == "<p>old</p>"
    given = _copy_onto(site, page, onto, pageTitle="Named", body={"storage": {"value": "<p>walrus</p>"}}).json()
    assert (given["title"], given["body"]["storage"]["value"], given["version"]["number"]) == (
        "Named",
        "<p>walrus</p>",
        3,
    )
    assert [each["id"] for each in site.get(f"{CONTENT}/search?cql=text~walrus").json()["results"]] == [onto["id"]]


def test_what_is_copied_onto_a_page_along_is_added_to_what_it_has(site: Site) -> None:
    def furnished(title: str, mood: str, data: bytes) -> dict[str, Any]:
        made = create(site, title, metadata={"properties": {"mood": {"value": mood}, f"of {title}": {"value": 1}}})
        site.post(f"{path_of(made)}/label", json=[{"name": "both"}, {"name": title.lower()}])
        for name in ("both.txt", f"{title}.txt"):
            files = {"file": (name, data, "text/plain")}
            sent = {"files": files, "headers": {"X-Atlassian-Token": "no-check"}}
            assert site.post(f"{path_of(made)}/child/attachment", **sent).status_code == 200
        return made

    page, onto = furnished("Plan", "new", b"new"), furnished("Old", "old", b"old")
    note = {"type": "a.b:note", "title": "n", "container": {"id": page["id"], "type": "page"}}
    assert site.post(CONTENT, json=note).status_code == 200
    flags = ("copyAttachments", "copyPermissions", "copyProperties", "copyLabels", "copyCustomContents")
    only = [{"operation": "read", "restrictions": {"user": [{"username": "alice"}], "group": []}}]
    assert site.put(path_of(page) + "/restriction", json=only).status_code == 200
    for _ in range(2):
        assert _copy_onto(site, page, onto, **dict.fromkeys(flags, True)).status_code == 200
    shown = site.get(path_of(onto) + "?expand=metadata.labels,metadata.properties").json()["metadata"]
    assert {each["name"] for each in shown["labels"]["results"]} == {"both", "plan", "old"}
    assert shown["properties"]["mood"]["value"] == "new"
    assert shown["properties"].keys() >= {"of Plan", "of Old"}
    files = site.get(f"{path_of(onto)}/child/attachment?expand=version").json()["results"]
    assert {each["title"]: each["version"]["number"] for each in files} == {"both.txt": 3, "Old.txt": 1, "Plan.txt": 2}
    assert site.get(f"/download/attachments/{onto['id']}/both.txt").content == b"new"
    assert site.get(f"{path_of(onto)}/child/a.b:note").json()["size"] == 2
    assert site.get(path_of(onto), user="bob").status_code == 404


def test_who_may_copy_onto_a_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page, onto, secret = create(site, "Plan"), create(site, "Old"), create(site, "Secret", key="ENG")
    assert _copy_onto(site, page, onto, user="bob").status_code == 403
    assert _copy_onto(site, page, secret, user="bob").status_code == 404
    assert _copy_onto(site, secret, onto, user="bob").status_code == 404
    assert _copy_onto(site, page, page).status_code == 400
    assert _copy_onto(site, page, onto, pageTitle="Plan").status_code == 400
    post = create(site, "Post", type="blogpost")
    assert _copy_onto(site, page, post).status_code == 400
    assert _copy_onto(site, post, onto).status_code == 404
    site.put(f"{path_of(page)}/property/p", json={"value": 1, "version": {"number": 1}})
    monkeypatch.setattr(copy, "MOST_PARTS", 0)
    assert _copy_onto(site, page, onto, copyProperties=True).status_code == 400
    others = [{"operation": "update", "restrictions": {"user": [{"username": "admin"}], "group": []}}]
    assert site.put(path_of(page) + "/restriction", json=others, user="admin").status_code == 200
    assert _copy_onto(site, page, onto, copyPermissions=True).status_code == 400
    assert site.get(path_of(onto)).json()["version"]["number"] == 1


def test_who_may_copy(site: Site) -> None:
    page, secret, shelf = create(site, "Plan"), create(site, "Secret", key="ENG"), create(site, "Shelf")
    assert _copy(site, page, "DEMO", user="bob").status_code == 403
    assert _copy(site, secret, "DEMO", user="bob").status_code == 404
    assert _copy_tree(site, page, shelf, user="bob").status_code == 403
    assert _copy_tree(site, page, secret, user="bob").status_code == 404
    assert site.post(f"{path_of(page)}/copy", json={}, scope="READ").status_code == 403
    comment = {"type": "comment", "container": {"id": page["id"], "type": "page"}}
    said = site.post(CONTENT, json=comment).json()
    assert _copy(site, said, "DEMO").status_code == 404
    assert _copy(site, page, said).status_code == 400
