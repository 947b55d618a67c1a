"""The files of attachments, as rows: which version of an attachment holds what.

A version that changed something else has no row: it holds what the nearest version before it did.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Select, and_, bindparam, delete, func, insert, literal_column, select, update

from watersmeet.confluence.content import Content, ContentType, File
from watersmeet.database.restrictions import work_out_guards
from watersmeet.database.schema import attachment_files, content, content_versions
from watersmeet.database.transaction import Transaction

_file = attachment_files.c
_other = attachment_files.alias("other")
IS_NEWEST = (
    _file.version
    == select(func.max(_other.c.version))
    .where(_other.c.content_id == _file.content_id)
    .correlate(attachment_files)
    .scalar_subquery()
)
"""Whether a row of ``attachment_files`` is what its attachment holds now."""

_FILE = select(_file.content_id, _file.digest, _file.file_size, _file.media_type, _file.hidden, _file.pictorial)
_NEWEST = _FILE.where(_file.content_id.in_(bindparam("ids", expanding=True)), IS_NEWEST)
_IN_VERSION = (
    _FILE.where(_file.content_id == bindparam("content_id"), _file.version <= bindparam("number"))
    .order_by(_file.version.desc())
    .limit(1)
)
# As the partial index of the table says it: with parameters in their place it would not be used.
_IS_CURRENT_ATTACHMENT = and_(
    literal_column("content.status") == literal_column("'current'"),
    literal_column("content.type") == literal_column("'attachment'"),
)
_NAMED = select(content.c.id).where(
    content.c.container_id == bindparam("holder_id"), _IS_CURRENT_ATTACHMENT, content.c.title == bindparam("name")
)
_ONCE_NAMED = (
    select(content.c.id)
    .join(content_versions, content_versions.c.content_id == content.c.id)
    .where(
        content.c.container_id == bindparam("holder_id"),
        _IS_CURRENT_ATTACHMENT,
        content_versions.c.number == bindparam("number"),
        content_versions.c.title == bindparam("name"),
    )
    .order_by(content.c.id.desc())
)


def with_files(tx: Transaction, items: Sequence[Content]) -> list[Content]:
    """The same contents, the attachments among them with what they hold."""
    if not any(item.type == ContentType.ATTACHMENT for item in items):
        return list(items)
    ids = [item.id for item in items if item.type == ContentType.ATTACHMENT and item.latest]
    newest = {row[0]: File(*row[1:]) for row in tx.execute(_NEWEST, {"ids": ids})} if ids else {}
    return [
        replace(item, file=newest.get(item.id) if item.latest else _in_version(tx, item.id, item.version.number))
        if item.type == ContentType.ATTACHMENT
        else item
        for item in items
    ]


def _in_version(tx: Transaction, content_id: int, number: int) -> File | None:
    row = tx.execute(_IN_VERSION, {"content_id": content_id, "number": number}).first()
    return File(*row[1:]) if row else None


def of_media_type(media_type: str) -> Select[tuple[int]]:
    """The numbers of the attachments that hold a file of that type now."""
    return select(_file.content_id).where(_file.media_type == media_type, IS_NEWEST)


def find_named(tx: Transaction, holder_id: int, name: str) -> int | None:
    """The current attachment of that name in a content. Hold the lock of the space to rely on "none"."""
    return tx.execute(_NAMED, {"holder_id": holder_id, "name": name}).scalar()


def find_once_named(tx: Transaction, holder_id: int, name: str, number: int) -> int | None:
    """A current attachment in a content that had that name in that old version."""
    return tx.execute(_ONCE_NAMED, {"holder_id": holder_id, "name": name, "number": number}).scalar()


def keep_file(tx: Transaction, content_id: int, version: int, file: File) -> None:
    """Let a version of an attachment hold a file. Its bytes are kept already."""
    values = {
        "content_id": content_id,
        "version": version,
        "digest": file.digest,
        "file_size": file.size,
        "media_type": file.media_type,
        "hidden": file.hidden,
        "pictorial": file.pictorial,
    }
    tx.execute(insert(attachment_files), values)


def move(tx: Transaction, content_id: int, holder_id: int, space_id: int) -> None:
    """Make an attachment part of another content. Hold the locks of both spaces."""
    tx.execute(update(content).where(content.c.id == content_id).values(container_id=holder_id, space_id=space_id))
    work_out_guards(tx, content_id)


def forget_unneeded(tx: Transaction, content_id: int) -> None:
    """Let go of the files that no version of an attachment holds any more."""
    versions = set(
        tx.execute(
            select(content_versions.c.number)
            .where(content_versions.c.content_id == content_id)
            .union(select(content.c.version).where(content.c.id == content_id))
        ).scalars()
    )
    kept = sorted(tx.execute(select(_file.version).where(_file.content_id == content_id)).scalars(), reverse=True)
    needed = {next((each for each in kept if each <= number), None) for number in versions}
    if unneeded := [each for each in kept if each not in needed]:
        chosen = (_file.content_id == content_id, _file.version.in_(unneeded))
        tx.execute(delete(attachment_files).where(*chosen))


def named_of(tx: Transaction, digests: Collection[str]) -> set[str]:
    """Those of the digests that a row names."""
    return set(tx.execute(select(_file.digest).where(_file.digest.in_(digests)).distinct()).scalars())
