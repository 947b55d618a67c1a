"""Deleting a user: out everywhere at once, personal data gone, what they wrote kept, and nothing left to inherit."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest
from sqlalchemy import Connection, func, select

from tests.http.audit.test_trail import trail
from tests.http.conftest import Site, form_of
from watersmeet import demo
from watersmeet.app import long_works
from watersmeet.confluence.permission import WRITER
from watersmeet.confluence.scopes import Role
from watersmeet.content import long_task, user_deletion
from watersmeet.database import former_users, permissions, spaces, users
from watersmeet.database.audit import COMMAND_LINE
from watersmeet.database.schema import content, content_restrictions, content_views, content_watches, labels, metadata
from watersmeet.database.schema import users as user_table
from watersmeet.users.deletion import LastAdministrator, delete_user

from .support import CONTENT, SPACE, create, draft, path_of
from .test_administration import add, sign_in, stored

USER = "/rest/api/user"


@pytest.fixture
def site(site: Site) -> Site:
    """The demo, in which Bob may write in DEMO too."""
    let_bob_write(site)
    return site


def let_bob_write(site: Site) -> None:
    def let(tx: Connection) -> None:
        bob, space = users.find_by_name(tx, "bob"), spaces.find(tx, "DEMO")
        assert bob
        assert space
        permissions.grant(tx, space.id, WRITER, user_id=bob.id)

    site.environment.database.write_now(let)


RESTRICTION = "/restriction"


def delete(site: Site, username: str = "bob") -> str:
    """The alias that is left of a user; the long task has ended well."""
    key = stored(site, username).user_key
    begun = site.delete(f"/rest/api/admin/user/{username}", user="admin", scope="ADMIN")
    assert begun.status_code == 202, begun.text
    status = begun.json()["links"]["status"]
    assert status == f"/rest/api/longtask/{begun.json()['id']}"
    assert site.get(status, user="admin").json()["percentageComplete"] == 0
    asyncio.run(long_task.work_off(long_works(), site.environment.database, site.clock, Counter()))
    task = site.get(status, user="admin").json()
    assert (task["percentageComplete"], task["successful"]) == (100, True)
    assert task["messages"][0]["translation"] == "The user was deleted."
    former = site.environment.database.read_now(lambda tx: users.find_former(tx, key))
    assert former
    return former.username


def rows_of(site: Site, user_id: int) -> dict[str, int]:
    """How many rows of which tables name a user."""

    def count(tx: Connection) -> dict[str, int]:
        columns = [key.parent for table in metadata.sorted_tables for key in table.foreign_keys
                   if key.column is user_table.c.id]  # fmt: skip
        found = {
            f"{column.table.name}.{column.name}": tx.execute(
                select(func.count()).select_from(column.table).where(column == user_id)
            ).scalar_one()
            for column in columns
        }
        return {name: number for name, number in found.items() if number}

    return site.environment.database.read_now(count)


# ---- refused everywhere -----------------------------------------------------------------------------------


def test_s067_a_deleted_user_is_out_everywhere_at_once(site: Site) -> None:
    """Between each pair of steps of the flow; the suite has the same over the wire."""
    browser = site.signed_in("bob")
    question = site.ask(browser)
    tokens, code = site.tokens("bob"), site.code("bob")
    personal = site.new_browser().post("/rest/pat/latest/tokens", auth=("bob", "bob"), json={"name": "A script"}).json()
    begun = site.delete("/rest/api/admin/user/bob", user="admin", scope="ADMIN")  # before any work of the task
    assert begun.status_code == 202
    assert browser.get("/account").status_code == 302
    answered = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(question), "decision": "allow"})
    assert not answered.headers.get("location", "").startswith(site.callback)
    assert site.exchange(code).json()["error"] == "invalid_grant"
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(personal["rawToken"]).status_code == 401
    form = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET, "token": tokens["access_token"]}
    assert site.new_browser().post("/rest/oauth2/latest/introspect", data=form).json() == {"active": False}
    for name in ("bob", stored_alias(site)):
        assert sign_in(site, name, "bob") == 401
        assert sign_in(site, name, "") in (400, 401)


def stored_alias(site: Site) -> str:
    rows = select(user_table.c.username).where(user_table.c.deleted_at.is_not(None))
    alias: str = site.environment.database.read_now(lambda tx: tx.execute(rows).scalar_one())
    return alias


def test_nobody_acts_on_a_former_user(site: Site) -> None:
    key, alias = stored(site, "bob").user_key, delete(site)
    for name in ("bob", alias):
        for method, path, body in (
            ("PUT", "/enable", None), ("PUT", "", {"fullName": "Back"}), ("DELETE", "", None),
            ("POST", "/password", {"password": "correct horse"}),
        ):  # fmt: skip
            told = site.request(method, f"/rest/api/admin/user/{name}{path}", user="admin", scope="ADMIN", json=body)
            assert told.status_code == 404
        group = f"{USER}/{name}/group/confluence-users"
        assert site.put(group, user="admin", scope="ADMIN").status_code == 404
        assert site.get(f"{USER}?username={name}").status_code == 404
        assert site.post(f"{USER}/watch/space/DEMO?username={name}", user="admin").status_code == 404
    granted = [{"targetType": "space", "operationKey": "read"}]
    assert site.put(f"{SPACE}/DEMO/permissions/user/{key}/grant", user="admin", json=granted).status_code == 404
    assert site.post(f"{USER}/watch/space/DEMO?key={key}", user="admin").status_code == 404
    everybody = site.get(f"{USER}/list").json()["results"]
    assert [each["username"] for each in everybody] == ["admin", "alice", "viewer"]
    assert site.get("/rest/api/search/user?cql=user.fullname~user").json()["results"] == []
    assert [each.username for each in site.environment.database.read_now(users.list_all)] == [
        "admin",
        "alice",
        "viewer",
    ]


# ---- what goes, and what stays ----------------------------------------------------------------------------


def test_what_they_wrote_stays_under_an_alias(site: Site) -> None:
    page = site.post(CONTENT, json=draft("Written"), user="bob").json()
    comment = {"type": "comment", "container": {"id": page["id"], "type": "page"},
               "body": {"storage": {"value": "<p>me</p>", "representation": "storage"}}}  # fmt: skip
    remark = site.post(CONTENT, json=comment, user="bob").json()
    key, alias = stored(site, "bob").user_key, delete(site)
    assert re.fullmatch("user-[0-9a-f]{8}", alias)
    for content_id in (page["id"], remark["id"]):
        shown = site.get(f"{CONTENT}/{content_id}?expand=history,version,body.storage").json()
        for author in (shown["history"]["createdBy"], shown["version"]["by"]):
            assert (author["type"], author["username"], author["displayName"]) == ("known", alias, alias)
            assert author["userKey"] == key
            assert site.get(author["_links"]["self"]).json()["displayName"] == alias
        assert not re.search("bob", str(shown), re.IGNORECASE)
    for name in (key, alias):
        found = site.get(f'{CONTENT}/search?cql=creator="{name}" and type=page').json()["results"]
        assert [each["title"] for each in found] == ["Written"]
    assert alias in site.signed_in("alice").get(f"/pages/viewpage.action?pageId={page['id']}").text


def test_what_was_theirs_alone_goes(site: Site) -> None:
    bob = stored(site, "bob")
    page = create(site)
    likes = f"/rest/likes/1.0/content/{page['id']}/likes"
    for path in (likes, f"{USER}/watch/content/{page['id']}", f"{USER}/watch/space/DEMO"):
        assert site.post(path, user="bob").status_code in (200, 204), path
    assert site.post(f"{path_of(page)}/label", json=[{"prefix": "my", "name": "mine"}], user="bob").status_code == 200
    for number in range(user_deletion.BATCH // 100):
        assert site.post(CONTENT, json=draft(f"Unfinished {number}", status="draft"), user="bob").status_code == 200
    site.put(f"/rest/api/permissions/user/{bob.user_key}/grant", user="admin", scope="ADMIN",
             json=[{"targetType": "space", "operationKey": "create"}])  # fmt: skip
    site.put(f"{SPACE}/ENG/permissions/user/{bob.user_key}/grant", user="admin",
             json=[{"targetType": "space", "operationKey": "read"}])  # fmt: skip
    views = [{"user_id": bob.id, "content_id": int(page["id"]), "viewed_at": 1}]
    site.environment.database.write_now(lambda tx: tx.execute(content_views.insert(), views).rowcount)
    site.tokens("bob")
    before = rows_of(site, bob.id)
    assert before.keys() >= {
        "likes.user_id", "content_watches.user_id", "space_watches.user_id", "labels.owner_id", "content.created_by",
        "global_permissions.user_id", "space_permissions.user_id", "group_members.user_id", "sessions.user_id",
        "content_views.user_id", "token_families.user_id",
    }  # fmt: skip
    delete(site)
    # A grant that has ended is remembered like any other, until the sweep: whoever sends its tokens is told so.
    assert rows_of(site, bob.id).keys() == {"token_families.user_id"}
    row = site.environment.database.read_now(
        lambda tx: tx.execute(select(user_table).where(user_table.c.id == bob.id)).mappings().one()
    )
    alias = row["username"]
    assert dict(row) == {
        "id": bob.id, "username": alias, "user_key": bob.user_key, "display_name": alias, "email": "", "role": "user",
        "password_hash": "", "enabled": False, "created_at": row["created_at"], "deleted_at": site.clock.now(),
    }  # fmt: skip
    assert site.get(likes).status_code == site.get(path_of(page)).status_code == 200
    assert site.environment.database.read_now(lambda tx: tx.execute(select(labels.c.id)).all()) == []


def test_drafts_go_in_steps(site: Site) -> None:
    bob = stored(site, "bob")
    for number in range(5):
        site.post(CONTENT, json=draft(f"Unfinished {number}", status="draft"), user="bob")
    kept = create(site, status="draft")
    drafts = select(func.count()).select_from(content).where(content.c.status == "draft")

    def some(tx: Connection) -> tuple[bool, int]:
        return former_users.forget_some(tx, bob.id, 2), tx.execute(drafts).scalar_one()

    done = [site.environment.database.write_now(some) for _ in range(4)]
    assert done == [(True, 4), (True, 2), (True, 1), (False, 1)]
    assert site.get(f"{path_of(kept)}?status=draft").status_code == 200


@pytest.mark.parametrize("operation", ["read", "update"])
def test_what_is_kept_to_them_alone_does_not_fall_open(site: Site, operation: str) -> None:
    page = site.post(CONTENT, json=draft("Secret"), user="bob").json()
    below = site.post(CONTENT, json=draft("Below", ancestors=[{"id": page["id"]}]), user="bob").json()
    subject = {"user": [{"type": "known", "username": "bob"}]}
    kept = site.put(path_of(page) + RESTRICTION, json=[{"operation": operation, "restrictions": subject}], user="bob")
    assert kept.status_code == 200, kept.text
    change = {"version": {"number": 2}, "title": "Secret", "type": "page"}

    def refused() -> list[int]:
        read = [site.get(path_of(each), user="alice").status_code for each in (page, below)]
        return [*read, site.put(path_of(page), json=change, user="alice").status_code]

    before = refused()
    assert 404 in before or 403 in before
    alias = delete(site)
    assert refused() == before
    add(site, "bob")  # another person of that name
    let_bob_write(site)
    bearer = {"Authorization": f"Bearer {site.tokens('bob', 'WRITE')['access_token']}"}
    assert site.new_browser().get(path_of(page), headers=bearer).status_code == before[0]
    assert site.new_browser().put(path_of(page), json=change, headers=bearer).status_code == before[2]
    shown = site.get(
        f"{path_of(page)}{RESTRICTION}/byOperation/{operation}?expand=restrictions.user", user="admin"
    ).json()
    assert [each["username"] for each in shown["restrictions"]["user"]["results"]] == [alias]
    assert site.put(path_of(page) + RESTRICTION, json=[], user="admin").status_code == 200, "administrators open it"
    assert site.get(path_of(below), user="alice").status_code == 200
    assert not site.environment.database.read_now(lambda tx: tx.execute(select(content_restrictions)).all())


# ---- the name is free, and nothing comes with it ----------------------------------------------------------


def test_a_new_user_of_the_name_inherits_nothing(site: Site) -> None:
    old = stored(site, "bob")
    made = site.post(f"{SPACE}/personal", json={}, user="bob")
    assert made.json()["key"] == "~bob"
    page = site.post(CONTENT, json=draft("Mine", key="~bob"), user="bob").json()
    site.post(f"{USER}/watch/content/{page['id']}", user="bob")
    alias = delete(site)
    new = {"userName": "bob", "fullName": "Bob Example", "email": "", "password": "bob bob bob"}
    again = site.post("/rest/api/admin/user", json=new, user="admin", scope="ADMIN")
    assert again.status_code == 201
    assert again.json()["userKey"] != old.user_key
    assert stored(site, "bob").id != old.id
    assert sign_in(site, "bob", "bob") == 401
    browser = site.new_browser()
    fields = form_of(browser.get("/login.action")) | {"username": "bob", "password": "bob bob bob"}
    browser.post("/login.action", data=fields)
    code = site.answer(browser, site.ask(browser, scope="WRITE"))["code"]
    bearer = {"Authorization": f"Bearer {site.exchange(code).json()['access_token']}"}
    assert site.get(path_of(page), user="admin").json()["title"] == "Mine"
    assert browser.get(path_of(page), headers=bearer).status_code == 404
    assert browser.get(f"{SPACE}/~bob", headers=bearer).status_code == 404
    own = browser.post(f"{SPACE}/personal", headers=bearer, json={})
    assert (own.status_code, own.json()["key"]) == (200, "~bob")
    left = site.get(f"{SPACE}/~{alias}", user="admin").json()
    assert (left["key"], left["name"]) == (f"~{alias}", alias)
    found = browser.get(f"{CONTENT}/search?cql=creator=bob", headers=bearer).json()["results"]
    assert [each["title"] for each in found] == ["Bob Example Home"], "of the new space"
    taken = site.post("/rest/api/admin/user", json=new | {"userName": alias}, user="admin", scope="ADMIN")
    assert taken.status_code == 409


def test_a_space_that_has_a_name_of_its_own_keeps_it(site: Site) -> None:
    site.post(f"{SPACE}/personal", json={"name": "Allotment"}, user="bob")
    alias = delete(site)
    space = site.environment.database.read_now(lambda tx: spaces.find(tx, f"~{alias}"))
    assert space
    assert space.name == "Allotment"


# ---- who may, and what is written down --------------------------------------------------------------------


def test_the_last_administrator_stays(site: Site) -> None:
    database, now, entropy = site.environment.database, site.clock.now(), site.environment.entropy
    add(site, "keeper", Role.ADMINISTRATOR)
    with pytest.raises(LastAdministrator):  # the keeper is less powerful
        database.write_now(lambda tx: delete_user(tx, "admin", now, entropy))
    add(site, "root", Role.SYSTEM_ADMINISTRATOR)
    assert database.write_now(lambda tx: delete_user(tx, "keeper", now, entropy)).username == "keeper"
    assert database.write_now(lambda tx: delete_user(tx, "admin", now, entropy)).username == "admin"
    with pytest.raises(LastAdministrator):
        database.write_now(lambda tx: delete_user(tx, "root", now, entropy))


def test_the_event_says_who_and_nothing_else_of_them(site: Site) -> None:
    site.tokens("bob")
    alias = delete(site)
    [event] = [each for each in trail(site) if each.event == "user.deleted"]
    assert (event.actor, event.username) == ("admin", alias)
    assert event.detail == {"username": "bob", "alias": alias, "sessions_ended": 1, "grants_ended": 1}


def test_the_command_line_leaves_the_rest_to_the_server(site: Site) -> None:
    database, now, entropy = site.environment.database, site.clock.now(), site.environment.entropy
    site.post(CONTENT, json=draft("Unfinished", status="draft"), user="bob")
    bob = stored(site, "bob")
    task = database.write_now(lambda tx: user_deletion.begin(tx, None, "bob", now, entropy, COMMAND_LINE))
    page = create(site)
    meanwhile = {"user_id": bob.id, "content_id": int(page["id"]), "created_at": 1}  # by a request under way
    database.write_now(lambda tx: tx.execute(content_watches.insert(), meanwhile).rowcount)
    assert rows_of(site, bob.id).keys() >= {"content.created_by", "content_watches.user_id"}
    asyncio.run(long_task.work_off(long_works(), database, site.clock, Counter()))
    assert rows_of(site, bob.id).keys() == {"token_families.user_id", "long_tasks.user_id"}
    assert site.get(f"/rest/api/longtask/{task.id}", user="admin").json()["successful"] is True
    assert [each.actor for each in trail(site) if each.event == "user.deleted"] == ["the command line"]
