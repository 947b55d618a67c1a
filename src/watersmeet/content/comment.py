"""Comments: at the foot of a page or a blog post or on a part of its text, and replies to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from watersmeet.clock import Instant
from watersmeet.confluence.content import IN_FOOTER, MAX_TITLE, TITLED, Content, ContentType
from watersmeet.confluence.errors import BadParent, ContentNotFound
from watersmeet.confluence.expansion import NOTHING, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.storage_format import validate
from watersmeet.content import read
from watersmeet.content.hold import hold
from watersmeet.content.inline import Selection, mark_selection
from watersmeet.content.right import require_create
from watersmeet.content.text import check_text
from watersmeet.database import comments
from watersmeet.database import content as contents
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy


@dataclass(frozen=True, slots=True)
class CommentDraft:
    """What a new comment is to be: a reply where its parent is, or about what was selected, or in the footer."""

    container_id: int
    storage: str
    parent_id: int | None = None
    message: str = ""
    selection: Selection | None = None


def create_comment(
    tx: Transaction,
    caller: User,
    draft: CommentDraft,
    now: Instant,
    entropy: Entropy,
    expansion: Expansion = WRITTEN_CONTENT,
) -> Content:
    """A new comment.

    Raises ``BadBody``, ``MalformedStorage``, ``ContentNotFound``, ``BadParent``, ``Forbidden`` or ``VersionConflict``.
    """
    validate(check_text(draft.storage))
    check_text(draft.message)
    holder = hold(tx, caller, draft.container_id, read.CURRENT)
    if holder.type not in TITLED:
        raise BadParent(f"A comment is made on a page or a blog post, and the content {holder.id} is neither.")
    require_create(tx, caller, holder.space, ContentType.COMMENT)
    parent = _checked_parent(tx, caller, draft)
    place = IN_FOOTER
    if parent:
        place = replace(parent.place or IN_FOOTER, marker_ref=None)  # the marker is that of the first comment
    elif draft.selection:
        place = mark_selection(tx, caller, holder.id, draft.selection, entropy)
    content_id = contents.add(
        tx,
        content_type=ContentType.COMMENT,
        space_id=holder.space.id,
        parent_id=draft.parent_id,
        container_id=holder.id,
        title=f"Re: {holder.title}"[:MAX_TITLE],
        storage=draft.storage,
        message=draft.message,
        creator=caller,
        now=now,
    )
    comments.put(tx, content_id, place)
    return read.find(tx, caller, content_id, read.CURRENT, expansion)


def _checked_parent(tx: Transaction, caller: User, draft: CommentDraft) -> Content | None:
    """The comment that is answered."""
    if draft.parent_id is None:
        return None
    parent = read.find(tx, caller, draft.parent_id, read.CURRENT, NOTHING)
    if parent.type != ContentType.COMMENT:
        raise ContentNotFound(draft.parent_id)
    if parent.container_id != draft.container_id:
        raise BadParent("A reply belongs to the content of the comment that it answers.")
    return parent
