"""Revocation and introspection: S131 to S136."""

from __future__ import annotations

from functools import partial

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.timing import differing_medians
from tests.security.test_redirect import link_form
from tests.security.test_refresh import DAY, GRANT_DAYS

INACTIVE = b'{"active":false}'


def test_s131_only_one_s_own_tokens(server: Server, client: Client, other: Client) -> None:
    tokens = client.tokens()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        answer = other.revoke(token)
        assert answer.status_code in (200, 400)
        assert answer.content == other.revoke("unknown").content, "no oracle"
        assert server.client("public").revoke(token).status_code in (200, 400)
        assert is_refused(client.revoke(token, client_secret=None), "invalid_client", "invalid_request")
        assert is_refused(client.revoke(token, client_secret="wrong"), "invalid_client")
    assert server.works(tokens["access_token"])
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    public = server.client("public")
    tokens = public.tokens()
    assert public.revoke(tokens["refresh_token"]).status_code == 200
    assert not server.works(tokens["access_token"])


def test_s132_unknown_is_fine_and_failure_is_not(server: Server, client: Client) -> None:
    for token in ("unknown", "x" * 120, client.id):
        assert client.revoke(token).status_code == 200
    for hint in ("access_token", "refresh_token", "nonsense"):
        for kind in ("access_token", "refresh_token"):
            tokens = client.tokens()
            assert client.revoke(tokens[kind], token_type_hint=hint).status_code == 200
            assert not server.works(tokens["access_token"]), (hint, kind)
    assert is_refused(client.revoke(""), "invalid_request")
    with server.hooks.standing_clock():
        expired = client.tokens()
        server.hooks.advance(3601)
        assert client.revoke(expired["access_token"]).status_code == 200
        server.hooks.advance(GRANT_DAYS * DAY)
        assert client.revoke(expired["refresh_token"]).status_code == 200
    tokens = client.tokens()
    with server.hooks.hold_store():
        busy = client.revoke(tokens["refresh_token"])
    assert busy.status_code == 503
    assert "retry-after" in busy.headers
    assert server.works(tokens["access_token"])
    # A store that fails in another way is no better reason to say that it is done.
    with server.hooks.broken_store():
        failed = [client.revoke(tokens["refresh_token"]) for _ in range(2)]
    assert {answer.status_code for answer in failed} <= {500, 503}, "never 200"
    if server.is_ours:
        assert {(answer.status_code, answer.json()["error"]) for answer in failed} == {(503, "temporarily_unavailable")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in failed)
    assert server.works(tokens["access_token"])
    assert client.revoke(tokens["refresh_token"]).status_code == 200
    assert not server.works(tokens["access_token"])


def test_s133_either_token_ends_both_everywhere(server: Server, client: Client) -> None:
    for kind in ("access_token", "refresh_token"):
        tokens = client.tokens()
        assert all(server.works(tokens["access_token"], node) for node in server.target.nodes)
        for _ in range(2):
            assert client.revoke(tokens[kind]).status_code == 200
            assert not server.works_somewhere(tokens["access_token"])
            assert is_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")


def test_s134_introspection_says_inactive_in_one_way(
    server: Server, client: Client, other: Client, measures_time: bool
) -> None:
    tokens = client.tokens()
    active = client.introspect(tokens["access_token"])
    assert active.status_code == 200, active.text
    body = active.json()
    assert body["active"] is True
    assert (body["client_id"], body["scope"]) == (client.id, "READ")
    assert body.get("username", client.user.username) == client.user.username
    expired = client.tokens()["access_token"]
    server.hooks.advance(3601)
    tokens, foreign, revoked = client.tokens(), other.tokens(), client.tokens()["access_token"]
    client.revoke(revoked)
    token = tokens["access_token"]
    inactive = {
        "unknown": token[:-10] + token[-10:].swapcase(),
        "foreign": foreign["access_token"],
        "expired": expired,
        "revoked": revoked,
        "malformed": "unknown",
        "cut": token[:-1],
        "longer": token + "A",
        "huge": "x" * 5000,
        "not ASCII": "\u00e9",
        "a refresh token": tokens["refresh_token"],
        "a secret": client.secret or "",
    }
    assert client.introspect(token).json()["active"] is True
    assert {name: client.introspect(each).content for name, each in inactive.items()} == dict.fromkeys(
        inactive, INACTIVE
    )
    assert server.target.introspect
    anonymous = server.http().post(server.target.introspect, data={"token": token})
    assert anonymous.status_code in (400, 401)
    assert "active" not in anonymous.json()
    assert is_refused(client.introspect(token, client_secret="wrong"), "invalid_client")
    assert server.client("public").introspect(token).status_code in (400, 401, 403)
    assert server.http().get(server.target.introspect, params={"token": token}).status_code == 405
    if measures_time:  # that the same is looked up for each is counted in tests/database/test_token_trail.py
        kinds = ("unknown", "foreign", "expired", "revoked", "malformed")
        attempts = {name: partial(partial, client.introspect, inactive[name]) for name in kinds}
        assert differing_medians(attempts, times=400) == {}


def test_s135_introspection_tells_the_present(server: Server) -> None:
    client = server.new_client().acting_for(server.new_user())
    tokens = client.tokens(scope="WRITE")
    assert client.introspect(tokens["access_token"]).json()["active"] is True
    narrowed = client.refresh(tokens["refresh_token"], scope="READ").json()
    assert client.introspect(tokens["access_token"]).content == INACTIVE, "spent by the refresh"
    assert client.introspect(narrowed["access_token"]).json()["scope"] == "READ"
    server.hooks.disable_user(client.user.username)
    assert client.introspect(narrowed["access_token"]).content == INACTIVE
    _as_a_resource_server(server)


def _as_a_resource_server(server: Server) -> None:
    """What a client that may ask about all tokens is told, while the client that holds them changes."""
    asking, holding = server.new_client(), server.new_client(scope="WRITE")
    token = holding.tokens(scope="WRITE")["access_token"]
    assert asking.introspect(token).content == INACTIVE, "it is somebody else's"
    code, output = server.hooks.command("link", "change", asking.id, "--introspection")
    assert code == 0, output
    assert "WRITE" in asking.introspect(token).json()["scope"].split(" ")
    admin, form = link_form(server, "edit_link", holding.id)
    assert admin.post({**form, "scope": "READ"}).status_code == 303
    assert asking.introspect(token).json()["scope"] == "READ", "the client's scope was narrowed"
    server.hooks.command("link", "disable", holding.id)
    assert asking.introspect(token).content == INACTIVE, "the client is disabled"


def test_s136_nothing_is_remembered_too_long(server: Server, client: Client) -> None:
    for _ in range(5):
        tokens = client.tokens()
        for node in server.target.nodes * 3:
            assert server.works(tokens["access_token"], node)
        assert client.introspect(tokens["access_token"]).json()["active"] is True
        client.revoke(tokens["access_token"])
        assert not server.works_somewhere(tokens["access_token"])
        assert client.introspect(tokens["access_token"]).content == INACTIVE
