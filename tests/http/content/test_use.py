"""The permission to use the instance: everybody who is signed in has it from the start, and it can be taken away."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site, form_of
from watersmeet.confluence.permission import GlobalPermission
from watersmeet.database import groups, permissions, users
from watersmeet.database.transaction import Transaction

from .support import CONTENT, create, path_of

PATH = "/rest/api/permissions"
USE = [{"targetType": "application", "operationKey": "use"}]


def change(site: Site, subject: str, act: str) -> None:
    answer = site.put(f"{PATH}/{subject}/{act}", json=USE, user="admin", scope="ADMIN")
    assert answer.status_code == 204, answer.text


@pytest.fixture
def closed(site: Site) -> Site:
    """A site that its administrators alone may use, with tokens from before."""
    create(site, "Plan")
    for user in ("alice", "bob"):
        assert site.get("/rest/api/user/current", user=user).status_code == 200
    change(site, "group/confluence-users", "revoke")
    return site


def test_without_it_the_api_is_closed_to_every_token(closed: Site) -> None:
    for path in (
        "/rest/api/user/current",
        CONTENT,
        f"{CONTENT}/1",
        "/rest/experimental/template/page",
        "/rest/api/search",
    ):
        answer = closed.get(path)
        assert (answer.status_code, answer.json()["statusCode"]) == (403, 403), path
        assert "permitted to use" in answer.json()["message"]
        assert "www-authenticate" not in answer.headers
    assert closed.post(CONTENT, json={}).status_code == 403
    made = closed.new_browser().post("/rest/pat/latest/tokens", auth=("alice", "alice"), json={"name": "mine"})
    assert closed.bearer(made.json()["rawToken"]).status_code == 403


def test_administrators_need_no_grant(closed: Site) -> None:
    change(closed, "group/confluence-administrators", "revoke")
    assert closed.get("/rest/api/user/current", user="admin").status_code == 200
    change(closed, "group/confluence-users", "grant")
    assert closed.get("/rest/api/user/current").status_code == 200


@pytest.mark.parametrize("subject", ["user", "group", "anonymous"])
def test_it_is_granted_by_name_by_group_and_with_everybody(closed: Site, subject: str) -> None:
    def join(tx: Transaction) -> str:
        alice = users.find_by_name(tx, "alice")
        assert alice
        groups.add(tx, "readers")
        group_id = groups.find_id(tx, "readers")
        assert group_id
        groups.join(tx, group_id, alice.id)
        return alice.user_key

    key = closed.environment.database.write_now(join)
    name = {"user": f"user/{key}", "group": "group/readers", "anonymous": "anonymous"}[subject]
    change(closed, name, "grant")
    assert closed.get("/rest/api/user/current").status_code == 200
    assert closed.get("/rest/api/user/current", user="bob").status_code == (200 if subject == "anonymous" else 403)
    change(closed, name, "revoke")
    assert closed.get("/rest/api/user/current").status_code == 403


def test_pages_and_files_are_closed_and_one_s_own_pages_are_not(closed: Site) -> None:
    page = closed.get(f"{CONTENT}?title=Plan&spaceKey=DEMO", user="admin").json()["results"][0]
    browser = closed.signed_in("alice")
    for path in (page["_links"]["webui"], "/display/DEMO", f"/download/attachments/{page['id']}/x.txt"):
        assert browser.get(path).status_code == 403, path
    assert "permitted to use" in browser.get(page["_links"]["webui"], headers={"accept": "text/html"}).text
    for path in ("/plugins/servlet/oauth2/authorized", "/account"):
        found = browser.get(path)
        assert found.status_code in (200, 404), path
    assert closed.get(path_of(page), user="admin").status_code == 200


def test_nobody_lets_an_application_in_without_it(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser)
    change(site, "group/confluence-users", "revoke")
    sent = browser.get(site.authorize_path())
    assert (sent.status_code, "permitted to use" in sent.text) == (403, True)
    assert browser.get(str(page.url)).status_code == 403
    fields = {**form_of(page), "decision": "allow"}
    assert browser.post("/plugins/servlet/oauth2/consent", data=fields).status_code == 403
    assert site.answer(browser, page, "deny")["error"] == "access_denied"


def test_a_user_learns_at_once_that_it_was_granted_again(site: Site) -> None:
    assert site.get("/rest/api/user/current").status_code == 200

    def revoke(tx: Transaction) -> None:
        permissions.revoke(tx, None, list(GlobalPermission), group_id=groups.find_id(tx, "confluence-users"))

    site.environment.database.write_now(revoke)
    assert site.get("/rest/api/user/current").status_code == 403
    change(site, "group/confluence-users", "grant")
    assert site.get("/rest/api/user/current").status_code == 200
