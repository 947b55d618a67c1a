"""Expiry: rows that have ended, found by the index on their end; how many of them wait to be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Select, bindparam, func, select
from sqlalchemy.sql.elements import ColumnElement

from watersmeet.clock import Instant
from watersmeet.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a table holds: all its rows, those that wait to be pruned, and when the oldest of these ended."""

    rows: int
    waiting: int
    oldest: Instant | None


def ended(key: ColumnElement[Any], ends: Column[Any]) -> Select[Any]:
    """The keys of the ``:at_most`` rows that ended first, before ``:before``.

    Locked, and without those that another process has locked: of several workers that prune at the same time
    each takes others, and none waits. SQLite, where one writes at a time, leaves the clause out.
    """
    return (
        select(key)
        .where(ends < bindparam("before"))
        .order_by(ends)
        .limit(bindparam("at_most", type_=BigInteger))
        .with_for_update(skip_locked=True)
    )


def any_ended(ends: Column[Any]) -> Select[Any]:
    """Whether any row ended before ``:before``: a point read on the index."""
    return select(ends).where(ends < bindparam("before")).limit(1)


def backlog(tx: Transaction, ends: Column[Any], before: Instant) -> Backlog:
    """What the table of that column holds now."""
    table = ends.table
    waiting, oldest = tx.execute(select(func.count(), func.min(ends)).where(ends < before)).one()
    return Backlog(tx.execute(select(func.count()).select_from(table)).scalar_one(), waiting, oldest)
