"""Refresh tokens: S109 to S120."""

from __future__ import annotations

import secrets

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.wire import post_form, race
from tests.security.test_code import PARALLEL, bits_of, stored

DAY = 86_400
GRANT_DAYS = 30  # as the harness sets it


@both_profiles
def test_s109_rotated_on_every_use(server: Server, client: Client) -> None:
    for each in (client, server.client("public")):
        first = each.tokens()
        second = each.refresh(first["refresh_token"]).json()
        third = each.refresh(second["refresh_token"]).json()
        assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
        assert len({pair["access_token"] for pair in (first, second, third)}) == 3
        assert server.works(third["access_token"])


@both_profiles
def test_s110_reuse_ends_the_family(server: Server, client: Client) -> None:
    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    server.hooks.advance(2.5)
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant")
    assert is_refused(client.refresh(second["refresh_token"]), "invalid_grant")
    assert not server.works_somewhere(second["access_token"])
    bystander = client.tokens()
    assert server.works(bystander["access_token"])


@both_profiles
def test_s111_grace_gives_the_same_successor_or_none(server: Server, client: Client) -> None:
    first = client.tokens()
    answers = race(server.target.nodes, [client.raw(client.refresh_fields(first["refresh_token"]))] * 20)
    pairs = {(a.json()["access_token"], a.json()["refresh_token"]) for a in answers if a.status_code == 200}
    assert {answer.status_code for answer in answers} <= {200, 400, 503}
    assert len(pairs) <= 1

    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    server.hooks.advance(1)
    again = client.refresh(first["refresh_token"])
    if again.status_code == 200:  # a grace period: the same pair, which still works, and no longer after it
        assert {k: again.json()[k] for k in ("access_token", "refresh_token")} == {
            k: second[k] for k in ("access_token", "refresh_token")
        }
        third = client.refresh(second["refresh_token"]).json()
        assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant"), "two generations back"
        assert is_refused(client.refresh(third["refresh_token"]), "invalid_grant"), "and the family is dead"
        second = client.refresh(client.tokens()["refresh_token"]).json()
        first = client.tokens()
        second = client.refresh(first["refresh_token"]).json()
        server.hooks.advance(2.1)
        assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant"), "after the grace period"
    else:
        assert is_refused(again, "invalid_grant")
    assert is_refused(client.refresh(second["refresh_token"]), "invalid_grant")
    assert not server.works(second["access_token"])
    for after in (0, 1):
        revoked = client.tokens()
        successor = client.refresh(revoked["refresh_token"]).json()
        server.hooks.advance(after)
        client.revoke(successor["refresh_token"])
        assert is_refused(client.refresh(revoked["refresh_token"]), "invalid_grant"), "no grace for what is revoked"


def test_s112_one_successor_whatever_happens(server: Server, client: Client, rounds: int) -> None:
    for _ in range(rounds):
        tokens = client.tokens()
        answers = race(server.target.nodes, [client.raw(client.refresh_fields(tokens["refresh_token"]))] * PARALLEL)
        assert {answer.status_code for answer in answers} <= {200, 400, 503}
        pairs = {(a.json()["access_token"], a.json()["refresh_token"]) for a in answers if a.status_code == 200}
        assert len(pairs) <= 1
    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    server.hooks.advance(3)
    server.hooks.restart()
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant"), "remembered across a restart"
    assert is_refused(client.refresh(second["refresh_token"]), "invalid_grant")
    third = client.tokens()
    client.revoke(third["refresh_token"])
    server.hooks.restart(kill=True)
    assert is_refused(client.refresh(third["refresh_token"]), "invalid_grant")


def test_s113_bound_to_its_client(server: Server, client: Client, other: Client) -> None:
    tokens = client.tokens()
    assert is_refused(other.refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_refused(server.client("public").refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_refused(client.refresh(tokens["refresh_token"], client_secret=None), "invalid_client", "invalid_request")
    assert is_refused(client.refresh(tokens["refresh_token"], client_secret="wrong"), "invalid_client")
    assert server.works(tokens["access_token"])
    assert client.refresh(tokens["refresh_token"]).status_code == 200


@both_profiles
def test_s114_scope_only_narrows(server: Server, client: Client) -> None:
    tokens = client.tokens(scope="READ WRITE")
    narrowed = client.refresh(tokens["refresh_token"], scope="READ").json()
    assert server.call(narrowed["access_token"]).status_code == 200
    assert server.call(narrowed["access_token"], "WRITE").status_code == 403
    assert is_refused(client.refresh(narrowed["refresh_token"], scope="ADMIN"), "invalid_scope")
    full = client.refresh(narrowed["refresh_token"], scope="READ WRITE")
    assert full.status_code == 200, "the refused one consumed nothing, and the grant is as wide as before"
    assert set(full.json()["scope"].split(" ")) == {"READ", "WRITE"}
    assert set(client.refresh(full.json()["refresh_token"]).json()["scope"].split(" ")) == {"READ", "WRITE"}


def test_s115_the_end_does_not_move(server: Server, client: Client) -> None:
    tokens = client.tokens()
    for day in range(1, GRANT_DAYS):
        server.hooks.advance(DAY)
        answer = client.refresh(tokens["refresh_token"])
        assert answer.status_code == 200, f"day {day}: {answer.text}"
        tokens = answer.json()
    server.hooks.advance(DAY + 1)
    assert is_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not server.works(tokens["access_token"]), "nor does an access token outlive the grant"


def test_s116_random_and_stored_as_digests(server: Server, client: Client) -> None:
    tokens = [client.tokens()["refresh_token"] for _ in range(60)]
    assert len(set(tokens)) == len(tokens)
    assert bits_of(tokens) >= 128
    assert stored(server, tokens) == []


def test_s117_what_else_ends_a_grant(server: Server, client: Client) -> None:
    mine = client.acting_for(server.new_user())
    tokens = mine.tokens()
    password = "pw-" + secrets.token_hex(12)
    server.secrets.add(password)
    server.hooks.set_password(mine.user.username, password)
    assert is_refused(mine.refresh(tokens["refresh_token"]), "invalid_grant"), "password changed"
    assert not server.works(tokens["access_token"])
    disabled = client.acting_for(server.new_user())
    tokens = disabled.tokens()
    server.hooks.disable_user(disabled.user.username)
    assert is_refused(disabled.refresh(tokens["refresh_token"]), "invalid_grant"), "user disabled"


@both_profiles
def test_s118_the_kinds_are_not_mixed_up(server: Server, client: Client) -> None:
    tokens, code = client.tokens(), client.code()
    assert is_refused(client.refresh(tokens["access_token"]), "invalid_grant")
    assert is_refused(client.exchange(code, code=tokens["access_token"]), "invalid_grant")
    assert is_refused(client.exchange(code, code=tokens["refresh_token"]), "invalid_grant")
    assert server.call(tokens["refresh_token"]).status_code == 401
    assert server.call(code.value).status_code == 401
    assert server.works(tokens["access_token"])
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert client.exchange(code).status_code == 200


def test_s119_no_refresh_token_without_a_person(client: Client) -> None:
    answer = client.post({**client.credentials, "grant_type": "client_credentials", "scope": "READ"})
    assert answer.status_code != 200 or "refresh_token" not in answer.json()


def test_s120_refreshing_races_with_revoking(server: Server, client: Client, rounds: int) -> None:
    assert server.target.revoke
    for _ in range(rounds):
        tokens = client.tokens()
        refresh = client.raw(client.refresh_fields(tokens["refresh_token"]))
        revoke = post_form(server.target.revoke, {**client.credentials, "token": tokens["refresh_token"]})
        answers = race(server.target.nodes, [refresh, revoke, refresh, revoke] * 4)
        assert any(answer.status_code == 200 for answer in answers)
        pairs = [tokens] + [a.json() for a in answers if a.status_code == 200 and a.content.startswith(b"{")]
        for pair in pairs:
            assert not server.works(pair["access_token"])
            assert is_refused(client.refresh(pair["refresh_token"]), "invalid_grant")
