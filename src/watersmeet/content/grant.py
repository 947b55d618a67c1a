"""Who may do what on the instance and in a space: told to those who administer it, and changed by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.content import Space
from watersmeet.confluence.errors import BadBody, GroupNotFound, UserNotFound
from watersmeet.confluence.permission import GlobalGrant, GlobalPermission, Permission, SpaceGrant, SpacePermission
from watersmeet.content import space
from watersmeet.database import audit, groups, permissions, spaces, users
from watersmeet.database.audit import Event, Origin
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
    permissions: Collection[Permission]
    revoke: bool = False


# ---- in a space -------------------------------------------------------------------------------------------


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
        grants = [grant for grant in grants if speaks_of(grant, subject)]
    return found, grants


def change(tx: Transaction, caller: User, key: str, changes: Sequence[Change], now: Instant, origin: Origin) -> None:
    """``change_in`` a space that the caller administers. Raises ``SpaceNotFound`` or ``Forbidden`` too."""
    change_in(tx, space.find_administered(tx, caller, key), changes, now, origin)


def change_in(tx: Transaction, found: Space, changes: Sequence[Change], now: Instant, origin: Origin) -> bool:
    """Grant and revoke. A space always has somebody who administers it.

    Returns whether that changed anything. Raises ``BadBody``, ``UserNotFound`` or ``GroupNotFound``.
    """
    spaces.lock(tx, found.id)  # of two that each revoke one of the last administrators, one must see the other
    changed = False
    for each in changes:
        if each.subject == Subject() and SpacePermission.ADMINISTER in each.permissions and not each.revoke:
            raise BadBody("Everybody, strangers included, cannot administer a space.")
        changed = _apply(tx, found, each, now, origin) or changed
    left = permissions.list_grants(tx, found.id)
    if not any(grant.permission is SpacePermission.ADMINISTER for grant in left):
        raise BadBody("Somebody must be left who administers the space.")
    return changed


def set_in_space(
    tx: Transaction, caller: User, key: str, changes: Sequence[Change], now: Instant, origin: Origin
) -> None:
    """``change`` so that each subject is granted what its change says in the space, and nothing else."""
    exact = [each for wanted in changes for each in (wanted, _others(wanted, SpacePermission))]
    change(tx, caller, key, exact, now, origin)


# ---- on the instance --------------------------------------------------------------------------------------


def list_global_grants(tx: Transaction, subject: Subject | None = None) -> list[GlobalGrant]:
    """The grants on the instance, of one subject where it is given. Raises ``UserNotFound`` or ``GroupNotFound``."""
    grants = permissions.list_global_grants(tx)
    if subject is None:
        return grants
    _numbers(tx, subject)
    return [grant for grant in grants if speaks_of(grant, subject)]


def change_global(tx: Transaction, changes: Sequence[Change], now: Instant, origin: Origin) -> bool:
    """Grant and revoke on the instance; returns whether that changed anything.

    Raises ``BadBody``, ``UserNotFound`` or ``GroupNotFound``.
    """
    changed = False
    for each in changes:
        if each.subject == Subject() and set(each.permissions) - {GlobalPermission.USE} and not each.revoke:
            raise BadBody("Everybody, strangers included, can be granted nothing but the use of the instance.")
        changed = _apply(tx, None, each, now, origin) or changed
    return changed


def set_global(tx: Transaction, changes: Sequence[Change], now: Instant, origin: Origin) -> None:
    """``change_global`` so that each subject is granted what its change says, and nothing else."""
    change_global(tx, [each for wanted in changes for each in (wanted, _others(wanted, GlobalPermission))], now, origin)


# ---- steps ------------------------------------------------------------------------------------------------


def _others(wanted: Change, every: Iterable[Permission]) -> Change:
    """Whatever a subject is not to be granted, revoked."""
    return Change(wanted.subject, [each for each in every if each not in wanted.permissions], revoke=True)


def _apply(tx: Transaction, found: Space | None, change: Change, now: Instant, origin: Origin) -> bool:
    user_id, group_id = _numbers(tx, change.subject)
    act = permissions.revoke if change.revoke else permissions.grant
    changed = act(tx, found.id if found else None, change.permissions, user_id=user_id, group_id=group_id)
    if changed:
        event = Event.PERMISSION_REVOKED if change.revoke else Event.PERMISSION_GRANTED
        whose = {"group": change.subject.group} if group_id else {} if user_id else {"everybody": True}
        where = {"space": found.key} if found else {}
        detail = {"permissions": [permission.value for permission in changed], **whose, **where}
        audit.record(tx, event, origin, now, user_id=user_id, detail=detail)
    return bool(changed)


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


def speaks_of(grant: SpaceGrant | GlobalGrant, subject: Subject) -> bool:
    """Whether a grant is that of a subject itself, not of a group that it is in."""
    key = grant.person.user_key if grant.person else None
    return (key, grant.group) == (subject.user_key, subject.group.lower() if subject.group else None)
