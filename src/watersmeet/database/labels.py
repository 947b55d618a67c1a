"""Labels and the contents that carry them, as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select

from watersmeet.clock import Instant
from watersmeet.confluence.content import ContentStatus
from watersmeet.confluence.metadata import Label, LabelPrefix
from watersmeet.confluence.page import Slice, Window
from watersmeet.database.permissions import SEES_CONTENT, viewer
from watersmeet.database.schema import content, content_labels, labels, space_labels, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_OF_CONTENT = (
    select(content_labels.c.content_id, labels.c.id, labels.c.prefix, labels.c.name)
    .join(labels, labels.c.id == content_labels.c.label_id)
    .order_by(content_labels.c.content_id, labels.c.id)
)


_OF_SPACE = (
    select(space_labels.c.space_id, labels.c.id, labels.c.prefix, labels.c.name)
    .join(labels, labels.c.id == space_labels.c.label_id)
    .order_by(space_labels.c.space_id, labels.c.id)
)


def _shown_to(user: User) -> ColumnElement[bool]:
    return or_(labels.c.owner_id.is_(None), labels.c.owner_id == user.id)


def list_of(tx: Transaction, content_id: int, prefixes: Collection[str], window: Window, user: User) -> Slice[Label]:
    """The labels of a content that the user sees, oldest first; other people's own are nobody else's business."""
    query = _OF_CONTENT.where(content_labels.c.content_id == content_id, _shown_to(user))
    if prefixes:
        query = query.where(labels.c.prefix.in_(prefixes))
    rows = tx.execute(query.limit(window.reach).offset(window.start))
    return Slice.of([Label(*row[1:]) for row in rows], window)


def of_spaces(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[Label, ...]]:
    """The categories of spaces, by space, from one query."""
    rows = tx.execute(_OF_SPACE.where(space_labels.c.space_id.in_(ids)))
    by_space = groupby(rows, lambda row: int(row[0]))
    return {space_id: tuple(Label(*row[1:]) for row in some) for space_id, some in by_space}


def of_contents(tx: Transaction, ids: Sequence[int], user: User) -> dict[int, tuple[Label, ...]]:
    """The labels that the user sees, by content, from one query."""
    rows = tx.execute(_OF_CONTENT.where(content_labels.c.content_id.in_(ids), _shown_to(user)))
    by_content = groupby(rows, lambda row: int(row[0]))
    return {content_id: tuple(Label(*row[1:]) for row in some) for content_id, some in by_content}


class LabelOrder(StrEnum):
    """What comes first in a list of labels in use."""

    NAME = "name"
    POPULAR = "popular"  # on the most contents
    RECENT = "recent"  # put on a content last


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Which labels a list shows; an empty criterion admits all."""

    space_id: int | None = None
    name: str | None = None
    prefix: str | None = None
    beside: str | None = None
    """The name of another label on the same content."""


def list_used(tx: Transaction, wanted: LabelFilter, order: LabelOrder, window: Window, user: User) -> Slice[Label]:
    """The labels on contents that the user sees, of those labels that the user sees."""
    query = (
        select(labels.c.id, labels.c.prefix, labels.c.name)
        .join(content_labels, content_labels.c.label_id == labels.c.id)
        .join(content, content.c.id == content_labels.c.content_id)
        .join(spaces, spaces.c.id == content.c.space_id)
        .where(SEES_CONTENT, content.c.status == ContentStatus.CURRENT.value, _shown_to(user))
        .where(*_criteria(wanted, user))
        .group_by(labels.c.id, labels.c.prefix, labels.c.name)
    )
    first: dict[LabelOrder, list[ColumnElement[Any]]] = {
        LabelOrder.NAME: [],
        LabelOrder.POPULAR: [func.count().desc()],
        LabelOrder.RECENT: [func.max(content_labels.c.created_at).desc()],
    }
    ordered = query.order_by(*first[order], labels.c.name, labels.c.id)
    rows = tx.execute(ordered.limit(window.reach).offset(window.start), viewer(user))
    return Slice.of([Label(*row) for row in rows], window)


def _criteria(wanted: LabelFilter, user: User) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.space_id is not None:
        criteria.append(content.c.space_id == wanted.space_id)
    if wanted.name is not None:
        criteria.append(labels.c.name == wanted.name)
    if wanted.prefix is not None:
        criteria.append(labels.c.prefix == wanted.prefix)
    if wanted.beside is not None:
        other, carrier = labels.alias(), content_labels.alias()
        carriers = (
            select(carrier.c.content_id)
            .join(other, other.c.id == carrier.c.label_id)
            .where(other.c.name == wanted.beside, or_(other.c.owner_id.is_(None), other.c.owner_id == user.id))
        )
        criteria += [content.c.id.in_(carriers), labels.c.name != wanted.beside]
    return criteria


def attach_to_space(tx: Transaction, space_id: int, label_id: int, now: Instant) -> None:
    """Put a label on a space; one that is there already stays. Hold the space's lock."""
    where = (space_labels.c.space_id == space_id, space_labels.c.label_id == label_id)
    if tx.execute(select(space_labels.c.label_id).where(*where)).first() is None:
        tx.execute(insert(space_labels), {"space_id": space_id, "label_id": label_id, "created_at": now})


def detach_from_space(tx: Transaction, space_id: int, name: str) -> None:
    """Take a category off a space."""
    chosen = select(labels.c.id).where(labels.c.prefix == LabelPrefix.TEAM.value, labels.c.name == name)
    tx.execute(delete(space_labels).where(space_labels.c.space_id == space_id, space_labels.c.label_id.in_(chosen)))


def find_or_add(tx: Transaction, prefix: str, name: str, user: User) -> int:
    """The number of a label, which is made if there is none; one of prefix ``my`` is the user's."""
    owner_id = user.id if prefix == LabelPrefix.MY else None
    found: int | None = tx.execute(select(labels.c.id).where(*_named(prefix, name, user))).scalar()
    if found is None:
        # Should another come between the check and the insert, the runner starts this transaction again.
        values = {"prefix": prefix, "name": name, "owner_id": owner_id}
        found = tx.execute(insert(labels).returning(labels.c.id), values).scalar_one()
    return found


def attach(tx: Transaction, content_id: int, label_id: int, now: Instant) -> None:
    """Put a label on a content; one that is there already stays. Hold the space's lock."""
    where = (content_labels.c.content_id == content_id, content_labels.c.label_id == label_id)
    if tx.execute(select(content_labels.c.label_id).where(*where)).first() is None:
        tx.execute(insert(content_labels), {"content_id": content_id, "label_id": label_id, "created_at": now})


def detach(tx: Transaction, content_id: int, prefix: str, name: str, user: User) -> bool:
    """Take a label off a content; ``False`` if it was not there."""
    chosen = select(labels.c.id).where(*_named(prefix, name, user))
    gone = delete(content_labels).where(
        content_labels.c.content_id == content_id, content_labels.c.label_id.in_(chosen)
    )
    return tx.execute(gone).rowcount > 0


def _named(prefix: str, name: str, user: User) -> tuple[ColumnElement[bool], ...]:
    owner = labels.c.owner_id == user.id if prefix == LabelPrefix.MY else labels.c.owner_id.is_(None)
    return labels.c.prefix == prefix, labels.c.name == name, owner
