"""Sign-in and the life of a user: operations shared by the pages and the command line."""

from __future__ import annotations

import re
from dataclasses import replace

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Role
from watersmeet.database import audit, authorizations, consents, personal_tokens, tokens, users
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.names import has_deceptive_characters
from watersmeet.oauth2.family import Revocation
from watersmeet.users.session import Session

MAX_DISPLAY_NAME = 80
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")


class UnacceptableUser(WatersmeetError):
    """Something that may not be said of a user; the leaves are what."""


class UnacceptableUsername(UnacceptableUser):
    """A name that nobody may sign in with."""


class UnacceptableDisplayName(UnacceptableUser):
    """A name that nobody may be shown by."""


class UnacceptableEmail(UnacceptableUser):
    """An address that nobody may have."""


class UnknownUser(WatersmeetError):
    """There is no user of that name."""

    status = 404


class NoLongerProven(WatersmeetError):
    """Since somebody proved who they are, their session ended, or the user was disabled or got another password."""


def add_user(
    tx: Transaction,
    *,
    username: str,
    display_name: str,
    email: str,
    role: Role,
    password_hash: str,
    now: Instant,
    entropy: Entropy,
    origin: Origin = INTERNAL,
) -> User:
    """A new user, shown by their user name if by no other. Raises ``UnacceptableUser`` or ``UsernameTaken``."""
    if not _USERNAME.fullmatch(username.lower()):
        raise UnacceptableUsername(
            "A user name has 1 to 63 characters: letters a to z, digits, and . _ @ - after the first."
        )
    display_name = display_name or username
    _check(display_name, email)
    user = users.add(
        tx,
        username=username,
        user_key=entropy.hex(16),
        display_name=display_name,
        email=email,
        role=role,
        password_hash=password_hash,
        now=now,
    )
    audit.record(tx, Event.USER_CREATED, origin, now, user_id=user.id, detail={"role": role.value})
    return user


def edit_profile(
    tx: Transaction, user: User, *, display_name: str, email: str, now: Instant, origin: Origin = INTERNAL
) -> None:
    """Change what a user says of themselves. Raises ``UnacceptableUser``."""
    _check(display_name, email)
    users.set_profile(tx, user.id, display_name=display_name, email=email)
    # What people say of themselves is not copied into a log that nobody can correct.
    changed = {"display_name": display_name != user.display_name, "email": email != user.email}
    detail = {"changed": [name for name in changed if changed[name]]}
    audit.record(tx, Event.USER_CHANGED, origin, now, user_id=user.id, detail=detail)


def _check(display_name: str, email: str) -> None:
    if not display_name or len(display_name) > MAX_DISPLAY_NAME:
        raise UnacceptableDisplayName("A display name has 1 to {maximum} characters.", maximum=MAX_DISPLAY_NAME)
    for text, refusal in ((display_name, UnacceptableDisplayName), (email, UnacceptableEmail)):
        if has_deceptive_characters(text):
            raise refusal("Invisible and direction-changing characters are not allowed.")
    if email and not _EMAIL.fullmatch(email):
        raise UnacceptableEmail("This is not an e-mail address.")


def require_user(tx: Transaction, username: str) -> User:
    """The user of that name. Raises ``UnknownUser``."""
    user = users.find_by_name(tx, username)
    if user is None:
        raise UnknownUser(f"There is no user named {username}.")
    return user


def disable_user(tx: Transaction, username: str, now: Instant, origin: Origin = INTERNAL) -> User:
    """Keep a user out: sessions end, and every token dies, an application's or their own (S067)."""
    user = require_user(tx, username)
    users.set_enabled(tx, user.id, enabled=False)
    detail = end_all_access(tx, user, Revocation.BY_ADMINISTRATOR, now)
    audit.record(tx, Event.USER_DISABLED, origin, now, user_id=user.id, detail=detail)
    return user


def enable_user(tx: Transaction, username: str, now: Instant, origin: Origin = INTERNAL) -> User:
    """Let a disabled user in again; applications must be authorized anew."""
    user = require_user(tx, username)
    users.set_enabled(tx, user.id, enabled=True)
    audit.record(tx, Event.USER_ENABLED, origin, now, user_id=user.id)
    return user


def change_role(tx: Transaction, username: str, role: Role, now: Instant, origin: Origin = INTERNAL) -> User:
    """Give a user another role; tokens they gave away reach no further than it from their next use on (S127)."""
    user = require_user(tx, username)
    users.set_role(tx, user.id, role)
    detail = {"before": {"role": user.role.value}, "after": {"role": role.value}}
    audit.record(tx, Event.USER_CHANGED, origin, now, user_id=user.id, detail=detail)
    return replace(user, role=role)


def end_access(tx: Transaction, username: str, now: Instant, origin: Origin = INTERNAL) -> int:
    """End a user's sessions and all that acts for them, and keep nobody out; how many grants there were (S070)."""
    user = require_user(tx, username)
    sessions_ended = users.end_all_sessions(tx, user.id)
    detail = end_all_access(tx, user, Revocation.BY_ADMINISTRATOR, now)
    audit.record(
        tx, Event.ACCESS_REMOVED, origin, now, user_id=user.id, detail=detail | {"sessions_ended": sessions_ended}
    )
    return detail["grants_ended"]


def change_password(
    tx: Transaction, username: str, password_hash: str, now: Instant, origin: Origin = INTERNAL
) -> User:
    """Replace a password; whoever signed in with the old one, or was let in by it, is out (S117)."""
    user = require_user(tx, username)
    users.set_password(tx, user.id, password_hash)
    return _end_what_it_opened(tx, user, password_hash, now, origin)


def change_own_password(
    tx: Transaction, session: Session | None, proven: User, password_hash: str, now: Instant, origin: Origin = INTERNAL
) -> User:
    """``change_password`` for the user of a session who has just proven to be ``proven``. Raises ``NoLongerProven``.

    Without a session, somebody with an access token has proven it.
    The proof was made before this transaction. Whoever typed the old password must not overwrite the one that an
    administrator has set since, and whoever was signed out since must not change anything (S067, S117).
    """
    # The user's row first, as whoever else changes a password has it, so that nobody waits in a circle.
    if not users.exchange_password(tx, proven, password_hash):
        raise NoLongerProven
    if session is not None and users.hold_session(tx, session.digest, now) is None:
        raise NoLongerProven
    users.end_all_sessions(tx, proven.id)
    return _end_what_it_opened(tx, proven, password_hash, now, origin)


def _end_what_it_opened(tx: Transaction, user: User, password_hash: str, now: Instant, origin: Origin) -> User:
    detail = end_all_access(tx, user, Revocation.PASSWORD_CHANGED, now)
    audit.record(tx, Event.PASSWORD_CHANGED, origin, now, user_id=user.id, detail=detail)
    return replace(user, password_hash=password_hash)


def end_all_access(tx: Transaction, user: User, because: Revocation, now: Instant) -> dict[str, int]:
    """End what applications and scripts hold of a user, whose row is written already; how much, for the audit log."""
    consents.forget(tx, user_id=user.id)
    authorizations.withdraw_codes(tx, user_id=user.id)
    ended = tokens.revoke_all(tx, user_id=user.id, because=because, now=now)
    personal = personal_tokens.remove_all_of(tx, user.id)
    return {"grants_ended": ended, **({"personal_tokens_ended": personal} if personal else {})}
