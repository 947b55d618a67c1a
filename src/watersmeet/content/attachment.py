"""Attachments: files that are part of a content. Each is a content itself, and its comment is its version's message.

Their bytes are kept before the transaction that names them begins (docs/decisions/0066).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from watersmeet.clock import Instant
from watersmeet.confluence.content import Content, ContentType, File
from watersmeet.confluence.errors import BadBody, BadParent, ContentNotFound, FileNameTaken, NotFound, VersionConflict
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read, write
from watersmeet.content.file_name import checked_name, require_free_name
from watersmeet.content.hold import hold, hold_all
from watersmeet.content.right import require_change, require_create, require_unrestricted
from watersmeet.content.text import check_text
from watersmeet.database import attachments
from watersmeet.database import content as contents
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class Upload:
    """A file whose bytes are kept, under the name it came with, and what was said of it."""

    name: str
    file: File
    comment: str = ""
    minor_edit: bool = False


@dataclass(frozen=True, slots=True)
class Properties:
    """What an attachment is to be from its next version on, but for its bytes; ``None`` leaves a thing as it is."""

    version: int | None
    """The number of that version; ``None``: whatever comes next."""
    name: str | None = None
    media_type: str | None = None
    comment: str | None = None
    holder_id: int | None = None
    minor_edit: bool = False


# ---- reading ----------------------------------------------------------------------------------------------


def find(tx: Transaction, caller: User, holder_id: int | None, attachment_id: int) -> Content:
    """A current attachment of that very content, or of any. Raises ``ContentNotFound``."""
    found = read.find(tx, caller, attachment_id, read.CURRENT, NOTHING)
    _check_is_in(found, holder_id)
    return found


def list_attachments(
    tx: Transaction, caller: User, holder_id: int, wanted: ContentFilter, window: Window, expansion: Expansion
) -> Slice[Content]:
    """Those of a content, oldest first. Raises ``ContentNotFound``."""
    read.find(tx, caller, holder_id, read.CURRENT, NOTHING)
    wanted = replace(wanted, types=[ContentType.ATTACHMENT], statuses=read.CURRENT, container_id=holder_id)
    return read.load(tx, caller, wanted, window, expansion)


def find_named(tx: Transaction, caller: User, holder_id: int, name: str, number: int | None) -> Content:
    """The attachment of that name in a content, in that version or as it is. Raises ``NotFound``."""
    found = attachments.find_named(tx, holder_id, name)
    if found is None and number is not None:
        found = attachments.find_once_named(tx, holder_id, name, number)
    try:
        if found is not None and number is not None:
            return read.find_version(tx, caller, found, number, NOTHING)
        if found is not None:
            return read.find(tx, caller, found, read.CURRENT, NOTHING)
    except ContentNotFound:
        pass
    raise NotFound("There is no such file.")


# ---- checks before a body is read --------------------------------------------------------------------------


def check_may_attach(tx: Transaction, caller: User, holder_id: int) -> None:
    """Raises ``ContentNotFound``, ``BadParent`` or ``Forbidden``."""
    _check_holder(tx, caller, read.find(tx, caller, holder_id, read.CURRENT, NOTHING))


def check_may_change(tx: Transaction, caller: User, holder_id: int | None, attachment_id: int) -> None:
    """Raises ``ContentNotFound`` or ``Forbidden``."""
    require_change(tx, caller, find(tx, caller, holder_id, attachment_id))


def check_names(tx: Transaction, holder_id: int, names: Sequence[str], *, free: bool) -> None:
    """Raises ``BadBody`` for names no attachment can have, and ``FileNameTaken`` where they must be ``free``."""
    if not names:
        raise BadBody("The form must bring a file: a part named 'file'.")
    checked = [checked_name(name) for name in names]
    for position, name in enumerate(checked if free else ()):
        if name in checked[:position]:
            raise FileNameTaken(name)
        require_free_name(tx, holder_id, name)


# ---- writing ----------------------------------------------------------------------------------------------


def attach(
    tx: Transaction,
    caller: User,
    holder_id: int,
    uploads: Sequence[Upload],
    now: Instant,
    expansion: Expansion,
    *,
    replaces: bool = False,
) -> list[Content]:
    """New attachments of a content: all of them or none.

    With ``replaces``, one whose name is taken becomes the next version of the attachment that has it.
    Raises ``ContentNotFound``, ``BadParent``, ``Forbidden``, ``BadBody`` or ``FileNameTaken``.
    """
    holder = hold(tx, caller, holder_id, read.CURRENT)
    _check_holder(tx, caller, holder)
    ids = [_attach(tx, caller, holder, upload, now, replaces=replaces) for upload in uploads]
    return [read.find(tx, caller, each, read.CURRENT, expansion) for each in ids]


def replace_file(
    tx: Transaction,
    caller: User,
    holder_id: int | None,
    attachment_id: int,
    upload: Upload,
    now: Instant,
    expansion: Expansion,
) -> Content:
    """The next version of an attachment, with other bytes and its name. Raises ``ContentNotFound`` or ``Forbidden``."""
    present = _hold(tx, caller, holder_id, attachment_id)
    require_change(tx, caller, present)
    _add_version(tx, caller, present, upload, now)
    return read.find(tx, caller, attachment_id, read.CURRENT, expansion)


def change(
    tx: Transaction,
    caller: User,
    holder_id: int,
    attachment_id: int,
    wanted: Properties,
    now: Instant,
    expansion: Expansion,
) -> Content:
    """The next version of an attachment with the same bytes, under another name, in another content, of another type.

    Raises ``ContentNotFound``, ``Forbidden``, ``VersionConflict``, ``BadBody``, ``BadParent`` or ``FileNameTaken``.
    """
    target_id = holder_id if wanted.holder_id is None else wanted.holder_id
    present, target = hold_all(tx, caller, (attachment_id, target_id), read.CURRENT)
    _check_is_in(present, holder_id)
    require_change(tx, caller, present)
    if wanted.version not in (None, present.version.number + 1):
        raise VersionConflict(present.version.number)
    if target_id != holder_id:
        _check_holder(tx, caller, target)
    name = present.title if wanted.name is None else checked_name(wanted.name)
    if (name, target_id) != (present.title, holder_id):
        require_free_name(tx, target_id, name)
    comment = present.version.message if wanted.comment is None else check_text(wanted.comment)
    _make_version(tx, caller, present, contents.Change(name, comment, wanted.minor_edit), now)
    if target_id != holder_id:
        attachments.move(tx, attachment_id, target_id, target.space.id)
    if wanted.media_type is not None and present.file and wanted.media_type != present.file.media_type:
        file = replace(present.file, media_type=wanted.media_type)
        attachments.keep_file(tx, attachment_id, present.version.number + 1, file)
    return read.find(tx, caller, attachment_id, read.CURRENT, expansion)


def remove(tx: Transaction, caller: User, holder_id: int, attachment_id: int) -> None:
    """Move an attachment to the trash. Raises ``ContentNotFound`` or ``Forbidden``."""
    find(tx, caller, holder_id, attachment_id)
    write.trash(tx, caller, attachment_id)


# ---- steps ------------------------------------------------------------------------------------------------


def _check_holder(tx: Transaction, caller: User, holder: Content) -> None:
    if holder.type in (ContentType.ATTACHMENT, ContentType.COMMENT):
        raise BadParent(f"Files cannot be attached to the content {holder.id}, which is a {holder.type}.")
    require_create(tx, caller, holder.space, ContentType.ATTACHMENT)
    require_unrestricted(tx, caller, holder)


def _check_is_in(found: Content, holder_id: int | None) -> None:
    if found.type != ContentType.ATTACHMENT or holder_id not in (None, found.container_id):
        raise ContentNotFound(found.id)


def _hold(tx: Transaction, caller: User, holder_id: int | None, attachment_id: int) -> Content:
    found = hold(tx, caller, attachment_id, read.CURRENT)
    _check_is_in(found, holder_id)
    return found


def _attach(tx: Transaction, caller: User, holder: Content, upload: Upload, now: Instant, *, replaces: bool) -> int:
    name = checked_name(upload.name)
    existing = attachments.find_named(tx, holder.id, name) if replaces else None
    if existing is not None:
        present = read.find(tx, caller, existing, read.CURRENT, NOTHING)
        require_change(tx, caller, present)
        _add_version(tx, caller, present, upload, now)
        return existing
    require_free_name(tx, holder.id, name)
    content_id = contents.add(
        tx,
        content_type=ContentType.ATTACHMENT,
        space_id=holder.space.id,
        parent_id=None,
        container_id=holder.id,
        title=name,
        storage="",
        message=check_text(upload.comment),
        minor_edit=upload.minor_edit,
        creator=caller,
        now=now,
    )
    attachments.keep_file(tx, content_id, 1, upload.file)
    return content_id


def _add_version(tx: Transaction, caller: User, present: Content, upload: Upload, now: Instant) -> None:
    comment = check_text(upload.comment)
    _make_version(tx, caller, present, contents.Change(present.title, comment, upload.minor_edit), now)
    attachments.keep_file(tx, present.id, present.version.number + 1, upload.file)


def _make_version(tx: Transaction, caller: User, present: Content, into: contents.Change, now: Instant) -> None:
    if not contents.change(tx, present, into, caller, now):
        raise VersionConflict(present.version.number)
