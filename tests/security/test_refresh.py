"""Refresh tokens: S109 to S120."""

from __future__ import annotations

import secrets

import httpx

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.wire import post_form, race
from tests.security.test_code import PARALLEL, bits_of, stored
from tests.security.test_consent import is_signed_in
from tests.security.test_redirect import link_form

DAY = 86_400
GRANT_DAYS, IDLE_DAYS = 30, 20  # as the harness sets them


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
    if not server.is_ours:
        return
    alerts = [event for event in server.hooks.audit() if event["event"] == "refresh.replayed"]
    assert alerts[-1]["client_id"] == client.id, "and somebody is told"
    # In one and the same instant it is no different: generations are counted, not times compared (V16).
    with server.hooks.standing_clock():
        pairs = [client.tokens()]
        for _ in range(4):
            pairs.append(client.refresh(pairs[-1]["refresh_token"]).json())
        assert server.works(pairs[-1]["access_token"])
        assert is_refused(client.refresh(pairs[2]["refresh_token"]), "invalid_grant")
        assert is_refused(client.refresh(pairs[-1]["refresh_token"]), "invalid_grant")


def pair_of(answer: httpx.Response) -> tuple[str, str]:
    body = answer.json()
    return body["access_token"], body["refresh_token"]


@both_profiles
def test_s111_grace_gives_the_same_successor_or_none(server: Server, client: Client, other: Client) -> None:
    _at_most_one_successor(server, client)
    if not server.is_ours:
        return
    with server.hooks.standing_clock():
        _no_grace_by_default(server, client)
    patient = server.new_client(profile=client.registration.profile)
    code, output = server.hooks.command("link", "change", patient.id, "--refresh-grace", "2")
    assert code == 0, output
    with server.hooks.standing_clock():  # so that all of them are within the grace period
        answers = _at_most_one_successor(server, patient)
        assert {answer.status_code for answer in answers} <= {200, 503}
        granted = next(answer for answer in answers if answer.status_code == 200)
        assert server.works(pair_of(granted)[0]), "and what they got still works"
    with server.hooks.standing_clock():
        _the_same_within_the_grace_period(server, patient)
        _nothing_else_within_it(server, patient, other)


def _at_most_one_successor(server: Server, client: Client) -> list[httpx.Response]:
    first = client.tokens()
    answers = race(server.target.nodes, [client.raw(client.refresh_fields(first["refresh_token"]))] * 20)
    assert {answer.status_code for answer in answers} <= {200, 400, 503}
    assert len({pair_of(answer) for answer in answers if answer.status_code == 200}) <= 1
    return answers


def _no_grace_by_default(server: Server, client: Client) -> None:
    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant")
    assert is_refused(client.refresh(second["refresh_token"]), "invalid_grant")
    assert not server.works(second["access_token"])


def _the_same_within_the_grace_period(server: Server, client: Client) -> None:
    first = client.tokens()
    second = pair_of(client.refresh(first["refresh_token"]))
    server.hooks.advance(1.9)
    assert pair_of(client.refresh(first["refresh_token"])) == second, "at 1.9 seconds"
    server.hooks.advance(0.2)
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant"), "at 2.1: no answer extends it"
    assert not server.works_somewhere(second[0])
    assert is_refused(client.refresh(second[1]), "invalid_grant")


def _nothing_else_within_it(server: Server, client: Client, other: Client) -> None:
    first = client.tokens(scope="WRITE")
    second = client.refresh(first["refresh_token"]).json()
    # Another client gets nothing, and harms nobody.
    assert is_refused(other.refresh(first["refresh_token"]), "invalid_grant")
    assert is_refused(client.refresh(first["refresh_token"], client_secret="wrong"), "invalid_client")
    assert pair_of(client.refresh(first["refresh_token"])) == (second["access_token"], second["refresh_token"])
    # Another request with the same token is no repetition.
    assert is_refused(client.refresh(first["refresh_token"], scope="READ"), "invalid_grant")
    assert is_refused(client.refresh(second["refresh_token"]), "invalid_grant")
    # Two generations back is no lost answer.
    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    third = client.refresh(second["refresh_token"]).json()
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant")
    assert is_refused(client.refresh(third["refresh_token"]), "invalid_grant"), "and the family is dead"
    assert not server.works_somewhere(third["access_token"])
    # What was revoked does not come back.
    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    client.revoke(second["access_token"])
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant")
    assert not server.works_somewhere(second["access_token"])


def test_s112_one_successor_whatever_happens(server: Server, client: Client, rounds: int) -> None:
    for _ in range(rounds):
        tokens = client.tokens()
        answers = race(server.target.nodes, [client.raw(client.refresh_fields(tokens["refresh_token"]))] * PARALLEL)
        assert {answer.status_code for answer in answers} <= {200, 400, 503}
        pairs = {(a.json()["access_token"], a.json()["refresh_token"]) for a in answers if a.status_code == 200}
        assert len(pairs) <= 1
    first = client.tokens()
    second = client.refresh(first["refresh_token"]).json()
    third = client.tokens()
    client.revoke(third["refresh_token"])
    server.hooks.advance(3)
    server.hooks.restart()
    assert server.works(second["access_token"])
    assert is_refused(client.refresh(first["refresh_token"]), "invalid_grant"), "remembered across a restart"
    assert is_refused(client.refresh(second["refresh_token"]), "invalid_grant")
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


def test_s115_it_ends_idle_and_absolutely(server: Server, client: Client) -> None:
    tokens = client.tokens()
    for day in range(1, GRANT_DAYS):
        server.hooks.advance(DAY)
        answer = client.refresh(tokens["refresh_token"])
        assert answer.status_code == 200, f"day {day}: {answer.text}"
        tokens = answer.json()
    server.hooks.advance(DAY + 1)
    assert is_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not server.works(tokens["access_token"]), "nor does an access token outlive the grant"
    idle = client.tokens()
    server.hooks.advance(GRANT_DAYS * DAY)
    assert is_refused(client.refresh(idle["refresh_token"]), "invalid_grant"), "nor does one that was never used"
    if not server.is_ours:
        return
    with server.hooks.standing_clock():
        used, unused = client.tokens(), client.tokens()
        server.hooks.advance(IDLE_DAYS * DAY - 0.001)
        used = client.refresh(used["refresh_token"]).json()
        server.hooks.advance(0.001)
        assert is_refused(client.refresh(unused["refresh_token"]), "invalid_grant"), "idle"
        assert client.refresh(used["refresh_token"]).status_code == 200


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
    _own_password(server, client)
    _smaller_scope(server)


def _own_password(server: Server, client: Client) -> None:
    """Somebody changes their own password on a page: what they allowed before ends with the old one."""
    mine = client.acting_for(server.new_user())
    tokens, code, browser = mine.tokens(), mine.code(), server.browser()
    page = server.open(browser, server.page("account"), mine.user)
    form = browser.form(page, "new_password")
    assert form
    password = "pw-" + secrets.token_hex(12)
    server.secrets.add(password)
    wrong = browser.post({**form, "current_password": "not it", "new_password": password})
    assert wrong.status_code in (400, 401, 403)
    assert server.works(tokens["access_token"])
    before = dict(browser.http.cookies)
    changed = browser.post({**form, "current_password": mine.user.password, "new_password": password})
    assert changed.status_code == 303
    session = next(name for name in before if "session" in name)
    assert browser.http.cookies[session] != before[session], (
        "a new session, as after every change of what it may (S062)"
    )
    replay = server.browser()
    replay.http.cookies.set(session, before[session], domain="127.0.0.1")
    assert not is_signed_in(server, replay), "and the old one is dead"
    assert is_refused(mine.refresh(tokens["refresh_token"]), "invalid_grant")
    assert is_refused(mine.exchange(code), "invalid_grant")
    assert not server.works_somewhere(tokens["access_token"])


def _smaller_scope(server: Server) -> None:
    """A client's scope is reduced: what it holds reaches no further, at once, whether refreshed or not."""
    client = server.new_client(scope="WRITE")
    code, tokens = client.code(scope="WRITE"), client.tokens(scope="WRITE")
    assert server.reaches(tokens["access_token"], "WRITE")
    admin, form = link_form(server, "edit_link", client.id)
    assert admin.post({**form, "scope": "READ"}).status_code == 303
    pairs = [tokens]
    pairs += [each.json() for each in (client.refresh(tokens["refresh_token"]), client.exchange(code))]
    for pair in pairs:
        assert "error" in pair or not server.reaches(pair["access_token"], "WRITE")


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
    for _ in range(rounds * 5):  # 500 in the specification, where the other races have 100
        tokens = client.tokens()
        refresh = client.raw(client.refresh_fields(tokens["refresh_token"]))
        revoke = post_form(server.target.revoke, {**client.credentials, "token": tokens["refresh_token"]})
        answers = race(server.target.nodes, [refresh, revoke, refresh, revoke] * 4)
        assert any(answer.status_code == 200 for answer in answers)
        pairs = [tokens] + [a.json() for a in answers if a.status_code == 200 and a.content.startswith(b"{")]
        for pair in pairs:
            assert not server.works(pair["access_token"])
            assert is_refused(client.refresh(pair["refresh_token"]), "invalid_grant")
