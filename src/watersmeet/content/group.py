"""Groups: making them, and who is in them. For administrators, which is what the scope ADMIN says."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.confluence.errors import BadBody, GroupInUse, GroupNotFound, GroupTaken, UserNotFound
from watersmeet.content.text import check_text
from watersmeet.database import audit, groups, users
from watersmeet.database.audit import Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_MAX_NAME = 255


def create(tx: Transaction, name: str, now: Instant, origin: Origin) -> str:
    """A new group without members; its name as it is kept. Raises ``BadBody`` or ``GroupTaken``."""
    name = check_text(name.strip().lower())
    if not name or len(name) > _MAX_NAME or "/" in name:
        raise BadBody(f"The name of a group has 1 to {_MAX_NAME} characters, none of them a slash.")
    # Should another come between the check and the insert, the runner starts this transaction again.
    if groups.find_id(tx, name) is not None:
        raise GroupTaken(name)
    groups.add(tx, name)
    audit.record(tx, Event.GROUP_CREATED, origin, now, detail={"group": name})
    return name


def delete(tx: Transaction, name: str, now: Instant, origin: Origin) -> None:
    """Forget a group, its memberships and all that it was granted. Raises ``GroupNotFound`` or ``GroupInUse``."""
    group_id = _find(tx, name)
    if groups.keeps_content(tx, group_id):
        raise GroupInUse(name)
    groups.remove(tx, group_id)
    audit.record(tx, Event.GROUP_DELETED, origin, now, detail={"group": name.lower()})


def join(tx: Transaction, username: str, name: str, now: Instant, origin: Origin) -> None:
    """Make a user a member; one already stays it. Raises ``UserNotFound`` or ``GroupNotFound``."""
    user, group_id = _find_user(tx, username), _find(tx, name)
    if groups.join(tx, group_id, user.id):
        audit.record(tx, Event.GROUP_JOINED, origin, now, user_id=user.id, detail={"group": name.lower()})


def leave(tx: Transaction, username: str, name: str, now: Instant, origin: Origin) -> None:
    """Make a user no member; who is none stays so. Raises ``UserNotFound`` or ``GroupNotFound``."""
    user, group_id = _find_user(tx, username), _find(tx, name)
    if groups.leave(tx, group_id, user.id):
        audit.record(tx, Event.GROUP_LEFT, origin, now, user_id=user.id, detail={"group": name.lower()})


def _find(tx: Transaction, name: str) -> int:
    found = groups.find_id(tx, name)
    if found is None:
        raise GroupNotFound(name)
    return found


def _find_user(tx: Transaction, username: str) -> User:
    found = users.find_by_name(tx, username)
    if not found:
        raise UserNotFound(username)
    return found
