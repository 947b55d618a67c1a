"""A wiki with one of each thing, five people, and requests of which nothing remains."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.http.conftest import START, HandClock, Site, _settings
from watersmeet.app import create_app, open_database
from watersmeet.confluence.permission import SPACE_ADMINISTRATOR, GlobalPermission, SpacePermission
from watersmeet.confluence.scopes import Role
from watersmeet.content import long_task
from watersmeet.database import groups, permissions, spaces, users
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.users.password import hash_public_password
from watersmeet.users.signin import add_user

# Actors, by the names of the demo's users; two more are added. All but the outsider see ENG.
READER, WRITER, SPACE_ADMIN, ADMIN, OUTSIDER = "viewer", "alice", "carol", "admin", "dave"
SCOPES = ("READ", "WRITE", "ADMIN", "SYSTEM_ADMIN")


class _Undone(Exception):
    """Carries the value of an operation out of the transaction that it undoes."""

    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass
class Wiki:
    """A site, the values of the parameters of its paths, and a token for every actor and scope."""

    site: Site
    names: dict[str, str]
    tokens: dict[tuple[str, str], str]
    client: TestClient
    signed_in: TestClient
    """A browser in which an administrator has signed in."""

    def open_up(self, *, opened: bool) -> None:
        """Let strangers use the instance and see ENG, or not."""

        def operation(tx: Transaction) -> None:
            space = spaces.find(tx, "ENG")
            assert space
            act = permissions.grant if opened else permissions.revoke
            act(tx, None, [GlobalPermission.USE])
            act(tx, space.id, [SpacePermission.VIEW])

        self.site.environment.database.write_now(operation)


@pytest.fixture(scope="session")
def wiki(tmp_path_factory: pytest.TempPathFactory, _templates: Callable[[str], Path]) -> Iterator[Wiki]:
    base_url, folder = "http://127.0.0.1:8090", tmp_path_factory.mktemp("matrix")
    shutil.copyfile(_templates(base_url), folder / "site.db")
    settings, clock = _settings(folder / "site.db", base_url), HandClock()
    database = open_database(settings)
    app = create_app(settings, database=database, clock=clock)

    def new_browser(address: str = "127.0.0.1") -> TestClient:
        return TestClient(app, base_url=base_url, follow_redirects=False, client=(address, 50_000))

    site = Site(app.state.environment, clock, new_browser)
    _add_people(site)
    names = _furnish(site)
    people = (READER, WRITER, SPACE_ADMIN, ADMIN, OUTSIDER)
    tokens = {(user, scope): site.tokens(user, scope)["access_token"] for user in people for scope in SCOPES}
    found = Wiki(site, names, tokens, new_browser(), site.signed_in(ADMIN))
    with pytest.MonkeyPatch.context() as patch:
        _undo_writes(database, patch)
        yield found
    database.close()


def _undo_writes(database: Database, patch: pytest.MonkeyPatch) -> None:
    write = database.write

    async def write_and_undo(operation: Callable[[Transaction], Any], *, brief: bool = False) -> Any:
        def undone(tx: Transaction) -> Any:
            raise _Undone(operation(tx))

        try:
            await write(undone, brief=brief)
        except _Undone as outcome:
            return outcome.value

    patch.setattr(database, "write", write_and_undo)


def _add_people(site: Site) -> None:
    environment = site.environment

    def operation(tx: Transaction) -> None:
        for name in (SPACE_ADMIN, OUTSIDER):
            add_user(
                tx, username=name, display_name=name.title(), email="", role=Role.USER, now=START,
                password_hash=hash_public_password(name), entropy=environment.entropy,
            )  # fmt: skip
        carol, viewer = users.find_by_name(tx, SPACE_ADMIN), users.find_by_name(tx, READER)
        space = spaces.find(tx, "ENG")
        assert carol
        assert viewer
        assert space
        permissions.grant(tx, space.id, SPACE_ADMINISTRATOR, user_id=carol.id)
        groups.add(tx, "editors")
        long_task.begin(tx, viewer, "Something long", {}, START, environment.entropy)

    environment.database.write_now(operation)


def _made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


_TASK = "<ac:task><ac:task-id>7</ac:task-id><ac:task-status>incomplete</ac:task-status></ac:task>"


def _remark(page_id: str) -> dict[str, Any]:
    place = {"originalSelection": "Page", "numMatches": 1, "matchIndex": 0, "lastFetchTime": "1"}
    return {"containerId": page_id, "body": "<p>why?</p>", "serializedHighlights": "", **place}


def _furnish(site: Site) -> dict[str, str]:
    """One of each thing, by the names of the parameters; ENG has all but an empty trash, which TIDY has."""

    def page(title: str, storage: str = "", **more: Any) -> dict[str, Any]:
        body = {"storage": {"value": storage or f"<p>{title}</p>", "representation": "storage"}}
        sent = {"type": "page", "title": title, "space": {"key": "ENG"}, "body": body, **more}
        return _made(site.post("/rest/api/content", json=sent))

    macro = (
        '<ac:structured-macro ac:name="code" ac:macro-id="m-1"><ac:plain-text-body><![CDATA[x]]></ac:plain-text-body>'
    )
    first, other = (
        page("Page", f"<p>Page</p>{macro}</ac:structured-macro><ac:task-list>{_TASK}</ac:task-list>"),
        page("Other"),
    )
    draft = page("Draft", status="draft")
    remark = _made(site.post("/rest/inlinecomments/1.0/comments", json=_remark(first["id"])))
    template = {"name": "Minutes", "templateType": "page", "body": {"storage": {"value": "<p>x</p>"}}}
    template = _made(site.post("/rest/api/template", json=template | {"space": {"key": "ENG"}}, user=ADMIN))
    path = f"/rest/api/content/{first['id']}"
    _made(site.put(path, json={"version": {"number": 2}, "title": "Page", "type": "page"}))
    picture = BytesIO()
    Image.new("RGB", (20, 10), "red").save(picture, "PNG")
    sent = {
        "files": {"file": ("picture.png", picture.getvalue(), "image/png")},
        "headers": {"X-Atlassian-Token": "no-check"},
    }
    attachment = _made(site.post(f"{path}/child/attachment", **sent))["results"][0]
    _made(site.post(f"{path}/child/attachment/{attachment['id']}/data", **sent))
    _made(site.post(f"{path}/label", json=[{"name": "red"}, {"name": "green"}]))
    _made(site.post(f"{path}/property", json={"key": "color", "value": 1}))
    _made(site.post("/rest/api/space/ENG/property", json={"key": "color", "value": 1}, user=ADMIN))
    site.post("/rest/api/space", json={"key": "TIDY", "name": "Tidy"}, user=ADMIN)

    def operation(tx: Transaction) -> None:
        tidy, carol = spaces.find(tx, "TIDY"), users.find_by_name(tx, SPACE_ADMIN)
        assert tidy
        assert carol
        for username in (READER, WRITER):
            user = users.find_by_name(tx, username)
            assert user
            permissions.grant(tx, tidy.id, [SpacePermission.VIEW], user_id=user.id)
        permissions.grant(tx, tidy.id, SPACE_ADMINISTRATOR, user_id=carol.id)

    site.environment.database.write_now(operation)
    task = site.get("/rest/api/longtask", user=READER).json()["results"][0]
    key = site.get("/rest/api/user/current", user=OUTSIDER).json()["userKey"]
    return {
        "content_id": first["id"], "page": first["id"], "other": other["id"], "target_id": other["id"],
        "place": "append", "number": "1", "label": "red", "property": "color", "operation": "read", "type": "page",
        "key": "ENG", "group": "editors", "name": "confluence-users", "username": "alice", "user_key": key,
        "outsider": key, "task_id": task["id"], "attachment_id": attachment["id"],
        "tiny": first["_links"]["tinyui"].removeprefix("/x/"),
        "macro": "m-1", "hash": hashlib.md5(b"x").hexdigest(), "draft": draft["id"], "remark": str(remark["id"]),
        "template_id": template["templateId"], "to": "view", "task": "7", "resolved": "true", "dangling": "false",

    }  # fmt: skip
