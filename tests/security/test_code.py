"""Authorization codes: S071 to S079."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from tests.security.harness.browser import Browser
from tests.security.harness.client import Client, Code, Server, answer_of, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.wire import race

PARALLEL = 50
DEFAULT_CODE_SECONDS = 60
GUESSES = 31  # one more than ten times the throttle_attempts of the server that is unlike the defaults


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


def test_s071_codes_are_random_and_stored_as_digests(server: Server, client: Client, measures_time: bool) -> None:
    codes = [client.code().value for _ in range(1000 if measures_time else 100)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]+", code) for code in codes)
    assert bits_of(codes) >= 160
    assert stored(server, codes) == []


def test_s072_codes_are_short_lived(server: Server, client: Client) -> None:
    with server.hooks.standing_clock():
        early, late = client.code(), client.code()
        server.hooks.advance(DEFAULT_CODE_SECONDS - 0.001)
        assert client.exchange(early).status_code == 200
        server.hooks.advance(0.001)
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
    code = client.code()
    later = client.refresh(client.exchange(code).json()["refresh_token"]).json()
    assert is_refused(client.exchange(code), "invalid_grant")
    assert not server.works_somewhere(later["access_token"]), "what came of it by refreshing, too"
    assert is_refused(client.refresh(later["refresh_token"]), "invalid_grant")


def test_s074_a_wrong_attempt_harms_nobody(
    server: Server, client: Client, other: Client, request: pytest.FixtureRequest
) -> None:
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
    if server.is_ours:
        _guessing_ends(request.getfixturevalue("staging"))


def _guessing_ends(server: Server) -> None:
    """Whoever goes on guessing verifiers or codes is stopped, the client elsewhere is not: here after thirty."""
    client, guesser = server.client(), replace(server.client(), http=server.http())
    code = client.code()
    *before, last = [guesser.exchange(code, code_verifier=f"{number:043}") for number in range(GUESSES)]
    assert all(is_refused(answer, "invalid_grant") for answer in before)
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) > 0
    for guess in ({}, {"code": "0" * 64}):
        assert guesser.exchange(code, **guess).status_code == 429, "the right one neither, from there"
    assert client.exchange(code).status_code == 200


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
    # Two public clients, of which one has the other's code and even its verifier.
    mine, theirs = server.client("public"), server.new_client(public=True)
    code = mine.code()
    assert is_refused(theirs.exchange(code), "invalid_grant")
    assert mine.exchange(code).status_code == 200


def test_s077_a_code_is_bound_to_everything_else(server: Server, client: Client) -> None:
    code = client.code(scope="READ")
    for changed in (
        {"redirect_uri": client.registration.redirect_uris[1]},
        {"code_verifier": "v" * 43},
        {"code_verifier": None},
        {"resource": "https://elsewhere.example/"},
    ):
        assert is_refused(client.exchange(code, **changed), "invalid_grant", "invalid_target"), changed
    tokens = client.exchange(code, scope="WRITE").json()
    assert tokens.get("scope", "READ") == "READ"  # it may be left out where it is what was asked for
    assert server.call(tokens["access_token"], "WRITE").status_code == 403
    who = server.call(tokens["access_token"]).json()
    assert who["username"] == client.user.username
    if server.is_ours:
        _bound_to_its_session(server, client)


def _bound_to_its_session(server: Server, client: Client) -> None:
    """It ends with the session in which the person allowed it, and with no other."""
    browser, elsewhere = server.browser(), server.browser()
    unspent, spent, theirs = (client.code(browser=each) for each in (browser, browser, elsewhere))
    tokens = client.exchange(spent).json()
    form = browser.form(browser.get(server.page("home")), "form_token")
    assert form
    sent = browser.http.post(server.url(server.page("sign_out")), data={"form_token": form["form_token"]})
    assert sent.status_code == 303
    assert is_refused(client.exchange(unspent), "invalid_grant"), "signed out"
    assert server.works(tokens["access_token"]), "what was exchanged before is a grant of its own"
    assert client.exchange(theirs).status_code == 200


def test_s078_only_codes_are_codes(server: Server, client: Client) -> None:
    """Every kind of artefact at every place that takes one: only its own takes it (V15)."""
    tokens, code = client.tokens(), client.code()
    browser, stranger = server.browser(), server.browser()
    question = browser.question(client.ask(browser=browser))
    form = stranger.form(stranger.get(server.page("sign_in")), server.target.forms.password)
    assert question
    assert form
    artefacts = {
        "code": code.value, "access": tokens["access_token"], "refresh": tokens["refresh_token"],
        "verifier": code.verifier or "", "secret": client.secret or "", "client": client.id,
        "user": client.user.username, "password": client.user.password, "question": question.get("authorization", "x"),
        "question's form": question.get("form_token", "y"), "sign-in's form": form.get("form_token", "z"),
    }  # fmt: skip
    artefacts |= {f"cookie {cookie.name}": str(cookie.value) for cookie in browser.http.cookies.jar}
    artefacts |= {f"stranger's cookie {cookie.name}": str(cookie.value) for cookie in stranger.http.cookies.jar}
    consumers = {**_at_endpoints(server, client, code), **_at_pages(server, client, browser, question, stranger, form)}
    assert consumers.keys() - artefacts.keys() == {"sign-in's password"}
    for consumer, takes in consumers.items():
        taken = [name for name, value in artefacts.items() if name != consumer and takes(value)]
        assert taken == [], f"taken for the {consumer}"
    assert "code" in answer_of(browser.answer(question).headers["location"])
    assert client.exchange(code).status_code == 200
    assert server.works(tokens["access_token"])


Consumers = dict[str, Callable[[str], bool]]
"""Places that take an artefact, by the name of the only one that they take: whether it was taken."""


def _at_endpoints(server: Server, client: Client, code: Code) -> Consumers:
    def revoked(value: str) -> bool:
        # Revoking takes both kinds of token, and answers everything alike; what else it is given ends nothing.
        return client.revoke(value).status_code != 200 if value not in _tokens_of(server) else False

    def as_secret(value: str) -> bool:
        guess = server.http().post(server.target.token, data=client.refresh_fields("x", client_secret=value))
        return not is_refused(guess, "invalid_client")

    def as_access(value: str) -> bool:
        return server.call(value).status_code != 401 or client.introspect(value).json() != {"active": False}

    return {
        "code": lambda value: not is_refused(client.exchange(code, code=value), "invalid_grant") or revoked(value),
        "verifier": lambda value: not is_refused(client.exchange(code, code_verifier=value), "invalid_grant"),
        "refresh": lambda value: not is_refused(client.refresh(value), "invalid_grant"),
        "access": as_access,
        "secret": as_secret,
    }


def _tokens_of(server: Server) -> set[str]:
    return {each for each in server.secrets if each.count(".") == 2}


def _at_pages(
    server: Server, client: Client, browser: Browser, question: dict[str, str], stranger: Browser, form: dict[str, str]
) -> Consumers:
    names, patient = server.target.forms, server.new_user() if server.is_ours else server.user()

    def as_cookie(name: str, value: str) -> bool:
        another = server.browser()
        another.http.cookies.set(name, value, domain="127.0.0.1")
        return another.question(another.follow(another.get(client.url()))) is not None

    def as_password(value: str) -> bool:
        another = server.browser()
        there = another.form(another.get(server.page("sign_in")), names.password)
        assert there
        tried = another.post({**there, names.username: patient.username, names.password: value})
        return tried.status_code not in (401, 429)

    cookies = {
        f"cookie {cookie.name}": partial(as_cookie, cookie.name)
        for cookie in browser.http.cookies.jar
        if "session" in cookie.name
    }
    return {
        **cookies,
        "question's form": lambda value: browser.answer({**question, "form_token": value}).status_code != 403,
        "question": lambda value: browser.answer({**question, "authorization": value}).is_redirect,
        "sign-in's form": lambda value: (
            stranger.post({**form, "form_token": value, names.username: "x"}).status_code != 403
        ),
        "sign-in's password": as_password,
    }


def test_s079_a_late_replay_is_still_recognised(server: Server, client: Client) -> None:
    code = client.code()
    tokens = client.exchange(code).json()
    server.hooks.advance(DEFAULT_CODE_SECONDS + 30)
    assert is_refused(client.exchange(code), "invalid_grant")
    assert not server.works(tokens["access_token"])
