"""Comments: at the foot of a page or a blog post, and replies to them."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.content import MAX_TITLE, TITLED, Content, ContentType
from watersmeet.confluence.errors import BadParent, ContentNotFound
from watersmeet.confluence.expansion import NOTHING, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.storage_format import validate
from watersmeet.content import read
from watersmeet.content.hold import hold
from watersmeet.content.right import require_create
from watersmeet.content.text import check_text
from watersmeet.database import comments
from watersmeet.database import content as contents
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class CommentDraft:
    """What a new comment is to be. With a parent it is a reply."""

    container_id: int
    storage: str
    parent_id: int | None = None
    message: str = ""


def create_comment(
    tx: Transaction, caller: User, draft: CommentDraft, now: Instant, expansion: Expansion = WRITTEN_CONTENT
) -> Content:
    """A new comment. Raises ``BadBody``, ``MalformedStorage``, ``ContentNotFound``, ``BadParent`` or ``Forbidden``."""
    validate(check_text(draft.storage))
    check_text(draft.message)
    holder = hold(tx, caller, draft.container_id, read.CURRENT)
    if holder.type not in TITLED:
        raise BadParent(f"A comment is made on a page or a blog post, and the content {holder.id} is neither.")
    require_create(tx, caller, holder.space, ContentType.COMMENT)
    _check_parent(tx, caller, draft)
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
    comments.place_in_footer(tx, content_id)
    return read.find(tx, caller, content_id, read.CURRENT, expansion)


def _check_parent(tx: Transaction, caller: User, draft: CommentDraft) -> None:
    if draft.parent_id is None:
        return
    parent = read.find(tx, caller, draft.parent_id, read.CURRENT, NOTHING)
    if parent.type != ContentType.COMMENT:
        raise ContentNotFound(draft.parent_id)
    if parent.container_id != draft.container_id:
        raise BadParent("A reply belongs to the content of the comment that it answers.")
