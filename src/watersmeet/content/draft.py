"""Drafts: pages and blog posts that only their authors see, until they are published.

A draft is a content with a number of its own, and has one version, the first, however often it is saved. What is
published has its draft beside it (``draft_beside``), under the number it has already.
"""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.content import TITLED, Content, ContentStatus
from watersmeet.confluence.errors import ContentNotFound, VersionConflict
from watersmeet.confluence.expansion import NOTHING, WRITTEN_CONTENT, Expansion
from watersmeet.content import draft_beside, read
from watersmeet.content.hold import hold
from watersmeet.content.property import keep_properties
from watersmeet.content.right import require_change
from watersmeet.content.write import Revision, check_revision, checked_parent, checked_title, require_free
from watersmeet.database import content as contents
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

DRAFT = (ContentStatus.DRAFT,)


def find(tx: Transaction, caller: User, content_id: int, statuses: tuple[str, ...], expansion: Expansion) -> Content:
    """A content of one of these statuses, or the draft beside what is published. Raises ``ContentNotFound``."""
    try:
        return read.find(tx, caller, content_id, statuses, expansion)
    except ContentNotFound:
        return draft_beside.find(tx, caller, content_id, expansion)


def write_draft(
    tx: Transaction,
    caller: User,
    content_id: int,
    revision: Revision,
    now: Instant,
    expansion: Expansion = WRITTEN_CONTENT,
) -> Content:
    """Save one's draft, or publish it where the revision has the status ``current``.

    The number of its version is 1, before and after; clients that count on get their 2 accepted. What is published has
    a draft beside it.

    Raises ``ContentNotFound``, ``Forbidden``, ``VersionConflict``, ``BadBody``, ``BadParent`` or ``TitleTaken``.
    """
    if not _is_draft(tx, caller, content_id):
        return draft_beside.write(tx, caller, content_id, revision, now, expansion)
    present = hold(tx, caller, content_id, DRAFT)
    require_change(tx, caller, present)
    if revision.version not in (present.version.number, present.version.number + 1):
        raise VersionConflict(present.version.number)
    check_revision(present, revision, (ContentStatus.CURRENT, ContentStatus.DRAFT))
    status = ContentStatus(revision.status or ContentStatus.DRAFT)
    if not contents.write_draft(tx, present, _change(tx, caller, present, revision, status), status, caller, now):
        raise ContentNotFound(content_id)
    keep_properties(tx, caller, content_id, revision.properties, now)
    return read.find(tx, caller, content_id, (status,), expansion)


def _change(
    tx: Transaction, caller: User, present: Content, revision: Revision, status: ContentStatus
) -> contents.Change:
    publishes = status is ContentStatus.CURRENT
    title = present.title if revision.title is None else revision.title
    title = checked_title(title, present.type, may_be_missing=not publishes)
    if publishes:
        require_free(tx, present.space, present.type, title)
    moved = revision.parent_id is not None and present.type in TITLED
    parent_id = checked_parent(tx, caller, present.type, present.space, revision.parent_id) if moved else None
    return contents.Change(title, revision.message, False, revision.storage, moved=moved, parent_id=parent_id)


def discard(tx: Transaction, caller: User, content_id: int) -> None:
    """Forget one's draft for good, or the one beside what is published. Raises ``ContentNotFound`` or ``Forbidden``."""
    if not _is_draft(tx, caller, content_id):
        draft_beside.discard(tx, caller, content_id)
        return
    hold(tx, caller, content_id, DRAFT)
    if not contents.purge(tx, content_id, ContentStatus.DRAFT):
        raise ContentNotFound(content_id)


def _is_draft(tx: Transaction, caller: User, content_id: int) -> bool:
    """Whether that is a draft of the caller's own. Raises ``ContentNotFound`` where it is nothing that has drafts."""
    return read.find(tx, caller, content_id, (*DRAFT, *read.CURRENT), NOTHING).status == ContentStatus.DRAFT
