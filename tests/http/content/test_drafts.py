"""Drafts over HTTP: seen by their authors alone, saved, published, discarded."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, draft, path_of

_PUBLISH = f"{CONTENT}/blueprint/instance"


def _begin(site: Site, title: str = "Idea", **more: Any) -> dict[str, Any]:
    made = site.post(CONTENT, json=draft(title, status="draft", **more))
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def _save(site: Site, content: dict[str, Any], storage: str, **more: Any) -> httpx.Response:
    body = {"storage": {"value": storage, "representation": "storage"}}
    sent = {"type": "page", "version": {"number": 1}, "body": body, **more}
    return site.put(f"{path_of(content)}?status=draft", json=sent)


def _titles(site: Site, query: str, **more: Any) -> list[str]:
    return [each["title"] for each in site.get(f"{CONTENT}{query}", **more).json()["results"]]


def test_a_draft_is_its_author_s_alone(site: Site) -> None:
    made = _begin(site)
    assert (made["status"], made["version"]["number"]) == ("draft", 1)
    one = path_of(made)
    assert site.get(one).status_code == 404
    assert site.get(f"{one}?status=any").status_code == 404
    assert site.get(f"{one}?status=draft").status_code == 200
    for user in ("bob", "admin"):
        assert site.get(f"{one}?status=draft", user=user).status_code == 404
        assert _titles(site, "?status=draft&spaceKey=DEMO", user=user) == []
    assert _titles(site, "?status=draft&spaceKey=DEMO") == ["Idea"]
    assert "Idea" not in _titles(site, "?spaceKey=DEMO&limit=100")
    assert _titles(site, "/search?cql=title=Idea") == []
    assert site.put(f"{one}?status=draft", json={"version": {"number": 1}}, user="admin").status_code == 404


def test_a_draft_is_saved_as_often_as_one_likes(site: Site) -> None:
    made = _begin(site, "")
    for storage in ("<p>one</p>", "<p>two</p>"):
        saved = _save(site, made, storage, title="Named").json()
        assert (saved["status"], saved["title"], saved["version"]["number"]) == ("draft", "Named", 1)
        assert saved["body"]["storage"]["value"] == storage
    assert _save(site, made, "<b>").status_code == 400
    assert _save(site, made, "<p/>", version={"number": 7}).status_code == 409


@pytest.mark.parametrize("way", ["update", "instance", "legacy"])
def test_a_draft_is_published(site: Site, way: str) -> None:
    parent = create(site, "Parent")
    made = _begin(site, "Idea")
    site.clock.advance(60)
    sent: dict[str, Any] = {"type": "page", "title": "Done", "status": "current", "version": {"number": 1}}
    sent["ancestors"] = [{"id": parent["id"]}]
    if way == "update":
        published = site.put(f"{path_of(made)}?status=draft", json=sent)
    else:
        method = "PUT" if way == "instance" else "POST"
        published = site.request(method, f"{_PUBLISH}/{made['id']}?status=draft", json=sent, scope="WRITE")
    assert published.status_code == 200, published.text
    page = published.json()
    assert (page["id"], page["status"], page["version"]["number"]) == (made["id"], "current", 1)
    assert page["body"]["storage"]["value"] == "<p>Hello</p>"
    assert [each["id"] for each in page["ancestors"]] == [parent["id"]]
    assert page["history"]["createdDate"] > made["history"]["createdDate"]
    assert site.get(path_of(made), user="bob").status_code == 200
    assert _titles(site, "/search?cql=title=Done", user="bob") == ["Done"]
    assert site.put(path_of(made), json={"version": {"number": 2}}).status_code == 200
    assert site.put(f"{_PUBLISH}/{made['id']}", json=sent).status_code == 404


def test_a_title_must_be_free_and_there_when_a_draft_is_published_not_before(site: Site) -> None:
    create(site, "Taken")
    made, nameless = _begin(site, "Taken"), _begin(site, "")
    assert site.put(f"{_PUBLISH}/{made['id']}", json={}).status_code == 400
    assert site.put(f"{_PUBLISH}/{nameless['id']}", json={}).status_code == 400
    assert site.put(f"{_PUBLISH}/{made['id']}", json={"title": "Free"}).json()["title"] == "Free"


def test_a_draft_is_discarded_for_good(site: Site) -> None:
    made = _begin(site)
    assert site.delete(f"{path_of(made)}?status=draft", user="bob").status_code == 404
    assert site.delete(path_of(made)).status_code == 404
    assert site.delete(f"{path_of(made)}?status=draft").status_code == 204
    assert site.get(f"{path_of(made)}?status=draft").status_code == 404
    page = create(site)
    assert site.delete(f"{path_of(page)}?status=draft").status_code == 404
    assert site.delete(f"{path_of(page)}?status=gone").status_code == 400


def test_labels_and_properties_belong_to_drafts_too(site: Site) -> None:
    made = _begin(site, metadata={"properties": {"mood": {"value": "good"}}})
    assert site.post(f"{path_of(made)}/label", json=[{"name": "early"}]).status_code == 200
    site.put(f"{_PUBLISH}/{made['id']}", json={})
    shown = site.get(f"{path_of(made)}?expand=metadata.labels,metadata.properties.mood").json()["metadata"]
    assert (shown["labels"]["results"][0]["name"], shown["properties"]["mood"]["value"]) == ("early", "good")


def test_the_status_may_stand_in_the_query(site: Site) -> None:
    made = site.post(f"{CONTENT}?status=draft", json=draft("Idea"))
    assert (made.status_code, made.json()["status"]) == (200, "draft")
    assert site.post(CONTENT, json=draft("Idea"), user="bob").status_code == 403


def test_a_draft_hangs_on_when_its_parent_goes(site: Site) -> None:
    top = create(site, "Top")
    middle = create(site, "Middle", ancestors=[{"id": top["id"]}])
    made = _begin(site, ancestors=[{"id": middle["id"]}])
    site.delete(path_of(middle))
    assert [each["id"] for each in site.put(f"{_PUBLISH}/{made['id']}", json={}).json()["ancestors"]] == [top["id"]]
