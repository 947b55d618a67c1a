"""Who may do what in a space: told to its administrators, and changed by them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from watersmeet.confluence.content import Space
from watersmeet.confluence.errors import BadBody, GroupNotFound, UserNotFound
from watersmeet.confluence.permission import SpaceGrant, SpacePermission
from watersmeet.content import space
from watersmeet.database import groups, permissions, spaces, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a grant speaks of: a user by key, a group by name, or, without either, everybody, strangers included."""

    user_key: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one subject is to be granted, or to lose."""

    subject: Subject
    permissions: Collection[SpacePermission]
    revoke: bool = False


def list_grants(
    tx: Transaction, caller: User, key: str, subject: Subject | None = None
) -> tuple[Space, list[SpaceGrant]]:
    """The grants of a space, of one subject where it is given.

    Raises ``SpaceNotFound``, ``Forbidden``, ``UserNotFound`` or ``GroupNotFound``.
    """
    found = space.find_administered(tx, caller, key)
    grants = permissions.list_grants(tx, found.id)
    if subject is not None:
        _numbers(tx, subject)
        grants = [grant for grant in grants if _speaks_of(grant, subject)]
    return found, grants


def change(tx: Transaction, caller: User, key: str, changes: Sequence[Change]) -> None:
    """Grant and revoke. A space always has somebody who administers it.

    Raises ``SpaceNotFound``, ``Forbidden``, ``BadBody``, ``UserNotFound`` or ``GroupNotFound``.
    """
    found = space.find_administered(tx, caller, key)
    spaces.lock(tx, found.id)  # of two that each revoke one of the last administrators, one must see the other
    for each in changes:
        user_id, group_id = _numbers(tx, each.subject)
        if user_id is None and group_id is None and SpacePermission.ADMINISTER in each.permissions and not each.revoke:
            raise BadBody("Everybody, strangers included, cannot administer a space.")
        act = permissions.revoke if each.revoke else permissions.grant
        act(tx, found.id, each.permissions, user_id=user_id, group_id=group_id)
    left = permissions.list_grants(tx, found.id)
    if not any(grant.permission is SpacePermission.ADMINISTER for grant in left):
        raise BadBody("Somebody must be left who administers the space.")


def _numbers(tx: Transaction, subject: Subject) -> tuple[int | None, int | None]:
    if subject.user_key is not None:
        user = users.find_by_key(tx, subject.user_key)
        if not user:
            raise UserNotFound(subject.user_key)
        return user.id, None
    if subject.group is not None:
        group_id = groups.find_id(tx, subject.group)
        if group_id is None:
            raise GroupNotFound(subject.group)
        return None, group_id
    return None, None


def _speaks_of(grant: SpaceGrant, subject: Subject) -> bool:
    key = grant.person.user_key if grant.person else None
    return (key, grant.group) == (subject.user_key, subject.group.lower() if subject.group else None)
