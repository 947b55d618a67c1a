"""Deleting a user: all that lets them in ends at once, what was personal is erased, what they wrote keeps an author."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import audit, former_users, users
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.family import Revocation
from watersmeet.users.signin import end_all_access, require_user


class LastAdministrator(WatersmeetError):
    """Without that user, nobody could administer the instance as far as they could."""

    description = "Nobody else may do as much on the whole instance. Make somebody else an administrator first."
    status = 409


def delete_user(tx: Transaction, username: str, now: Instant, entropy: Entropy, origin: Origin = INTERNAL) -> User:
    """Delete a user, who is returned as they were: refused everywhere from the next request on (S067).

    Their row stays under an alias, so that their number and key never become anybody else's; the name is free.
    Raises ``UnknownUser`` or ``LastAdministrator``.
    """
    user = require_user(tx, username)
    _require_another(tx, user)
    alias = _new_alias(tx, entropy)
    former_users.rename(tx, user, alias, now)
    sessions_ended = users.end_all_sessions(tx, user.id)
    ended = end_all_access(tx, user, Revocation.BY_ADMINISTRATOR, now)
    former_users.forget(tx, user.id)
    # Who was deleted is for the log to tell, for as long as it is kept: it knows them as an actor anyway.
    detail = {"username": user.username, "alias": alias, "sessions_ended": sessions_ended, **ended}
    audit.record(tx, Event.USER_DELETED, origin, now, user_id=user.id, detail=detail)
    return user


def _require_another(tx: Transaction, user: User) -> None:
    if not user.enabled or not user.is_administrator:
        return
    others = [each for each in users.claim_administrators(tx) if each.id != user.id]
    if not any(each.role.ceiling.covers(user.role.ceiling) for each in others):
        raise LastAdministrator


def _new_alias(tx: Transaction, entropy: Entropy) -> str:
    """A name that nobody has, and that says nothing of whose it is."""
    while users.is_taken(tx, alias := f"user-{entropy.hex(4)}"):
        pass
    return alias
