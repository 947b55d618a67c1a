"""Who watches contents and spaces, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, insert, select

from watersmeet.clock import Instant
from watersmeet.confluence.content import Person
from watersmeet.confluence.page import Slice, Window
from watersmeet.database.schema import content_watches, space_watches, users
from watersmeet.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: a content, or in a space the contents of one type, of every type where it is empty."""

    table: Table
    key: dict[str, Any]

    @classmethod
    def content(cls, content_id: int) -> Watched:
        """One content."""
        return cls(content_watches, {"content_id": content_id})

    @classmethod
    def space(cls, space_id: int, content_type: str = "") -> Watched:
        """A space."""
        return cls(space_watches, {"space_id": space_id, "content_type": content_type})


def is_watching(tx: Transaction, watched: Watched, user_id: int) -> bool:
    """Whether a user watches that."""
    found = select(watched.table.c.user_id).where(*_of(watched), watched.table.c.user_id == user_id)
    return tx.execute(found).first() is not None


def add(tx: Transaction, watched: Watched, user_id: int, now: Instant) -> None:
    """Make a user watch that; should the same come twice at once, the runner starts again and finds it."""
    if not is_watching(tx, watched, user_id):
        tx.execute(insert(watched.table), {**watched.key, "user_id": user_id, "created_at": now})


def remove(tx: Transaction, watched: Watched, user_id: int) -> None:
    """Let a user watch that no longer, if they did."""
    tx.execute(delete(watched.table).where(*_of(watched), watched.table.c.user_id == user_id))


def list_watchers(tx: Transaction, watched: Watched, window: Window) -> Slice[Person]:
    """Who watches that, by name."""
    query = (
        select(users.c.username, users.c.user_key, users.c.display_name)
        .join(watched.table, watched.table.c.user_id == users.c.id)
        .where(*_of(watched))
        .order_by(users.c.username)
    )
    rows = tx.execute(query.limit(window.reach).offset(window.start))
    return Slice.of([Person(*row) for row in rows], window)


def _of(watched: Watched) -> list[ColumnElement[bool]]:
    return [watched.table.c[name] == value for name, value in watched.key.items()]
