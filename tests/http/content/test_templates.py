"""Templates over HTTP: whose they are to change, what is kept, and the pages made from them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import SPACE, path_of

TEMPLATE = "/rest/experimental/template"
STORAGE = (
    '<at:declarations><at:string at:name="who" /><at:list at:name="size"><at:option at:value="S" /></at:list>'
    '</at:declarations><p>For <at:var at:name="who" /> (<at:var at:name="size" />)&nbsp;</p>'
)


def _draft(name: str, *, storage: str = STORAGE, **more: Any) -> dict[str, Any]:
    return {"name": name, "templateType": "page", "body": {"storage": {"value": storage}}, **more}


def _make(site: Site, name: str = "Minutes", *, user: str = "admin", **more: Any) -> dict[str, Any]:
    made = site.post(TEMPLATE, json=_draft(name, **more), user=user)
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def _names(site: Site, query: str = "", **more: Any) -> list[str]:
    shown = site.get(f"{TEMPLATE}/page{query}", **more)
    assert shown.status_code == 200, shown.text
    return [each["name"] for each in shown.json()["results"]]


def _instance(site: Site, template: dict[str, Any], **body: Any) -> httpx.Response:
    return site.post(f"{TEMPLATE}/{template['templateId']}/instance", json=body)


@pytest.mark.parametrize("path", [TEMPLATE, "/rest/api/template"])
def test_a_template_is_made_shown_changed_and_removed(site: Site, path: str) -> None:
    made = site.post(
        path, json=_draft("Minutes", labels=[{"name": "Minutes"}], description="of meetings"), user="admin"
    )
    assert made.status_code == 200, made.text
    one = f"{path}/{made.json()['templateId']}"
    shown = site.get(one).json()
    assert shown == made.json()
    assert {name: shown[name] for name in ("name", "description", "templateType", "_expandable")} == {
        "name": "Minutes", "description": "of meetings", "templateType": "page", "_expandable": {}
    }  # fmt: skip
    assert shown["labels"] == [{"prefix": "global", "name": "minutes", "label": "minutes"}]
    assert shown["body"]["storage"]["value"] == STORAGE
    change = {"templateId": shown["templateId"], "name": "Notes", "body": {"storage": {"value": "<p>new</p>"}}}
    changed = site.put(path, json=change, user="admin").json()
    assert (changed["name"], changed["description"]) == ("Notes", "of meetings")
    assert changed["body"]["storage"]["value"] == "<p>new</p>"
    assert site.delete(one, user="admin").status_code == 204
    assert site.get(one).status_code == 404


def test_lists_are_of_one_space_or_of_all(site: Site) -> None:
    for name in ("B", "A"):
        _make(site, name)
    _make(site, "Of DEMO", space={"key": "DEMO"})
    _make(site, "Of ENG", space={"key": "ENG"})
    assert _names(site) == ["A", "B"]
    assert _names(site, "?limit=1&start=1") == ["B"]
    assert _names(site, "?spaceKey=DEMO") == ["Of DEMO"]
    assert _names(site, "?spaceKey=eng") == ["Of ENG"]
    assert site.get(f"{TEMPLATE}/page?spaceKey=ENG", user="bob").status_code == 404
    item = site.get(f"{TEMPLATE}/page?spaceKey=DEMO").json()["results"][0]
    assert item["_expandable"] == {"body": "", "space": "/rest/api/space/DEMO"}
    item = site.get(f"{TEMPLATE}/page?spaceKey=DEMO&expand=body,space").json()["results"][0]
    assert (item["body"]["storage"]["value"], item["space"]["key"], item["_expandable"]) == (STORAGE, "DEMO", {})


def test_there_are_no_blueprints_without_plug_ins(site: Site) -> None:
    _make(site)
    for path in (f"{TEMPLATE}/blueprint", f"{TEMPLATE}/blueprint?spaceKey=DEMO"):
        assert site.get(path).json()["results"] == []
    assert site.get(f"{TEMPLATE}/blueprint?spaceKey=ENG", user="bob").status_code == 404
    assert site.post(TEMPLATE, json=_draft("x") | {"templateType": "blueprint"}, user="admin").status_code == 400


def test_who_may_change_templates(site: Site) -> None:
    everywhere, demo, eng = _make(site), _make(site, space={"key": "DEMO"}), _make(site, space={"key": "ENG"})
    assert site.post(TEMPLATE, json=_draft("x")).status_code == 403
    assert site.post(TEMPLATE, json=_draft("x", space={"key": "DEMO"})).status_code == 403
    for template, status in ((everywhere, 403), (demo, 403), (eng, 404)):
        number = template["templateId"]
        assert site.put(TEMPLATE, json={"templateId": number, "name": "y"}, user="bob").status_code == status
        assert site.delete(f"{TEMPLATE}/{number}", user="bob").status_code == status
    assert site.get(f"{TEMPLATE}/{eng['templateId']}", user="bob").status_code == 404
    own = site.post(f"{SPACE}/personal", json={"name": "Mine"}, user="admin")
    assert own.status_code == 200
    assert _make(site, space={"key": own.json()["key"]})["space"]["key"] == "~admin"
    assert site.post(TEMPLATE, json=_draft("x"), user="admin", scope="READ").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"name": "no body"},
        {"body": {"storage": {"value": "<p/>"}}},
        _draft("malformed", storage="<b>"),
        _draft("x" * 256),
        _draft("labels", labels=[{"name": "two words"}]),
        _draft("description", description="x" * 256),
    ],
)
def test_what_cannot_be_a_template_is_refused(site: Site, body: dict[str, Any]) -> None:
    assert site.post(TEMPLATE, json=body, user="admin").status_code == 400
    made = _make(site, space={"key": "DEMO"})
    moved = {"templateId": made["templateId"], "space": {"key": "ENG"}}
    assert site.put(TEMPLATE, json=moved, user="admin").status_code == 400
    assert site.put(TEMPLATE, json={"name": "which?"}, user="admin").status_code == 400
    assert site.post(TEMPLATE, json=_draft("x", space={"key": "NOPE"}), user="admin").status_code == 404
    assert site.get(f"{TEMPLATE}/nonsense").status_code == 404


def test_a_page_is_made_from_a_template(site: Site) -> None:
    template = _make(site, labels=[{"name": "minutes"}])
    body = {"title": "Monday", "space": {"key": "DEMO"}, "variables": {"who": "<Ada>", "size": "S", "other": "x"}}
    made = site.post(f"{TEMPLATE}/{template['templateId']}/instance?expand=metadata.labels", json=body)
    assert made.status_code == 200, made.text
    page = made.json()
    assert page["body"]["storage"]["value"] == "<p>For &lt;Ada&gt; (S)&nbsp;</p>"
    assert [each["name"] for each in page["metadata"]["labels"]["results"]] == ["minutes"]
    child = _instance(site, template, title="Tuesday", space={"key": "DEMO"}, ancestors=[{"id": page["id"]}]).json()
    assert child["body"]["storage"]["value"] == "<p>For  ()&nbsp;</p>"
    assert [each["id"] for each in child["ancestors"]] == [page["id"]]
    assert site.get(path_of(page)).status_code == 200


def test_a_page_from_a_template_is_a_page_like_any_other(site: Site) -> None:
    template, demo = _make(site), _make(site, space={"key": "DEMO"})
    assert _instance(site, template, title="x").status_code == 400
    assert _instance(site, template, title="", space={"key": "DEMO"}).status_code == 400
    assert _instance(site, template, title="x", space={"key": "DEMO"}, variables={"size": "XXL"}).status_code == 400
    assert _instance(site, demo, title="x", space={"key": "ENG"}).status_code == 400
    assert _instance(site, demo, title="x").json()["space"]["key"] == "DEMO"
    assert _instance(site, demo, title="x").status_code == 400  # the title is taken
    refused = site.post(f"{TEMPLATE}/{demo['templateId']}/instance", json={"title": "y"}, user="bob")
    assert refused.status_code == 403
    assert site.post(f"{TEMPLATE}/99999/instance", json={"title": "y"}).status_code == 404
