"""Personal access tokens over HTTP: who may make one, what it does, and when it ends."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.http.audit.test_trail import trail
from tests.http.conftest import Site, SiteFactory
from watersmeet import demo
from watersmeet.clock import SECOND
from watersmeet.confluence.scopes import Scope
from watersmeet.database import personal_tokens
from watersmeet.database.schema import personal_tokens as table
from watersmeet.database.schema import users as user_table
from watersmeet.tokens.revoke import end_everything
from watersmeet.users.personal_token import Wanted, create_token
from watersmeet.users.signin import change_password, disable_user, enable_user, require_user

TOKENS = "/rest/pat/latest/tokens"
ME = "/rest/api/user/current"
DAY = 86_400


def basic(username: str, password: str | None = None) -> dict[str, str]:
    pair = f"{username}:{username if password is None else password}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(site: Site, headers: dict[str, str], address: str = "127.0.0.1", **sent: Any) -> httpx.Response:
    """What the answer is to somebody who wants a token."""
    body = {"name": "A script", **sent}
    answer: httpx.Response = site.new_browser(address).post(site.path(TOKENS), headers=headers, json=body)
    return answer


def make(site: Site, user: str = "alice", **sent: Any) -> dict[str, Any]:
    """A new token of a demo user, who proves it by the password."""
    answer = ask(site, basic(user), **sent)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def works(site: Site, token: str) -> bool:
    status = site.bearer(token).status_code
    assert status in (200, 401)
    return status == 200


def names(site: Site, user: str = "alice") -> list[str]:
    listed = site.new_browser().get(TOKENS, headers=basic(user))
    assert listed.status_code == 200
    return [each["name"] for each in listed.json()]


def test_a_password_makes_one_and_it_is_shown_once(site: Site) -> None:
    answer = ask(site, basic("alice"), expirationDuration=30)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    assert re.fullmatch(r"wmpat_[0-9a-f]{64}", made["rawToken"])
    assert made["createdAt"] == "2027-01-15T08:00:00.000+00:00"
    assert made["expiringAt"] == "2027-02-14T08:00:00.000+00:00"
    assert site.bearer(made["rawToken"]).json()["username"] == "alice"

    listed = site.new_browser().get(TOKENS, headers=basic("alice"))
    assert listed.headers["cache-control"] == "no-store"
    assert listed.json() == [{name: made[name] for name in made if name != "rawToken"}]
    assert names(site, "bob") == []
    stored = site.environment.database.read_now(lambda tx: tx.execute(select(table)).mappings().one())
    assert made["rawToken"].removeprefix("wmpat_") not in str(dict(stored)), "S116: only a digest is kept"
    created = trail(site)[-1]
    assert (created.event, created.actor, created.username) == ("personal-token.created", "alice", "alice")
    end = site.clock.now() + 30 * DAY * SECOND
    assert created.detail == {"token": made["id"], "scope": "SYSTEM_ADMIN", "expires_at": end}


@pytest.mark.parametrize(("user", "told"), [("alice", "WRITE"), ("admin", "SYSTEM_ADMIN")])
def test_what_is_told_of_its_scope_is_no_more_than_its_user_may_do(site: Site, user: str, told: str) -> None:
    assert make(site, user)["scope"] == told
    assert make(site, user, scope="READ")["scope"] == "READ"
    listed = site.new_browser().get(TOKENS, headers=basic(user)).json()
    assert [each["scope"] for each in listed] == ["READ", told]


def test_without_a_life_it_gets_the_operators(site_under: SiteFactory) -> None:
    site = site_under(personal_token_days=7, personal_token_max_days=10)
    assert make(site)["expiringAt"].startswith("2027-01-22")
    assert make(site_under(personal_token_max_days=10))["expiringAt"].startswith("2027-01-25"), "no more than any may"
    assert ask(site, basic("alice"), expirationDuration=11).status_code == 400


@pytest.mark.parametrize(
    "sent",
    [
        {"name": ""}, {"name": " "}, {"name": "x" * 81}, {"name": "evil\u202e"}, {"name": None}, {"name": 1},
        {"name": "nul\0"},
        {"expirationDuration": 0}, {"expirationDuration": -1}, {"expirationDuration": 366},
        {"expirationDuration": "90"}, {"expirationDuration": 10**30}, {"expirationDuration": 1.5},
        {"scope": "EVERYTHING"}, {"scope": "READ WRITE"},
    ],
)  # fmt: skip
def test_what_may_not_be_made_is_explained(site: Site, sent: dict[str, Any]) -> None:
    answer = ask(site, basic("alice"), **sent)
    assert (answer.status_code, answer.json()["statusCode"]) == (400, 400)
    assert names(site) == []


def test_only_json_and_not_much_of_it(site: Site) -> None:
    """A form of another site cannot make one, even where the browser sends a password along."""
    browser, headers = site.new_browser(), basic("alice")
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = browser.post(TOKENS, headers=headers | {"Content-Type": kind}, content='{"name":"x"}')
        assert answer.status_code == 400
    for content, status in ((b"{", 400), (b"[" * 3000, 400), (b'{"name":"\xff"}', 400), (b"x" * 5000, 413)):
        answer = browser.post(TOKENS, headers=headers | {"Content-Type": "application/json"}, content=content)
        assert answer.status_code == status, content[:20]
    assert names(site) == []


@pytest.mark.parametrize(
    "headers",
    [
        {}, basic("alice", "wrong"), basic("nobody"), basic("alice", ""), {"Authorization": "Basic ?"},
        {"Authorization": "Basic " + base64.b64encode(b"alice").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"ali\0ce:alice").decode()},
        {"Authorization": "Basic"}, bearer("wmpat_" + "0" * 64), bearer("wmpat_"),
    ],
)  # fmt: skip
def test_nobody_else_may(site: Site, headers: dict[str, str]) -> None:
    made = make(site)
    for method, path in (("GET", TOKENS), ("POST", TOKENS), ("DELETE", f"{TOKENS}/{made['id']}")):
        answer = site.new_browser().request(
            method, path, headers=headers, **({"json": {"name": "x"}} if method == "POST" else {})
        )
        assert answer.status_code == 401, method
        assert answer.headers["www-authenticate"].startswith("Bearer"), "no browser asks for a password by itself"
    assert names(site) == ["A script"]


def test_neither_an_application_nor_the_session_may(site: Site) -> None:
    made = make(site, "admin")
    for method, path in (("GET", TOKENS), ("POST", TOKENS), ("DELETE", f"{TOKENS}/{made['id']}")):
        more: dict[str, Any] = {"json": {"name": "x"}} if method == "POST" else {}
        answer = site.request(method, path, user="admin", scope="SYSTEM_ADMIN", **more)
        assert answer.status_code == 403, method
        assert "application" in answer.json()["message"]
        assert site.signed_in("admin").request(method, path, **more).status_code == 401
    assert names(site, "admin") == ["A script"]


def test_guessing_passwords_here_is_throttled_as_everywhere(site: Site) -> None:
    here = "192.0.2.7"
    statuses = [ask(site, basic("alice", "wrong"), here).status_code for _ in range(10)]
    assert statuses == [401] * 10
    refused = ask(site, basic("alice"), here)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "900")
    assert ask(site, basic("alice"), "198.51.100.1").status_code == 201, "the real user, elsewhere"
    for _ in range(12):
        assert ask(site, basic("bob"), here).status_code == 201, "what succeeds is not counted"


def test_a_disabled_user_s_password_makes_none(site: Site) -> None:
    site.environment.database.write_now(lambda tx: disable_user(tx, "alice", site.clock.now()))
    assert ask(site, basic("alice")).status_code == 401


@pytest.mark.parametrize("user", ["alice", "admin"])
def test_s127_it_does_what_its_user_may_and_no_more(site: Site, user: str) -> None:
    token = bearer(make(site, user)["rawToken"])
    assert site.new_browser().get(ME, headers=token).json()["username"] == user
    page = {"type": "page", "title": "By a script", "space": {"key": "DEMO"}}
    page |= {"body": {"storage": {"value": "<p/>", "representation": "storage"}}}
    assert site.new_browser().post("/rest/api/content", headers=token, json=page).status_code == 200
    status = site.new_browser().get("/rest/oauth2/latest/client", headers=token).status_code
    assert status == (200 if user == "admin" else 403)


def test_s127_who_is_no_administrator_any_more_has_a_weaker_token(site: Site) -> None:
    token = bearer(make(site, "admin")["rawToken"])
    demote = user_table.update().where(user_table.c.username == "admin").values(role="user")
    site.environment.database.write_now(lambda tx: tx.execute(demote).rowcount)
    refused = site.new_browser().get("/rest/oauth2/latest/client", headers=token)
    assert (refused.status_code, "insufficient_scope" in refused.headers["www-authenticate"]) == (403, True)
    assert site.new_browser().get(ME, headers=token).status_code == 200


def test_it_may_be_made_for_less(site: Site) -> None:
    token = bearer(make(site, "admin", scope="READ")["rawToken"])
    assert site.new_browser().get(ME, headers=token).status_code == 200
    assert site.new_browser().post("/rest/api/content", headers=token, json={}).status_code == 403
    assert site.new_browser().get(TOKENS, headers=token).json()[0]["scope"] == "READ"
    for refused in (ask(site, token), site.new_browser().delete(f"{TOKENS}/1", headers=token)):
        assert refused.status_code == 403, "and manages none"


def test_a_token_makes_another_that_does_no_more_and_lives_no_longer(site: Site) -> None:
    first = make(site, "admin", scope="WRITE", expirationDuration=5)
    second = ask(site, bearer(first["rawToken"]), scope="SYSTEM_ADMIN", expirationDuration=300).json()
    assert (second["scope"], second["expiringAt"]) == ("WRITE", first["expiringAt"])
    assert works(site, second["rawToken"])
    assert trail(site)[-1].detail["maker"] == first["id"]
    assert site.new_browser().delete(f"{TOKENS}/{first['id']}", headers=bearer(second["rawToken"])).status_code == 204
    assert not works(site, first["rawToken"])
    assert ask(site, bearer(first["rawToken"])).status_code == 401


def test_revoking_takes_effect_at_once_and_only_ones_own_can_be(site: Site) -> None:
    mine, other, hers = make(site), make(site, name="Another"), make(site, "bob")
    browser = site.new_browser()
    for number in (hers["id"], 10**30, "x", "0", "-1", "1 ", "%00", "²"):
        assert browser.delete(f"{TOKENS}/{number}", headers=basic("alice")).status_code in (400, 404), number
    assert works(site, hers["rawToken"])
    assert browser.delete(f"{TOKENS}/{mine['id']}", headers=basic("alice")).status_code == 204
    assert [works(site, each["rawToken"]) for each in (mine, other, hers)] == [False, True, True]
    revoked = trail(site)[-1]
    assert (revoked.event, revoked.detail, revoked.actor) == ("personal-token.revoked", {"token": mine["id"]}, "alice")
    assert browser.delete(f"{TOKENS}/{mine['id']}", headers=basic("alice")).status_code == 404
    assert names(site) == ["Another"]


def test_it_ends_to_the_second(site: Site) -> None:
    token = make(site, expirationDuration=1)["rawToken"]
    site.clock.advance(DAY - 1)
    assert works(site, token)
    site.clock.advance(1)
    answer = site.bearer(token)
    assert answer.status_code == 401
    unknown = site.bearer("wmpat_" + "0" * 64)
    assert answer.json() == unknown.json()
    assert answer.headers["www-authenticate"] == unknown.headers["www-authenticate"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert names(site) == []


def test_s123_only_the_exact_token_works(site: Site) -> None:
    token = make(site)["rawToken"]
    assert works(site, token)
    changed = [
        token.upper(),
        token[:6] + token[6:].upper(),
        token[:-1],
        token[6:],
        f"{token}0",
        f" {token}",
        f"{token}\u00a0",
    ]
    for place, digit in enumerate(token):
        changed.append(token[:place] + ("1" if digit == "0" else "0") + token[place + 1 :])
    for wrong in changed:
        headers = {"Authorization": b"Bearer " + wrong.encode("utf-8")}
        assert site.new_browser().get(ME, headers=headers).status_code == 401, wrong


@pytest.mark.parametrize(
    "ending",
    [
        lambda tx, now: change_password(tx, "alice", "$argon2id$other", now),
        lambda tx, now: disable_user(tx, "alice", now),
        end_everything,
    ],
    ids=["S117 the password changed", "S067 the user is disabled", "everything ends"],
)
def test_what_ends_the_access_of_applications_ends_the_tokens(site: Site, ending: Any) -> None:
    token = make(site)["rawToken"]
    site.environment.database.write_now(lambda tx: ending(tx, site.clock.now()))
    assert trail(site)[-1].detail["personal_tokens_ended"] == 1
    site.environment.database.write_now(lambda tx: enable_user(tx, "alice", site.clock.now()))
    assert not works(site, token)


def test_nobody_has_more_than_twenty(site: Site) -> None:
    many = [make(site, name=f"Script {number}") for number in range(20)]
    refused = ask(site, basic("alice"))
    assert (refused.status_code, "more than 20" in refused.json()["message"]) == (400, True)
    assert make(site, "bob")
    site.new_browser().delete(f"{TOKENS}/{many[0]['id']}", headers=basic("alice"))
    assert make(site)


def test_the_operator_can_switch_them_off(site_under: SiteFactory) -> None:
    site = site_under(personal_token_max_days=0)
    refused = ask(site, basic("alice"))
    assert (refused.status_code, "switched off" in refused.json()["message"]) == (400, True)
    environment, wanted = site.environment, Wanted("From before", Scope.READ, 30)

    def make_before(tx: Any) -> str:
        alice = require_user(tx, "alice")
        new = create_token(tx, alice, wanted, now=site.clock.now(), keys=environment.keys, entropy=environment.entropy)
        return new.raw

    token = environment.database.write_now(make_before)
    assert names(site) == ["From before"]
    assert not works(site, token)


def test_applications_tokens_may_be_refused_and_these_not(site_under: SiteFactory) -> None:
    site = site_under(enable_access_tokens=False)
    assert works(site, make(site)["rawToken"])


def test_a_browser_s_session_beside_it_ends(site: Site) -> None:
    """The property invalidate.session.enabled, as for an application's token."""
    token, browser = make(site)["rawToken"], site.signed_in("bob")
    assert browser.get(ME, headers=bearer(token)).json()["username"] == "alice"
    assert browser.get("/account").status_code == 302


def test_s134_to_oauth_it_is_unknown(site: Site) -> None:
    """It is no token of any client: nobody introspects or revokes it there (RFC 7009 §2.2, RFC 7662 §2.2)."""
    token = make(site)["rawToken"]
    client = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET}
    browser = site.new_browser()
    assert browser.post("/rest/oauth2/latest/introspect", data={**client, "token": token}).json() == {"active": False}
    assert browser.post("/rest/oauth2/latest/revoke", data={**client, "token": token}).status_code == 200
    assert works(site, token)
    for wrong in (site.refresh(token), site.exchange(token)):
        assert wrong.json()["error"] == "invalid_grant"
    assert site.bearer(token, "/rest/oauth2/latest/token").status_code == 405


def test_expired_ones_are_swept(site: Site) -> None:
    make(site, expirationDuration=1)
    kept = make(site, name="Kept", expirationDuration=2)
    site.clock.advance(DAY + 1)
    database, now = site.environment.database, site.clock.now()
    assert database.read_now(lambda tx: personal_tokens.any_expired(tx, now))
    assert database.write_now(lambda tx: personal_tokens.prune(tx, now, 20)) == 1
    assert not database.read_now(lambda tx: personal_tokens.any_expired(tx, now))
    assert names(site) == ["Kept"]
    assert works(site, kept["rawToken"])
    assert make(site)["id"] > kept["id"]


async def _written(site: Site) -> None:
    await site.environment.uses.write(site.environment.database)


def test_its_last_use_is_known_with_the_network(site: Site) -> None:
    token = make(site)["rawToken"]
    for _ in range(3):
        site.clock.advance(60)
        works(site, token)
    uses = site.environment.uses
    assert len(uses.personal) == 1
    asyncio.run(_written(site))
    assert uses.personal == {}
    [listed] = site.new_browser().get(TOKENS, headers=basic("alice")).json()
    assert listed["lastAccessed"] == "2027-01-15T08:03:00.000+00:00"
    stored = site.environment.database.read_now(lambda tx: tx.execute(select(table.c.last_used_from)).scalar())
    assert stored == "127.0.0.1"


def test_a_call_costs_no_statement_while_nothing_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = make(site)["rawToken"]
    assert works(site, token)
    asked: list[object] = []
    found = personal_tokens.find_live

    def counted(*arguments: Any) -> Any:
        asked.append(arguments)
        return found(*arguments)

    monkeypatch.setattr(personal_tokens, "find_live", counted)
    assert [works(site, token) for _ in range(3)] == [True] * 3
    assert len(asked) == 1
    oauth = site.tokens()["access_token"]
    asked.clear()
    assert works(site, oauth)
    assert asked == [], "an application's token is never looked for among these"
