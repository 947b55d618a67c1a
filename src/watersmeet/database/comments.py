"""Where comments are and what became of them, as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, exists, insert, or_, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.content import (
    UNRESOLVED,
    CommentLocation,
    CommentPlace,
    ContentStatus,
    Person,
    Resolution,
)
from watersmeet.database.restrictions import BELOW
from watersmeet.database.schema import comment_places, content, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_PLACES = (
    select(
        comment_places.c.content_id,
        comment_places.c.location,
        comment_places.c.marker_ref,
        comment_places.c.original_selection,
        comment_places.c.resolution,
        comment_places.c.resolved_at,
        users.c.username,
        users.c.user_key,
        users.c.display_name,
    )
    .select_from(comment_places)
    .outerjoin(users, users.c.id == comment_places.c.resolved_by)
    .where(comment_places.c.content_id.in_(bindparam("ids", expanding=True)))
)
_MARKED = (
    select(comment_places.c.content_id, comment_places.c.marker_ref, comment_places.c.resolution)
    .join(content, content.c.id == comment_places.c.content_id)
    .where(
        content.c.container_id == bindparam("page_id"),
        content.c.status == ContentStatus.CURRENT.value,
        comment_places.c.marker_ref.is_not(None),
    )
)


@dataclass(frozen=True, slots=True)
class Marked:
    """A comment on a part of a page's text."""

    content_id: int
    ref: str
    resolution: str


def put(tx: Transaction, content_id: int, place: CommentPlace) -> None:
    """Note where a new comment is."""
    values = {
        "content_id": content_id,
        "location": place.location,
        "marker_ref": place.marker_ref,
        "original_selection": place.original_selection,
        "resolution": place.resolution,
    }
    tx.execute(insert(comment_places), values)


def places_of(tx: Transaction, ids: Sequence[int]) -> dict[int, CommentPlace]:
    """Where these comments are, from one query for all."""
    found = {}
    for content_id, location, ref, selection, resolution, at, name, key, display_name in tx.execute(
        _PLACES, {"ids": ids}
    ):
        by = Person(name, key, display_name) if name is not None else None
        found[content_id] = CommentPlace(location, ref, selection, resolution, by, at)
    return found


def marked_in(tx: Transaction, page_id: int) -> list[Marked]:
    """The current comments on parts of a page's text."""
    return [Marked(*row) for row in tx.execute(_MARKED, {"page_id": page_id})]


def resolve(tx: Transaction, root: int, into: Resolution, by: User, now: Instant) -> None:
    """Say what became of a comment on a part of a text, and of all replies to it."""
    values = {"resolution": into.value, "resolved_by": by.id, "resolved_at": now}
    inline = comment_places.c.location == CommentLocation.INLINE.value
    thread = update(comment_places).where(comment_places.c.content_id.in_(BELOW), inline)
    tx.execute(thread.values(values), {"root": root})


def is_located(locations: Collection[str]) -> ColumnElement[bool]:
    """Whether a row of ``content`` is a comment in one of these lists: ``footer``, ``inline`` or ``resolved``."""
    unresolved = comment_places.c.resolution.in_([each.value for each in UNRESOLVED])
    inline = comment_places.c.location == CommentLocation.INLINE.value
    lists = {
        "footer": comment_places.c.location == CommentLocation.FOOTER.value,
        "inline": and_(inline, unresolved),
        "resolved": and_(inline, ~unresolved),
    }
    wanted = [condition for name, condition in lists.items() if name in locations]
    return exists(
        select(comment_places.c.content_id).where(comment_places.c.content_id == content.c.id, or_(False, *wanted))
    )
