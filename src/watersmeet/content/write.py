"""Writing content: creating, updating, trashing, restoring and purging it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.confluence.content import (
    MAX_TITLE,
    TITLED,
    Content,
    ContentStatus,
    ContentType,
    Space,
    is_custom,
    title_key,
)
from watersmeet.confluence.errors import (
    BadBody,
    BadParent,
    ContentNotFound,
    SpaceNotFound,
    TitleTaken,
    VersionConflict,
)
from watersmeet.confluence.expansion import WRITTEN_CONTENT, Expansion
from watersmeet.confluence.storage_format import validate
from watersmeet.content import inline, read
from watersmeet.content.file_name import checked_name, require_free_name
from watersmeet.content.hold import hold
from watersmeet.content.property import SentAlong, keep_properties
from watersmeet.content.right import require_change, require_create, require_removal
from watersmeet.content.text import check_text
from watersmeet.database import content as contents
from watersmeet.database import spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

# Clients write the number 1 where they mean "no parent".
NO_PARENT = 1


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new content is to be."""

    type: str
    space_key: str
    title: str
    storage: str = ""
    parent_id: int | None = None
    message: str = ""
    properties: Mapping[str, SentAlong] = field(default_factory=dict)
    status: str = ContentStatus.CURRENT
    """``current``, or ``draft`` for what only its author sees until it is published."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What the next version of a content is to be; ``None`` leaves a thing as it is."""

    version: int
    type: str | None = None
    space_key: str | None = None
    title: str | None = None
    storage: str | None = None
    representation: str | None = None
    parent_id: int | None = None
    status: str | None = None
    message: str = ""
    minor_edit: bool = False
    properties: Mapping[str, SentAlong] = field(default_factory=dict)


def create(
    tx: Transaction, caller: User, draft: Draft, now: Instant, expansion: Expansion = WRITTEN_CONTENT
) -> Content:
    """A new page or blog post. The title of a draft may be missing or taken.

    Raises ``BadBody``, ``SpaceNotFound``, ``Forbidden``, ``ContentNotFound`` (no such parent), ``BadParent``
    or ``TitleTaken``.
    """
    content_type = _creatable(draft.type)
    unfinished = draft.status == ContentStatus.DRAFT
    title = checked_title(draft.title, content_type, may_be_missing=unfinished)
    validate(check_text(draft.storage))
    check_text(draft.space_key)
    check_text(draft.message)
    space = spaces.find_visible(tx, draft.space_key, caller)
    if not space:
        raise SpaceNotFound(draft.space_key)
    require_create(tx, caller, space, content_type)
    spaces.lock(tx, space.id)
    parent_id = checked_parent(tx, caller, content_type, space, draft.parent_id)
    if not unfinished:
        require_free(tx, space, content_type, title)
    content_id = contents.add(
        tx,
        content_type=content_type,
        space_id=space.id,
        parent_id=parent_id,
        title=title,
        storage=draft.storage,
        message=draft.message,
        creator=caller,
        now=now,
        status=draft.status,
    )
    keep_properties(tx, caller, content_id, draft.properties, now)
    return read.find(tx, caller, content_id, (draft.status,), expansion)


def update(
    tx: Transaction,
    caller: User,
    content_id: int,
    revision: Revision,
    now: Instant,
    expansion: Expansion = WRITTEN_CONTENT,
) -> Content:
    """The next version of a content; that of a trashed one restores it.

    Raises ``ContentNotFound``, ``Forbidden``, ``VersionConflict``, ``BadBody``, ``BadParent`` or
    ``TitleTaken``.
    """
    present = read.find(tx, caller, content_id, read.ANY, Expansion())
    if _concerns_the_tree(present, revision):
        present = hold(tx, caller, content_id, read.ANY)
    trashed = present.status == ContentStatus.TRASHED
    if trashed and revision.status != ContentStatus.CURRENT:
        raise ContentNotFound(content_id)
    require_change(tx, caller, present)
    if revision.version != present.version.number + 1:
        raise VersionConflict(present.version.number)
    check_revision(present, revision)
    into = _restored(tx, present, revision) if trashed else _changed(tx, caller, present, revision)
    if not contents.change(tx, present, into, caller, now):
        raise _lost(tx, present)
    if revision.storage is not None and present.type in TITLED:
        inline.follow(tx, caller, content_id, revision.storage, now)
    if trashed and present.place and present.place.marker_ref:  # its page may have changed in the meantime
        inline.follow_page(tx, caller, present.container_id or 0, now)
    keep_properties(tx, caller, content_id, revision.properties, now)
    return read.find(tx, caller, content_id, read.CURRENT, expansion)


def trash(tx: Transaction, caller: User, content_id: int) -> None:
    """Move a current content to the trash. Raises ``ContentNotFound`` or ``Forbidden``.

    As in the original, what was below it stays and moves up to its parent; restoring it does not bring its
    children back. So no content ever has a trashed parent. A space whose homepage is trashed has none.
    """
    found = _find_for_removal(tx, caller, content_id, ContentStatus.CURRENT)
    if not contents.trash(tx, content_id):
        raise ContentNotFound(content_id)
    contents.lift_children(tx, content_id, found.parent_id)
    if found.space.homepage_id == content_id:
        spaces.forget_homepage(tx, content_id)


def purge(tx: Transaction, caller: User, content_id: int) -> None:
    """Delete a trashed content for good. Raises ``ContentNotFound`` or ``Forbidden``."""
    _find_for_removal(tx, caller, content_id, ContentStatus.TRASHED)
    if not contents.purge(tx, content_id):
        raise ContentNotFound(content_id)


# ---- steps ------------------------------------------------------------------------------------------------


def _find_for_removal(tx: Transaction, caller: User, content_id: int, status: ContentStatus) -> Content:
    found = hold(tx, caller, content_id, (status,))
    require_removal(tx, caller, found)
    return found


def _concerns_the_tree(present: Content, revision: Revision) -> bool:
    """Whether a title or a place is decided upon, which needs the lock of the space."""
    trashed = present.status == ContentStatus.TRASHED
    named = _gets_a_file_name(present, revision) or _is_renamed(present, revision)
    return trashed or named or _is_moved(present, revision)


def _is_renamed(present: Content, revision: Revision) -> bool:
    """Whether it gets a title that must be free; another spelling in letter case is free already."""
    if revision.title is None or present.type not in TITLED:
        return False
    return title_key(revision.title.strip()) != title_key(present.title)


def _gets_a_file_name(present: Content, revision: Revision) -> bool:
    """Whether an attachment gets a name that must be free in its page alone; letter case counts."""
    return present.type == ContentType.ATTACHMENT and revision.title not in (None, present.title)


def _is_moved(present: Content, revision: Revision) -> bool:
    return present.type in TITLED and revision.parent_id not in (None, present.parent_id)


def _changed(tx: Transaction, caller: User, present: Content, revision: Revision) -> contents.Change:
    title = present.title if revision.title is None else checked_title(revision.title, present.type)
    if _is_renamed(present, revision):
        require_free(tx, present.space, present.type, title)
    if present.type == ContentType.ATTACHMENT:
        if title != present.title:
            title = checked_name(title)
            require_free_name(tx, present.container_id, title)
        # The message of its version is the comment on it: what does not speak of that leaves it.
        message = revision.message or present.version.message
        return contents.Change(title, message, revision.minor_edit)
    moved, parent_id = _is_moved(present, revision), None
    if moved:
        parent_id = checked_parent(tx, caller, present.type, present.space, revision.parent_id)
        if parent_id is not None and contents.is_within(tx, parent_id, present.id):
            raise BadParent("A page cannot be moved under itself or one of its own descendants.")
    return contents.Change(
        title, revision.message, revision.minor_edit, revision.storage, moved=moved, parent_id=parent_id
    )


def _restored(tx: Transaction, present: Content, revision: Revision) -> contents.Change:
    # The original's documentation: restoring changes the status and nothing else.
    if present.type in TITLED:
        require_free(tx, present.space, present.type, present.title)
    if present.type == ContentType.ATTACHMENT:
        require_free_name(tx, present.container_id, present.title)
    return contents.Change(present.title, revision.message, revision.minor_edit)


def _lost(tx: Transaction, present: Content) -> ContentNotFound | VersionConflict:
    """Why a compare-and-set found nothing to change."""
    state = contents.present_state(tx, present.id)
    if state is None or state[1] != present.status:
        return ContentNotFound(present.id)
    return VersionConflict(state[0])


def checked_parent(tx: Transaction, caller: User, content_type: str, space: Space, parent_id: int | None) -> int | None:
    """The parent that was asked for, once it is known to be a current page of the same space."""
    if parent_id is None:
        return None
    if content_type != ContentType.PAGE:
        raise BadParent("A blog post has no parent: leave out 'ancestors'.")
    parent = contents.find_visible(tx, parent_id, caller, read.CURRENT)
    if not parent and parent_id == NO_PARENT:
        return None
    if not parent:
        raise ContentNotFound(parent_id)
    if parent.type != ContentType.PAGE or parent.space.id != space.id:
        raise BadParent(f"The parent of a page must be a page in the same space, {space.key}.")
    return parent.id


def require_free(tx: Transaction, space: Space, content_type: str, title: str) -> None:
    """Raises ``TitleTaken``. Hold the space's lock."""
    if contents.title_holder(tx, space.id, content_type, title) is not None:
        raise TitleTaken(content_type, title, space.key)


# ---- checks of what was sent ------------------------------------------------------------------------------


def _creatable(content_type: str) -> ContentType:
    found = next((known for known in TITLED if known == content_type), None)
    if found is None:
        raise BadBody(
            f"Content of type {content_type!r} cannot be created here; the types are 'page', 'blogpost', 'comment' "
            "and those of plug-ins, 'plugin:module'."
        )
    return found


def checked_title(title: str, content_type: str, *, may_be_missing: bool = False) -> str:
    """The title as it is kept. Raises ``BadBody``."""
    title = title.strip()
    if not title and not (may_be_missing or is_custom(content_type)):
        raise BadBody("A content needs a title.")
    if max(len(title), len(title_key(title))) > MAX_TITLE:
        raise BadBody(f"A title may have at most {MAX_TITLE} characters.")
    return check_text(title)


def check_revision(present: Content, revision: Revision, statuses: Sequence[str] = (ContentStatus.CURRENT,)) -> None:
    """Hold what was sent against what is there. Raises ``BadBody`` or ``MalformedStorage``."""
    if revision.type not in (None, present.type):
        raise BadBody(f"The type of a content cannot change: this is a {present.type}.")
    if revision.space_key is not None and revision.space_key.lower() != present.space.key.lower():
        raise BadBody(f"A content cannot change its space: this one belongs to {present.space.key}.")
    if revision.status not in (None, *statuses):
        raise BadBody(f"After a change, the status of this content is {' or '.join(statuses)}.")
    if revision.representation not in (None, present.representation):
        raise BadBody(f"The body of this content is written as body.{present.representation}.")
    check_text((revision.storage or "") + revision.message)
    if present.representation == "storage":
        validate(revision.storage or "")
