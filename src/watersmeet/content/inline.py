"""Inline comments: marking the part of a text they are about, and what becomes of them when the text changes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from watersmeet.clock import Instant
from watersmeet.confluence.content import UNRESOLVED, CommentLocation, CommentPlace, Content, ContentType, Resolution
from watersmeet.confluence.errors import BadBody, ContentNotFound, VersionConflict
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.storage_format import mark, marked_refs, validate
from watersmeet.content import read
from watersmeet.content.right import require_create
from watersmeet.database import comments
from watersmeet.database import content as contents
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy

MAX_SELECTION = 10_000
_BODY = Expansion.parse(["body"])
_SHOWN = Expansion.parse(["body.view"])


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a text a comment is about: which occurrence, from 0, of which words."""

    text: str
    index: int


def mark_selection(tx: Transaction, caller: User, page_id: int, selection: Selection, entropy: Entropy) -> CommentPlace:
    """Put a marker around what was selected in a page; its version stays the same, as in the original (S3.8).

    Hold the space's lock. Raises ``BadBody`` where the page does not say that, or ``VersionConflict``.
    """
    page = read.find(tx, caller, page_id, read.CURRENT, _BODY)
    ref = str(UUID(entropy.hex(16), version=4))
    marked = mark(page.storage or "", selection.text, selection.index, ref)
    if marked is None:
        raise BadBody("The page does not say what extensions.inlineProperties.originalSelection says, or not so often.")
    validate(marked)  # one element more may be too many
    if not contents.replace_storage(tx, page, marked):
        raise VersionConflict(page.version.number)
    return CommentPlace(CommentLocation.INLINE, ref, selection.text, Resolution.OPEN)


def follow(tx: Transaction, caller: User, page_id: int, storage: str, now: Instant) -> None:
    """Let the comments on parts of a page know its new body: without its marker, a comment dangles."""
    marked = comments.marked_in(tx, page_id)
    refs = marked_refs(storage) if marked else frozenset()
    for each in marked:
        if each.ref not in refs and each.resolution in UNRESOLVED:
            comments.resolve(tx, each.content_id, Resolution.DANGLING, caller, now)
        elif each.ref in refs and each.resolution == Resolution.DANGLING:
            comments.resolve(tx, each.content_id, Resolution.REOPENED, caller, now)


def follow_page(tx: Transaction, caller: User, page_id: int, now: Instant) -> None:
    """``follow`` the body that a page has now."""
    page = read.find(tx, caller, page_id, read.CURRENT, _BODY)
    follow(tx, caller, page_id, page.storage or "", now)


def resolve(tx: Transaction, caller: User, comment_id: int, into: Resolution, now: Instant) -> Content:
    """Resolve or reopen an inline comment with its replies: whoever may comment there may.

    Raises ``ContentNotFound``, ``Forbidden``, or ``BadBody`` for a comment on a page as a whole.
    """
    comment = _inline(tx, caller, comment_id)
    require_create(tx, caller, comment.space, ContentType.COMMENT)
    root = comment
    while root.parent_id is not None:
        root = read.find(tx, caller, root.parent_id, read.CURRENT, NOTHING)
    comments.resolve(tx, root.id, into, caller, now)
    return read.find(tx, caller, comment_id, read.CURRENT, _SHOWN)


def settle(tx: Transaction, caller: User, comment_id: int, into: Resolution, now: Instant) -> None:
    """``resolve`` with an update, which sends back what was read: only where it says something new."""
    found = read.find(tx, caller, comment_id, read.CURRENT, NOTHING)
    if found.place and found.place.resolution not in (None, into):
        resolve(tx, caller, comment_id, into, now)


def _inline(tx: Transaction, caller: User, comment_id: int) -> Content:
    comment = read.find(tx, caller, comment_id, read.CURRENT, NOTHING)
    if comment.type != ContentType.COMMENT:
        raise ContentNotFound(comment_id)
    if not comment.place or comment.place.location != CommentLocation.INLINE:
        raise BadBody("Only comments on a part of the text can be resolved; this one is about its page as a whole.")
    return comment


def list_inline(tx: Transaction, caller: User, page_id: int, window: Window) -> Slice[Content]:
    """The inline comments of a page without the replies, resolved or not. Raises ``ContentNotFound``."""
    read.find(tx, caller, page_id, read.CURRENT, NOTHING)
    wanted = ContentFilter(
        types=[ContentType.COMMENT],
        statuses=read.CURRENT,
        container_id=page_id,
        is_reply=False,
        locations=["inline", "resolved"],
    )
    return read.load(tx, caller, wanted, window, _SHOWN)
