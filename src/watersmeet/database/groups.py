"""Groups and who is in them, as rows."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from watersmeet.confluence.content import Person
from watersmeet.confluence.page import Slice, Window
from watersmeet.database.schema import content_restrictions, group_members, user_groups, users
from watersmeet.database.transaction import Transaction

_BY_NAME = select(user_groups.c.id).where(user_groups.c.name == bindparam("name"))
_MEMBERSHIP = select(group_members.c.group_id).where(
    group_members.c.group_id == bindparam("group_id"), group_members.c.user_id == bindparam("user_id")
)


def find_id(tx: Transaction, name: str) -> int | None:
    """The number of the group of that name, in any letter case."""
    return tx.execute(_BY_NAME, {"name": name.lower()}).scalar()


def join(tx: Transaction, group_id: int, user_id: int) -> bool:
    """Make a user a member of a group; ``False`` if they were one."""
    membership = {"group_id": group_id, "user_id": user_id}
    if tx.execute(_MEMBERSHIP, membership).first() is not None:
        return False
    tx.execute(insert(group_members), membership)
    return True


def leave(tx: Transaction, group_id: int, user_id: int) -> bool:
    """Make a user no member of a group; ``False`` if they were none."""
    membership = (group_members.c.group_id == group_id, group_members.c.user_id == user_id)
    return tx.execute(delete(group_members).where(*membership)).rowcount == 1


def add(tx: Transaction, name: str) -> None:
    """A new group without members; its name must be free."""
    tx.execute(insert(user_groups), {"name": name.lower()})


def keeps_content(tx: Transaction, group_id: int) -> bool:
    """Whether some content is kept to a group, among others perhaps."""
    kept = select(content_restrictions.c.id).where(content_restrictions.c.group_id == group_id).limit(1)
    return tx.execute(kept).first() is not None


def remove(tx: Transaction, group_id: int) -> None:
    """Forget a group, its memberships and all that it was granted; no content may be kept to it."""
    tx.execute(delete(user_groups).where(user_groups.c.id == group_id))


def list_names(tx: Transaction, window: Window) -> Slice[str]:
    """The names of all groups, in their order."""
    query = select(user_groups.c.name).order_by(user_groups.c.name)
    return Slice.of(list(tx.execute(query.limit(window.reach).offset(window.start)).scalars()), window)


def list_members(tx: Transaction, group_id: int, window: Window) -> Slice[Person]:
    """Who is in a group, by name."""
    query = (
        select(users.c.username, users.c.user_key, users.c.display_name)
        .join(group_members, group_members.c.user_id == users.c.id)
        .where(group_members.c.group_id == group_id)
        .order_by(users.c.username)
    )
    return Slice.of([Person(*row) for row in tx.execute(query.limit(window.reach).offset(window.start))], window)


def list_of(tx: Transaction, user_id: int, window: Window) -> Slice[str]:
    """The names of the groups that a user is in."""
    query = (
        select(user_groups.c.name)
        .join(group_members, group_members.c.group_id == user_groups.c.id)
        .where(group_members.c.user_id == user_id)
        .order_by(user_groups.c.name)
    )
    return Slice.of(list(tx.execute(query.limit(window.reach).offset(window.start)).scalars()), window)
