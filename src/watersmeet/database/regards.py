"""What one reader has to do with contents, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, union_all

from watersmeet.confluence.metadata import Regard
from watersmeet.database.schema import content, content_versions, content_views, favourite_content
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_FAVOURITE, _VIEWED, _CONTRIBUTED = "favourite", "viewed", "contributed"


def of_reader(tx: Transaction, ids: Sequence[int], user: User) -> dict[int, Regard]:
    """What the user has to do with each of these contents, from one statement for all."""

    def kind(name: str, column: ColumnElement[int], at: ColumnElement[int], whose: ColumnElement[int]) -> Any:
        chosen = select(literal(name).label("kind"), column.label("content_id"), func.max(at).label("at"))
        return chosen.where(column.in_(ids), whose == user.id).group_by(column)

    query = union_all(
        kind(_FAVOURITE, favourite_content.c.content_id, favourite_content.c.created_at, favourite_content.c.user_id),
        kind(_VIEWED, content_views.c.content_id, content_views.c.viewed_at, content_views.c.user_id),
        kind(_CONTRIBUTED, content.c.id, content.c.updated_at, content.c.updated_by),
        kind(
            _CONTRIBUTED,
            content_versions.c.content_id,
            content_versions.c.updated_at,
            content_versions.c.updated_by,
        ),
    )
    found: dict[tuple[int, str], int] = {}
    for name, content_id, at in tx.execute(query):
        found[content_id, name] = max(at, found.get((content_id, name), at))
    return {
        number: Regard(*(found.get((number, name)) for name in (_FAVOURITE, _VIEWED, _CONTRIBUTED))) for number in ids
    }
