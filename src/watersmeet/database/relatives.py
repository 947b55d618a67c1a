"""What is below many contents and in them, as numbers: the first few of each, from one statement for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, FromClause, and_, bindparam, func, or_, select

from watersmeet.confluence.content import ContentStatus
from watersmeet.database.permissions import SEES_CONTENT, viewer
from watersmeet.database.schema import content, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_HOLDERS: BindParameter[Any] = bindparam("holders", expanding=True)
# A page hangs under its parent, a reply under the comment it answers; everything else is in its container.
_HOLDER = func.coalesce(content.c.parent_id, content.c.container_id)
_IS_HELD = or_(
    content.c.parent_id.in_(_HOLDERS), and_(content.c.parent_id.is_(None), content.c.container_id.in_(_HOLDERS))
)
_BY_HAND: Sequence[ColumnElement[Any]] = (content.c.position.is_(None), content.c.position, content.c.id)

_top = content.alias("top")
_roots = select(_top.c.id.label("root"), _top.c.id.label("id")).where(_top.c.id.in_(_HOLDERS))
_under = _roots.cte("under", recursive=True)
_under = _under.union(
    select(_under.c.root, _top.c.id).join(
        _under, or_(_top.c.parent_id == _under.c.id, _top.c.container_id == _under.c.id)
    )
)


def children_of(
    tx: Transaction, holders: Sequence[int], content_type: str, reach: int, user: User
) -> dict[int, list[int]]:
    """For each of these contents, the first ``reach`` of one type directly below it or in it, as ordered by hand."""
    source = content.join(spaces, spaces.c.id == content.c.space_id)
    return _first(tx, source, _HOLDER, _IS_HELD, _BY_HAND, (holders, content_type, reach, user))


def descendants_of(
    tx: Transaction, holders: Sequence[int], content_type: str, reach: int, user: User
) -> dict[int, list[int]]:
    """For each of these contents, the first ``reach`` of one type below it or in it at any depth, oldest first."""
    source = content.join(spaces, spaces.c.id == content.c.space_id).join(_under, _under.c.id == content.c.id)
    elsewhere = _under.c.root != content.c.id
    return _first(tx, source, _under.c.root, elsewhere, (content.c.id,), (holders, content_type, reach, user))


def _first(
    tx: Transaction,
    source: FromClause,
    holder: ColumnElement[int],
    condition: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    asked: tuple[Sequence[int], str, int, User],
) -> dict[int, list[int]]:
    holders, content_type, reach, user = asked
    rank = func.row_number().over(partition_by=holder, order_by=order).label("rank")
    chosen = (
        select(holder.label("holder"), content.c.id.label("id"), rank)
        .select_from(source)
        .where(
            condition,
            content.c.type == content_type,
            content.c.status == ContentStatus.CURRENT.value,
            SEES_CONTENT,
        )
        .subquery("chosen")
    )
    query = select(chosen.c.holder, chosen.c.id).where(chosen.c.rank <= reach)
    found: dict[int, list[int]] = {}
    for of, number in tx.execute(query.order_by(chosen.c.holder, chosen.c.rank), {"holders": holders, **viewer(user)}):
        found.setdefault(of, []).append(number)
    return found
