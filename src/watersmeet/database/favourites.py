"""Whose favourites contents and spaces are, as rows."""

from __future__ import annotations

from sqlalchemy import Table, delete, insert, select

from watersmeet.clock import Instant
from watersmeet.confluence.metadata import FAVOURITE, LabelPrefix
from watersmeet.database.schema import content_labels, favourite_content, favourite_spaces, labels
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def follow_labels(tx: Transaction, content_id: int, user: User, now: Instant) -> None:
    """Let a content be a favourite of the user's just if they have put that label on it. Hold the space's lock."""
    carried = (
        select(content_labels.c.label_id)
        .join(labels, labels.c.id == content_labels.c.label_id)
        .where(content_labels.c.content_id == content_id, labels.c.owner_id == user.id)
        .where(labels.c.prefix == LabelPrefix.MY.value, labels.c.name.in_(FAVOURITE))
    )
    is_favourite = tx.execute(carried.limit(1)).first() is not None
    _mark(tx, favourite_content, "content_id", content_id, user, now, is_favourite=is_favourite)


def mark_space(tx: Transaction, space_id: int, user: User, now: Instant, *, is_favourite: bool) -> None:
    """Let a space be a favourite of the user's, or no longer. Hold the space's lock."""
    _mark(tx, favourite_spaces, "space_id", space_id, user, now, is_favourite=is_favourite)


def _mark(tx: Transaction, table: Table, of: str, number: int, user: User, now: Instant, *, is_favourite: bool) -> None:
    mine = (table.c[of] == number, table.c.user_id == user.id)
    if not is_favourite:
        tx.execute(delete(table).where(*mine))
    elif tx.execute(select(table.c.user_id).where(*mine)).first() is None:
        tx.execute(insert(table), {of: number, "user_id": user.id, "created_at": now})
