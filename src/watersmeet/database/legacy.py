"""Legacy acceptances, as rows: how often a client did what only its profile allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select, text

from watersmeet.clock import Instant
from watersmeet.database.schema import legacy_acceptances
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.profile import Legacy


@dataclass(frozen=True, slots=True)
class Acceptances:
    """How often one kind was accepted of a client, and when."""

    count: int
    first_at: Instant
    last_at: Instant


# Both engines understand this form of "insert, or else count on".
_COUNT = text(
    "INSERT INTO legacy_acceptances (client, kind, count, first_at, last_at) "
    "VALUES (:client, :kind, :times, :now, :now) "
    "ON CONFLICT (client, kind) DO UPDATE SET "
    "count = legacy_acceptances.count + excluded.count, last_at = excluded.last_at"
)


def count(tx: Transaction, client: int, kind: Legacy, now: Instant, times: int = 1) -> None:
    """Count one kind of thing that is being accepted of a client in this transaction."""
    tx.execute(_COUNT, {"client": client, "kind": kind.value, "now": now, "times": times})


def record(tx: Transaction, client: int, accepted: Collection[Legacy], now: Instant) -> None:
    """Count what is being accepted of a client in this transaction: the one place where that is noted (N1)."""
    for kind in sorted(accepted):  # in a fixed order, so that two transactions never wait for each other
        count(tx, client, kind, now)


def of_client(tx: Transaction, client: int) -> Mapping[Legacy, Acceptances]:
    """What was accepted of a client since it was registered, by kind."""
    table = legacy_acceptances.c
    rows = tx.execute(select(table.kind, table.count, table.first_at, table.last_at).where(table.client == client))
    found = {kind: Acceptances(count, first_at, last_at) for kind, count, first_at, last_at in rows}
    return {kind: found[kind.value] for kind in Legacy if kind.value in found}
