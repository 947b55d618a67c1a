"""Labels, and the properties that applications keep with contents and spaces."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, create, draft, path_of


def _names(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(item["prefix"], item["name"]) for item in answer.json()["results"]]


# ---- labels -----------------------------------------------------------------------------------------------


def test_labels_are_added_listed_and_removed(site: Site) -> None:
    path = path_of(create(site))
    added = site.post(f"{path}/label", json=[{"prefix": "global", "name": "Draft"}, {"name": "a/b"}])
    assert _names(added) == [("global", "draft"), ("global", "a/b")]
    page = added.json()
    assert (page["start"], page["limit"], page["size"]) == (0, 200, 2)
    assert page["results"][0].keys() == {"prefix", "name", "id", "label"}
    assert page["results"][0]["label"] == "draft"
    assert page["_links"]["self"] == f"{site.base_url}{path}/label"
    assert _names(site.post(f"{path}/label", json={"prefix": "global", "name": "DRAFT"})) == _names(added)
    assert _names(site.get(f"{path}/label?limit=1&start=1")) == [("global", "a/b")]
    assert site.delete(f"{path}/label?name=a/b").status_code == 204
    assert site.delete(f"{path}/label/Draft").status_code == 204
    assert site.delete(f"{path}/label/draft").status_code == 404
    assert site.delete(f"{path}/label").status_code == 400
    assert _names(site.get(f"{path}/label")) == []


def test_a_label_of_one_s_own_is_seen_by_nobody_else(site: Site) -> None:
    path = path_of(create(site))
    site.post(f"{path}/label", json=[{"prefix": "team", "name": "ops"}, {"prefix": "my", "name": "favourite"}])
    assert _names(site.get(f"{path}/label")) == [("team", "ops"), ("my", "favourite")]
    assert _names(site.get(f"{path}/label?prefix=my")) == [("my", "favourite")]
    assert _names(site.get(f"{path}/label", user="admin")) == [("team", "ops")]
    assert _names(site.post(f"{path}/label", json=[{"name": "my:later"}], user="viewer")) == [
        ("team", "ops"),
        ("my", "later"),
    ]
    shown = site.get(f"{path}?expand=metadata.labels", user="admin").json()["metadata"]["labels"]["results"]
    assert [item["name"] for item in shown] == ["ops"]
    assert site.delete(f"{path}/label/my:favourite", user="viewer").status_code == 404
    assert site.delete(f"{path}/label/my:favourite").status_code == 204


def test_who_may_not_change_a_content_may_not_label_it(site: Site) -> None:
    path = path_of(create(site))
    site.post(f"{path}/label", json=[{"name": "kept"}])
    assert site.post(f"{path}/label", json=[{"name": "x"}], user="viewer").status_code == 403
    assert site.delete(f"{path}/label/kept", user="viewer").status_code == 403
    hidden = path_of(create(site, key="ENG"))
    for answer in (
        site.get(f"{hidden}/label", user="bob"),
        site.post(f"{hidden}/label", json=[{"name": "my:x"}], user="bob"),
        site.delete(f"{hidden}/label/kept", user="bob"),
    ):
        assert answer.status_code == 404
    assert _names(site.get(f"{path}/label")) == [("global", "kept")]


@pytest.mark.parametrize(
    "body",
    [[{}], [{"name": " "}], [{"name": "two words"}], [{"name": "x", "prefix": "none"}], [{"name": "x" * 256}], "x", 1],
)
def test_labels_that_cannot_be(site: Site, body: object) -> None:
    path = path_of(create(site))
    assert site.post(f"{path}/label", json=body).status_code == 400
    assert _names(site.get(f"{path}/label")) == []


def test_labels_in_an_expansion(site: Site) -> None:
    made = create(site)
    site.post(f"{path_of(made)}/label", json=[{"name": "one"}])
    metadata = site.get(f"{path_of(made)}?expand=metadata.labels").json()["metadata"]
    labels = metadata["labels"]
    assert labels["results"] == [{"prefix": "global", "name": "one", "id": labels["results"][0]["id"], "label": "one"}]
    assert (labels["start"], labels["limit"], labels["size"]) == (0, 200, 1)
    assert labels["_links"] == {"self": f"{site.base_url}{path_of(made)}/label"}
    assert metadata["_expandable"].keys() == {"currentuser", "frontend", "editorHtml", "properties"}
    listed = site.get(f"{CONTENT}?spaceKey=DEMO&limit=100&expand=metadata.labels").json()["results"]
    assert {item["title"]: item["metadata"]["labels"]["size"] for item in listed}["A page"] == 1
    assert "metadata" in site.get(path_of(made)).json()["_expandable"]


# ---- properties -------------------------------------------------------------------------------------------


@pytest.fixture(params=["content", "space"])
def owner(site: Site, request: pytest.FixtureRequest) -> str:
    """The path of something that has properties, and that alice may change."""
    if request.param == "content":
        return path_of(create(site))
    site.post(SPACE, json={"key": "OWN", "name": "Own"}, user="admin")
    return f"{SPACE}/OWN"


def _who(owner: str) -> str:
    return "alice" if owner.startswith(CONTENT) else "admin"


def test_a_property_keeps_its_key(site: Site, owner: str) -> None:
    path, user = f"{owner}/property/mood", _who(owner)
    other = {"key": "other", "value": 1, "version": {"number": 1}}
    for method in ("PUT", "POST"):
        assert site.request(method, path, json=other, user=user, scope="WRITE").status_code == 400
    assert site.get(f"{owner}/property", user=user).json()["results"] == []
    for version in (1, 2):
        same = other | {"key": "mood", "version": {"number": version}}
        assert site.put(path, json=same, user=user).json()["version"]["number"] == version


def test_properties_live(site: Site, owner: str) -> None:
    path, user = f"{owner}/property", _who(owner)
    made = site.post(path, json={"key": "editor", "value": {"b": [1, None], "a": "ü"}}, user=user)
    assert made.status_code == 200, made.text
    shown = made.json()
    assert (shown["key"], shown["value"], shown["version"]["number"]) == ("editor", {"b": [1, None], "a": "ü"}, 1)
    assert shown["version"]["by"]["username"] == user
    assert shown["_links"]["self"] == f"{site.base_url}{path}/editor"
    assert site.get(f"{path}/editor", user=user).json() == shown
    assert site.post(path, json={"key": "editor", "value": 1}, user=user).status_code == 400
    assert site.post(f"{path}/editor", json={"value": 1}, user=user).status_code == 400
    assert site.post(f"{path}/other", json={"value": 1}, user=user).json()["key"] == "other"
    page = site.get(path, user=user).json()
    assert [item["key"] for item in page["results"]] == ["editor", "other"]
    assert (page["start"], page["limit"], page["size"]) == (0, 25, 2)
    assert site.delete(f"{path}/editor", user=user).status_code == 204
    assert site.delete(f"{path}/editor", user=user).status_code == 404
    gone = site.get(f"{path}/editor", user=user)
    assert (gone.status_code, gone.json()["statusCode"]) == (404, 404)


def test_a_put_of_version_one_creates_and_others_conflict(site: Site, owner: str) -> None:
    path, user = f"{owner}/property/state", _who(owner)

    def put(number: int, value: Any) -> httpx.Response:
        return site.put(path, json={"value": value, "version": {"number": number}}, user=user)

    assert put(2, "none").status_code == 404
    assert put(1, "first").json()["version"]["number"] == 1
    assert put(1, "again").status_code == 409
    assert put(3, "ahead").status_code == 409
    assert put(2, "second").json()["value"] == "second"
    assert site.put(path, json={"value": 1}, user=user).status_code == 400
    assert site.get(path, user=user).json()["value"] == "second"


def test_a_value_comes_back_byte_for_byte(site: Site, owner: str) -> None:
    value = '{"z":1.50,"a":123456789012345678901234567890,"t":"\\u00fc"}'
    user = _who(owner)
    site.post(f"{owner}/property", content=f'{{"key":"k","value":{value}}}', user=user)
    assert value in site.get(f"{owner}/property/k", user=user).text


def test_values_that_are_not_kept(site: Site, owner: str) -> None:
    path, user = f"{owner}/property", _who(owner)
    fits = "x" * (32_768 - 2)
    assert site.post(path, json={"key": "long", "value": fits}, user=user).status_code == 200
    assert site.post(path, json={"key": "longer", "value": fits + "x"}, user=user).status_code == 413
    refused: list[Any] = [
        {"key": "k"},
        {"value": 1},
        {"key": "k" * 256, "value": 1},
        {"key": "k", "value": "\0"},
        [],
        1,
    ]
    for body in refused:
        assert site.post(path, json=body, user=user).status_code == 400, body
    assert site.post(path, content=b'{"key":"k","value":{"a":}}', user=user).status_code == 400
    assert [item["key"] for item in site.get(path, user=user).json()["results"]] == ["long"]


def test_who_may_not_change_the_owner_may_not_change_its_properties(site: Site) -> None:
    page = path_of(create(site))
    site.post(f"{page}/property", json={"key": "k", "value": 1})
    # Alice writes in the space, but does not administer it.
    for owner, user in ((page, "viewer"), (f"{SPACE}/DEMO", "alice")):
        for answer in (
            site.post(f"{owner}/property", json={"key": "n", "value": 1}, user=user),
            site.put(f"{owner}/property/k", json={"value": 2, "version": {"number": 2}}, user=user),
            site.delete(f"{owner}/property/k", user=user),
        ):
            assert answer.status_code == 403
    assert site.get(f"{page}/property/k", user="viewer").json()["value"] == 1
    hidden = path_of(create(site, key="ENG"))
    for owner in (hidden, f"{SPACE}/ENG"):
        assert site.get(f"{owner}/property", user="bob").status_code == 404
        assert site.post(f"{owner}/property", json={"key": "n", "value": 1}, user="bob").status_code == 404


def test_properties_sent_along_with_a_content_are_kept(site: Site) -> None:
    sent = {"properties": {"editor": {"value": "v2"}, "look": {"key": "look", "value": {"wide": True}}}}
    made = create(site, metadata=sent)
    path = path_of(made)
    assert site.get(f"{path}/property/look").json()["value"] == {"wide": True}
    changed = {"properties": {"editor": {"value": "v1"}, "look": {"value": {"wide": True}}, "_expandable": {}}}
    answer = site.put(path, json={"version": {"number": 2}, "metadata": changed})
    assert answer.status_code == 200, answer.text
    properties = site.get(f"{path}?expand=metadata.properties").json()["metadata"]["properties"]
    assert {key: (item["value"], item["version"]["number"]) for key, item in properties.items() if key[0] != "_"} == {
        "editor": ("v1", 2),
        "look": ({"wide": True}, 1),
    }
    too_long = {"properties": {"editor": {"value": "x" * 32_768}}}
    assert site.post(CONTENT, json=draft("Another", metadata=too_long)).status_code == 413
    assert site.get(f"{CONTENT}?title=Another").json()["size"] == 0


def test_a_property_sent_along_is_not_overwritten_unseen(site: Site) -> None:
    path = path_of(create(site, metadata={"properties": {"editor": {"value": "v1"}}}))
    site.put(f"{path}/property/editor", json={"value": "v2", "version": {"number": 2}})

    def sent(value: str, number: int, version: int) -> int:
        properties = {"editor": {"key": "editor", "value": value, "version": {"number": number}}}
        change = {"title": "Other", "version": {"number": version}, "metadata": {"properties": properties}}
        return site.put(path, json=change).status_code

    assert sent("stale", 2, 2) == 409
    assert site.get(path).json()["title"] == "A page"  # nothing of it was kept
    assert sent("v2", 2, 2) == 200  # what was read is sent back
    assert sent("v3", 3, 3) == 200
    kept = site.get(f"{path}/property/editor").json()
    assert (kept["value"], kept["version"]["number"]) == ("v3", 3)


def test_only_the_properties_that_are_asked_for_are_expanded(site: Site) -> None:
    sent = {"properties": {key: {"value": key} for key in ("one", "two", "three")}}
    path = path_of(create(site, metadata=sent))
    query = "expand=metadata.labels,metadata.properties.one,metadata.properties.two,metadata.properties.absent"
    metadata = site.get(f"{path}?{query}").json()["metadata"]
    assert metadata["properties"].keys() == {"one", "two", "_expandable"}
    assert metadata["properties"]["_expandable"] == {"absent": f"{path}/property/absent"}
    assert metadata["properties"]["one"]["_links"] == {"self": f"{site.base_url}{path}/property/one"}
    assert metadata["labels"]["results"] == []
    assert json.dumps(metadata).count("three") == 0
