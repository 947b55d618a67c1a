"""Custom content: what plug-ins keep as part of a page, a blog post, another custom content, or a space.

Its type is ``plugin:module``. It is a page to the permissions of its space, follows the restrictions and the trash of
what it is part of, and needs no title of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.confluence.content import MAX_TITLE, TITLED, Content, Space, is_custom
from watersmeet.confluence.errors import BadBody, BadParent, SpaceNotFound
from watersmeet.confluence.expansion import WRITTEN_CONTENT, Expansion
from watersmeet.confluence.storage_format import validate
from watersmeet.content import read
from watersmeet.content.hold import hold
from watersmeet.content.property import SentAlong, keep_properties
from watersmeet.content.right import require_create, require_unrestricted
from watersmeet.content.text import check_text
from watersmeet.database import content as contents
from watersmeet.database import spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class CustomDraft:
    """What a new custom content is to be; without a container, it is in the space itself."""

    type: str
    title: str = ""
    container_id: int | None = None
    space_key: str | None = None
    storage: str = ""
    representation: str = "storage"
    message: str = ""
    properties: Mapping[str, SentAlong] = field(default_factory=dict)


def create_custom(
    tx: Transaction, caller: User, draft: CustomDraft, now: Instant, expansion: Expansion = WRITTEN_CONTENT
) -> Content:
    """A new custom content.

    Raises ``BadBody``, ``MalformedStorage``, ``SpaceNotFound``, ``ContentNotFound``, ``BadParent`` or ``Forbidden``.
    """
    _check(draft)
    space = _place(tx, caller, draft)
    require_create(tx, caller, space, draft.type)
    spaces.lock(tx, space.id)
    content_id = contents.add(
        tx,
        content_type=draft.type,
        space_id=space.id,
        parent_id=None,
        container_id=draft.container_id,
        title=draft.title.strip(),
        storage=draft.storage,
        representation=draft.representation,
        message=draft.message,
        creator=caller,
        now=now,
    )
    keep_properties(tx, caller, content_id, draft.properties, now)
    return read.find(tx, caller, content_id, read.CURRENT, expansion)


def _place(tx: Transaction, caller: User, draft: CustomDraft) -> Space:
    """The space where it will be, its container held there, which the caller may change."""
    if draft.container_id is None:
        space = spaces.find_visible(tx, draft.space_key or "", caller)
        if not space:
            raise SpaceNotFound(draft.space_key or "")
        return space
    holder = hold(tx, caller, draft.container_id, read.CURRENT)
    if holder.type not in TITLED and not is_custom(holder.type):
        raise BadParent(f"Custom content is part of a page, a blog post or a custom content; {holder.id} is none.")
    require_unrestricted(tx, caller, holder)
    if draft.space_key and draft.space_key.lower() != holder.space.key.lower():
        raise BadParent(f"Custom content is in the space of its container, {holder.space.key}.")
    return holder.space


def _check(draft: CustomDraft) -> None:
    if max(len(draft.title), len(draft.title.casefold())) > MAX_TITLE:
        raise BadBody(f"A title may have at most {MAX_TITLE} characters.")
    check_text(draft.title + draft.message + draft.storage + (draft.space_key or ""))
    if draft.representation == "storage":
        validate(draft.storage)
