"""Pruning: in bounded batches by the index, by several workers at once, never what is needed, never in the way."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Select, func, insert, select, text

from tests.support.grants import LIFETIMES, NOW, Grants, together
from watersmeet.clock import SECOND
from watersmeet.database import tokens, users
from watersmeet.database.engine import Database
from watersmeet.database.schema import sessions, token_families, token_pairs
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.family import Lifetimes, RefreshReplay
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.settings import Settings
from watersmeet.tokens import sweep

CODES, FAMILIES, SESSIONS, *_ = sweep.sweeps(Settings())
END = NOW + LIFETIMES.refresh_token


def count(database: Database, query: Select[Any]) -> int:
    found: int = database.read_now(lambda tx: tx.execute(query).scalar_one())
    return found


def add_families(grants: Grants, how_many: int, pairs_each: int) -> None:
    """Families that end one after the other from ``NOW`` on, with spent pairs."""

    def add(tx: Transaction) -> None:
        family = {"client": grants.client, "user_id": grants.session.user.id, "scope": "READ", "authorized_at": 0}
        tx.execute(
            insert(token_families),
            [{**family, "id": f"f{number}", "expires_at": NOW + number} for number in range(how_many)],
        )
        pair = {"scope": "READ", "state": "spent", "created_at": 0, "access_expires_at": 0}
        tx.execute(
            insert(token_pairs),
            [
                {
                    **pair,
                    "family_id": f"f{family}",
                    "generation": number,
                    "access_digest": f"a{family}.{number}",
                    "refresh_digest": f"r{family}.{number}",
                }
                for family in range(how_many)
                for number in range(pairs_each)
            ],
        )

    grants.database.write_now(add)


def test_a_long_family_goes_a_part_at_a_time(database: Database) -> None:
    add_families(Grants.prepare(database), how_many=2, pairs_each=45)
    pairs, families = (select(func.count()).select_from(table) for table in (token_pairs, token_families))
    left = []
    while database.write_now(lambda tx: tokens.prune(tx, NOW + 10, 2)):
        left.append((count(database, families), count(database, pairs)))
    assert left == [(2, 70), (2, 50), (2, 30), (2, 10), (0, 0)]


def test_what_several_workers_prune_at_once_goes_once(database: Database) -> None:
    add_families(Grants.prepare(database), how_many=300, pairs_each=2)

    def prune(_: int) -> int:
        return asyncio.run(sweep.sweep_once(FAMILIES, database, NOW + 1000))

    outcomes = together(4, prune)
    assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
    asyncio.run(sweep.sweep_once(FAMILIES, database, NOW + 1000))
    assert count(database, select(func.count()).select_from(token_families)) == 0
    assert count(database, select(func.count()).select_from(token_pairs)) == 0


def test_on_postgresql_nobody_waits_for_a_worker_that_is_pruning(database: Database) -> None:
    if database.dialect == "sqlite":
        return  # there the writer takes turns: test_engine shows that readers never wait
    add_families(Grants.prepare(database), how_many=30, pairs_each=1)
    holding, release = threading.Event(), threading.Event()

    def prune_slowly(tx: Transaction) -> int:
        went = tokens.prune(tx, NOW + 1000, 10)
        holding.set()
        release.wait(60)
        return went

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(database.write_now, prune_slowly)
        assert holding.wait(60)
        assert database.write_now(lambda tx: tokens.prune(tx, NOW + 1000, 10)) == 10
        release.set()
        assert slow.result(60) == 10
    assert count(database, select(func.count()).select_from(token_families)) == 10


def test_s079_spent_refresh_tokens_are_known_until_the_family_ends(database: Database) -> None:
    grants = Grants.prepare(database)
    first = grants.tokens()
    second = grants.refresh(first.refresh_token)
    assert isinstance(second, IssuedTokens)
    assert asyncio.run(sweep.sweep_once(FAMILIES, database, END)) == 0
    assert isinstance(grants.refresh(first.refresh_token, now=END - 1), RefreshReplay)
    assert asyncio.run(sweep.sweep_once(FAMILIES, database, END + 1)) == 1


def test_sessions_are_pruned_when_they_have_ended(database: Database) -> None:
    Grants.prepare(database)
    end = NOW + 86_400 * SECOND
    assert asyncio.run(sweep.sweep_once(SESSIONS, database, end)) == 0
    assert database.read_now(lambda tx: users.session_backlog(tx, end + 1)["sessions"].waiting) == 1
    assert asyncio.run(sweep.sweep_once(SESSIONS, database, end + 1)) == 1
    assert count(database, select(func.count()).select_from(sessions)) == 0


def test_the_backlog_says_what_waits(database: Database) -> None:
    grants = Grants.prepare(database)
    short = Lifetimes(SECOND, 100 * SECOND)
    for number in range(3):
        grants.exchange(grants.code(now=NOW + number), now=NOW + number, lifetimes=short)
    due = [CODES, FAMILIES, SESSIONS]
    found = database.read_now(lambda tx: sweep.backlogs(tx, due, NOW + 100 * SECOND + 2))
    assert (found["token_families"].rows, found["token_families"].waiting) == (3, 2)
    assert found["token_families"].oldest == NOW + 100 * SECOND
    assert (found["token_pairs"].rows, found["token_pairs"].waiting) == (3, 2)
    assert (found["authorizations"].rows, found["authorizations"].waiting) == (3, 0), "kept a day for their replay"


@pytest.mark.parametrize("table", ["authorizations", "token_families", "sessions"])
def test_what_has_ended_is_found_by_an_index(database: Database, table: str) -> None:
    def plan(tx: Connection) -> str:
        query = f"SELECT 1 FROM {table} WHERE expires_at < 1 ORDER BY expires_at LIMIT 10"
        if database.dialect == "sqlite":
            return str(tx.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
        tx.execute(text("SET LOCAL enable_seqscan = off"))  # a table of no rows is read whole otherwise
        return str(tx.execute(text(f"EXPLAIN {query}")).all())

    assert f"ix_{table}_expires_at" in database.read_now(plan)
