"""Users and their browser sessions, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Update, bindparam, delete, insert, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.content import Person
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.permission import ADMINISTRATORS_GROUP, USERS_GROUP
from watersmeet.confluence.scopes import Role
from watersmeet.database import expiry, groups
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.schema import sessions, users
from watersmeet.database.transaction import Transaction
from watersmeet.errors import WatersmeetError


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in (Confluence: user, ``userKey``; RFC 6749: resource owner)."""

    id: int
    username: str
    user_key: str
    display_name: str
    email: str
    role: Role
    password_hash: str = field(repr=False)
    enabled: bool

    @property
    def is_anonymous(self) -> bool:
        """Whether this is nobody in particular: a request without a token, where such requests are allowed."""
        return self.id == ANONYMOUS.id

    @property
    def is_administrator(self) -> bool:
        """Whether they may administer the instance."""
        return self.role is not Role.USER


ANONYMOUS = User(0, "", "", "Anonymous", "", Role.USER, "", enabled=True)
"""Whoever is not signed in. No row has this number, so nothing is granted to them but what everybody may do."""


class UsernameTaken(WatersmeetError):
    """There is a user of that name already."""

    status = 409


_COLUMNS = (
    users.c.id,
    users.c.username,
    users.c.user_key,
    users.c.display_name,
    users.c.email,
    users.c.role,
    users.c.password_hash,
    users.c.enabled,
)
_IS_HERE = users.c.deleted_at.is_(None)
_BY_NAME = select(*_COLUMNS).where(users.c.username == bindparam("username"), _IS_HERE)
_BY_KEY = select(*_COLUMNS).where(users.c.user_key == bindparam("user_key"), _IS_HERE)
_FORMER = select(*_COLUMNS).where(users.c.user_key == bindparam("user_key"), ~_IS_HERE)
_NAME_HOLDER = select(users.c.id).where(users.c.username == bindparam("username"))
_BY_ID = select(*_COLUMNS).where(users.c.id == bindparam("user_id"))
_BY_IDS = select(*_COLUMNS).where(users.c.id.in_(bindparam("ids", expanding=True)))
_BY_SESSION = (
    select(*_COLUMNS)
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(sessions.c.digest == bindparam("digest"), sessions.c.expires_at > bindparam("now"), users.c.enabled)
)
# Whoever ends a session deletes its row, and whoever changes a password writes the user's: they wait for us, or we
# for them. SQLite has one writer and needs no lock.
_HOLD_SESSION = _BY_SESSION.with_for_update(of=sessions, key_share=True, read=True)
_HOLD_USER = _BY_ID.with_for_update(read=True)
_ADMINISTRATORS = select(*_COLUMNS).where(
    users.c.role.in_([role.value for role in Role if role is not Role.USER]), users.c.enabled
)
# Against others who claim, and whoever writes the row; not against rows that merely refer to it.
_CLAIM_USER = _BY_ID.with_for_update(key_share=True)


def as_user(row: Iterable[Any]) -> User:
    """The record of a row whose columns are those of ``users``, in order."""
    user_id, username, user_key, display_name, email, role, password_hash, enabled = row
    return User(user_id, username, user_key, display_name, email, Role(role), password_hash, enabled)


def find_by_name(tx: Transaction, username: str) -> User | None:
    """The user of that name, in any letter case."""
    row = tx.execute(_BY_NAME, {"username": username.lower()}).first()
    return as_user(row) if row else None


def find_by_key(tx: Transaction, user_key: str) -> User | None:
    """The user of that key, which never changes."""
    row = tx.execute(_BY_KEY, {"user_key": user_key}).first()
    return as_user(row) if row else None


def find_former(tx: Transaction, user_key: str) -> User | None:
    """Who once had that key, and was deleted: an alias in place of their names, and nothing they could do."""
    row = tx.execute(_FORMER, {"user_key": user_key}).first()
    return as_user(row) if row else None


def is_taken(tx: Transaction, username: str) -> bool:
    """Whether anybody has that name, be it as the alias of a former user."""
    return tx.execute(_NAME_HOLDER, {"username": username.lower()}).first() is not None


def find_by_id(tx: Transaction, user_id: int) -> User | None:
    """The user with that number, a former one too."""
    row = tx.execute(_BY_ID, {"user_id": user_id}).first()
    return as_user(row) if row else None


def hold(tx: Transaction, user_id: int) -> User | None:
    """``find_by_id``; nobody changes the user before the transaction ends."""
    row = tx.execute(_HOLD_USER, {"user_id": user_id}).first()
    return as_user(row) if row else None


def claim(tx: Transaction, user_id: int) -> User | None:
    """``hold``; whoever else claims the user waits until the transaction ends."""
    row = tx.execute(_CLAIM_USER, {"user_id": user_id}).first()
    return as_user(row) if row else None


def list_by_ids(tx: Transaction, ids: Sequence[int]) -> list[User]:
    """The users with these numbers, in the order of the numbers."""
    by_id = {row[0]: as_user(row) for row in tx.execute(_BY_IDS, {"ids": ids})}
    return [by_id[number] for number in ids if number in by_id]


def list_all(tx: Transaction) -> list[User]:
    """Every user, by name."""
    return [as_user(row) for row in tx.execute(select(*_COLUMNS).where(_IS_HERE).order_by(users.c.username))]


def any_administrator(tx: Transaction) -> bool:
    """Whether anybody who is let in may administer the instance."""
    return tx.execute(_ADMINISTRATORS.limit(1)).first() is not None


def claim_administrators(tx: Transaction) -> list[User]:
    """Everybody who is let in and may administer the instance; nobody changes them before the transaction ends."""
    return [as_user(row) for row in tx.execute(_ADMINISTRATORS.order_by(users.c.id).with_for_update(key_share=True))]


def list_people(tx: Transaction, window: Window, *, enabled: bool | None = None) -> Slice[Person]:
    """Everybody as others see them, by name; or only who is enabled."""
    query = select(users.c.username, users.c.user_key, users.c.display_name).order_by(users.c.username)
    if enabled is not None:
        query = query.where(users.c.enabled == enabled)
    rows = tx.execute(query.limit(window.reach).offset(window.start))
    return Slice.of([Person(*row) for row in rows], window)


def add(
    tx: Transaction,
    *,
    username: str,
    user_key: str,
    display_name: str,
    email: str,
    role: Role,
    password_hash: str,
    now: Instant,
) -> User:
    """A new, enabled user, in the groups of their role. Raises ``UsernameTaken``."""
    username = username.lower()
    if is_taken(tx, username):
        raise UsernameTaken(f"There is already a user named {username}.")
    values = {
        "username": username,
        "user_key": user_key,
        "display_name": display_name,
        "email": email,
        "role": role.value,
        "password_hash": password_hash,
        "enabled": True,
    }
    user_id = tx.execute(insert(users).returning(users.c.id), {**values, "created_at": now}).scalar_one()
    for name in (USERS_GROUP,) if role is Role.USER else (USERS_GROUP, ADMINISTRATORS_GROUP):
        if (group_id := groups.find_id(tx, name)) is not None:  # an administrator may have removed it
            groups.join(tx, group_id, user_id)
    return User(user_id, username, user_key, display_name, email, role, password_hash, enabled=True)


def _update(user_id: int) -> Update:
    # Whoever found the user before they were deleted says nothing more of them, and makes nobody of them again.
    return update(users).where(users.c.id == user_id, _IS_HERE)


def set_role(tx: Transaction, user_id: int, role: Role) -> None:
    """Give a user another role, and the place in the administrators' group that goes with it."""
    tx.execute(_update(user_id).values(role=role.value))
    group_id = groups.find_id(tx, ADMINISTRATORS_GROUP)
    if group_id is not None:  # an administrator may have removed it
        (groups.leave if role is Role.USER else groups.join)(tx, group_id, user_id)


def set_enabled(tx: Transaction, user_id: int, *, enabled: bool) -> None:
    """Let a user in or keep them out; a disabled user's sessions end."""
    tx.execute(_update(user_id).values(enabled=enabled))
    if not enabled:
        end_all_sessions(tx, user_id)


def set_password(tx: Transaction, user_id: int, password_hash: str) -> None:
    """Replace the password and end every session that the old one opened."""
    tx.execute(_update(user_id).values(password_hash=password_hash))
    end_all_sessions(tx, user_id)


def exchange_password(tx: Transaction, user: User, password_hash: str) -> bool:
    """Replace the password of a user who is still enabled and still has the one they were found with.

    ``False``: not so any more. Ending their sessions is left to the caller.
    """
    same = (users.c.id == user.id, users.c.password_hash == user.password_hash, users.c.enabled)
    return tx.execute(update(users).where(*same).values(password_hash=password_hash)).rowcount == 1


# ---- sessions ---------------------------------------------------------------------------------------------


def find_by_session(tx: Transaction, digest: str, now: Instant) -> User | None:
    """The enabled user whose live session has that digest."""
    row = tx.execute(_BY_SESSION, {"digest": digest, "now": now}).first()
    return as_user(row) if row else None


def hold_session(tx: Transaction, digest: str, now: Instant) -> User | None:
    """``find_by_session``; nobody ends the session before the transaction ends."""
    row = tx.execute(_HOLD_SESSION, {"digest": digest, "now": now}).first()
    return as_user(row) if row else None


def start_session(
    tx: Transaction,
    digest: str,
    user_id: int,
    now: Instant,
    expires_at: Instant,
    *,
    user_agent: str | None = None,
    address: str | None = None,
) -> None:
    """Remember a session, and forget those of the same user that have expired."""
    tx.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at <= now))
    tx.execute(
        insert(sessions),
        {
            "digest": digest,
            "user_id": user_id,
            "created_at": now,
            "expires_at": expires_at,
            "user_agent": user_agent,
            "address": address,
            "last_seen_at": now,
        },
    )


def end_session(tx: Transaction, digest: str) -> None:
    """Forget one session; its cookie is worth nothing from now on."""
    tx.execute(delete(sessions).where(sessions.c.digest == digest))


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One browser where a user is signed in."""

    digest: str = field(repr=False)
    created_at: Instant
    expires_at: Instant
    user_agent: str | None
    address: str | None
    last_seen_at: Instant | None


def list_sessions(tx: Transaction, user_id: int, now: Instant) -> list[StoredSession]:
    """Where a user is signed in, the latest sign-in first."""
    columns = [sessions.c[name] for name in StoredSession.__slots__]
    live = select(*columns).where(sessions.c.user_id == user_id, sessions.c.expires_at > now)
    return [StoredSession(*row) for row in tx.execute(live.order_by(sessions.c.created_at.desc(), sessions.c.digest))]


SESSION_NAME_LENGTH = 16
"""As many digits of a session's digest name it among a user's own."""


def end_session_of(tx: Transaction, user_id: int, name: str) -> int:
    """Forget the session of a user that the beginning of its digest names; how many went: one or none."""
    if len(name) != SESSION_NAME_LENGTH:
        return 0
    mine = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest.startswith(name, autoescape=True))
    return tx.execute(mine).rowcount


def end_other_sessions(tx: Transaction, user_id: int, but: str) -> int:
    """Forget every session of a user except one; how many went."""
    return tx.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != but)).rowcount


def set_profile(tx: Transaction, user_id: int, *, display_name: str, email: str) -> None:
    """Replace what a user says of themselves."""
    tx.execute(_update(user_id).values(display_name=display_name, email=email))


def end_all_sessions(tx: Transaction, user_id: int) -> int:
    """Forget every session of a user; how many there were."""
    return tx.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount


def end_every_session(tx: Transaction) -> int:
    """Forget every session of everybody; how many there were."""
    return tx.execute(delete(sessions)).rowcount


# ---- pruning ----------------------------------------------------------------------------------------------

_ENDED_SESSIONS = ended(sessions.c.digest, sessions.c.expires_at)
_ANY_ENDED_SESSION = any_ended(sessions.c.expires_at)


def any_ended_session(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index of expiries."""
    return tx.execute(_ANY_ENDED_SESSION, {"before": before}).first() is not None


def prune_sessions(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete sessions that ended before an instant, a bounded number; how many went."""
    found = list(tx.execute(_ENDED_SESSIONS, {"before": before, "at_most": at_most}).scalars())
    tx.execute(delete(sessions).where(sessions.c.digest.in_(found)))
    return len(found)


def session_backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {sessions.name: expiry.backlog(tx, sessions.c.expires_at, before)}
