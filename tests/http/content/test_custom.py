"""Custom content over HTTP: ``plugin:module`` in pages and spaces, in lists, searches, versions and the trash."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, path_of

TYPE = "com.example.plugins:Note"


def _make(site: Site, *, user: str = "alice", title: str = "A note", **more: Any) -> httpx.Response:
    return site.post(CONTENT, json={"type": TYPE, "title": title, **more}, user=user)


def _in(site: Site, page: dict[str, Any], storage: str = "<p>walrus</p>", **more: Any) -> dict[str, Any]:
    body = {"storage": {"value": storage, "representation": "storage"}}
    made = _make(site, container={"id": page["id"], "type": "page"}, body=body, **more)
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def _ids(site: Site, path: str, **more: Any) -> list[str]:
    answer = site.get(path, **more)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["results"]]


def test_it_is_part_of_a_page_and_found_by_its_type(site: Site) -> None:
    page = create(site, "Plan")
    note = _in(site, page)
    assert (note["type"], note["container"]["id"], note["space"]["key"]) == (TYPE, page["id"], "DEMO")
    assert note["ancestors"] == []
    assert note["_links"]["webui"] == f"/pages/viewpage.action?pageId={page['id']}"
    assert _ids(site, f"{path_of(page)}/child/{TYPE}") == [note["id"]]
    assert _ids(site, f"{path_of(page)}/descendant/{TYPE}") == [note["id"]]
    assert _ids(site, f"{CONTENT}?type={TYPE}&spaceKey=DEMO") == [note["id"]]
    assert _ids(site, f"{path_of(page)}/child/page") == _ids(site, f"{path_of(page)}/child/other:Note") == []


def test_it_is_shown_along_with_what_it_is_part_of(site: Site) -> None:
    page = create(site, "Plan")
    first, second = _in(site, page), _in(site, page, title="Another")
    _in(site, first)
    for part, ids in (("children", [first["id"], second["id"]]), ("descendants", [])):
        expand = f"{part}.{TYPE}.version,{part}.{TYPE}.body.storage,{part}.other:Note,{part}.page"
        shown = site.get(f"{path_of(page)}?expand={expand}").json()[part]
        notes = shown[TYPE]
        assert [each["id"] for each in notes["results"]][:2] == (ids or [first["id"], second["id"]])
        assert notes["results"][0]["body"]["storage"]["value"] == "<p>walrus</p>"
        assert notes["results"][0]["version"]["number"] == 1
        assert notes["_links"]["self"].endswith(f"/{'child' if ids else 'descendant'}/{TYPE}")
        assert shown["other:Note"]["results"] == shown["page"]["results"] == []
        assert shown["_expandable"].keys() == {"attachment", "comment"}
    mapped = site.get(f"{path_of(page)}/child?expand={TYPE}").json()
    assert [each["id"] for each in mapped[TYPE]["results"]] == [first["id"], second["id"]]
    listed = site.get(f"{CONTENT}?spaceKey=DEMO&title=Plan&expand=children.{TYPE}").json()["results"][0]
    assert listed["children"][TYPE]["size"] == 2
    many = ",".join(f"children.type:n{number}" for number in range(100))
    shown = site.get(f"{path_of(page)}?expand={many}").json()["children"]
    assert len([name for name in shown if name.startswith("type:")]) == 5


@pytest.mark.parametrize(
    "cql", [f'type = "{TYPE}"', f'type in ("page", "{TYPE}") and text ~ walrus', "container = PAGE", "text ~ walrus"]
)
def test_it_is_found_by_cql(site: Site, cql: str) -> None:
    page = create(site, "Plan")
    note = _in(site, page)
    assert _ids(site, f"{CONTENT}/search?cql={cql.replace('PAGE', page['id'])}") == [note["id"]]


def test_it_can_be_in_a_space_or_in_another_one(site: Site) -> None:
    alone = _make(site, space={"key": "DEMO"}).json()
    assert alone["container"]["key"] == "DEMO"
    assert alone["_links"]["webui"] == "/display/DEMO"
    assert _make(site, container={"type": "space", "key": "DEMO"}).json()["container"]["key"] == "DEMO"
    inner = _make(site, container={"id": alone["id"], "type": TYPE}).json()
    assert inner["container"]["id"] == alone["id"]
    assert _ids(site, f"{path_of(alone)}/child/{TYPE}") == [inner["id"]]


def test_a_raw_body_is_kept_as_it_is(site: Site) -> None:
    value = '{"not": "<markup'
    made = _make(site, space={"key": "DEMO"}, body={"raw": {"value": value, "representation": "raw"}}).json()
    assert made["body"]["raw"]["value"] == value
    shown = site.get(f"{path_of(made)}?expand=body").json()["body"]
    assert shown == {"_expandable": {"raw": ""}}
    change: dict[str, Any] = {"version": {"number": 2}, "body": {"raw": {"value": "<", "representation": "raw"}}}
    assert site.put(path_of(made), json=change).json()["body"]["raw"]["value"] == "<"
    wrong = {"version": {"number": 3}, "body": {"storage": {"value": "<p/>", "representation": "storage"}}}
    assert site.put(path_of(made), json=wrong).status_code == 400
    page = create(site, "Plan")
    assert site.put(path_of(page), json=change).status_code == 400


def test_a_raw_body_is_not_rendered_wherever_it_is_shown(site: Site) -> None:
    page = create(site, "Plan")
    body = {"raw": {"value": "<", "representation": "raw"}}
    made = _make(site, container={"id": page["id"], "type": "page"}, body=body).json()
    expand = "expand=body.view,body.anonymous_export_view"
    assert site.get(f"{path_of(made)}?{expand}").json()["body"] == {"_expandable": {"raw": ""}}
    listed = site.get(f"{path_of(page)}/child/{TYPE}?{expand}")
    assert listed.status_code == 200, listed.text
    assert site.get(f'{CONTENT}/search?cql=type="{TYPE}"&{expand}').json()["totalSize"] == 1


def test_it_has_versions(site: Site) -> None:
    note = _in(site, create(site, "Plan"))
    body = {"storage": {"value": "<p>second</p>", "representation": "storage"}}
    assert site.put(path_of(note), json={"type": TYPE, "version": {"number": 2}, "body": body}).status_code == 200
    assert site.put(path_of(note), json={"version": {"number": 2}}).status_code == 409
    old = site.get(f"{path_of(note)}?version=1&expand=body.storage").json()
    assert old["body"]["storage"]["value"] == "<p>walrus</p>"


def test_it_goes_and_comes_back_with_its_page_and_alone(site: Site) -> None:
    page = create(site, "Plan")
    note = _in(site, page)
    site.delete(path_of(page))
    assert site.get(f"{path_of(note)}?status=any").status_code == 404
    assert site.put(path_of(page), json={"status": "current", "version": {"number": 2}}).status_code == 200
    assert site.get(path_of(note)).status_code == 200
    assert site.delete(path_of(note)).status_code == 204
    assert site.get(f"{path_of(note)}?status=trashed").status_code == 200
    assert site.delete(f"{path_of(note)}?status=trashed").status_code == 204
    assert site.get(f"{path_of(note)}?status=any").status_code == 404


def test_it_follows_the_restrictions_and_permissions_of_what_holds_it(site: Site) -> None:
    page = create(site, "Plan")
    note = _in(site, page)
    assert site.get(path_of(note), user="bob").status_code == 200
    assert site.put(path_of(note), json={"version": {"number": 2}}, user="bob").status_code == 403
    assert _make(site, space={"key": "DEMO"}, user="bob").status_code == 403
    only = [{"operation": "read", "restrictions": {"user": [{"username": "alice"}], "group": []}}]
    assert site.put(path_of(page) + "/restriction", json=only).status_code == 200
    assert site.get(path_of(note), user="bob").status_code == 404
    assert _ids(site, f'{CONTENT}/search?cql=type="{TYPE}"', user="bob") == []
    only[0]["operation"] = "update"
    only[0]["restrictions"]["user"] = [{"username": "admin"}]  # type: ignore[index]
    assert site.put(path_of(page) + "/restriction", json=only, user="admin").status_code == 200
    assert site.put(path_of(note), json={"version": {"number": 2}}).status_code == 403


def test_what_cannot_be_custom_content_is_refused(site: Site) -> None:
    page = create(site, "Plan")
    comment = {"type": "comment", "container": {"id": page["id"], "type": "page"}}
    said = site.post(CONTENT, json=comment).json()
    assert _make(site).status_code == 400
    assert _make(site, container={"id": "x", "type": "page"}).status_code == 400
    assert _make(site, container={"id": said["id"], "type": "comment"}).status_code == 400
    assert _make(site, container={"id": page["id"], "type": "page"}, space={"key": "ENG"}).status_code == 400
    assert _make(site, container={"id": "987654", "type": "page"}).status_code == 404
    assert _make(site, space={"key": "NOPE"}).status_code == 404
    assert _make(site, space={"key": "DEMO"}, title="x" * 256).status_code == 400
    assert _make(site, space={"key": "DEMO"}, body={"storage": {"value": "<b>"}}).status_code == 400
    assert site.post(CONTENT, json={"type": "a:b:c", "space": {"key": "DEMO"}}).status_code == 400
    secret = create(site, "Secret", key="ENG")
    assert _make(site, container={"id": secret["id"], "type": "page"}, user="bob").status_code == 404


def test_properties_are_kept_with_it(site: Site) -> None:
    made = _make(site, space={"key": "DEMO"}, metadata={"properties": {"kind": {"value": "short"}}}).json()
    assert site.get(f"{path_of(made)}/property/kind").json()["value"] == "short"


def test_what_may_not_be_changed_gets_none(site: Site) -> None:
    page = create(site, "Locked")
    inner = _in(site, page)
    kept = [{"operation": "update", "restrictions": {"user": [{"username": "admin"}], "group": []}}]
    assert site.put(f"{path_of(page)}/restriction", json=kept, user="admin").status_code == 200
    for holder in (page, inner):
        refused = _make(site, container={"id": holder["id"], "type": holder["type"]})
        assert (refused.status_code, holder["id"] in refused.json()["message"]) == (403, True)
        assert _make(site, container={"id": holder["id"], "type": holder["type"]}, user="admin").status_code == 200
