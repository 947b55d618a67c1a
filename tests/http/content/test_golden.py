"""The whole bodies of the shapes that clients read (S3), as they are kept in ``tests/data/shapes``.

Numbers begin where those of the original's own examples are, so that the files can be read beside them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from tests.http.conftest import Site

from .support import CONTENT, draft

SHAPES = Path(__file__).parents[2] / "data" / "shapes"
PAGE = f"{CONTENT}/98312"
_KEY = re.compile(r"\b[0-9a-f]{32}\b")
_REF = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def scene(site: Site) -> None:
    """A page with what can be on a page."""
    site.environment.database.write_now(
        lambda tx: tx.exec_driver_sql("UPDATE sqlite_sequence SET seq = 98311 WHERE name = 'content'")
    )
    storage = "<p>Hello, <em>world</em></p>"
    _done(site.post(CONTENT, json=draft("Release plan", storage=storage)))  # 98312
    site.clock.advance(61)
    _done(site.post(CONTENT, json=draft("Rollback", ancestors=[{"id": "98312"}])))  # 98313
    container = {"id": "98312", "type": "page", "status": "current"}
    comment = {"type": "comment", "container": container, "body": {"storage": {"value": "<p>When?</p>"}}}
    properties = {"originalSelection": "Hello", "numMatches": 1, "matchIndex": 0, "lastFetchTime": 1}
    inline = {"location": "inline", "inlineProperties": {**properties, "serializedHighlights": "[]"}}
    _done(site.post(CONTENT, json=comment | {"extensions": inline}))  # 98314
    _done(site.post(CONTENT, json=comment | {"ancestors": [{"id": "98314"}]}))  # 98315
    _done(site.post(CONTENT, json=comment))  # 98316
    note = {"type": "com.example.notes:note", "title": "A note", "container": container}
    _done(site.post(CONTENT, json=note | {"body": {"raw": {"value": '{"a": 1}', "representation": "raw"}}}))  # 98317
    _done(site.post(f"{PAGE}/label", json=[{"name": "draft"}]))
    _done(site.post(f"{PAGE}/property", json={"key": "editor", "value": "v2"}))
    only = {"user": [{"type": "known", "username": "alice"}], "group": [{"type": "group", "name": "confluence-users"}]}
    _done(site.put(f"{PAGE}/restriction", json=[{"operation": "update", "restrictions": only}]))
    template = {"name": "Minutes", "labels": [{"name": "notes"}], "space": {"key": "DEMO"}}
    body = {"storage": {"value": "<p>Who?</p>"}}
    _done(site.post("/rest/experimental/template", json=template | {"body": body}, user="admin"))


def _done(answer: Any) -> None:
    assert answer.status_code == 200, answer.text


Shape: TypeAlias = Callable[[Site], Any]


def _get(path: str) -> Shape:
    return lambda site: site.get(path)


SHAPES_BY_NAME: dict[str, Shape] = {
    "content": _get(PAGE),
    "content-bare": _get(f"{PAGE}?expand=nonsense"),
    "content-whole": _get(
        f"{PAGE}?expand=ancestors,container,body.storage,children.page,children.comment,children.attachment,"
        "descendants.page,operations,restrictions.update,metadata.labels,metadata.properties.editor,metadata.currentuser,"
        "history.previousVersion,history.lastUpdated,history.contributors.publishers,space.homepage"
    ),
    "content-written": lambda site: site.put(PAGE, json={"version": {"number": 2, "message": "again"}}),
    "content-list": _get(f"{CONTENT}?ids=98312,98313&limit=1&expand=version"),
    "children": _get(f"{PAGE}/child?expand=page"),
    "comment-inline": _get(f"{CONTENT}/98314?expand=container,extensions.inlineProperties,extensions.resolution"),
    "comment-reply": _get(f"{CONTENT}/98315?expand=ancestors,extensions.inlineProperties"),
    "comment-footer": _get(f"{CONTENT}/98316?expand=body.storage"),
    "comment-inline-older": _get("/rest/inlinecomments/1.0/comments?containerId=98312"),
    "custom-content": _get(f"{CONTENT}/98317?expand=body.raw,container"),
    "history": _get(f"{PAGE}/history"),
    "labels": _get(f"{PAGE}/label"),
    "property": _get(f"{PAGE}/property/editor"),
    "properties": _get(f"{PAGE}/property"),
    "restrictions": _get(f"{PAGE}/restriction/byOperation"),
    "restrictions-written": lambda site: site.put(f"{PAGE}/restriction", json=[]),
    "template": _get("/rest/experimental/template/1"),
    "templates": _get("/rest/experimental/template/page?spaceKey=DEMO"),
    "error-not-found": _get(f"{CONTENT}/954415933"),
    "error-title-taken": lambda site: site.post(CONTENT, json=draft("release PLAN")),
    "error-version": lambda site: site.put(PAGE, json={"version": {"number": 7}}),
}


# Written by what they change, so looked at last and in this order.
_WRITING = ("error-title-taken", "error-version", "restrictions-written", "content-written")


def normalized(site: Site, text: str) -> Any:
    """An answer without what is another at each run; users and spaces, which are shapes of their own, by name."""
    text = text.replace(site.base_url, "http://h")
    return _short(json.loads(_REF.sub("REF", _KEY.sub("KEY", text))))


def _short(shown: Any) -> Any:
    if isinstance(shown, list):
        return [_short(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    if shown.get("type") == "known":
        return f"the user {shown['username']}"
    if {"key", "name", "status"} <= shown.keys():
        return f"the space {shown['key']}" + (" with its homepage" if "homepage" in shown else "")
    return {name: _short(each) for name, each in shown.items()}


def bodies(site: Site) -> dict[str, Any]:
    """What is answered now, by the names of the shapes."""
    scene(site)
    order = [*(name for name in SHAPES_BY_NAME if name not in _WRITING), *_WRITING]
    return {name: normalized(site, SHAPES_BY_NAME[name](site).text) for name in order}


def test_the_bodies_are_the_golden_ones(site: Site) -> None:
    kept = {path.stem: json.loads(path.read_text()) for path in SHAPES.glob("*.json")}
    found = bodies(site)
    assert found.keys() == kept.keys()
    for name, body in found.items():
        assert body == kept[name], name
