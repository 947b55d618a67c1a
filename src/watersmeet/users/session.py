"""Browser sessions: kept on the server, known to the browser by a random cookie, stored as a digest."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import audit, users
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.network import network_of
from watersmeet.oauth2.keys import Keys


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: the user, and the digest that stands for the session everywhere but in the cookie."""

    user: User
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Browser:
    """What is remembered of a browser, so that people recognise their own: coarse, and never used to decide."""

    name: str | None = None
    network: str | None = None

    @classmethod
    def of(cls, user_agent: str | None, address: str | None) -> Browser:
        """From a ``User-Agent`` to ``Firefox on Linux``, from an address to its network."""
        return cls(_browser_name(user_agent or ""), network_of(address))


UNKNOWN_BROWSER = Browser()


def start(
    tx: Transaction,
    user: User,
    keys: Keys,
    entropy: Entropy,
    now: Instant,
    lifetime: Instant,
    *,
    browser: Browser = UNKNOWN_BROWSER,
) -> str | None:
    """Open a session; the value of its cookie, always a new one (S062).

    ``None`` if ``user``, as somebody has just proven to be, is no longer let in: disabled since, or with another
    password (S067, S117).
    """
    present = users.hold(tx, user.id)
    if present is None or not present.enabled or present.password_hash != user.password_hash:
        return None
    identifier = entropy.hex(32)
    users.start_session(
        tx, keys.digest(identifier), user.id, now, now + lifetime, user_agent=browser.name, address=browser.network
    )
    return identifier


def find(tx: Transaction, identifier: str, keys: Keys, now: Instant) -> Session | None:
    """The session a cookie stands for, if it is live and its user enabled."""
    digest = keys.digest(identifier)
    user = users.find_by_session(tx, digest, now)
    return Session(user, digest) if user else None


def end(tx: Transaction, identifier: str, keys: Keys) -> None:
    """Close a session on the server; the cookie is worth nothing afterwards."""
    users.end_session(tx, keys.digest(identifier))


EVERYWHERE_ELSE = "others"


def end_elsewhere(tx: Transaction, session: Session, which: str, now: Instant, origin: Origin = INTERNAL) -> int:
    """Sign out another browser of the same user, as lists of sessions name it, or ``EVERYWHERE_ELSE``; how many."""
    user_id = session.user.id
    if which == EVERYWHERE_ELSE:
        ended = users.end_other_sessions(tx, user_id, session.digest)
    else:
        ended = users.end_session_of(tx, user_id, which)
    if ended:
        audit.record(tx, Event.SESSION_ENDED, origin, now, user_id=user_id, detail={"sessions_ended": ended})
    return ended


# The first that is found counts: every browser claims to be some of those below it as well.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ("curl/", "curl"), ("Python", "Python"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"), ("CrOS", "ChromeOS"),
)  # fmt: skip


def _browser_name(user_agent: str) -> str | None:
    parts = [next((name for mark, name in names if mark in user_agent), None) for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(part for part in parts if part) or None
