"""Spaces: finding, listing and creating them, and what a user may do in one."""

from __future__ import annotations

import re
from dataclasses import replace

from watersmeet.clock import Instant
from watersmeet.confluence.content import MAX_TITLE, ContentStatus, ContentType, Space
from watersmeet.confluence.errors import BadBody, Forbidden, SpaceKeyTaken, SpaceNotFound
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import SPACE_ADMINISTRATOR, GlobalPermission, bypasses_spaces
from watersmeet.content.read import load
from watersmeet.database import content as contents
from watersmeet.database import permissions, spaces
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_KEY = re.compile(r"[A-Za-z0-9]{1,255}")
_MAX_DESCRIPTION = 65_536


def find(tx: Transaction, caller: User, key: str, expansion: Expansion) -> Space:
    """The space of that key. Raises ``SpaceNotFound``."""
    found = spaces.find_visible(tx, key, caller)
    if not found:
        raise SpaceNotFound(key)
    return _with_homepages(tx, caller, [found], expansion)[0]


def list_spaces(
    tx: Transaction, caller: User, wanted: spaces.SpaceFilter, window: Window, expansion: Expansion
) -> Slice[Space]:
    """The spaces the caller sees."""
    part = spaces.list_visible(tx, wanted, window, caller)
    return replace(part, items=_with_homepages(tx, caller, list(part.items), expansion))


def create(tx: Transaction, caller: User, *, key: str, name: str, description: str, now: Instant) -> Space:
    """A new space with a homepage, administered by its creator.

    Raises ``Forbidden``, ``BadBody`` or ``SpaceKeyTaken``.
    """
    if not may_create(tx, caller):
        raise Forbidden("Creating spaces is a global permission, which you were not granted.")
    _check(key, name, description)
    try:
        space = spaces.add(tx, key=key, name=name, description=description, creator=caller, now=now)
    except spaces.KeyTaken as error:
        raise SpaceKeyTaken(key) from error
    permissions.grant(tx, space.id, SPACE_ADMINISTRATOR, user_id=caller.id)
    homepage_id = contents.add(
        tx,
        content_type=ContentType.PAGE,
        space_id=space.id,
        parent_id=None,
        title=f"{name} Home",
        storage="<p>Welcome to your new space.</p>",
        creator=caller,
        now=now,
    )
    spaces.set_homepage(tx, space.id, homepage_id)
    return replace(space, homepage_id=homepage_id)


def may_create(tx: Transaction, caller: User) -> bool:
    """Whether the caller may create spaces."""
    return bypasses_spaces(caller.role) or GlobalPermission.CREATE_SPACE in permissions.global_permissions_of(
        tx, caller
    )


def _check(key: str, name: str, description: str) -> None:
    if not _KEY.fullmatch(key):
        raise BadBody("The key of a space consists of 1 to 255 letters and digits of ASCII.")
    if "\0" in name + description:
        raise BadBody("Text must not contain the character NUL.")
    if not name or len(f"{name} Home".casefold()) > MAX_TITLE:
        raise BadBody("A space needs a name, and its homepage ('NAME Home') must fit into 255 characters.")
    if len(description) > _MAX_DESCRIPTION:
        raise BadBody(f"The description of a space may have at most {_MAX_DESCRIPTION} characters.")


def _with_homepages(tx: Transaction, caller: User, found: list[Space], expansion: Expansion) -> list[Space]:
    ids = [space.homepage_id for space in found if space.homepage_id is not None]
    if "homepage" not in expansion or not ids:
        return found
    wanted = contents.ContentFilter(ids=ids, statuses=(ContentStatus.CURRENT,))
    part = load(tx, caller, wanted, Window(0, len(ids)), expansion.within("homepage"))
    homepages = {page.id: page for page in part.items}
    return [replace(space, homepage=homepages.get(space.homepage_id or 0)) for space in found]
