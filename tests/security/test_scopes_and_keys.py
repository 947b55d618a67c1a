"""Scopes, keys, audit: S147 to S150."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.verdict import Row
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


def test_s149_keys_rotate_with_overlap(server: Server, client: Client) -> None:
    before = client.tokens()
    code, output = server.hooks.command("keys", "rotate")
    assert code == 0, output
    for node in server.target.nodes:
        assert server.works(before["access_token"], node), "issued before, good until its end"
    after = client.tokens()
    assert all(server.works(after["access_token"], node) for node in server.target.nodes)
    renewed = client.refresh(before["refresh_token"])
    assert renewed.status_code == 200
    assert server.works(renewed.json()["access_token"])
    for secret in ("", "short", "replace-this-sample-with-a-secret-of-your-own", "a" * 64):
        refused, output = server.hooks.command("serve", "-D", f"secret={secret}", "--port", "1")
        assert refused == 1, (secret, output)


EVENTS = {
    "sign-in", "sign-in refused", "consent", "consent refused", "exchange", "refresh", "replay", "revocation",
    "client created", "client changed", "client deleted", "secret rotated", "throttled", "legacy", "user disabled",
}  # fmt: skip


@pytest.mark.last
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


class Trail:
    """The audit trail from one look to the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._seen = len(server.hooks.audit())

    def skip(self) -> None:
        self._seen = len(self._server.hooks.audit())

    def _news(self) -> list[dict[str, object]]:
        trail = self._server.hooks.audit()
        news, self._seen = trail[self._seen :], len(trail)
        return news

    def expect(self, count: int, what: str, names: str) -> None:
        """Exactly so many new events, the last of which names somebody."""
        news = self._news()
        assert len(news) == count, f"{what}: {len(news)} events: {news}"
        assert names in json.dumps(news[-1]), f"{what}: {news[-1]}"

    def expect_some(self, what: str, names: str) -> None:
        news = self._news()
        assert any(names in json.dumps(event) for event in news), f"{what}: {news}"
