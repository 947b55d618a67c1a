"""Copies of what is kept with a content, made in the database: labels, properties, restrictions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Insert, bindparam, exists, insert, literal, select

from watersmeet.clock import Instant
from watersmeet.database.restrictions import work_out_guards
from watersmeet.database.schema import (
    content_labels,
    content_properties,
    content_restrictions,
    labels,
)
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_SOURCE = bindparam("source", type_=BigInteger)
_COPY = bindparam("copy", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)
_BY = bindparam("copied_by", type_=BigInteger)
_has = content_labels.alias("has")

_LABELS: Insert = insert(content_labels).from_select(
    ["content_id", "label_id", "created_at"],
    select(_COPY, content_labels.c.label_id, _NOW)
    .join(labels, labels.c.id == content_labels.c.label_id)
    .where(
        content_labels.c.content_id == _SOURCE,
        labels.c.owner_id.is_(None),
        ~exists().where(_has.c.content_id == _COPY, _has.c.label_id == content_labels.c.label_id),
    ),
)
_PROPERTIES: Insert = insert(content_properties).from_select(
    ["content_id", "key", "value", "version", "updated_by", "updated_at"],
    select(_COPY, content_properties.c.key, content_properties.c.value, literal(1), _BY, _NOW).where(
        content_properties.c.content_id == _SOURCE
    ),
)
_RESTRICTIONS: Insert = insert(content_restrictions).from_select(
    ["content_id", "operation", "user_id", "group_id"],
    select(
        _COPY,
        content_restrictions.c.operation,
        content_restrictions.c.user_id,
        content_restrictions.c.group_id,
    ).where(content_restrictions.c.content_id == _SOURCE),
)


def copy_labels(tx: Transaction, source: int, copy: int, now: Instant) -> None:
    """Give a content the labels of another one that it lacks, but nobody's own."""
    tx.execute(_LABELS, {"source": source, "copy": copy, "now": now})


def copy_properties(tx: Transaction, source: int, copy: int, by: User, now: Instant) -> None:
    """Give a new content the properties of another one, in their first version."""
    tx.execute(_PROPERTIES, {"source": source, "copy": copy, "copied_by": by.id, "now": now})


def copy_restrictions(tx: Transaction, source: int, copy: int) -> None:
    """Keep a new content to whom another one is kept. Hold the space's lock."""
    tx.execute(_RESTRICTIONS, {"source": source, "copy": copy})
    work_out_guards(tx, copy)
