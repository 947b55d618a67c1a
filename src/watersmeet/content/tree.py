"""The tree of contents: what is below one and in it, and moving a page within it."""

from __future__ import annotations

from enum import StrEnum

from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.errors import BadParent, ContentNotFound, TitleTaken
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read
from watersmeet.content.right import require_change, require_create
from watersmeet.database import content as contents
from watersmeet.database import spaces, tree
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


class Place(StrEnum):
    """Where a page is moved to, seen from another page."""

    APPEND = "append"  # the last of its children
    ABOVE = "above"
    BELOW = "below"


def children(
    tx: Transaction,
    caller: User,
    content_id: int,
    content_type: str,
    window: Window,
    expansion: Expansion,
    *,
    replies_too: bool = False,
) -> Slice[Content]:
    """What of one type is directly below a content or in it; with ``replies_too`` comments of every depth.

    Raises ``ContentNotFound``.
    """
    holder = read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    return read.load(tx, caller, _children_of(holder, content_type, replies_too=replies_too), window, expansion)


def _children_of(holder: Content, content_type: str, *, replies_too: bool) -> ContentFilter:
    if content_type == ContentType.PAGE or holder.type == ContentType.COMMENT == content_type:
        return ContentFilter(types=[content_type], statuses=read.CURRENT, parent_id=holder.id, in_order=True)
    top_only = False if content_type == ContentType.COMMENT and not replies_too else None
    return ContentFilter(types=[content_type], statuses=read.CURRENT, container_id=holder.id, is_reply=top_only)


def descendants(
    tx: Transaction, caller: User, content_id: int, content_type: str, window: Window, expansion: Expansion
) -> Slice[Content]:
    """What of one type is below a content or in it, whatever its depth. Raises ``ContentNotFound``."""
    read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    wanted = ContentFilter(types=[content_type], statuses=read.CURRENT, below=content_id)
    return read.load(tx, caller, wanted, window, expansion)


def move(tx: Transaction, caller: User, content_id: int, place: Place, target_id: int) -> Content:
    """Move a page, and all below it, to a place beside or under another page, of another space too.

    No version is made. Raises ``ContentNotFound``, ``Forbidden``, ``BadParent`` or ``TitleTaken``.
    """
    page, target = _hold(tx, caller, content_id, target_id)
    require_change(tx, caller, page)
    require_create(tx, caller, target.space, ContentType.PAGE)
    parent_id = target.id if place is Place.APPEND else target.parent_id
    if contents.is_within(tx, target.id, page.id):
        raise BadParent("A page cannot be moved under or beside itself or one of its own descendants.")
    if page.space.id != target.space.id:
        _change_space(tx, page, target)
    tree.place(tx, page.id, parent_id, target.space.id, _neighbour(place, target), after=place is Place.BELOW)
    return read.find(tx, caller, content_id, read.CURRENT, NOTHING)


def _hold(tx: Transaction, caller: User, content_id: int, target_id: int) -> tuple[Content, Content]:
    """Both pages as they are now that the locks of their spaces are held."""
    held: set[int] = set()
    while True:
        page, target = _page(tx, caller, content_id), _page(tx, caller, target_id)
        needed = {page.space.id, target.space.id}
        if needed <= held:
            return page, target
        for space_id in sorted(needed):  # in one order: no two moves wait for each other
            spaces.lock(tx, space_id)
        held |= needed


def _page(tx: Transaction, caller: User, content_id: int) -> Content:
    found = read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    if found.type != ContentType.PAGE:
        raise ContentNotFound(content_id)
    return found


def _neighbour(place: Place, target: Content) -> int | None:
    return None if place is Place.APPEND else target.id


def _change_space(tx: Transaction, page: Content, target: Content) -> None:
    taken = tree.first_title_taken(tx, page.id, target.space.id)
    if taken == page.title:
        raise TitleTaken(ContentType.PAGE, taken, target.space.key)
    if taken is not None:  # not named: the caller may not see it
        raise BadParent(f"A page below it has a title that is taken in the space with key {target.space.key}.")
    homepage_id = page.space.homepage_id
    if homepage_id is not None and contents.is_within(tx, homepage_id, page.id):
        spaces.forget_homepage(tx, homepage_id)
    tree.change_space(tx, page.id, target.space.id)
