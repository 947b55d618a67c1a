"""Spaces, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, exists, insert, select, update
from sqlalchemy import delete as sql_delete

from watersmeet.clock import Instant
from watersmeet.confluence.content import Space, SpaceStatus, SpaceType
from watersmeet.confluence.page import Slice, Window
from watersmeet.database.permissions import SEES_SPACE, passes_guards, viewer
from watersmeet.database.schema import content, content_labels, favourite_spaces, labels, space_labels, spaces
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

_BY_KEY = select(*COLUMNS).where(spaces.c.key_lower == bindparam("key"), SEES_SPACE)
_OF_KEY = select(*COLUMNS).where(spaces.c.key_lower == bindparam("key"))
_KEY_HOLDER = select(spaces.c.id).where(spaces.c.key_lower == bindparam("key"))
# "No key": other transactions may still add rows that refer to the space.
_LOCK = select(spaces.c.id).where(spaces.c.id == bindparam("space_id")).with_for_update(key_share=True)


class KeyTaken(WatersmeetError):
    """There is a space of that key already."""


@dataclass(frozen=True, slots=True)
class SpaceFilter:
    """Which spaces a list shows; an empty criterion admits all."""

    keys: Sequence[str] = ()
    ids: Sequence[int] = ()
    types: Sequence[str] = ()
    statuses: Sequence[str] = ()
    categories: Sequence[str] = ()
    """Names of labels of the space, any of them."""
    content_labels: Sequence[str] = ()
    """Names of labels, any of them on a content in the space that the user sees."""
    favourite: bool | None = None
    """Whether the user has it among their favourites."""


def find_visible(tx: Transaction, key: str, user: User) -> Space | None:
    """The space of that key, in any letter case, if the user may see it."""
    row = tx.execute(_BY_KEY, {"key": key.lower(), **viewer(user)}).first()
    return Space(*row) if row else None


def find(tx: Transaction, key: str) -> Space | None:
    """The space of that key, whoever asks: for operators, who have the database anyway."""
    row = tx.execute(_OF_KEY, {"key": key.lower()}).first()
    return Space(*row) if row else None


def list_visible(tx: Transaction, wanted: SpaceFilter, window: Window, user: User) -> Slice[Space]:
    """The spaces the user may see, by key."""
    query = select(*COLUMNS).where(SEES_SPACE).order_by(spaces.c.key_lower)
    if wanted.keys:
        query = query.where(spaces.c.key_lower.in_([key.lower() for key in wanted.keys]))
    query = query.where(*_criteria(wanted, user))
    rows = tx.execute(query.limit(window.reach).offset(window.start), viewer(user))
    return Slice.of([Space(*row) for row in rows], window)


def _criteria(wanted: SpaceFilter, user: User) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.ids:
        criteria.append(spaces.c.id.in_(wanted.ids))
    if wanted.types:
        criteria.append(spaces.c.type.in_(wanted.types))
    if wanted.statuses:
        criteria.append(spaces.c.status.in_(wanted.statuses))
    if wanted.categories:
        joined = select(space_labels.c.space_id).join(labels, labels.c.id == space_labels.c.label_id)
        criteria.append(spaces.c.id.in_(joined.where(labels.c.name.in_(wanted.categories))))
    if wanted.content_labels:
        carriers = (
            select(content.c.space_id)
            .join(content_labels, content_labels.c.content_id == content.c.id)
            .join(labels, labels.c.id == content_labels.c.label_id)
            .where(labels.c.name.in_(wanted.content_labels), labels.c.owner_id.is_(None))
            .where(content.c.status == "current", passes_guards(content))
        )
        criteria.append(spaces.c.id.in_(carriers))
    if wanted.favourite is not None:
        mine = exists().where(favourite_spaces.c.space_id == spaces.c.id, favourite_spaces.c.user_id == user.id)
        criteria.append(mine if wanted.favourite else ~mine)
    return criteria


def lock(tx: Transaction, space_id: int) -> None:
    """Wait until nobody else changes titles or the tree of a space, and keep them out until the end.

    Whoever looks first (is the title free? would this move close a circle? what guards are above?) and acts then must
    hold it: all that create, move, restrict, trash or restore. On SQLite every writing transaction is alone anyway.
    """
    tx.execute(_LOCK, {"space_id": space_id})


def add(
    tx: Transaction,
    *,
    key: str,
    name: str,
    description: str,
    creator: User,
    now: Instant,
    space_type: SpaceType = SpaceType.GLOBAL,
) -> Space:
    """A new space without a homepage; a personal one is its creator's. Raises ``KeyTaken``."""
    values = {
        "key": key,
        "name": name,
        "type": space_type.value,
        "status": "current",
        "description": description,
        "homepage_id": None,
    }
    own = {"key_lower": key.lower(), "creator_id": creator.id, "created_at": now}
    if space_type is SpaceType.PERSONAL:
        own["owner_id"] = creator.id
    # Should another come between the check and the insert, the runner starts this transaction again.
    if tx.execute(_KEY_HOLDER, {"key": key.lower()}).first():
        raise KeyTaken(f"There is already a space with the key {key}.")
    space_id = tx.execute(insert(spaces).returning(spaces.c.id), values | own).scalar_one()
    return Space(space_id, key, name, space_type.value, "current", description, None)


def set_homepage(tx: Transaction, space_id: int, content_id: int) -> None:
    """Make a page the homepage of its space."""
    tx.execute(update(spaces).where(spaces.c.id == space_id).values(homepage_id=content_id))


def change(
    tx: Transaction,
    space_id: int,
    by: User,
    now: Instant,
    *,
    name: str | None = None,
    description: str | None = None,
    homepage_id: int | None = None,
    status: SpaceStatus | None = None,
) -> None:
    """Change what is said of a space; what is not given stays."""
    values = {"name": name, "description": description, "homepage_id": homepage_id, "status": status}
    changed = {column: value for column, value in values.items() if value is not None}
    stamp = {"updated_by": by.id, "updated_at": now}
    tx.execute(update(spaces).where(spaces.c.id == space_id).values(changed | stamp))


def rename_personal(tx: Transaction, owner: User, alias: str) -> None:
    """Call the space of somebody's own by another name: their own name, and its key, are free again."""
    own = (spaces.c.owner_id == owner.id,)
    tx.execute(update(spaces).where(*own).values(key=f"~{alias}", key_lower=f"~{alias}".lower()))
    tx.execute(update(spaces).where(*own, spaces.c.name == owner.display_name).values(name=alias))


def show_again(tx: Transaction, space_id: int) -> None:
    """Show a space that was to be deleted, put away."""
    tx.execute(update(spaces).where(spaces.c.id == space_id).values(status=SpaceStatus.ARCHIVED.value))


def delete(tx: Transaction, space_id: int) -> None:
    """Forget a space without contents, and all that is granted in it and said of it."""
    tx.execute(sql_delete(spaces).where(spaces.c.id == space_id))


def forget_homepage(tx: Transaction, content_id: int) -> None:
    """Leave the space whose homepage a content is without one."""
    tx.execute(update(spaces).where(spaces.c.homepage_id == content_id).values(homepage_id=None))
