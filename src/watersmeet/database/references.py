"""What bodies name, as rows: one statement for each kind of thing, however many are named.

Every function takes the user it reads for and finds nothing they may not see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, func, literal_column, or_, select

from watersmeet.confluence.content import ContentStatus, ContentType
from watersmeet.database.attachments import IS_NEWEST
from watersmeet.database.permissions import SEES_CONTENT, SEES_SPACE, viewer
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import attachment_files, content, spaces, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

MAX_CHILDREN = 500
"""How many pages a list of children shows on each of its levels."""
MAX_FILES = 500
MAX_BODY = 200_000
"""How many characters of storage format a content may have that is shown within another."""

Rows: TypeAlias = Sequence[Any]
"""Tuples, whose columns the functions name."""

# As the partial indices of the table say it: with a parameter in its place they would not be used.
_IS_CURRENT = literal_column("titled.status") == literal_column("'current'")

_TARGET = (content.c.id, content.c.type, content.c.title, spaces.c.key, content.c.created_at)


def _by_title(rows: FromClause) -> Select[Any]:
    return (
        select(rows.c.key_lower, rows.c.type, rows.c.title_key, *_TARGET)
        .select_from(rows)
        .join(spaces, spaces.c.key_lower == rows.c.key_lower)
        .join(content, content.c.id == _titled(rows))
        .where(SEES_CONTENT)
    )


def _titled(rows: FromClause) -> ColumnElement[int]:
    """The number of the content of a row's title; by itself, so that SQLite begins with the rows, not with a list."""
    titled = content.alias("titled")
    return (
        select(titled.c.id)
        .where(
            titled.c.space_id == spaces.c.id,
            titled.c.type == rows.c.type,
            titled.c.title_key == rows.c.title_key,
            _IS_CURRENT,
            literal_column("titled.type").in_([literal_column("'page'"), literal_column("'blogpost'")]),
        )
        .correlate(spaces, rows)
        .scalar_subquery()
    )


def _by_file_name(rows: FromClause) -> Select[Any]:
    return (
        select(content.c.container_id, *_TARGET)
        .select_from(rows)
        .join(content, content.c.id == _named(rows))
        .join(spaces, spaces.c.id == content.c.space_id)
        .where(SEES_CONTENT)
    )


def _named(rows: FromClause) -> ColumnElement[int]:
    """The number of the attachment of a row's name, as ``_titled``."""
    titled = content.alias("titled")
    return (
        select(titled.c.id)
        .where(
            titled.c.container_id == rows.c.container_id,
            titled.c.title == rows.c.title,
            _IS_CURRENT,
            literal_column("titled.type") == literal_column("'attachment'"),
        )
        .correlate(rows)
        .scalar_subquery()
    )


_BY_TITLE = RowsStatement([spaces.c.key_lower, content.c.type, content.c.title_key], _by_title)
_BY_FILE_NAME = RowsStatement([content.c.container_id, content.c.title], _by_file_name)
_LENGTHS = select(content.c.id, func.length(content.c.storage)).where(
    content.c.id.in_(bindparam("ids", expanding=True)),
    content.c.storage.is_not(None),
)
_BODIES = select(content.c.id, content.c.storage).where(
    content.c.id.in_(bindparam("ids", expanding=True)),
    content.c.representation == "storage",
    func.length(content.c.storage) <= MAX_BODY,
)
_BY_IDS = (
    select(*_TARGET)
    .join(spaces, spaces.c.id == content.c.space_id)
    .where(
        content.c.id.in_(bindparam("ids", expanding=True)),
        content.c.status == ContentStatus.CURRENT.value,
        content.c.type.in_((ContentType.PAGE.value, ContentType.BLOGPOST.value)),
        SEES_CONTENT,
    )
)
_SPACES = select(spaces.c.id, spaces.c.key, spaces.c.name).where(
    spaces.c.key_lower.in_(bindparam("keys", expanding=True)), SEES_SPACE
)
_PEOPLE = select(users.c.username, users.c.user_key, users.c.display_name).where(
    or_(
        users.c.user_key.in_(bindparam("keys", expanding=True)),
        users.c.username.in_(bindparam("names", expanding=True)),
    )
)
_CHILDREN = (
    select(content.c.parent_id, *_TARGET)
    .join(spaces, spaces.c.id == content.c.space_id)
    .where(
        content.c.parent_id.in_(bindparam("ids", expanding=True)),
        content.c.status == ContentStatus.CURRENT.value,
        content.c.type == ContentType.PAGE.value,
        SEES_CONTENT,
    )
    .order_by(content.c.position.is_(None), content.c.position, content.c.id)
    .limit(MAX_CHILDREN)
)
_FILES = (
    select(
        content.c.container_id,
        *_TARGET,
        attachment_files.c.file_size,
        users.c.username,
        users.c.user_key,
        users.c.display_name,
        content.c.updated_at,
        content.c.version_message,
    )
    .join(spaces, spaces.c.id == content.c.space_id)
    .join(users, users.c.id == content.c.updated_by)
    .outerjoin(attachment_files, and_(attachment_files.c.content_id == content.c.id, IS_NEWEST))
    .where(
        content.c.container_id.in_(bindparam("ids", expanding=True)),
        content.c.status == ContentStatus.CURRENT.value,
        content.c.type == ContentType.ATTACHMENT.value,
        attachment_files.c.hidden.is_not(True),
        SEES_CONTENT,
    )
    .order_by(content.c.title)
    .limit(MAX_FILES)
)


def find_titled(tx: Transaction, names: Iterable[tuple[str, str, str]], user: User) -> Rows:
    """Current pages and blog posts by the key of their space in lower case, their type and their title key.

    Rows: those three, then id, type, title, space key, creation.
    """
    return _BY_TITLE.execute(tx, list(names), viewer(user))


def find_files(tx: Transaction, names: Iterable[tuple[int, str]], user: User) -> Rows:
    """Attachments by what they are part of and their names. Rows: that number, then as ``find_titled``."""
    return _BY_FILE_NAME.execute(tx, list(names), viewer(user))


def find_contents(tx: Transaction, ids: Collection[int], user: User) -> Rows:
    """Current pages and blog posts by their numbers. Rows: id, type, title, space key, creation."""
    return tx.execute(_BY_IDS, {"ids": list(ids), **viewer(user)}).all() if ids else ()


def bodies_of(tx: Transaction, ids: Collection[int]) -> dict[int, str]:
    """The storage format of contents whose reader was found to see them, of at most ``MAX_BODY`` characters."""
    return {row[0]: row[1] for row in tx.execute(_BODIES, {"ids": list(ids)})} if ids else {}


def lengths_of(tx: Transaction, ids: Collection[int]) -> dict[int, int]:
    """How many characters of storage format contents have whose reader was found to see them."""
    return {row[0]: row[1] for row in tx.execute(_LENGTHS, {"ids": list(ids)})} if ids else {}


def find_spaces(tx: Transaction, keys: Collection[str], user: User) -> Rows:
    """Spaces by their keys in lower case. Rows: id, key, name."""
    return tx.execute(_SPACES, {"keys": list(keys), **viewer(user)}).all() if keys else ()


def find_people(tx: Transaction, keys: Collection[str], names: Collection[str]) -> Rows:
    """Users by their keys and by their names in lower case. Rows: user name, key, display name."""
    return tx.execute(_PEOPLE, {"keys": list(keys), "names": list(names)}).all() if keys or names else ()


def find_children(tx: Transaction, ids: Collection[int], user: User) -> Rows:
    """The pages directly below some, in their order. Rows: the parent's number, then as ``find_contents``."""
    return tx.execute(_CHILDREN, {"ids": list(ids), **viewer(user)}).all() if ids else ()


def list_files(tx: Transaction, ids: Collection[int], user: User) -> Rows:
    """The attachments of some contents that are not hidden, by name.

    Rows: the content's number, then as ``find_contents``, then size in bytes, who changed it (three columns), when, and
    the comment on that version.
    """
    return tx.execute(_FILES, {"ids": list(ids), **viewer(user)}).all() if ids else ()
