"""Restrictions of contents, and the guards worked out from them, as rows.

A guard of a content is a content, itself or above it, that keeps its reading to some. Guards are worked out whenever
restrictions or the tree change, so that reading a list costs one look-up a row and no walk up the tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select

from watersmeet.confluence.content import Person
from watersmeet.confluence.restriction import Restricted, Restriction
from watersmeet.database.permissions import is_about
from watersmeet.database.schema import content, content_guards, content_restrictions, user_groups, users
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


def work_out_guards(tx: Transaction, *roots: int) -> None:
    """Make the guards of contents, and of all below them and in them, what the restrictions say now.

    To be called in the transaction that creates or moves a content or changes its restrictions, which holds the lock
    of the space: of two that do not see each other's rows, one would leave out a guard of the other's.
    """
    if tx.execute(_HAS_RESTRICTIONS).first() is None and tx.execute(select(content_guards.c.guard_id)).first() is None:
        return  # on most instances nothing is restricted
    for root in roots:
        tx.execute(_FORGET, {"root": root})
        tx.execute(_WORK_OUT, {"root": root})


# ---- whom a content is kept to ----------------------------------------------------------------------------

_SUBJECTS = (
    select(
        content_restrictions.c.content_id,
        content_restrictions.c.operation,
        users.c.username,
        users.c.user_key,
        users.c.display_name,
        user_groups.c.name,
    )
    .select_from(content_restrictions)
    .outerjoin(users, users.c.id == content_restrictions.c.user_id)
    .outerjoin(user_groups, user_groups.c.id == content_restrictions.c.group_id)
    .order_by(content_restrictions.c.id)
)
_GUARDS_OF = select(content_guards.c.guard_id).where(content_guards.c.content_id == bindparam("content_id"))


def of_contents(tx: Transaction, ids: Sequence[int]) -> dict[int, dict[str, Restriction]]:
    """The restrictions of contents by operation, both for each of them, from one query."""
    people: dict[tuple[int, str], list[Person]] = {}
    groups: dict[tuple[int, str], list[str]] = {}
    for content_id, operation, username, user_key, display_name, group in tx.execute(
        _SUBJECTS.where(content_restrictions.c.content_id.in_(ids))
    ):
        if username is not None:
            people.setdefault((content_id, operation), []).append(Person(username, user_key, display_name))
        elif group is not None:
            groups.setdefault((content_id, operation), []).append(group)

    def restriction(content_id: int, operation: Restricted) -> Restriction:
        of = (content_id, operation.value)
        return Restriction(content_id, operation, tuple(people.get(of, ())), tuple(groups.get(of, ())))

    return {number: {each.value: restriction(number, each) for each in Restricted} for number in ids}


def guards_of(tx: Transaction, content_id: int) -> list[int]:
    """The contents, itself or above it, that keep the reading of a content to some."""
    return list(tx.execute(_GUARDS_OF.order_by(content_guards.c.guard_id), {"content_id": content_id}).scalars())


def forget_all(tx: Transaction, content_id: int) -> None:
    """Let go of all restrictions of a content. Hold the space's lock, and work out the guards afterwards."""
    tx.execute(delete(content_restrictions).where(content_restrictions.c.content_id == content_id))


def keep_to(
    tx: Transaction, content_id: int, operation: str, *, user_id: int | None = None, group_id: int | None = None
) -> None:
    """Keep a content to a user or a group, besides those it is kept to already; as ``forget_all``."""
    values = {"content_id": content_id, "operation": operation, "user_id": user_id, "group_id": group_id}
    if tx.execute(select(content_restrictions.c.id).where(*is_about(content_restrictions, values))).first() is None:
        tx.execute(insert(content_restrictions), values)
