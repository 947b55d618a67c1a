"""Former users, as rows: what remains of somebody who was deleted, and what goes with them."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.content import ContentStatus
from watersmeet.confluence.scopes import Role
from watersmeet.database import clients, spaces
from watersmeet.database.schema import (
    authorizations,
    content,
    content_views,
    content_watches,
    favourite_content,
    favourite_spaces,
    global_permissions,
    group_members,
    labels,
    likes,
    space_permissions,
    space_watches,
    token_families,
    users,
)
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

# What somebody was let do, and what they said of others' content. Restrictions that name them are not among it: what
# is kept to them alone must not be open to everybody.
_THEIRS = (
    authorizations.c.user_id,
    group_members.c.user_id,
    global_permissions.c.user_id,
    space_permissions.c.user_id,
    content_watches.c.user_id,
    space_watches.c.user_id,
    likes.c.user_id,
    favourite_content.c.user_id,
    favourite_spaces.c.user_id,
    labels.c.owner_id,
)
_SOME_DRAFTS = (
    select(content.c.id)
    .where(content.c.created_by == bindparam("user_id"), content.c.status == ContentStatus.DRAFT.value)
    .order_by(content.c.id.desc())
    .limit(bindparam("at_most"))
)
_VIEWED = select(content_views.c.content_id).where(content_views.c.user_id == bindparam("user_id"))
_SOME_VIEWS = _VIEWED.limit(bindparam("at_most"))


def rename(tx: Transaction, user: User, alias: str, now: Instant) -> None:
    """Leave of a user only the number, the key and an alias: the row of somebody who is never let in again.

    The first to be written of all that a deletion writes, as whoever else ends somebody's access does it.
    """
    values = {"username": alias, "display_name": alias, "email": "", "role": Role.USER.value, "password_hash": ""}
    tx.execute(update(users).where(users.c.id == user.id).values(**values, enabled=False, deleted_at=now))
    spaces.rename_personal(tx, user, alias)
    clients.rename_creator(tx, user.username, alias)


def forget(tx: Transaction, user_id: int) -> None:
    """Delete what a user was let do, watched, liked and labelled; their tokens and sessions have ended."""
    for column in _THEIRS:
        tx.execute(delete(column.table).where(column == user_id))
    tx.execute(update(token_families).where(token_families.c.user_id == user_id).values(last_used_from=None))


def forget_some(tx: Transaction, user_id: int, at_most: int) -> bool:
    """Delete some of what only the user could see: drafts, and what they looked at when. Whether any was left."""
    chosen = {"user_id": user_id, "at_most": at_most}
    drafts = tx.execute(_SOME_DRAFTS, chosen).scalars().all()
    tx.execute(update(content).where(content.c.parent_id.in_(drafts)).values(parent_id=None))
    tx.execute(delete(content).where(content.c.id.in_(drafts)))
    views = tx.execute(_SOME_VIEWS, chosen).scalars().all()
    tx.execute(delete(content_views).where(content_views.c.user_id == user_id, content_views.c.content_id.in_(views)))
    return bool(drafts or views)
