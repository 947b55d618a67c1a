"""The order and the place of pages in their tree, as rows. Hold the locks of the spaces that are concerned."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from watersmeet.confluence.content import ContentStatus, ContentType
from watersmeet.database.restrictions import BELOW, work_out_guards
from watersmeet.database.schema import content
from watersmeet.database.transaction import Transaction

_moved = content.alias("moved")
_TITLE_TAKEN = (
    select(_moved.c.title)
    .join(content, (content.c.title_key == _moved.c.title_key) & (content.c.type == _moved.c.type))
    .where(
        _moved.c.id.in_(BELOW),
        _moved.c.type == ContentType.PAGE.value,
        _moved.c.status == ContentStatus.CURRENT.value,
        content.c.space_id == bindparam("space_id"),
        content.c.status == ContentStatus.CURRENT.value,
    )
    .limit(1)
)
_CHANGE_SPACE = update(content).where(content.c.id.in_(BELOW)).values(space_id=bindparam("space_id"))


def first_title_taken(tx: Transaction, root: int, space_id: int) -> str | None:
    """A title of the page ``root`` or of one below it that a current page of that space has already."""
    return tx.execute(_TITLE_TAKEN, {"root": root, "space_id": space_id}).scalar()


def change_space(tx: Transaction, root: int, space_id: int) -> None:
    """Bring a page, and everything below it and in it, into another space."""
    tx.execute(_CHANGE_SPACE, {"root": root, "space_id": space_id})


def place(
    tx: Transaction, page_id: int, parent_id: int | None, space_id: int, neighbour: int | None, *, after: bool
) -> None:
    """Hang a page under a parent, before or after one of its children; the last of them without a neighbour.

    Siblings that were not ordered by hand until now are, in the order in which they were shown.
    """
    siblings = (
        select(content.c.id)
        .where(
            content.c.parent_id == parent_id if parent_id is not None else content.c.parent_id.is_(None),
            content.c.space_id == space_id,
            content.c.type == ContentType.PAGE.value,
            content.c.status == ContentStatus.CURRENT.value,
            content.c.id != page_id,
        )
        .order_by(content.c.position.is_(None), content.c.position, content.c.id)
    )
    order = list(tx.execute(siblings).scalars())
    order.insert(len(order) if neighbour is None else order.index(neighbour) + after, page_id)
    tx.execute(update(content).where(content.c.id == page_id).values(parent_id=parent_id))
    tx.execute(
        update(content).where(content.c.id == bindparam("sibling_id")).values(position=bindparam("new_position")),
        [{"sibling_id": sibling, "new_position": number} for number, sibling in enumerate(order)],
    )
    work_out_guards(tx, page_id)
