"""What the tests of the content API have in common."""

from __future__ import annotations

from typing import Any

from tests.http.conftest import Site

CONTENT = "/rest/api/content"
SPACE = "/rest/api/space"


def draft(title: str, *, key: str = "DEMO", storage: str = "<p>Hello</p>", **more: Any) -> dict[str, Any]:
    body = {"storage": {"value": storage, "representation": "storage"}}
    return {"type": "page", "title": title, "space": {"key": key}, "body": body, **more}


def create(site: Site, title: str = "A page", **more: Any) -> dict[str, Any]:
    made = site.post(CONTENT, json=draft(title, **more))
    assert made.status_code == 200, made.text
    found: dict[str, Any] = made.json()
    return found


def path_of(content: dict[str, Any]) -> str:
    return f"{CONTENT}/{content['id']}"
