"""Drafts beside published pages and blog posts: what is being written of their next version.

There is one for each, under the number of the page, and it belongs to all who may change that; nobody else learns of it
(docs/decisions/0083). It knows the version that it was made from: publishing it is the next version of just that one.
"""

from __future__ import annotations

from dataclasses import replace

from watersmeet.clock import Instant
from watersmeet.confluence.content import TITLED, Content, ContentStatus, ContentVersion
from watersmeet.confluence.errors import BadBody, BadParent, ContentNotFound, VersionConflict
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.content import read
from watersmeet.content.hold import hold
from watersmeet.content.property import keep_properties
from watersmeet.content.right import may_change, require_change
from watersmeet.content.write import NO_PARENT, Revision, check_revision, checked_title, update
from watersmeet.database import drafts
from watersmeet.database.drafts import Beside
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_STATUSES = (ContentStatus.CURRENT, ContentStatus.DRAFT)
_BODY = Expansion.parse(["body"])
_UNCOUNTED = 1  # the version of every draft, for clients that do not know what it was made from


def find(tx: Transaction, caller: User, content_id: int, expansion: Expansion) -> Content:
    """The draft beside a content: its version is the one it was made from. Raises ``ContentNotFound``."""
    present = read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    found = drafts.find(tx, content_id)
    if not found or not may_change(tx, caller, present):
        raise ContentNotFound(content_id)
    draft, by, when = found
    version = ContentVersion(draft.base_version, draft.message, False, by, when)
    shown = replace(present, status=ContentStatus.DRAFT, title=draft.title, storage=draft.storage, version=version)
    return read.complete(tx, caller, [shown], expansion)[0]


def write(
    tx: Transaction, caller: User, content_id: int, revision: Revision, now: Instant, expansion: Expansion
) -> Content:
    """Save the draft beside a content, or publish it where the revision has the status ``current``.

    Raises ``ContentNotFound``, ``Forbidden``, ``VersionConflict``, ``BadBody``, ``BadParent``, ``MalformedStorage`` or
    ``TitleTaken``.
    """
    hold(tx, caller, content_id, read.CURRENT)
    present = read.find(tx, caller, content_id, read.CURRENT, _BODY)
    require_change(tx, caller, present)
    if present.type not in TITLED:
        raise BadBody("Only pages and blog posts have drafts.")
    check_revision(present, revision, _STATUSES)
    found = drafts.find(tx, content_id)
    before = found[0] if found else None
    if revision.status == ContentStatus.CURRENT:
        return _publish(tx, caller, present, before, revision, now, expansion)
    drafts.save(tx, content_id, _saved(present, before, revision), caller, now)
    # A property has no drafts: clients that keep one of a draft say so in its key.
    keep_properties(tx, caller, content_id, revision.properties, now)
    return find(tx, caller, content_id, expansion)


def discard(tx: Transaction, caller: User, content_id: int) -> None:
    """Forget the draft beside a content, which stays as it is. Raises ``ContentNotFound`` or ``Forbidden``."""
    present = hold(tx, caller, content_id, read.CURRENT)
    require_change(tx, caller, present)
    if not drafts.forget(tx, content_id):
        raise ContentNotFound(content_id)


def _saved(present: Content, before: Beside | None, revision: Revision) -> Beside:
    """What the draft is from now on."""
    number = present.version.number
    if revision.parent_id not in (None, NO_PARENT, present.parent_id):
        raise BadParent("A draft stays where its page is; name another parent when you publish it.")
    before = before or Beside(number, present.title, present.storage or "", "")
    if revision.version not in (_UNCOUNTED, before.base_version + 1, number + 1):
        raise VersionConflict(number)
    # Who counts on from the present version has seen it.
    base = number if revision.version == number + 1 else before.base_version
    title = before.title if revision.title is None else revision.title
    return Beside(
        base,
        checked_title(title, present.type, may_be_missing=True),
        before.storage if revision.storage is None else revision.storage,
        revision.message or before.message,
    )


def _publish(
    tx: Transaction,
    caller: User,
    present: Content,
    draft: Beside | None,
    revision: Revision,
    now: Instant,
    expansion: Expansion,
) -> Content:
    if draft is None:
        raise ContentNotFound(present.id)
    version = draft.base_version + 1 if revision.version == _UNCOUNTED else revision.version
    drafts.forget(tx, present.id)
    published = replace(
        revision,
        version=version,
        title=draft.title if revision.title is None else revision.title,
        storage=draft.storage if revision.storage is None else revision.storage,
        message=revision.message or draft.message,
    )
    return update(tx, caller, present.id, published, now, expansion)
