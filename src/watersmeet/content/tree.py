"""The tree of contents: what is below one and in it, and moving a page within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.errors import BadParent, ContentNotFound, NotFound, TitleTaken
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.content import read, space
from watersmeet.content.hold import hold_all
from watersmeet.content.right import require_change, require_create, require_removal
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
    locations: Sequence[str] = (),
) -> Slice[Content]:
    """What of one type is directly below a content or in it; with ``replies_too`` comments of every depth.

    ``locations`` are the lists of comments that are shown, all where there is none.

    Raises ``ContentNotFound``.
    """
    holder = read.find(tx, caller, content_id, read.CURRENT, NOTHING)
    wanted = _children_of(holder, content_type, replies_too=replies_too)
    return read.load(tx, caller, replace(wanted, locations=locations), window, expansion)


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


def find_titled(tx: Transaction, caller: User, key: str, title: str) -> Content:
    """The page of that title in a space. Raises ``SpaceNotFound`` or ``NotFound``."""
    space_id = space.find(tx, caller, key, NOTHING).id
    wanted = ContentFilter(types=[ContentType.PAGE], statuses=read.CURRENT, space_id=space_id, title=title.strip())
    found = read.load(tx, caller, wanted, Window(0, 1), NOTHING).items
    if not found:
        raise NotFound("There is no page of that title in that space: name it by targetId or targetTitle.")
    return found[0]


def move(tx: Transaction, caller: User, content_id: int, place: Place, target_id: int) -> None:
    """Move a page, and all below it, to a place beside or under another page, of another space too.

    No version is made. Raises ``ContentNotFound``, ``Forbidden``, ``BadParent`` or ``TitleTaken``.
    """
    page, target = hold_all(tx, caller, (content_id, target_id), read.CURRENT)
    for each in (page, target):
        if each.type != ContentType.PAGE:
            raise ContentNotFound(each.id)
    require_change(tx, caller, page)
    require_create(tx, caller, target.space, ContentType.PAGE)
    if page.space.id != target.space.id:
        require_removal(tx, caller, page)  # to those who stay behind it is gone
    parent_id = target.id if place is Place.APPEND else target.parent_id
    if contents.is_within(tx, target.id, page.id):
        raise BadParent("A page cannot be moved under or beside itself or one of its own descendants.")
    if page.space.id != target.space.id:
        _change_space(tx, page, target)
    neighbour = None if place is Place.APPEND else target.id
    tree.place(tx, page.id, parent_id, target.space.id, neighbour, after=place is Place.BELOW)


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
