"""Restrictions of contents, and the guards worked out from them, as rows.

A guard of a content is a content, itself or above it, that keeps its reading to some. Guards are worked out whenever
restrictions or the tree change, so that reading a list costs one look-up a row and no walk up the tree.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select

from watersmeet.database.schema import content, content_guards, content_restrictions
from watersmeet.database.transaction import Transaction

# A content and everything below it or in it. UNION, not UNION ALL: a circle would end the walk.
_below = select(content.c.id).where(content.c.id == bindparam("root")).cte("below", recursive=True)
_below = _below.union(
    select(content.c.id).join(_below, or_(content.c.parent_id == _below.c.id, content.c.container_id == _below.c.id))
)
BELOW = select(_below.c.id)
"""The numbers of the content ``:root`` and of all below it and in it: children, comments, attachments."""

# For each of those, itself and everything above it: its parent's line, or that of what holds it.
_line = select(_below.c.id.label("content_id"), _below.c.id.label("above_id")).cte("line", recursive=True)
_line = _line.union(
    select(_line.c.content_id, func.coalesce(content.c.parent_id, content.c.container_id))
    .join(content, content.c.id == _line.c.above_id)
    .where(func.coalesce(content.c.parent_id, content.c.container_id).is_not(None))
)
_GUARDS = select(_line.c.content_id, _line.c.above_id).where(
    exists(
        select(content_restrictions.c.id).where(
            content_restrictions.c.content_id == _line.c.above_id, content_restrictions.c.operation == "read"
        )
    )
)
_FORGET = delete(content_guards).where(content_guards.c.content_id.in_(BELOW))
_WORK_OUT = insert(content_guards).from_select(["content_id", "guard_id"], _GUARDS)
_HAS_RESTRICTIONS = select(content_restrictions.c.id).where(content_restrictions.c.operation == "read").limit(1)


def work_out_guards(tx: Transaction, root: int) -> None:
    """Make the guards of a content, and of all below it and in it, what the restrictions say now.

    To be called in the transaction that creates or moves a content or changes its restrictions, which holds the lock
    of the space: of two that do not see each other's rows, one would leave out a guard of the other's.
    """
    if tx.execute(_HAS_RESTRICTIONS).first() is None and tx.execute(select(content_guards.c.guard_id)).first() is None:
        return  # on most instances nothing is restricted
    tx.execute(_FORGET, {"root": root})
    tx.execute(_WORK_OUT, {"root": root})
