"""Credentials: what a request presented, whose it is, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watersmeet.clock import SECOND, Instant
from watersmeet.confluence.personal_token import PREFIX
from watersmeet.database import authorizations, clients, dev, personal_tokens, tokens, users
from watersmeet.database.tokens import StoredPair
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.family import PairState, Revocation
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.web.language import Sentence


class Kind(StrEnum):
    """What it is; the words of the sentences."""

    ACCESS_TOKEN = "access token"  # noqa: S105 - words, not a token
    REFRESH_TOKEN = "refresh token"  # noqa: S105
    CODE = "code"
    PERSONAL_TOKEN = "personal access token"  # noqa: S105


class State(StrEnum):
    """What has become of it."""

    LIVE = "live"
    EXPIRED = "expired"
    SPENT = "spent"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Credential:
    """A presented credential. ``story`` is the sentence about it: ``the access token expired 12 s ago``."""

    kind: Kind
    state: State
    story: Sentence
    user: str | None = None
    role: str | None = None
    client: Client | None = None
    scope: str | None = None
    granted: str | None = None
    authorization: Authorization | None = None


NAMES = {
    Kind.ACCESS_TOKEN: Sentence("the access token"),
    Kind.REFRESH_TOKEN: Sentence("the refresh token"),
    Kind.CODE: Sentence("the code"),
    Kind.PERSONAL_TOKEN: Sentence("the personal access token"),
}

_BECAUSE: dict[str, Sentence] = {
    Revocation.REPLAYED: Sentence("a spent code or refresh token was used again"),
    Revocation.LOST_RESPONSE: Sentence("a spent refresh token was used again, probably after a lost answer"),
    Revocation.BY_USER: Sentence("the user removed the application"),
    Revocation.BY_CLIENT: Sentence("the client gave it back"),
    Revocation.BY_ADMINISTRATOR: Sentence("an administrator ended it"),
    Revocation.PASSWORD_CHANGED: Sentence("the user's password was changed"),
}


def find_access_token(tx: Transaction, token: str, keys: Keys, now: Instant) -> Credential:
    """What was sent as an access token."""
    if token.startswith(PREFIX):
        return _find_personal_token(tx, token, keys, now)
    kind = Kind.ACCESS_TOKEN
    if not is_genuine(token, TokenKind.ACCESS, keys):
        if is_genuine(token, TokenKind.REFRESH, keys):
            story = Sentence("the access token is a refresh token, which opens nothing by itself")
            return Credential(kind, State.UNKNOWN, story)
        return Credential(kind, State.UNKNOWN, _never_made(kind))
    stored = tokens.find_by_access_token(tx, keys.digest(token))
    if stored is None:
        return Credential(kind, State.UNKNOWN, _gone(kind))
    return _of_pair(tx, kind, stored, stored.pair.access_expires_at, now)


def _find_personal_token(tx: Transaction, token: str, keys: Keys, now: Instant) -> Credential:
    kind = Kind.PERSONAL_TOKEN
    [found] = personal_tokens.find_live(tx, [keys.digest(token)])
    if found is None:
        story = Sentence("the personal access token is unknown: revoked, of a disabled user, or never made here")
        return Credential(kind, State.UNKNOWN, story)
    is_over = now >= found.expires_at
    state, story = (State.EXPIRED, _expired(kind, now - found.expires_at)) if is_over else (State.LIVE, _good(kind))
    return Credential(kind, state, story, user=found.user.username, role=found.user.role, scope=str(found.scope))


def find_refresh_token(tx: Transaction, token: str, keys: Keys, now: Instant) -> Credential:
    """What was sent as a refresh token."""
    kind = Kind.REFRESH_TOKEN
    if not is_genuine(token, TokenKind.REFRESH, keys):
        if is_genuine(token, TokenKind.ACCESS, keys):
            story = Sentence("the refresh token is an access token, which cannot be refreshed")
            return Credential(kind, State.UNKNOWN, story)
        return Credential(kind, State.UNKNOWN, _never_made(kind))
    stored = tokens.find_by_refresh_token(tx, keys.digest(token))
    if stored is None:
        return Credential(kind, State.UNKNOWN, _gone(kind))
    return _of_pair(tx, kind, stored, stored.family.expires_at, now)


def find_code(tx: Transaction, code: str, keys: Keys, now: Instant) -> Credential:
    """What was sent as an authorization code."""
    found = authorizations.find_by_code(tx, keys.digest(code))
    if found is None:
        story = Sentence("the code is unknown: it was never given out, withdrawn, or everything was reset")
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
        authorization=found,
    )


def _fate_of_code(found: Authorization, now: Instant) -> tuple[State, Sentence]:
    if found.status is AuthorizationStatus.EXCHANGED:
        return State.SPENT, Sentence("the code was used before")
    if now >= found.expires_at:
        return State.EXPIRED, _expired(Kind.CODE, now - found.expires_at)
    return State.LIVE, _good(Kind.CODE)


def _of_pair(tx: Transaction, kind: Kind, stored: StoredPair, end: Instant, now: Instant) -> Credential:
    user, client = users.find_by_id(tx, stored.family.user_id), clients.find_by_id(tx, stored.family.client)
    state, story = _fate_of_pair(tx, kind, stored, client, end, now)
    return Credential(
        kind,
        state,
        story,
        user=user.username if user else None,
        role=user.role if user else None,
        client=client,
        scope=str(stored.pair.scope),
        granted=str(stored.family.scope),
    )


def _fate_of_pair(
    tx: Transaction, kind: Kind, stored: StoredPair, client: Client | None, end: Instant, now: Instant
) -> tuple[State, Sentence]:
    name = NAMES[kind]
    if ending := dev.ending_of(tx, stored.family.id):
        span, because = in_words(now - ending.at), _BECAUSE.get(ending.because, ending.because)
        return State.REVOKED, Sentence(
            "{name} was revoked {span} ago, because {because}", name=name, span=span, because=because
        )
    if stored.pair.state is PairState.SPENT:
        return State.SPENT, Sentence("{name} was replaced by a newer one when the pair was refreshed", name=name)
    if now >= end:
        return State.EXPIRED, _expired(kind, now - end)
    if not stored.user_enabled:
        return State.REVOKED, Sentence("{name} belongs to a user who is disabled", name=name)
    if client and client.has_expired(now):
        return State.REVOKED, Sentence("{name} belongs to a client whose last day is over", name=name)
    return State.LIVE, _good(kind)


def _good(kind: Kind) -> Sentence:
    return Sentence("{name} is good", name=NAMES[kind])


def _expired(kind: Kind, since: Instant) -> Sentence:
    return Sentence("{name} expired {span} ago", name=NAMES[kind], span=in_words(since))


def _never_made(kind: Kind) -> Sentence:
    return Sentence("{name} was not made by this server since it started", name=NAMES[kind])


def _gone(kind: Kind) -> Sentence:
    return Sentence("{name} is gone: everything was reset, or it expired long ago", name=NAMES[kind])


def in_words(duration: Instant) -> str:
    """A span of time for people, without its sign: ``1 h 12 min``."""
    seconds = abs(duration) // SECOND
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2]) or "0 s"
