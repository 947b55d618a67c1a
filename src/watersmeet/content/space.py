"""Spaces: finding, listing and creating them, and what a user may do in one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from watersmeet.clock import Instant
from watersmeet.confluence.content import MAX_TITLE, ContentStatus, ContentType, Space, SpaceStatus, SpaceType
from watersmeet.confluence.errors import (
    BadBody,
    Forbidden,
    PersonalSpaceTaken,
    SpaceKeyTaken,
    SpaceNotFound,
    UserNotFound,
)
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import SPACE_ADMINISTRATOR, GlobalPermission, SpacePermission, bypasses_spaces
from watersmeet.content.part import with_homepages
from watersmeet.content.read import find as find_content
from watersmeet.content.right import require
from watersmeet.content.text import check_text
from watersmeet.database import content as contents
from watersmeet.database import labels, permissions, spaces, users
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_KEY = re.compile(r"[A-Za-z0-9]{1,255}")
_MAX_DESCRIPTION = 65_536


@dataclass(frozen=True, slots=True)
class SpaceChange:
    """What is to be said of a space from now on; ``None`` leaves a thing as it is."""

    name: str | None = None
    description: str | None = None
    homepage_id: int | None = None


def find(tx: Transaction, caller: User, key: str, expansion: Expansion) -> Space:
    """The space of that key. Raises ``SpaceNotFound``."""
    found = spaces.find_visible(tx, key, caller)
    if not found:
        raise SpaceNotFound(key)
    return _expanded(tx, caller, [found], expansion)[0]


def find_administered(tx: Transaction, caller: User, key: str) -> Space:
    """The space of that key, which the caller administers. Raises ``SpaceNotFound`` or ``Forbidden``."""
    found = find(tx, caller, key, NOTHING)
    require(tx, caller, found, SpacePermission.ADMINISTER)
    return found


def narrowed(tx: Transaction, caller: User, wanted: ContentFilter, key: str | None) -> ContentFilter:
    """The same filter for the contents of one space, where one is named. Raises ``SpaceNotFound``."""
    return replace(wanted, space_id=find(tx, caller, key, NOTHING).id) if key else wanted


def list_spaces(
    tx: Transaction, caller: User, wanted: spaces.SpaceFilter, window: Window, expansion: Expansion
) -> Slice[Space]:
    """The spaces the caller sees."""
    part = spaces.list_visible(tx, wanted, window, caller)
    return replace(part, items=_expanded(tx, caller, part.items, expansion))


def _expanded(tx: Transaction, caller: User, found: Sequence[Space], expansion: Expansion) -> list[Space]:
    spaces_with_homepages = with_homepages(tx, caller, found, expansion)
    if "labels" not in expansion.within("metadata"):
        return spaces_with_homepages
    categories = labels.of_spaces(tx, [space.id for space in found])
    return [replace(space, categories=categories.get(space.id, ())) for space in spaces_with_homepages]


def create(tx: Transaction, caller: User, *, key: str, name: str, description: str, now: Instant) -> Space:
    """A new space with a homepage, administered by its creator.

    Raises ``Forbidden``, ``BadBody`` or ``SpaceKeyTaken``.
    """
    if not _may(tx, caller, GlobalPermission.CREATE_SPACE):
        raise Forbidden("Creating spaces is a global permission, which you were not granted.")
    if not _KEY.fullmatch(key):
        raise BadBody("The key of a space consists of 1 to 255 letters and digits of ASCII.")
    _check(name, description)
    try:
        space = spaces.add(tx, key=key, name=name, description=description, creator=caller, now=now)
    except spaces.KeyTaken as error:
        raise SpaceKeyTaken(key) from error
    return _furnished(tx, caller, space, now)


def create_personal(tx: Transaction, caller: User, *, name: str, description: str, now: Instant) -> Space:
    """The caller's own space, with a homepage; named after them where no name is given.

    Raises ``Forbidden``, ``BadBody``, ``PersonalSpaceTaken``, or ``UserNotFound`` if they were deleted meanwhile.
    """
    if not _may(tx, caller, GlobalPermission.PERSONAL_SPACE):
        raise Forbidden("A space of one's own is a global permission, which you were not granted.")
    return _add_personal(tx, caller, name, description, now)


def create_personal_of(tx: Transaction, username: str, *, name: str, description: str, now: Instant) -> Space:
    """``create_personal`` for somebody else, as administrators do. Raises ``UserNotFound`` too, but not ``Forbidden``.

    It is theirs as if they had made it.
    """
    owner = users.find_by_name(tx, username)
    if not owner:
        raise UserNotFound(username)
    return _add_personal(tx, owner, name, description, now)


def _add_personal(tx: Transaction, owner: User, name: str, description: str, now: Instant) -> Space:
    present = users.hold(tx, owner.id)
    if present is None or present.username != owner.username:  # deleted: the key is that of whoever has the name next
        raise UserNotFound(owner.username)
    key, name = f"~{owner.username}", name or owner.display_name
    _check(name, description)
    try:
        space = spaces.add(
            tx,
            key=key,
            name=name,
            description=description,
            creator=owner,
            now=now,
            space_type=SpaceType.PERSONAL,
        )
    except spaces.KeyTaken as error:
        raise PersonalSpaceTaken(key) from error
    return _furnished(tx, owner, space, now)


def change(tx: Transaction, caller: User, key: str, into: SpaceChange, now: Instant, expansion: Expansion) -> Space:
    """Change what is said of a space: its administrators may.

    Raises ``SpaceNotFound``, ``Forbidden``, ``BadBody``, or ``ContentNotFound`` for the homepage.
    """
    space = find_administered(tx, caller, key)
    _check(space.name if into.name is None else into.name, into.description or "")
    if into.homepage_id is not None:
        spaces.lock(tx, space.id)  # nobody trashes the page meanwhile
        page = find_content(tx, caller, into.homepage_id, (ContentStatus.CURRENT,), NOTHING)
        if page.type != ContentType.PAGE or page.space.id != space.id:
            raise BadBody(f"The homepage of a space must be a page in it: {space.key}.")
    spaces.change(tx, space.id, caller, now, name=into.name, description=into.description, homepage_id=into.homepage_id)
    return find(tx, caller, key, expansion)


def put_away(tx: Transaction, caller: User, key: str, status: SpaceStatus, now: Instant) -> None:
    """Archive a space or take it back into use: its administrators may. Raises ``SpaceNotFound`` or ``Forbidden``."""
    space = find_administered(tx, caller, key)
    spaces.change(tx, space.id, caller, now, status=status)


def _furnished(tx: Transaction, caller: User, space: Space, now: Instant) -> Space:
    permissions.grant(tx, space.id, SPACE_ADMINISTRATOR, user_id=caller.id)
    homepage_id = contents.add(
        tx,
        content_type=ContentType.PAGE,
        space_id=space.id,
        parent_id=None,
        title=f"{space.name} Home",
        storage="<p>Welcome to your new space.</p>",
        creator=caller,
        now=now,
    )
    spaces.set_homepage(tx, space.id, homepage_id)
    return replace(space, homepage_id=homepage_id)


def _may(tx: Transaction, caller: User, permission: GlobalPermission) -> bool:
    return bypasses_spaces(caller.role) or permission in permissions.global_permissions_of(tx, caller)


def _check(name: str, description: str) -> None:
    check_text(name + description)
    if not name or len(f"{name} Home".casefold()) > MAX_TITLE:
        raise BadBody("A space needs a name, and its homepage ('NAME Home') must fit into 255 characters.")
    if len(description) > _MAX_DESCRIPTION:
        raise BadBody(f"The description of a space may have at most {_MAX_DESCRIPTION} characters.")
