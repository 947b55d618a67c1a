"""Browser sessions: kept on the server, known to the browser by a random cookie, stored as a digest."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.oauth2.keys import Keys


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: the user, and the digest that stands for the session everywhere but in the cookie."""

    user: User
    digest: str = field(repr=False)


def start(tx: Transaction, user: User, keys: Keys, entropy: Entropy, now: Instant, lifetime: Instant) -> str:
    """Open a session; the value of its cookie, always a new one (S062)."""
    identifier = entropy.hex(32)
    users.start_session(tx, keys.digest(identifier), user.id, now, now + lifetime)
    return identifier


def find(tx: Transaction, identifier: str, keys: Keys, now: Instant) -> Session | None:
    """The session a cookie stands for, if it is live and its user enabled."""
    digest = keys.digest(identifier)
    user = users.find_by_session(tx, digest, now)
    return Session(user, digest) if user else None


def end(tx: Transaction, identifier: str, keys: Keys) -> None:
    """Close a session on the server; the cookie is worth nothing afterwards."""
    users.end_session(tx, keys.digest(identifier))
