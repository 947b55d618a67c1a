"""Templates, as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, insert, or_, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.content import Space
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.template import Template
from watersmeet.database.permissions import SEES_SPACE, viewer
from watersmeet.database.schema import spaces, templates
from watersmeet.database.spaces import COLUMNS as SPACE_COLUMNS
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_SPACE_WIDTH = len(SPACE_COLUMNS)
_VISIBLE: Select[Any] = (
    select(
        *SPACE_COLUMNS,
        templates.c.id,
        templates.c.name,
        templates.c.description,
        templates.c.storage,
        templates.c.labels,
        templates.c.version,
    )
    .select_from(templates)
    .outerjoin(spaces, spaces.c.id == templates.c.space_id)
    .where(or_(templates.c.space_id.is_(None), SEES_SPACE))
)
_BY_ID = _VISIBLE.where(templates.c.id == bindparam("template_id"))


def _as_template(row: Row[Any]) -> Template:
    number, name, description, storage, labels, version = row[_SPACE_WIDTH:]
    space = Space(*row[:_SPACE_WIDTH]) if row[0] is not None else None
    return Template(number, name, description, storage, tuple(json.loads(labels)), version, space)


def find_visible(tx: Transaction, template_id: int, user: User) -> Template | None:
    """The template of that number, if it is one of all spaces or of one the user sees."""
    row = tx.execute(_BY_ID, {"template_id": template_id, **viewer(user)}).first()
    return _as_template(row) if row else None


def list_of(tx: Transaction, space_id: int | None, window: Window, user: User) -> Slice[Template]:
    """The templates of a space the user sees, or of all spaces (``None``), by name."""
    owner = templates.c.space_id.is_(None) if space_id is None else templates.c.space_id == space_id
    query = _VISIBLE.where(owner).order_by(templates.c.name, templates.c.id)
    rows = tx.execute(query.limit(window.reach).offset(window.start), viewer(user))
    return Slice.of([_as_template(row) for row in rows], window)


def add(
    tx: Transaction,
    *,
    space_id: int | None,
    name: str,
    description: str,
    storage: str,
    labels: Sequence[str],
    creator: User,
    now: Instant,
) -> int:
    """The number of a new template."""
    values = {
        "space_id": space_id,
        "name": name,
        "description": description,
        "storage": storage,
        "labels": json.dumps(list(labels)),
        "version": 1,
        "created_by": creator.id,
        "created_at": now,
        "updated_by": creator.id,
        "updated_at": now,
    }
    template_id: int = tx.execute(insert(templates).returning(templates.c.id), values).scalar_one()
    return template_id


def change(
    tx: Transaction,
    template_id: int,
    by: User,
    now: Instant,
    *,
    name: str | None = None,
    description: str | None = None,
    storage: str | None = None,
    labels: Sequence[str] | None = None,
) -> None:
    """Make the next version of a template; what is not given stays."""
    values = {"name": name, "description": description, "storage": storage}
    values["labels"] = None if labels is None else json.dumps(list(labels))
    changed: dict[str, Any] = {column: value for column, value in values.items() if value is not None}
    stamp = {"version": templates.c.version + 1, "updated_by": by.id, "updated_at": now}
    tx.execute(update(templates).where(templates.c.id == template_id).values(changed | stamp))


def remove(tx: Transaction, template_id: int) -> None:
    """Forget a template."""
    tx.execute(delete(templates).where(templates.c.id == template_id))
