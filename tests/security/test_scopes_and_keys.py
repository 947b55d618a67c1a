"""Scopes, keys, audit: S147 to S150."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import time
from typing import Any

import pytest
from lxml import html

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.target import User, both_profiles
from tests.security.harness.verdict import Row
from tests.security.test_client import under_load
from tests.security.test_consent import try_password


@both_profiles
def test_s147_scope_words(client: Client, row: Row) -> None:
    for wrong in (
        "read",
        "READ,WRITE",
        "READ\tWRITE",
        "READ;WRITE",
        "NONE",
        "ADMIN",
        "SYSTEM_ADMIN",
        '"READ"',
        "READ\\",
        "*",
        "é",
    ):
        page = client.authorize(scope=wrong)
        assert page.status_code == 400 or "error=invalid_" in page.headers["location"], wrong
    for right in ("READ WRITE", "WRITE READ", "READ READ", "WRITE"):
        granted = client.tokens(scope=right)["scope"]
        assert set(granted.split(" ")) == set(right.split(" ")), right
    told = client.outcome(scope=None)
    if client.is_strict:
        assert told.get("error") == "invalid_scope"
    else:
        assert client.tokens(scope=None)["scope"] == "READ"
        row.legacy_accepted("a missing scope means READ, which the question shows")


def test_s148_implied_scopes_everywhere_the_same(server: Server) -> None:
    scopes = server.target.scopes
    user = server.user("system-administrator")
    for most in scopes:
        client = server.new_client(scope=most).acting_for(user)
        allowed = scopes[: scopes.index(most) + 1]
        for size in range(1, len(scopes) + 1):
            for wanted in itertools.combinations(scopes, size):
                scope = " ".join(wanted)
                if not set(wanted) <= set(allowed):
                    assert client.outcome(scope=scope)["error"] == "invalid_scope", (most, scope)
                    continue
                tokens = client.tokens(scope=scope)
                assert set(tokens["scope"].split(" ")) == set(wanted)
                for needed in server.target.resources:
                    opened = server.call(tokens["access_token"], needed).status_code != 403
                    implied = scopes.index(needed) <= max(scopes.index(name) for name in wanted)
                    assert opened is implied, (most, scope, needed)
                told = client.introspect(tokens["access_token"]).json()
                assert set(told["scope"].split(" ")) >= set(wanted)
                assert max(told["scope"].split(" "), key=scopes.index) == max(wanted, key=scopes.index)


def test_s149_keys_rotate_with_overlap(server: Server, client: Client, staging: Server) -> None:
    before = client.tokens()
    code, output = server.hooks.command("keys", "rotate")
    assert code == 0, output
    for node in server.target.nodes:
        assert server.works(before["access_token"], node), "issued before, good until its end"
    with under_load(server, client) as statuses:
        code, output = server.hooks.command("keys", "rotate")
        assert code == 0, output
    assert set(statuses) == {200}, "no request fails on the way"
    after = client.tokens()
    assert all(server.works(after["access_token"], node) for node in server.target.nodes)
    renewed = client.refresh(before["refresh_token"])
    assert renewed.status_code == 200
    assert server.works(renewed.json()["access_token"])
    _retired_at_once(staging)
    for secret in ("", "short", "replace-this-sample-with-a-secret-of-your-own", "a" * 64):
        refused, output = server.hooks.command("serve", "-D", f"secret={secret}", "--port", "1")
        assert refused == 1, (secret, output)


def _retired_at_once(server: Server) -> None:
    """A key that may have leaked: within seconds nothing that it signed is good, and what is new is."""
    client = server.client()
    before = client.tokens()
    code, output = server.hooks.command("keys", "rotate", "--now", "--yes")
    assert code == 0, output
    deadline = time.monotonic() + 60
    while server.works(before["access_token"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server.works(before["access_token"])
    assert is_refused(client.refresh(before["refresh_token"]), "invalid_grant")
    assert server.works(client.tokens()["access_token"])
    _, listed = server.hooks.command("keys", "list", "--json")
    assert len(json.loads(listed)) == 1, "the old one is gone"


@pytest.mark.last
@pytest.mark.usefixtures("writes_down")
def test_s150_every_decision_leaves_one_event(server: Server) -> None:
    """One event a decision: the trail grows by exactly one for each, names who and from where, and no secret."""
    trail = Trail(server)
    user = server.new_user()
    trail.skip()
    client = server.new_client().acting_for(user)
    trail.expect(1, "a client was registered", client.id)
    browser = server.browser()
    try_password(server, browser, user.username, "wrong password")
    trail.expect(1, "a sign-in was refused", user.username)
    try_password(server, browser, user.username, user.password)
    trail.expect(1, "a sign-in", user.username)
    code = client.code(browser=browser)
    trail.expect(1, "consent", client.id)
    client.outcome(browser=browser, allow=False)
    trail.expect(1, "consent refused", client.id)
    tokens = client.exchange(code).json()
    trail.expect(1, "an exchange", client.id)
    second = client.refresh(tokens["refresh_token"]).json()
    trail.expect(1, "a refresh", client.id)
    assert is_refused(client.refresh(second["refresh_token"], client_secret="wrong"), "invalid_client")
    trail.expect(1, "a client failed to prove itself", client.id)
    client.refresh(tokens["refresh_token"])
    trail.expect(1, "a replay", client.id)
    client.revoke(client.tokens(browser=browser)["refresh_token"])
    trail.expect(3, "consent, exchange, revocation", client.id)
    server.secrets.add(server.hooks.rotate_secret(client.id, 1))
    trail.expect(1, "a secret was rotated", client.id)
    legacy = server.client("legacy").acting_for(user)
    legacy.http.post(server.target.token, params=legacy.exchange_fields(legacy.code(browser=browser)))
    trail.expect_some("the vendor's dialect was used", legacy.id)
    server.hooks.disable_user(user.username)
    trail.expect(1, "a user was disabled", user.username)
    server.hooks.delete_client(client.id)
    trail.expect(1, "a client was deleted", client.id)
    everything = json.dumps(server.hooks.audit())
    assert [secret[:8] for secret in server.secrets if secret in everything] == []
    _by_the_api(server, client, user)
    _by_the_page(server, client)
    _cannot_be_changed(server)


# What is of a client alone, and names the user and the family of tokens it is about.
OF_A_CLIENT = ("tokens.issued", "tokens.refreshed", "refresh.replayed", "tokens.revoked")


def _by_the_api(server: Server, client: Client, user: User) -> None:
    """Administrators search by REST: with filters, with pages, and with every fact an event has."""
    admin = server.client("administration").acting_for(server.user("system-administrator"))
    header = {"Authorization": f"Bearer {admin.tokens(scope='ADMIN')['access_token']}"}
    url = server.url("/rest/oauth2/latest/audit")

    def found(**filters: str) -> list[dict[str, Any]]:
        answer = server.http().get(url, params=filters, headers=header)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    mine = found(client=client.id)
    assert {event["client_id"] for event in mine} == {client.id}
    kinds = {event["event"] for event in mine}
    others = {"consent.allowed", "consent.denied", "client.refused", "secret.rotated", "link.deleted"}
    assert kinds >= {*OF_A_CLIENT, *others}
    for event in mine:
        assert event["time"]
        if event["event"] in OF_A_CLIENT:
            assert (event["user"], bool(event["family"])) == (user.username, True), event
        if event["actor"] != "the command line":
            assert event["address"], event
            assert re.fullmatch(r"[0-9a-f]{16}", event["request"]), event
    assert {event["event"] for event in found(user=user.username)} >= {"sign-in.succeeded", "sign-in.failed"}
    assert {event["event"] for event in found(event="tokens.")} <= {*OF_A_CLIENT, "tokens.resent"}
    first = server.http().get(url, headers=header).json()
    if first["next"]:  # alone, this test does not fill a page
        then = server.http().get(url, params={"before": first["next"]}, headers=header).json()
        assert {event["id"] for event in first["results"]}.isdisjoint(event["id"] for event in then["results"])
    assert server.http().get(url, params={"since": "nonsense"}, headers=header).status_code == 400
    reader = server.client("administration").acting_for(server.user("reader"))
    token = reader.tokens(scope="ADMIN")["access_token"]
    assert server.http().get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def _by_the_page(server: Server, client: Client) -> None:
    """Administrators search on a page and take the trail away as JSON lines or CSV, which is in the trail itself."""
    admin = server.user("administrator")
    browser = server.signed_in(admin)
    page = server.open(browser, server.page("audit"), admin)
    assert "secret.rotated" in page.text
    narrowed = browser.get(f"{server.page('audit')}?client={client.id}&event=secret.rotated")
    assert len(html.fromstring(narrowed.content).xpath("//tbody/tr")) == 1
    export = f"{server.page('audit')}/export?client={client.id}"
    lines = [json.loads(line) for line in browser.get(f"{export}&format=jsonl").text.splitlines()]
    assert {line["client_id"] for line in lines} == {client.id}
    rows = list(csv.DictReader(io.StringIO(browser.get(f"{export}&format=csv").text)))
    assert [row["event"] for row in rows] == [line["event"] for line in lines]
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row.values())
    assert [event["event"] for event in server.hooks.audit(newest=2)] == ["audit.exported"] * 2
    reader = server.user("reader")
    for path in (server.page("audit"), export):
        assert server.open(server.signed_in(reader), path, reader).status_code == 403


def _cannot_be_changed(server: Server) -> None:
    """The store itself refuses to change an event, or to drop one that is to be kept."""
    for statement in ("UPDATE audit_events SET event = 'x'", "DELETE FROM audit_events"):
        assert "append-only" in server.hooks.refusal(statement), statement


class Trail:
    """The audit trail from one look to the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._last = server.hooks.audit(newest=1)[0]["id"]

    def skip(self) -> None:
        self._last = self._server.hooks.audit(newest=1)[0]["id"]

    def _news(self) -> list[dict[str, object]]:
        # After a whole run the trail has tens of thousands of events; of those, at most these few are new.
        trail = self._server.hooks.audit(newest=50)
        [last] = [place for place, event in enumerate(trail) if event["id"] == self._last]
        self._last = trail[-1]["id"]
        return trail[last + 1 :]

    def expect(self, count: int, what: str, names: str) -> None:
        """Exactly so many new events, the last of which names somebody."""
        news = self._news()
        assert len(news) == count, f"{what}: {len(news)} events: {news}"
        assert names in json.dumps(news[-1]), f"{what}: {news[-1]}"

    def expect_some(self, what: str, names: str) -> None:
        news = self._news()
        assert any(names in json.dumps(event) for event in news), f"{what}: {news}"
