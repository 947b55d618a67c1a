"""Credentials: what a request presented, whose it is, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.clock import SECOND, Instant
from watersmeet.database import authorizations, clients, dev, tokens, users
from watersmeet.database.tokens import StoredPair
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.family import PairState, Revocation
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind


class Kind(StrEnum):
    """What it is; the words of the sentences."""

    ACCESS_TOKEN = "access token"  # noqa: S105 - words, not a token
    REFRESH_TOKEN = "refresh token"  # noqa: S105
    CODE = "code"


class State(StrEnum):
    """What has become of it."""

    LIVE = "live"
    EXPIRED = "expired"
    SPENT = "spent"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Credential:
    """A presented credential. ``story`` follows its name in a sentence: ``expired 12 s ago``."""

    kind: Kind
    state: State
    story: str
    user: str | None = None
    role: str | None = None
    client: Client | None = None
    scope: str | None = None
    redirect_uri: str | None = None
    has_challenge: bool = False


_BECAUSE = {
    Revocation.REPLAYED: "a spent code or refresh token was used again",
    Revocation.BY_USER: "the user removed the application",
    Revocation.BY_CLIENT: "the client gave it back",
    Revocation.BY_ADMINISTRATOR: "an administrator ended it",
    Revocation.PASSWORD_CHANGED: "the user's password was changed",
}


def find_access_token(tx: Transaction, token: str, keys: Keys, now: Instant) -> Credential:
    """What was sent as an access token."""
    kind = Kind.ACCESS_TOKEN
    if not is_genuine(token, TokenKind.ACCESS, keys):
        if is_genuine(token, TokenKind.REFRESH, keys):
            return Credential(kind, State.UNKNOWN, "is a refresh token, which opens nothing by itself")
        return Credential(kind, State.UNKNOWN, "was not made by this server since it started")
    stored = tokens.find_by_access_token(tx, keys.digest(token))
    if stored is None:
        return Credential(kind, State.UNKNOWN, "is gone: everything was reset, or it expired long ago")
    return _of_pair(tx, kind, stored, stored.pair.access_expires_at, now)


def find_refresh_token(tx: Transaction, token: str, keys: Keys, now: Instant) -> Credential:
    """What was sent as a refresh token."""
    kind = Kind.REFRESH_TOKEN
    if not is_genuine(token, TokenKind.REFRESH, keys):
        if is_genuine(token, TokenKind.ACCESS, keys):
            return Credential(kind, State.UNKNOWN, "is an access token, which cannot be refreshed")
        return Credential(kind, State.UNKNOWN, "was not made by this server since it started")
    stored = tokens.find_by_refresh_token(tx, keys.digest(token))
    if stored is None:
        return Credential(kind, State.UNKNOWN, "is gone: everything was reset, or it expired long ago")
    return _of_pair(tx, kind, stored, stored.family.expires_at, now)


def find_code(tx: Transaction, code: str, keys: Keys, now: Instant) -> Credential:
    """What was sent as an authorization code."""
    found = authorizations.find_by_code(tx, keys.digest(code))
    if found is None:
        story = "is unknown: it was never given out, withdrawn, or everything was reset"
        return Credential(Kind.CODE, State.UNKNOWN, story)
    user = users.find_by_id(tx, found.user_id)
    state, story = _fate_of_code(found, now)
    return Credential(
        Kind.CODE,
        state,
        story,
        user=user.username if user else None,
        role=user.role if user else None,
        client=clients.find_by_id(tx, found.client),
        scope=str(found.scope),
        redirect_uri=found.redirect_uri.value,
        has_challenge=found.challenge is not None,
    )


def _fate_of_code(found: Authorization, now: Instant) -> tuple[State, str]:
    if found.status is AuthorizationStatus.EXCHANGED:
        return State.SPENT, "was used before"
    if now >= found.expires_at:
        return State.EXPIRED, f"expired {ago(now - found.expires_at)}"
    return State.LIVE, "is good"


def _of_pair(tx: Transaction, kind: Kind, stored: StoredPair, end: Instant, now: Instant) -> Credential:
    user = users.find_by_id(tx, stored.family.user_id)
    state, story = _fate_of_pair(tx, stored, end, now)
    return Credential(
        kind,
        state,
        story,
        user=user.username if user else None,
        role=user.role if user else None,
        client=clients.find_by_id(tx, stored.family.client),
        scope=str(stored.pair.scope),
    )


def _fate_of_pair(tx: Transaction, stored: StoredPair, end: Instant, now: Instant) -> tuple[State, str]:
    if ending := dev.ending_of(tx, stored.family.id):
        because = _BECAUSE.get(Revocation(ending.because), ending.because)
        return State.REVOKED, f"was revoked {ago(now - ending.at)}, because {because}"
    if stored.pair.state is PairState.SPENT:
        return State.SPENT, "was replaced by a newer one when the pair was refreshed"
    if now >= end:
        return State.EXPIRED, f"expired {ago(now - end)}"
    if not stored.user_enabled:
        return State.REVOKED, "belongs to a user who is disabled"
    return State.LIVE, "is good"


def ago(duration: Instant) -> str:
    """``12 s ago``, ``2 h 5 min ago``; two units at most."""
    return f"{in_words(duration)} ago"


def in_words(duration: Instant) -> str:
    """A span of time for people, without its sign: ``1 h 12 min``."""
    seconds = abs(duration) // SECOND
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2]) or "0 s"
