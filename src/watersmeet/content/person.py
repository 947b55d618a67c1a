"""People and groups as the API shows them: finding a user, groups and who is in them."""

from __future__ import annotations

from watersmeet.confluence.content import Person
from watersmeet.confluence.errors import BadParameter, Forbidden, GroupNotFound, UserNotFound
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import bypasses_spaces
from watersmeet.database import groups, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


def find_user(tx: Transaction, caller: User, *, key: str | None, username: str | None) -> User:
    """The user of that key or name. Raises ``UserNotFound``, ``BadParameter``, or ``Forbidden`` for strangers."""
    _require_known(caller)
    if not key and not username:
        raise BadParameter("Say which user: ?key=KEY or ?username=NAME.")
    found = users.find_by_key(tx, key) if key else users.find_by_name(tx, username or "")
    if not found:
        raise UserNotFound(key or username or "")
    return found


def find_person(tx: Transaction, caller: User, *, key: str | None, username: str | None) -> User:
    """``find_user``; a key that authors of contents are shown with leads to them after they were deleted too."""
    former = users.find_former(tx, key) if key and not caller.is_anonymous else None
    return former or find_user(tx, caller, key=key, username=username)


def list_users(tx: Transaction, caller: User, window: Window) -> Slice[Person]:
    """Everybody who can sign in. Raises ``Forbidden`` for strangers."""
    _require_known(caller)
    return users.list_people(tx, window, enabled=True)


def find_subject(tx: Transaction, caller: User, *, key: str | None, username: str | None) -> User:
    """Whom a request acts for: the caller, or somebody else where an administrator says so.

    Raises ``UserNotFound`` or ``Forbidden``.
    """
    if not key and not username:
        _require_known(caller)
        return caller
    if not bypasses_spaces(caller.role):
        if (key or caller.user_key) == caller.user_key and (username or caller.username).lower() == caller.username:
            _require_known(caller)
            return caller
        raise Forbidden("Only administrators see and change what other people watch.")
    return find_user(tx, caller, key=key, username=username)


def list_groups(tx: Transaction, caller: User, window: Window) -> Slice[str]:
    """All groups. Raises ``Forbidden`` for strangers."""
    _require_known(caller)
    return groups.list_names(tx, window)


def find_group(tx: Transaction, caller: User, name: str) -> str:
    """The name of a group as it is kept. Raises ``GroupNotFound`` or ``Forbidden``."""
    _require_known(caller)
    if groups.find_id(tx, name) is None:
        raise GroupNotFound(name)
    return name.lower()


def list_members(tx: Transaction, caller: User, name: str, window: Window) -> Slice[Person]:
    """Who is in a group. Raises ``GroupNotFound`` or ``Forbidden``."""
    _require_known(caller)
    group_id = groups.find_id(tx, name)
    if group_id is None:
        raise GroupNotFound(name)
    return groups.list_members(tx, group_id, window)


def list_groups_of(
    tx: Transaction, caller: User, *, key: str | None, username: str | None, window: Window
) -> Slice[str]:
    """The groups that a user is in. Raises ``UserNotFound``, ``BadParameter`` or ``Forbidden``."""
    return groups.list_of(tx, find_user(tx, caller, key=key, username=username).id, window)


def _require_known(caller: User) -> None:
    if caller.is_anonymous:
        raise Forbidden("Who is here is told to people who are signed in.")
