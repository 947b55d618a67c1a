"""What only ``watersmeet dev`` does to its database: put it back as it was, hand it out, end tokens at will."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, insert, inspect, select, update

from watersmeet.clock import Instant
from watersmeet.database import audit
from watersmeet.database.schema import metadata, search_facts, token_families, token_pairs
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.family import Revocation


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every row of every table, parents before children, but for what the engine copies itself."""

    tables: dict[str, list[dict[str, Any]]]


def take_snapshot(tx: Transaction) -> Snapshot:
    """The whole content of a database, which should be small."""
    kept = [table for table in metadata.sorted_tables if table is not search_facts]
    return Snapshot({table.name: _rows(tx, table) for table in kept})


def _rows(tx: Transaction, table: Table) -> list[dict[str, Any]]:
    # Most are empty, and it takes longer to compile what reads one than to see that.
    # The name of a table of ours is no input.
    if tx.exec_driver_sql(f"SELECT 1 FROM {table.name} LIMIT 1").first() is None:  # noqa: S608
        return []
    return [dict(row) for row in tx.execute(select(table)).mappings()]


def restore(tx: Transaction, snapshot: Snapshot) -> None:
    """Make the content what it was; numbers are given out again from where they stood. SQLite only."""
    audit.forget_all(tx)  # the engine keeps it append-only: an ordinary deletion is refused
    for table in reversed(metadata.sorted_tables):
        tx.execute(table.delete())
    if inspect(tx).has_table("sqlite_sequence"):
        tx.exec_driver_sql("DELETE FROM sqlite_sequence")
    for table in metadata.sorted_tables:
        if rows := snapshot.tables.get(table.name):
            tx.execute(insert(table), rows)


def serialize(tx: Transaction) -> bytes:
    """The database as the bytes of an SQLite file."""
    raw: Any = tx.connection.dbapi_connection
    data: bytes = raw.serialize()
    return data


def expire_access_tokens(tx: Transaction, now: Instant) -> None:
    """Let every access token end now; refresh tokens work on."""
    tx.execute(update(token_pairs).where(token_pairs.c.access_expires_at > now).values(access_expires_at=now))


def revoke_everything(tx: Transaction, now: Instant) -> None:
    """End every family of tokens, as an administrator would."""
    tx.execute(
        update(token_families)
        .where(token_families.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=Revocation.BY_ADMINISTRATOR.value)
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """When and why a family of tokens was ended before its time."""

    at: Instant
    because: str


def ending_of(tx: Transaction, family_id: str) -> Ending | None:
    """How a family ended; ``None`` while it holds."""
    columns = (token_families.c.revoked_at, token_families.c.revoked_because)
    row = tx.execute(select(*columns).where(token_families.c.id == family_id)).first()
    return Ending(row.revoked_at, row.revoked_because or "") if row and row.revoked_at is not None else None
