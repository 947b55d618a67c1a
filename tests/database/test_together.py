"""Operations that serve many callers at once: each gets its own outcome, all of it durable, on both engines."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from tests.support.grants import ENTROPY, KEYS, LIFETIMES, NOW, REDIRECT_URI, VERIFIER, Grants, together
from watersmeet.database import micro_batches, tokens
from watersmeet.database import waiting as waiting_module
from watersmeet.database.engine import Database
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import properties
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable, WatersmeetError
from watersmeet.oauth2.authorization import CodeReplay
from watersmeet.oauth2.errors import GrantRevoked, OAuthError
from watersmeet.oauth2.family import RefreshReplay
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.batch import Asked
from watersmeet.tokens.exchange import ExchangeRequest, exchange_all
from watersmeet.tokens.refresh import RefreshRequest, refresh_all


class Refusal(WatersmeetError):
    """What an outcome of these tests may be."""


class Adding:
    """A batch operation that adds names, refuses those that begin with "no", and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(self, tx: Transaction, names: Sequence[str]) -> list[str | Refusal]:
        self.batches.append(list(names))
        wanted = [name for name in names if not name.startswith("no")]
        if wanted:
            tx.execute(insert(properties), [{"name": name, "value": ""} for name in wanted])
        return [name if name in wanted else Refusal(name) for name in names]


def names(database: Database) -> set[str]:
    return database.read_now(lambda tx: set(tx.execute(select(properties.c.name)).scalars()))


async def write_all(database: Database, add: Adding, requests: Sequence[str]) -> list[str | BaseException]:
    """The outcomes of requests that are made at the same moment."""
    writes = [asyncio.ensure_future(database.write_together(add, request)) for request in requests]
    return await asyncio.gather(*writes, return_exceptions=True)


def test_everybody_gets_the_outcome_of_their_own_request(database: Database) -> None:
    wanted = [f"{'no' if number % 3 == 1 else 'yes'} {number}" for number in range(100)]
    outcomes = asyncio.run(write_all(database, Adding(), wanted))
    assert [outcome if isinstance(outcome, str) else str(outcome) for outcome in outcomes] == wanted
    assert [isinstance(outcome, Refusal) for outcome in outcomes] == [name.startswith("no") for name in wanted]
    assert names(database) == {name for name in wanted if name.startswith("yes")}


def test_requests_that_wait_together_are_one_batch(database: Database) -> None:
    add, holding, release = Adding(), threading.Event(), threading.Event()

    def hold(tx: Transaction, requests: Sequence[str]) -> list[str]:
        holding.set()
        release.wait(30)
        return list(add(tx, requests))  # type: ignore[arg-type]

    async def wait_together() -> None:
        # Whatever is being served when they come, they wait for: on PostgreSQL two transactions may be.
        busy = []
        for number in range(micro_batches.SERVING if database.dialect == "postgresql" else 1):
            holding.clear()
            busy.append(asyncio.ensure_future(database.write_together(hold, f"first {number}")))
            await asyncio.to_thread(holding.wait, 30)
        rest = [asyncio.ensure_future(database.write_together(hold, str(number))) for number in range(50)]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*busy, *rest)

    asyncio.run(wait_together())
    assert max(len(batch) for batch in add.batches) >= 25
    assert len(add.batches) <= 4
    assert len(names(database)) == len([name for batch in add.batches for name in batch])


def test_a_lone_request_is_a_batch_of_one_and_does_not_wait(database: Database) -> None:
    add = Adding()
    assert asyncio.run(database.write_together(add, "alone")) == "alone"
    assert add.batches == [["alone"]]


def test_a_request_that_breaks_its_batch_fails_alone(database: Database) -> None:
    database.write_now(lambda tx: Adding()(tx, ["taken"]))
    wanted = ["a", "b", "taken", "c"]
    outcomes = asyncio.run(write_all(database, Adding(), wanted))
    assert [outcome if isinstance(outcome, str) else type(outcome) for outcome in outcomes] == [
        "a", "b", IntegrityError, "c",
    ]  # fmt: skip
    assert names(database) == {"a", "b", "c", "taken"}


def test_two_operations_that_wait_together_keep_apart(database: Database) -> None:
    first, second = Adding(), Adding()

    async def both() -> None:
        some = [database.write_together((first, second)[number % 2], f"name {number}") for number in range(40)]
        await asyncio.gather(*some)

    asyncio.run(both())
    assert {name for batch in first.batches for name in batch} == {f"name {number}" for number in range(0, 40, 2)}
    assert {name for batch in second.batches for name in batch} == {f"name {number}" for number in range(1, 40, 2)}


def test_s105_too_many_waiting_requests_are_answered_busy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "QUEUE_LENGTH", 3)
    holding, release = threading.Event(), threading.Event()

    def hold(_tx: Transaction, requests: Sequence[str]) -> Sequence[str]:
        holding.set()
        release.wait(30)
        return requests

    async def fill() -> list[str | BaseException]:
        busy = []
        for number in range(micro_batches.SERVING if database.dialect == "postgresql" else 1):
            holding.clear()
            busy.append(asyncio.ensure_future(database.write_together(hold, f"first {number}")))
            await asyncio.to_thread(holding.wait, 30)
        rest = [asyncio.ensure_future(database.write_together(hold, str(number))) for number in range(5)]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*busy)
        return await asyncio.gather(*rest, return_exceptions=True)

    outcomes = asyncio.run(fill())
    assert outcomes[:3] == ["0", "1", "2"]
    assert [type(outcome) for outcome in outcomes[3:]] == [ServiceUnavailable, ServiceUnavailable]
    assert asyncio.run(database.write_together(hold, "again")) == "again"


def test_a_caller_that_goes_away_harms_no_neighbour(database: Database) -> None:
    add = Adding()

    async def go_away() -> list[str]:
        going = asyncio.ensure_future(database.write_together(add, "gone"))
        staying = [asyncio.ensure_future(database.write_together(add, str(number))) for number in range(5)]
        await asyncio.sleep(0)
        going.cancel()
        return await asyncio.gather(*staying)

    assert asyncio.run(go_away()) == ["0", "1", "2", "3", "4"]
    # On PostgreSQL the one that nobody waits for may have a transaction of its own, which ends later.
    deadline = time.monotonic() + 30
    while "gone" not in names(database) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert names(database) == {"gone", "0", "1", "2", "3", "4"}


# ---- rows ---------------------------------------------------------------------------------------------------


def test_a_statement_over_rows_carries_every_kind_of_value(database: Database) -> None:
    statement = RowsStatement(
        [properties.c.name, properties.c.value],
        lambda rows: insert(properties).from_select(["name", "value"], select(rows.c.name, rows.c.value)),
    )
    values = {"plain": "x", "quotes": "'\"\\", "beyond": "Ω 𝄞 \u2028", "empty": "", "json": '{"a": [1, null]}'}
    database.write_now(lambda tx: statement.execute(tx, list(values.items())))
    found = database.read_now(lambda tx: {row.name: row.value for row in tx.execute(select(properties))})
    assert found == values
    assert database.read_now(lambda tx: list(statement.execute(tx, []))) == []


# ---- reads that are kept ------------------------------------------------------------------------------------


def test_s133_a_kept_read_is_never_older_than_the_database(database: Database, database_url: str) -> None:
    """Revocation is seen by the very next Bearer check, in this process and in another."""
    grants = Grants.prepare(database)
    another = Database(database_url)
    try:
        for revoker in (database, another):
            issued = grants.tokens()
            digest = KEYS.digest(issued.access_token)

            async def read(digest: str = digest) -> object:
                return await database.read_together(tokens.find_live_access, digest)

            assert asyncio.run(read()) is not None
            assert asyncio.run(read()) == asyncio.run(read())
            Grants(revoker, grants.registered, grants.session, grants.session_id).revoke(issued.access_token)
            assert asyncio.run(read()) is None
    finally:
        another.close()


# ---- what races within one batch ----------------------------------------------------------------------------


def test_s075_one_batch_with_the_same_code_many_times_has_one_winner_and_ends_the_family(database: Database) -> None:
    grants = Grants.prepare(database)
    code = grants.code()
    outcomes = _exchange_together(grants, [code] * 20)
    assert [type(outcome) for outcome in outcomes] == [IssuedTokens] + [CodeReplay] * 19
    assert isinstance(outcomes[0], IssuedTokens)
    with pytest.raises(OAuthError):
        grants.verify(outcomes[0].access_token)


def test_s112_one_batch_with_the_same_refresh_token_many_times_has_one_winner(database: Database) -> None:
    grants = Grants.prepare(database)
    token = grants.tokens().refresh_token
    outcomes = _refresh_together(grants, [token] * 20)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds[0] is IssuedTokens
    assert kinds.count(IssuedTokens) == 1
    assert kinds[1] is RefreshReplay
    assert isinstance(outcomes[0], IssuedTokens)
    with pytest.raises(OAuthError):
        grants.refresh(outcomes[0].refresh_token)


def test_s112_a_spent_token_that_comes_with_its_successor_in_one_batch_is_seen_for_what_it_is(
    database: Database,
) -> None:
    """Whoever comes first, the second is decided by what the first has changed."""
    grants = Grants.prepare(database)
    for spent_first in (False, True):
        spent = grants.tokens().refresh_token
        successor = grants.refresh(spent)
        assert isinstance(successor, IssuedTokens)
        pair = [successor.refresh_token, spent]
        outcomes = _refresh_together(grants, pair[::-1] if spent_first else pair)
        if spent_first:
            assert [type(outcome) for outcome in outcomes] == [RefreshReplay, GrantRevoked]
        else:
            assert [type(outcome) for outcome in outcomes] == [IssuedTokens, RefreshReplay]
            assert isinstance(outcomes[1], RefreshReplay)
            assert not outcomes[1].after_lost_response, "its successor was used"


def test_a_batch_mixes_winners_replays_and_refusals(database: Database) -> None:
    grants = Grants.prepare(database)
    spent, fresh = grants.code(), [grants.code() for _ in range(3)]
    grants.exchange(spent)
    outcomes = _exchange_together(grants, [fresh[0], "unknown", spent, fresh[1], fresh[2]])
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "IssuedTokens", "CodeUnknown", "CodeReplay", "IssuedTokens", "IssuedTokens",
    ]  # fmt: skip
    for outcome in outcomes:
        if isinstance(outcome, IssuedTokens):
            grants.verify(outcome.access_token)


def test_s112_batches_of_two_processes_that_race_for_the_same_tokens(database: Database, database_url: str) -> None:
    """Two engines on one database, as two workers are: every token has one successor, nobody waits in a circle."""
    grants = Grants.prepare(database)
    issued = [grants.tokens().refresh_token for _ in range(20)]
    another = Database(database_url)
    try:
        sides = [grants, Grants(another, grants.registered, grants.session, grants.session_id)]
        orders = [issued, issued[::-1]]
        outcomes = together(2, lambda side: _refresh_together(sides[side], orders[side]))
    finally:
        another.close()
    first, second = outcomes
    assert isinstance(first, list), first
    assert isinstance(second, list), second
    for mine, theirs in zip(first, second[::-1], strict=True):
        assert sorted([type(mine).__name__, type(theirs).__name__]) == ["IssuedTokens", "RefreshReplay"]


def _exchange_together(grants: Grants, codes: Sequence[str]) -> list[object]:
    asked = [Asked(grants.credentials, ExchangeRequest(code, REDIRECT_URI, VERIFIER), NOW) for code in codes]
    return list(
        grants.database.write_now(lambda tx: exchange_all(tx, asked, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY))
    )


def _refresh_together(grants: Grants, refresh_tokens: Sequence[str]) -> list[object]:
    asked = [Asked(grants.credentials, RefreshRequest(token, None, None), NOW) for token in refresh_tokens]
    return list(
        grants.database.write_now(lambda tx: refresh_all(tx, asked, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY))
    )
