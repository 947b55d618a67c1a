"""Administering users over the API: adding, changing, keeping out, passwords, and on whom nobody may act."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.audit.test_trail import trail
from tests.http.conftest import Site
from watersmeet.confluence.scopes import Role
from watersmeet.database import users
from watersmeet.database.transaction import Transaction
from watersmeet.users.administration import NotOverThem, claim_subordinate
from watersmeet.users.password import hash_public_password
from watersmeet.users.signin import add_user, change_role, disable_user

from .support import SPACE, create

USER = "/rest/api/admin/user"
NEW = {"userName": "Zoe", "fullName": "Zoe Z", "email": "zoe@example.com", "password": "correct horse"}
ACTS: list[tuple[str, str, Any]] = [
    ("PUT", "", {"fullName": "Somebody"}),
    ("PUT", "/disable", None),
    ("PUT", "/enable", None),
    ("POST", "/password", {"password": "correct horse"}),
    ("DELETE", "", None),
]


def act(site: Site, method: str, path: str, **options: Any) -> httpx.Response:
    """A call by an administrator, with a token of just the scope that it takes."""
    return site.request(method, USER + path, **{"user": "admin", "scope": "ADMIN", **options})


def add(site: Site, username: str, role: Role = Role.USER) -> None:
    """One more user, whose password is the name."""

    def operation(tx: Transaction) -> None:
        add_user(
            tx, username=username, display_name=username.title(), email="", role=role, now=site.clock.now(),
            password_hash=hash_public_password(username), entropy=site.environment.entropy,
        )  # fmt: skip

    site.environment.database.write_now(operation)


def stored(site: Site, username: str) -> users.User:
    found = site.environment.database.read_now(lambda tx: users.find_by_name(tx, username))
    assert found
    return found


def sign_in(site: Site, username: str, password: str) -> int:
    browser = site.new_browser()
    page = browser.get("/login.action")
    token = page.text.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": token, "username": username, "password": password, "os_destination": ""}
    status: int = browser.post("/login.action", data=form).status_code
    return status


# ---- adding and changing ----------------------------------------------------------------------------------


def test_a_user_is_added(site: Site) -> None:
    made = act(site, "POST", "", json={**NEW, "notifyViaEmail": True})
    assert made.status_code == 201, made.text
    zoe = stored(site, "zoe")
    assert made.json() == {"userKey": zoe.user_key}
    assert (zoe.display_name, zoe.email, zoe.role, zoe.enabled) == ("Zoe Z", "zoe@example.com", Role.USER, True)
    assert site.get("/rest/api/user?username=zoe").json()["displayName"] == "Zoe Z"
    groups = site.get("/rest/api/user/memberof?username=zoe").json()["results"]
    assert [group["name"] for group in groups] == ["confluence-users"]
    assert sign_in(site, "zoe", "correct horse") == 303
    assert "correct horse" not in str([*trail(site), made.text])
    taken = act(site, "POST", "", json=NEW)
    assert (taken.status_code, taken.json()["reason"], taken.json()["statusCode"]) == (409, "Conflict", 409)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("userName", ""), ("userName", "no spaces"), ("userName", "x" * 64), ("fullName", "x" * 81),
        ("fullName", "in\u202everted"), ("email", "nowhere"), ("email", "a\u200b@b.example"), ("password", "short"),
        ("password", ""), ("password", "x" * 1025),
    ],
)  # fmt: skip
def test_what_is_not_acceptable_is_named(site: Site, field: str, value: str) -> None:
    refused = act(site, "POST", "", json=NEW | {field: value})
    assert (refused.status_code, refused.json()["message"].split(":")[0]) == (400, field)
    assert site.get("/rest/api/user?username=zoe").status_code == 404
    assert act(site, "POST", "", content=b"{").status_code == 400


def test_what_is_said_of_a_user_is_changed(site: Site) -> None:
    assert act(site, "PUT", "/bob", json={"fullName": "Bob Anew", "email": "bob@new.example"}).status_code == 204
    assert act(site, "PUT", "/bob", json={}).status_code == 204  # what is not sent stays
    assert (stored(site, "bob").display_name, stored(site, "bob").email) == ("Bob Anew", "bob@new.example")
    for field, value in (("fullName", ""), ("email", "nowhere")):
        refused = act(site, "PUT", "/bob", json={field: value})
        assert (refused.status_code, refused.json()["message"].split(":")[0]) == (400, field)
    changed = trail(site)[-2]
    assert (changed.event, changed.actor, changed.username) == ("user.changed", "admin", "bob")
    assert changed.detail == {"changed": ["display_name", "email"]}


# ---- keeping out, and passwords ---------------------------------------------------------------------------


def test_a_user_is_kept_out_and_let_in_again(site: Site) -> None:
    tokens, browser = site.tokens("bob"), site.signed_in("bob")
    assert act(site, "PUT", "/bob/disable").status_code == 204
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert browser.get("/account").status_code == 302
    assert sign_in(site, "bob", "bob") == 401
    active = site.get("/rest/api/admin/users/list/active", user="admin", scope="ADMIN").json()["results"]
    assert "bob" not in [each["username"] for each in active]
    assert act(site, "PUT", "/bob/enable").status_code == 204
    assert sign_in(site, "bob", "bob") == 303
    assert site.bearer(tokens["access_token"]).status_code == 401, "what ended stays ended"
    assert [each.event for each in trail(site) if each.actor == "admin"][-2:] == ["user.disabled", "user.enabled"]


def test_a_password_that_is_set_ends_what_the_old_one_opened(site: Site) -> None:
    tokens, code, browser = site.tokens("bob"), site.code("bob"), site.signed_in("bob")
    made = site.new_browser().post("/rest/pat/latest/tokens", auth=("bob", "bob"), json={"name": "A script"}).json()
    set_ = act(site, "POST", "/bob/password", json={"password": "correct horse"})
    assert (set_.status_code, set_.content) == (204, b"")
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.bearer(made["rawToken"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.exchange(code).json()["error"] == "invalid_grant"
    assert browser.get("/account").status_code == 302
    assert (sign_in(site, "bob", "bob"), sign_in(site, "bob", "correct horse")) == (401, 303)
    refused = act(site, "POST", "/bob/password", json={"password": "short"})
    assert (refused.status_code, refused.json()["message"].split(":")[0]) == (400, "password")
    assert "correct horse" not in str(trail(site))


def test_a_space_for_somebody_else(site: Site) -> None:
    path = "/rest/api/admin/space/personal"
    made = site.post(f"{path}/bob", user="admin", scope="ADMIN")
    assert (made.status_code, made.json()["key"], made.json()["name"]) == (200, "~bob", "Bob Example")
    assert site.put(f"{SPACE}/~bob", user="bob", json={"name": "Mine"}).status_code == 200, "it is his"
    assert site.post(f"{path}/bob", user="admin", scope="ADMIN", json={"name": "Again"}).status_code == 409
    assert site.post(f"{path}/nobody", user="admin", scope="ADMIN").status_code == 404


# ---- on whom nobody may act -------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_nobody_acts_on_somebody_more_powerful(site: Site, method: str, path: str, body: Any) -> None:
    add(site, "keeper", Role.ADMINISTRATOR)
    before = stored(site, "admin")
    refused = act(site, method, f"/admin{path}", user="keeper", json=body)
    assert (refused.status_code, "www-authenticate" in refused.headers) == (403, False)
    add(site, "root", Role.SYSTEM_ADMINISTRATOR)
    weak = act(site, method, f"/admin{path}", user="root", json=body)
    assert (weak.status_code, 'scope="SYSTEM_ADMIN"' in weak.headers["www-authenticate"]) == (403, True)
    assert stored(site, "admin") == before
    assert act(site, method, f"/admin{path}", user="root", scope="SYSTEM_ADMIN", json=body).status_code in (202, 204)


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_administrators_act_on_their_equals_and_never_on_themselves(
    site: Site, method: str, path: str, body: Any
) -> None:
    for name in ("keeper", "warden"):
        add(site, name, Role.ADMINISTRATOR)
    before = stored(site, "keeper")
    refused = act(site, method, f"/keeper{path}", user="keeper", json=body)
    assert (refused.status_code, "/rest/api/user/current" in refused.json()["message"]) == (403, True)
    assert stored(site, "keeper") == before
    assert act(site, method, f"/keeper{path}", user="warden", json=body).status_code in (202, 204)


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_only_administrators_learn_which_users_there_are(site: Site, method: str, path: str, body: Any) -> None:
    unknown = act(site, method, f"/nobody{path}", json=body)
    assert (unknown.status_code, unknown.json()["statusCode"]) == (404, 404)
    told = {
        (answer.status_code, answer.text)
        for name in ("bob", "nobody")
        for answer in [site.request(method, f"{USER}/{name}{path}", user="alice", scope="WRITE", json=body)]
    }
    assert [status for status, _ in told] == [403], "the same answer"


@pytest.mark.parametrize(
    "end",
    [lambda tx, now: disable_user(tx, "keeper", now), lambda tx, now: change_role(tx, "keeper", Role.USER, now)],
    ids=["disabled", "demoted"],
)
def test_who_is_no_administrator_any_more_is_too_late(site: Site, end: Any) -> None:
    """Of two administrators who disable each other at once, the second was let in before the first was done."""
    add(site, "keeper", Role.ADMINISTRATOR)
    caller, power = stored(site, "keeper"), Role.ADMINISTRATOR.ceiling
    database = site.environment.database
    assert database.write_now(lambda tx: claim_subordinate(tx, caller, power, "bob")).username == "bob"
    database.write_now(lambda tx: end(tx, site.clock.now()))
    with pytest.raises(NotOverThem, match="no administrator any more"):
        database.write_now(lambda tx: claim_subordinate(tx, caller, power, "bob"))


def test_the_page_of_a_user_who_was_disabled_stays(site: Site) -> None:
    page = create(site, key="DEMO")
    assert act(site, "PUT", "/alice/disable").status_code == 204
    shown = site.get(f"/rest/api/content/{page['id']}?expand=history", user="bob").json()
    assert shown["history"]["createdBy"]["username"] == "alice"
