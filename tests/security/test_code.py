"""Authorization codes: S071 to S079."""

from __future__ import annotations

import math
import re
from collections import Counter

from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.wire import race

PARALLEL = 50
DEFAULT_CODE_SECONDS = 60


def bits_of(values: list[str]) -> float:
    """An estimate of the random bits of each value: the entropy of its characters, position by position."""
    assert len({len(value) for value in values}) == 1
    total = 0.0
    for column in zip(*values, strict=True):
        counts = Counter(column)
        total -= sum(n / len(column) * math.log2(n / len(column)) for n in counts.values())
    return total


def stored(server: Server, values: list[str]) -> list[str]:
    """Those values that the store holds as they are."""
    dump = server.hooks.dump()
    return [value for value in values if value in dump]


def test_s071_codes_are_random_and_stored_as_digests(server: Server, client: Client) -> None:
    codes = [client.code().value for _ in range(100)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]+", code) for code in codes)
    assert bits_of(codes) >= 160
    assert stored(server, codes) == []


def test_s072_codes_are_short_lived(server: Server, client: Client) -> None:
    early, late = client.code(), client.code()
    server.hooks.advance(DEFAULT_CODE_SECONDS - 5)
    assert client.exchange(early).status_code == 200
    server.hooks.advance(6)
    assert is_refused(client.exchange(late), "invalid_grant")
    code, _ = server.hooks.command("serve", "-D", "atlassian.oauth2.provider.max.client.delay.seconds=601")
    assert code == 1, "more than ten minutes cannot be set"


@both_profiles
def test_s073_a_replay_ends_what_the_code_gave(server: Server, client: Client) -> None:
    for seconds in (0, 1, 5):
        code = client.code()
        tokens = client.exchange(code).json()
        assert server.works(tokens["access_token"])
        server.hooks.advance(seconds)
        assert is_refused(client.exchange(code), "invalid_grant")
        assert not server.works_somewhere(tokens["access_token"])
        assert is_refused(client.refresh(tokens["refresh_token"]), "invalid_grant")


def test_s074_a_wrong_attempt_harms_nobody(server: Server, client: Client, other: Client) -> None:
    code = client.code()
    wrong = {"code_verifier": "w" * 43, "redirect_uri": client.redirect_uri + "x", "client_secret": "wrong"}
    for name, value in wrong.items():
        assert is_refused(client.exchange(code, **{name: value}), "invalid_grant", "invalid_client"), name
    tokens = client.exchange(code).json()
    for name, value in wrong.items():
        assert is_refused(client.exchange(code, **{name: value}), "invalid_grant", "invalid_client"), name
    assert is_refused(other.exchange(code), "invalid_grant")
    assert server.works(tokens["access_token"])
    assert client.refresh(tokens["refresh_token"]).status_code == 200


def test_s075_one_of_many_parallel_exchanges_succeeds(server: Server, client: Client, rounds: int) -> None:
    for _ in range(rounds):
        request = client.raw(client.exchange_fields(client.code()))
        answers = race(server.target.nodes, [request] * PARALLEL)
        assert {answer.status_code for answer in answers} <= {200, 400, 503}
        given = {answer.json()["access_token"] for answer in answers if answer.status_code == 200}
        assert len(given) <= 1
        assert len([answer for answer in answers if answer.status_code == 200]) == len(given)
        # All but one are replays of a good code, so what it gave is dead by now.
        assert not any(server.works(token) for token in given)


def test_s076_a_code_is_bound_to_its_client(server: Server, client: Client, other: Client) -> None:
    code = client.code()
    assert is_refused(other.exchange(code), "invalid_grant")
    assert is_refused(server.client("public").exchange(code), "invalid_grant")
    assert is_refused(client.exchange(code, client_id=other.id), "invalid_client")
    assert client.exchange(code).status_code == 200


def test_s077_a_code_is_bound_to_everything_else(server: Server, client: Client) -> None:
    code = client.code(scope="READ")
    for changed in (
        {"redirect_uri": client.registration.redirect_uris[1]},
        {"code_verifier": "v" * 43},
        {"code_verifier": None},
    ):
        assert is_refused(client.exchange(code, **changed), "invalid_grant"), changed
    tokens = client.exchange(code, scope="WRITE").json()
    assert tokens["scope"] == "READ"
    assert server.call(tokens["access_token"], "WRITE").status_code == 403
    who = server.call(tokens["access_token"]).json()
    assert who["username"] == client.user.username


def test_s078_only_codes_are_codes(server: Server, client: Client) -> None:
    """Every kind of artefact at every place that takes one: only its own takes it."""
    tokens, code = client.tokens(), client.code()
    browser = server.signed_in(client.user)
    question = browser.question(client.ask(browser=browser))
    assert question
    session = next(cookie.value for cookie in browser.http.cookies.jar) or ""
    artefacts = {
        "code": code.value, "access": tokens["access_token"], "refresh": tokens["refresh_token"],
        "session": session, "form": question.get("form_token", "x"), "question": question.get("authorization", "y"),
        "secret": client.secret or "", "client": client.id,
    }  # fmt: skip
    for name, value in artefacts.items():
        if name != "code":
            assert is_refused(client.exchange(code, code=value), "invalid_grant"), name
        if name != "refresh":
            assert is_refused(client.refresh(value), "invalid_grant"), name
        if name != "access":
            assert server.call(value).status_code == 401, name
        if name != "session":
            stranger = server.browser()
            for cookie in browser.http.cookies.jar:
                stranger.http.cookies.set(cookie.name, value, domain="127.0.0.1")
            assert not stranger.question(stranger.follow(stranger.get(client.url()))), name
    assert client.exchange(code).status_code == 200
    assert server.works(tokens["access_token"])


def test_s079_a_late_replay_is_still_recognised(server: Server, client: Client) -> None:
    code = client.code()
    tokens = client.exchange(code).json()
    server.hooks.advance(DEFAULT_CODE_SECONDS + 30)
    assert is_refused(client.exchange(code), "invalid_grant")
    assert not server.works(tokens["access_token"])
