"""Groups and who is in them, as rows."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from watersmeet.database.schema import group_members, user_groups
from watersmeet.database.transaction import Transaction

_BY_NAME = select(user_groups.c.id).where(user_groups.c.name == bindparam("name"))
_MEMBERSHIP = select(group_members.c.group_id).where(
    group_members.c.group_id == bindparam("group_id"), group_members.c.user_id == bindparam("user_id")
)


def find_id(tx: Transaction, name: str) -> int | None:
    """The number of the group of that name, in any letter case."""
    return tx.execute(_BY_NAME, {"name": name.lower()}).scalar()


def join(tx: Transaction, group_id: int, user_id: int) -> None:
    """Make a user a member of a group; joining twice changes nothing."""
    membership = {"group_id": group_id, "user_id": user_id}
    if tx.execute(_MEMBERSHIP, membership).first() is None:
        tx.execute(insert(group_members), membership)
