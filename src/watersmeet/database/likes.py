"""Who likes a content, as rows."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from watersmeet.clock import Instant
from watersmeet.confluence.content import Person
from watersmeet.database.schema import likes, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_OF_CONTENT = (
    select(users.c.username, users.c.user_key, users.c.display_name)
    .join(likes, likes.c.user_id == users.c.id)
    .where(likes.c.content_id == bindparam("content_id"))
    .order_by(likes.c.created_at, likes.c.user_id)
)


def list_of(tx: Transaction, content_id: int) -> list[Person]:
    """Who likes a content, in the order in which they said so."""
    return [Person(*row) for row in tx.execute(_OF_CONTENT, {"content_id": content_id})]


def add(tx: Transaction, content_id: int, user: User, now: Instant) -> bool:
    """Note that somebody likes a content; ``False`` if they did already."""
    mine = (likes.c.content_id == content_id, likes.c.user_id == user.id)
    if tx.execute(select(likes.c.content_id).where(*mine)).first():
        return False
    # Should the same come between the check and the insert, the runner starts this transaction again.
    tx.execute(insert(likes), {"content_id": content_id, "user_id": user.id, "created_at": now})
    return True


def remove(tx: Transaction, content_id: int, user: User) -> None:
    """Forget that somebody likes a content, if they did."""
    tx.execute(delete(likes).where(likes.c.content_id == content_id, likes.c.user_id == user.id))
