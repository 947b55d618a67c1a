"""Many at once over HTTP, in one process and in four: one winner, whoever races and wherever (S075, S112, S120)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.support.postgresql import PostgresqlServer
from tests.support.production import Client, Production

MANY = 20


@pytest.fixture(params=[1, 4], ids=["1 process", "4 processes"])
def production(request: pytest.FixtureRequest, empty_url: str, tmp_path: Path) -> Iterator[Production]:
    production = Production(empty_url, tmp_path, workers=request.param)
    production.start()
    try:
        yield production
    finally:
        production.kill()


def statuses(answers: list[httpx.Response]) -> list[int]:
    assert all(isinstance(answer, httpx.Response) for answer in answers), answers
    return sorted(answer.status_code for answer in answers)


def pair_of(client: Client, code: str) -> dict[str, str]:
    answer = client.exchange(code)
    assert answer.status_code == 200, answer.text
    pair: dict[str, str] = answer.json()
    return pair


@pytest.mark.slow
def test_races_have_one_winner_and_restarts_change_nothing(production: Production) -> None:
    codes = production.codes(40)
    used: list[str] = []
    dead: list[dict[str, str]] = []

    # S075: of 20 exchanges of one code one gets tokens. The others are replays, so these end at once.
    for _ in range(2):
        code = codes.pop()
        answers = production.all_at_once(MANY, lambda client, _, code=code: client.exchange(code))  # type: ignore[misc]
        assert statuses(answers) == [200] + [400] * (MANY - 1)
        used.append(code)
        dead += [answer.json() for answer in answers if answer.status_code == 200]

    # S112: the same with 20 refreshes of one token: one successor, and the family has ended.
    for _ in range(2):
        code = codes.pop()
        with production.client() as client:
            pair = pair_of(client, code)
        answers = production.all_at_once(MANY, lambda client, _, pair=pair: client.refresh(pair["refresh_token"]))  # type: ignore[misc]
        assert statuses(answers) == [200] + [400] * (MANY - 1)
        dead += [pair, *(answer.json() for answer in answers if answer.status_code == 200)]

    # S120: whoever wins, a refresh or the revocation, nothing lives afterwards.
    for round_number in range(4):
        code = codes.pop()
        with production.client() as client:
            pair = pair_of(client, code)

        def refresh_or_revoke(
            client: Client, number: int, pair: dict[str, str] = pair, turn: int = round_number
        ) -> httpx.Response:
            if number % 2 == turn % 2:
                return client.refresh(pair["refresh_token"])
            return client.revoke(pair["access_token"])

        first, second = production.all_at_once(2, refresh_or_revoke)
        refreshed, revoked = (first, second) if round_number % 2 == 0 else (second, first)
        assert revoked.status_code == 200
        assert refreshed.status_code in (200, 400)
        dead += [pair, *([refreshed.json()] if refreshed.status_code == 200 else [])]

    # Families that nobody replays live, however much goes on around them.
    def rotate(client: Client, number: int) -> dict[str, str]:
        pair = pair_of(client, codes[number])
        for _ in range(5):
            answer = client.refresh(pair["refresh_token"])
            assert answer.status_code == 200, answer.text
            pair = answer.json()
        return pair

    alive = production.all_at_once(8, rotate)
    assert all(isinstance(pair, dict) for pair in alive), alive

    check(production, used, dead, alive)
    assert production.stop() == 0
    production.start()
    check(production, used, dead, alive)
    with production.client() as client:
        assert all(client.refresh(pair["refresh_token"]).status_code == 200 for pair in alive)
    assert production.stop() == 0


def check(production: Production, used: list[str], dead: list[dict[str, str]], alive: list[dict[str, str]]) -> None:
    with production.client() as client:
        assert all(client.exchange(code).status_code == 400 for code in used)
        assert all(client.read(pair["access_token"]) == 401 for pair in dead)
        assert all(client.refresh(pair["refresh_token"]).status_code == 400 for pair in dead)
        assert all(client.read(pair["access_token"]) == 200 for pair in alive)


@pytest.mark.slow
def test_s112_the_guard_alone_lets_one_refresh_win_between_four_processes(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    """Two things keep a token from having two successors: the guard of `spend`, and a constraint behind it.

    Where rows are locked the constraint would catch what the guard lets through, so here it is taken away.
    """
    with postgresql_server.fresh_database() as url:
        production = Production(url, tmp_path, workers=4)
        codes = production.codes(8)
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'token_pairs'::regclass AND contype = 'u' "
                "AND pg_get_constraintdef(oid) = 'UNIQUE (family_id, generation)'"
            ).fetchone()
            assert found is not None
            connection.execute(sql.SQL("ALTER TABLE token_pairs DROP CONSTRAINT {}").format(sql.Identifier(found[0])))
        production.start()
        try:
            for code in codes:
                with production.client() as client:
                    pair = pair_of(client, code)

                def refresh(client: Client, _: int, pair: dict[str, str] = pair) -> httpx.Response:
                    return client.refresh(pair["refresh_token"])

                answers = production.all_at_once(MANY, refresh)
                assert statuses(answers) == [200] + [400] * (MANY - 1)
        finally:
            production.kill()
