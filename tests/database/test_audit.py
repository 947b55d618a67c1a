"""The audit log: written with what it describes, never changed, pruned only beyond its retention, searchable."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.support.grants import ENTROPY, NOW, Grants
from watersmeet.clock import SECOND
from watersmeet.database import audit
from watersmeet.database.audit import COMMAND_LINE, INTERNAL, Entry, Event, Origin, Query, Record
from watersmeet.database.engine import Database
from watersmeet.database.schema import audit_events, properties
from watersmeet.database.transaction import Transaction

ORIGIN = Origin("alice", "203.0.113.9", "00ff00ff00ff00ff")
DAY = 86_400 * SECOND


def record(database: Database, event: Event = Event.SIGNED_IN, *, at: int = NOW, origin: Origin = ORIGIN) -> None:
    database.write_now(lambda tx: audit.record(tx, event, origin, at))


def found(database: Database, query: Query | None = None) -> list[Entry]:
    return asyncio.run(database.read_at_length(lambda tx: audit.search(tx, query or Query())))


def test_s150_an_event_keeps_who_what_where_and_when(database: Database) -> None:
    grants = Grants.prepare(database, "Carol")
    user = grants.session.user
    before = len(found(database))
    database.write_now(
        lambda tx: audit.record(
            tx, Event.CONSENT_ALLOWED, ORIGIN, NOW, user_id=user.id, client_id="c" * 32, family_id="f" * 32,
            detail={"scope": "READ"},
        )
    )  # fmt: skip
    newest, *rest = found(database)
    assert len(rest) == before
    assert replace(newest, id=0) == Entry(
        0, NOW, "consent.allowed", "alice", "carol", "c" * 32, None, "f" * 32, "203.0.113.9", "00ff00ff00ff00ff",
        {"scope": "READ"},
    )  # fmt: skip


def test_an_event_exists_exactly_if_its_transaction_did(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        audit.record(tx, Event.SIGNED_IN, ORIGIN, NOW)
        raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError):
        database.write_now(fail)
    assert found(database) == []


@pytest.mark.parametrize("statement", [update(audit_events).values(actor="mallory"), delete(audit_events)])
def test_s150_the_engine_itself_refuses_to_change_or_delete_events(database: Database, statement: object) -> None:
    record(database)
    with pytest.raises(DBAPIError, match="append-only"):
        database.write_now(lambda tx: tx.execute(statement))  # type: ignore[call-overload]
    assert [entry.actor for entry in found(database)] == ["alice"]


def test_s150_nor_can_the_table_be_emptied_at_once(database: Database) -> None:
    record(database)
    if database.dialect == "postgresql":
        with pytest.raises(DBAPIError, match="append-only"):
            database.write_now(lambda tx: tx.execute(text("TRUNCATE audit_events")))
    assert len(found(database)) == 1


def test_pruning_deletes_what_is_beyond_retention_and_nothing_else(database: Database) -> None:
    for age in (5, 4, 3, 2, 1, 0):
        record(database, at=NOW - age * DAY)
    horizon = NOW - 3 * DAY + 1
    assert database.read_now(lambda tx: audit.any_expired(tx, horizon))
    assert database.write_now(lambda tx: audit.prune(tx, horizon, 2)) == 2
    assert database.write_now(lambda tx: audit.prune(tx, horizon, 2)) == 1
    assert not database.read_now(lambda tx: audit.any_expired(tx, horizon))
    assert [entry.at for entry in found(database)] == [NOW, NOW - DAY, NOW - 2 * DAY]
    with pytest.raises(DBAPIError, match="append-only"):
        database.write_now(lambda tx: tx.execute(delete(audit_events)))
    kept = database.read_now(
        lambda tx: tx.execute(select(properties.c.value).where(properties.c.name == "audit_kept_since")).scalar()
    )
    assert kept == str(horizon)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [5, 4, 3, 2, 1, 0]),
        (Query(since=NOW + 2, until=NOW + 4), [3, 2]),
        (Query(event="tokens."), [4, 2]),
        (Query(event="tokens.issued"), [2]),
        (Query(user="ALICE"), [1, 0]),
        (Query(client_id="a" * 32), [4, 2]),
        (Query(event="tokens.", client_id="a" * 32, since=NOW + 3), [4]),
        (Query(limit=2), [5, 4]),
        (Query(event="%."), []),
    ],
)
def test_search_finds_what_fits_every_criterion(database: Database, query: Query, expected: list[int]) -> None:
    kinds = [
        (Event.SIGNED_IN, Origin("alice"), None),
        (Event.SIGNED_OUT, Origin("alice"), None),
        (Event.TOKENS_ISSUED, INTERNAL, "a" * 32),
        (Event.LINK_CREATED, COMMAND_LINE, "b" * 32),
        (Event.TOKENS_REFRESHED, INTERNAL, "a" * 32),
        (Event.SIGN_IN_FAILED, INTERNAL, None),
    ]

    def fill(tx: Transaction) -> None:
        for offset, (event, origin, client_id) in enumerate(kinds):
            audit.record(tx, event, origin, NOW + offset, client_id=client_id)

    database.write_now(fill)
    assert [entry.at - NOW for entry in found(database, query)] == expected


def test_pages_follow_each_other_without_gap_or_overlap_also_within_one_instant(database: Database) -> None:
    for _ in range(7):
        record(database)
    seen: list[int] = []
    query = Query(limit=3)
    while page := found(database, query):
        seen += [entry.id for entry in page]
        query = replace(query, before=(page[-1].at, page[-1].id))
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


def test_no_event_refers_to_a_row_that_could_take_it_along(database: Database) -> None:
    assert not audit_events.foreign_keys
    database.write_now(
        lambda tx: tx.execute(
            insert(audit_events),
            {"at": NOW, "event": "sign-out", "user_id": 999_999, "request_id": ENTROPY.hex(8)},
        )
    )
    assert found(database)[0].username is None


def test_a_batch_of_events_is_written_at_once(database: Database) -> None:
    records = [Record(Event.TOKENS_REFRESHED, ORIGIN, NOW + number, client_id="c" * 32) for number in range(50)]
    database.write_now(lambda tx: audit.record_all(tx, records))
    database.write_now(lambda tx: audit.record_all(tx, []))
    assert [entry.at - NOW for entry in found(database)] == list(reversed(range(50)))
