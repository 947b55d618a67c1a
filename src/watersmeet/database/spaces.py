"""Spaces and the permissions in them, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, bindparam, exists, insert, or_, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.content import Space
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import SpacePermission, bypasses_spaces
from watersmeet.database.schema import space_permissions, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.errors import WatersmeetError

COLUMNS = (
    spaces.c.id,
    spaces.c.key,
    spaces.c.name,
    spaces.c.type,
    spaces.c.status,
    spaces.c.description,
    spaces.c.homepage_id,
)

# Part of every WHERE that reads spaces or what is in them, so that no page of a list ever has holes.
# Any permission in a space implies that of reading it.
VISIBLE = or_(
    bindparam("sees_all", type_=Boolean),
    exists(
        select(space_permissions.c.id).where(
            space_permissions.c.space_id == spaces.c.id,
            or_(space_permissions.c.user_id == bindparam("viewer"), space_permissions.c.user_id.is_(None)),
        )
    ),
)

_BY_KEY = select(*COLUMNS).where(spaces.c.key_lower == bindparam("key"), VISIBLE)
_KEY_HOLDER = select(spaces.c.id).where(spaces.c.key_lower == bindparam("key"))
_PERMISSIONS = select(space_permissions.c.permission).where(
    space_permissions.c.space_id == bindparam("space_id"),
    or_(space_permissions.c.user_id == bindparam("viewer"), space_permissions.c.user_id.is_(None)),
)
# "No key": other transactions may still add rows that refer to the space.
_LOCK = select(spaces.c.id).where(spaces.c.id == bindparam("space_id")).with_for_update(key_share=True)


class KeyTaken(WatersmeetError):
    """There is a space of that key already."""


@dataclass(frozen=True, slots=True)
class SpaceFilter:
    """Which spaces a list shows; an empty criterion admits all."""

    keys: Sequence[str] = ()
    types: Sequence[str] = ()
    statuses: Sequence[str] = ()


def viewer(user: User) -> dict[str, Any]:
    """The parameters of ``VISIBLE``."""
    return {"viewer": user.id, "sees_all": bypasses_spaces(user.role)}


def find_visible(tx: Transaction, key: str, user: User) -> Space | None:
    """The space of that key, in any letter case, if the user may see it."""
    row = tx.execute(_BY_KEY, {"key": key.lower(), **viewer(user)}).first()
    return Space(*row) if row else None


def list_visible(tx: Transaction, wanted: SpaceFilter, window: Window, user: User) -> Slice[Space]:
    """The spaces the user may see, by key."""
    query = select(*COLUMNS).where(VISIBLE).order_by(spaces.c.key_lower)
    if wanted.keys:
        query = query.where(spaces.c.key_lower.in_([key.lower() for key in wanted.keys]))
    if wanted.types:
        query = query.where(spaces.c.type.in_(wanted.types))
    if wanted.statuses:
        query = query.where(spaces.c.status.in_(wanted.statuses))
    rows = tx.execute(query.limit(window.reach).offset(window.start), viewer(user))
    return Slice.of([Space(*row) for row in rows], window)


def permissions_of(tx: Transaction, space_id: int, user: User) -> frozenset[SpacePermission]:
    """What the user was granted in a space, by name or together with everyone who is signed in."""
    rows = tx.execute(_PERMISSIONS, {"space_id": space_id, "viewer": user.id})
    return frozenset(SpacePermission(permission) for (permission,) in rows)


def lock(tx: Transaction, space_id: int) -> None:
    """Wait until nobody else changes titles or the tree of a space, and keep them out until the end.

    Whoever looks first (is the title free? would this move close a circle?) and acts then must hold it. On
    SQLite every writing transaction is alone anyway.
    """
    tx.execute(_LOCK, {"space_id": space_id})


def add(tx: Transaction, *, key: str, name: str, description: str, creator: User, now: Instant) -> Space:
    """A new global space without a homepage. Raises ``KeyTaken``."""
    values = {
        "key": key,
        "name": name,
        "type": "global",
        "status": "current",
        "description": description,
        "homepage_id": None,
    }
    own = {"key_lower": key.lower(), "creator_id": creator.id, "created_at": now}
    # Should another come between the check and the insert, the runner starts this transaction again.
    if tx.execute(_KEY_HOLDER, {"key": key.lower()}).first():
        raise KeyTaken(f"There is already a space with the key {key}.")
    space_id = tx.execute(insert(spaces).returning(spaces.c.id), values | own).scalar_one()
    return Space(space_id, key, name, "global", "current", description, None)


def set_homepage(tx: Transaction, space_id: int, content_id: int) -> None:
    """Make a page the homepage of its space."""
    tx.execute(update(spaces).where(spaces.c.id == space_id).values(homepage_id=content_id))


def forget_homepage(tx: Transaction, content_id: int) -> None:
    """Leave the space whose homepage a content is without one."""
    tx.execute(update(spaces).where(spaces.c.homepage_id == content_id).values(homepage_id=None))


def grant(tx: Transaction, space_id: int, user: User | None, permission: SpacePermission) -> None:
    """Let a user do something in a space; without a user, everyone who is signed in."""
    tx.execute(
        insert(space_permissions),
        {"space_id": space_id, "user_id": user.id if user else None, "permission": permission.value},
    )
