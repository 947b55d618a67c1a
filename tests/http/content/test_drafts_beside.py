"""Drafts beside what is published: shared by those who may change it, made from a version, published as the next."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, path_of

_PUBLISH = f"{CONTENT}/blueprint/instance"


def _save(site: Site, page: dict[str, Any], storage: str = "<p>walrus</p>", **more: Any) -> httpx.Response:
    user = more.pop("user", "alice")
    body = {"storage": {"value": storage, "representation": "storage"}}
    sent = {"type": "page", "status": "draft", "version": {"number": 1}, "body": body, **more}
    return site.put(f"{path_of(page)}?status=draft", json=sent, user=user)


def _draft(site: Site, page: dict[str, Any], user: str = "alice") -> httpx.Response:
    return site.get(f"{path_of(page)}?status=draft&expand=body.storage,body.view,version,space", user=user)


def _publish(site: Site, page: dict[str, Any], number: int, **more: Any) -> httpx.Response:
    sent = {"type": "page", "status": "current", "version": {"number": number}, **more}
    return site.put(f"{path_of(page)}?status=draft", json=sent)


def _edit(site: Site, page: dict[str, Any], number: int) -> None:
    assert site.put(path_of(page), json={"version": {"number": number}}).status_code == 200


def test_a_draft_is_saved_beside_the_page_which_stays_as_it_is(site: Site) -> None:
    page = create(site, "Plan")
    _edit(site, page, 2)
    site.clock.advance(60)
    saved = _save(site, page, title="Better plan").json()
    assert (saved["id"], saved["status"], saved["title"], saved["version"]["number"]) == (
        page["id"],
        "draft",
        "Better plan",
        2,
    )
    assert saved["body"]["storage"]["value"] == "<p>walrus</p>"
    shown = _draft(site, page).json()
    assert (shown["title"], shown["body"]["view"]["value"]) == ("Better plan", "<p>walrus</p>")
    assert shown["space"]["key"] == "DEMO"
    present = site.get(f"{path_of(page)}?expand=body.storage,version").json()
    assert (present["status"], present["title"], present["version"]["number"]) == ("current", "Plan", 2)
    assert present["body"]["storage"]["value"] == "<p>Hello</p>"
    assert site.get(f"{path_of(page)}?status=any").json()["status"] == "current"
    assert site.get(f"{path_of(page)}?status=current,draft").json()["status"] == "current"
    assert site.get(f"{CONTENT}/search?cql=text~walrus").json()["totalSize"] == 0
    again = _save(site, page, "<p>again</p>", version={"number": 3}).json()
    assert (again["title"], again["body"]["storage"]["value"]) == ("Better plan", "<p>again</p>")


def test_whoever_may_change_the_page_has_the_draft_and_nobody_else(site: Site) -> None:
    page = create(site, "Plan")
    assert _draft(site, page).status_code == 404
    assert _save(site, page, user="admin").json()["version"]["by"]["username"] == "admin"
    assert _draft(site, page).json()["version"]["by"]["username"] == "admin"
    for user in ("viewer", "bob"):
        assert _draft(site, page, user).status_code == 404
        assert _save(site, page, user=user).status_code == 403
        assert site.delete(f"{path_of(page)}?status=draft", user=user).status_code == 403
    only = [{"operation": "update", "restrictions": {"user": [{"username": "admin"}], "group": []}}]
    assert site.put(f"{path_of(page)}/restriction", json=only, user="admin").status_code == 200
    assert _draft(site, page).status_code == 404
    secret = create(site, "Secret", key="ENG")
    assert _save(site, secret).status_code == 200
    for answer in (_draft(site, secret, "bob"), _save(site, secret, user="bob")):
        assert answer.status_code == 404


@pytest.mark.parametrize("way", ["update", "counted", "instance", "legacy"])
def test_publishing_is_the_next_version(site: Site, way: str) -> None:
    page, parent = create(site, "Plan"), create(site, "Parent")
    _save(site, page, title="Better plan")
    if way in ("update", "counted"):
        answer = _publish(site, page, 1 if way == "update" else 2, ancestors=[{"id": parent["id"]}])
    else:
        method = "PUT" if way == "instance" else "POST"
        sent = {"ancestors": [{"id": parent["id"]}]}
        answer = site.request(method, f"{_PUBLISH}/{page['id']}", json=sent, scope="WRITE")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["id"], shown["status"], shown["title"], shown["version"]["number"]) == (
        page["id"],
        "current",
        "Better plan",
        2,
    )
    assert shown["body"]["storage"]["value"] == "<p>walrus</p>"
    assert [each["id"] for each in shown["ancestors"]] == [parent["id"]]
    assert _draft(site, page).status_code == 404
    assert _publish(site, page, 3).status_code == 404
    before = site.get(f"{path_of(page)}?version=1&expand=body.storage").json()
    assert before["body"]["storage"]["value"] == "<p>Hello</p>"
    assert site.get(f"{CONTENT}/search?cql=text~walrus").json()["totalSize"] == 1


def test_what_was_sent_with_the_publication_counts(site: Site) -> None:
    page = create(site, "Plan")
    _save(site, page, title="Draft")
    body = {"wiki": {"value": "h1. Sent"}}
    shown = _publish(site, page, 2, title="Sent", body=body).json()
    assert (shown["title"], shown["body"]["storage"]["value"]) == ("Sent", "<h1>Sent</h1>")


def test_a_draft_of_an_older_version_is_not_published_unseen(site: Site) -> None:
    page = create(site, "Plan")
    _save(site, page)
    _edit(site, page, 2)
    for number in (1, 2):
        refused = _publish(site, page, number)
        assert (refused.status_code, "Current version is: 2" in refused.json()["message"]) == (409, True)
    assert _draft(site, page).json()["version"]["number"] == 1
    assert _save(site, page, version={"number": 7}).status_code == 409
    assert _save(site, page).json()["version"]["number"] == 1
    assert _save(site, page, version={"number": 3}).json()["version"]["number"] == 2
    assert _publish(site, page, 1).json()["version"]["number"] == 3


def test_an_update_of_the_page_leaves_the_draft(site: Site) -> None:
    page = create(site, "Plan")
    _save(site, page)
    _edit(site, page, 2)
    assert _draft(site, page).json()["body"]["storage"]["value"] == "<p>walrus</p>"


def test_a_draft_is_discarded_and_goes_with_its_page(site: Site) -> None:
    page = create(site, "Plan")
    _save(site, page)
    one = f"{path_of(page)}?status=draft"
    assert site.delete(one).status_code == 204
    assert site.delete(one).status_code == 404
    assert site.get(path_of(page)).status_code == 200
    _save(site, page)
    assert site.delete(path_of(page)).status_code == 204
    assert _draft(site, page).status_code == 404
    assert site.put(path_of(page), json={"status": "current", "version": {"number": 2}}).status_code == 200
    assert _draft(site, page).status_code == 200
    site.delete(path_of(page))
    assert site.delete(f"{path_of(page)}?status=trashed").status_code == 204


def test_a_draft_may_be_unfinished_but_not_malformed_or_elsewhere(site: Site) -> None:
    page, other = create(site, "Plan"), create(site, "Taken")
    assert _save(site, page, "<p>").status_code == 400
    assert _save(site, page, ancestors=[{"id": other["id"]}]).status_code == 400
    assert _draft(site, page).status_code == 404
    assert _save(site, page, title="", ancestors=[{"id": "1"}]).status_code == 200
    assert _publish(site, page, 2).status_code == 400
    assert _save(site, page, title="Taken").status_code == 200
    assert "already exists" in _publish(site, page, 2).json()["message"]
    comment = {"type": "comment", "container": {"id": page["id"]}, "body": {"storage": {"value": "<p>x</p>"}}}
    made = site.post(CONTENT, json=comment).json()
    assert _save(site, made, type="comment").status_code == 400


def test_properties_are_the_pages_at_once(site: Site) -> None:
    page = create(site, "Plan")
    _save(site, page, metadata={"properties": {"emoji-title-draft": {"value": "1f600"}}})
    assert site.get(f"{path_of(page)}/property/emoji-title-draft").json()["value"] == "1f600"
