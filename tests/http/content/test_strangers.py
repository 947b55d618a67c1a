"""Requests without a token: refused, unless everybody was granted the use of the instance; and then they only read."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert

from tests.http.conftest import Site
from watersmeet.confluence.permission import READER, GlobalPermission
from watersmeet.database import permissions, spaces, users
from watersmeet.database.schema import global_permissions
from watersmeet.database.transaction import Transaction

from .support import CONTENT, SPACE, create, draft, path_of


@pytest.fixture
def opened(site: Site) -> Site:
    """Everybody may use the instance, and look into DEMO."""

    def open_up(tx: Transaction) -> None:
        tx.execute(insert(global_permissions), {"permission": GlobalPermission.USE.value})
        admin = users.find_by_name(tx, "admin")
        assert admin
        demo = spaces.find_visible(tx, "DEMO", admin)
        assert demo
        permissions.grant(tx, demo.id, READER)

    assert site.client.get("/rest/api/user/current").status_code == 401
    site.environment.database.write_now(open_up)
    return site


def test_strangers_read_what_everybody_may(opened: Site) -> None:
    shown, hidden = create(opened, "Shown"), create(opened, "Hidden", key="ENG")
    me = opened.client.get("/rest/api/user/current")
    assert (me.status_code, me.json()["type"], me.headers["x-ausername"]) == (200, "anonymous", "anonymous")
    assert opened.client.get(path_of(shown)).json()["title"] == "Shown"
    assert opened.client.get(path_of(hidden)).status_code == 404
    assert [space["key"] for space in opened.client.get(SPACE).json()["results"]] == ["DEMO"]


def test_strangers_write_nothing_and_a_bad_token_is_no_stranger(opened: Site) -> None:
    assert opened.client.post(CONTENT, json=draft("By nobody")).status_code == 401
    assert opened.client.get(SPACE, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_what_was_granted_is_taken_back_at_once(opened: Site) -> None:
    assert opened.client.get(SPACE).status_code == 200
    everybody = global_permissions.c.user_id.is_(None) & global_permissions.c.group_id.is_(None)
    opened.environment.database.write_now(lambda tx: tx.execute(delete(global_permissions).where(everybody)))
    assert opened.client.get(SPACE).status_code == 401
