"""Legacy acceptances, as rows: how often a client did what only its profile allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select, text

from watersmeet.clock import Instant
from watersmeet.database import audit
from watersmeet.database.audit import INTERNAL, Event, Origin, Record
from watersmeet.database.schema import legacy_acceptances
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Legacy


@dataclass(frozen=True, slots=True)
class Acceptances:
    """How often one kind was accepted of a client, and when."""

    count: int
    first_at: Instant
    last_at: Instant


@dataclass(frozen=True, slots=True)
class Accepted:
    """What one request did that only its client's profile allows."""

    client: Client
    kinds: Collection[Legacy]
    at: Instant
    origin: Origin


# Both engines understand this form of "insert, or else count on".
_COUNT = text(
    "INSERT INTO legacy_acceptances (client, kind, count, first_at, last_at) "
    "VALUES (:client, :kind, :times, :now, :now) ON CONFLICT (client, kind) DO UPDATE SET "
    "count = legacy_acceptances.count + excluded.count, last_at = excluded.last_at"
)


def record(
    tx: Transaction, client: Client, accepted: Collection[Legacy], now: Instant, origin: Origin = INTERNAL
) -> None:
    """``record_all`` for one request."""
    record_all(tx, [Accepted(client, accepted, now, origin)])


def record_all(tx: Transaction, accepted: Iterable[Accepted]) -> None:
    """Count and audit what is accepted of clients in this transaction: the one place where that is noted (N1)."""
    noted = [each for each in accepted if each.kinds]
    if not noted:
        return
    times = Counter((each.client.id, kind.value) for each in noted for kind in each.kinds)
    now = max(each.at for each in noted)
    # In a fixed order: two transactions never wait for each other.
    counted = [
        {"client": client, "kind": kind, "times": times[client, kind], "now": now} for client, kind in sorted(times)
    ]
    tx.execute(_COUNT, counted)
    audit.record_all(tx, [_event(each) for each in noted])


def _event(accepted: Accepted) -> Record:
    kinds = sorted(kind.value for kind in accepted.kinds)
    return Record(
        Event.LEGACY_ACCEPTED,
        accepted.origin,
        accepted.at,
        client_id=accepted.client.client_id,
        detail={"kinds": kinds},
    )


def of_client(tx: Transaction, client: int) -> Mapping[Legacy, Acceptances]:
    """What was accepted of a client since it was registered, by kind."""
    table = legacy_acceptances.c
    rows = tx.execute(select(table.kind, table.count, table.first_at, table.last_at).where(table.client == client))
    found = {kind: Acceptances(count, first_at, last_at) for kind, count, first_at, last_at in rows}
    return {kind: found[kind.value] for kind in Legacy if kind.value in found}
