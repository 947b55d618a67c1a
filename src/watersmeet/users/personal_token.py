"""Personal access tokens: what users make for scripts of their own, and take back (decision 0055)."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import DAY, Instant
from watersmeet.confluence.personal_token import PREFIX, personal_token_json
from watersmeet.confluence.scopes import Scope
from watersmeet.database import audit, personal_tokens, users
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.personal_tokens import PersonalToken
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.names import has_deceptive_characters
from watersmeet.oauth2.keys import Keys
from watersmeet.users.signin import NoLongerProven

MAX_NAME_LENGTH = 80
MAX_TOKENS = 20  # of one user


class UnacceptableToken(WatersmeetError):
    """A personal access token that may not be made; the description says what to change."""


class UnknownToken(WatersmeetError):
    """A user has no personal access token of that number."""

    status = 404
    description = "There is no personal access token of this number."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that somebody asks for: ``scope`` is the most it may do, ``days`` how long it works."""

    name: str
    scope: Scope
    days: int

    @classmethod
    def check(cls, *, name: str, scope: str, days: int, longest: int) -> Wanted:
        """Checked values; ``longest`` is the operator's limit in days (0: none). Raises ``UnacceptableToken``."""
        if not longest:
            raise UnacceptableToken("Personal access tokens are switched off on this server.")
        if not name or len(name) > MAX_NAME_LENGTH or has_deceptive_characters(name):
            raise UnacceptableToken("The name must have 1 to {maximum} visible characters.", maximum=MAX_NAME_LENGTH)
        if not 1 <= days <= longest:
            raise UnacceptableToken("The token must expire within 1 to {maximum} days.", maximum=longest)
        try:
            return cls(name, Scope(scope), days)
        except ValueError:
            raise UnacceptableToken("Choose one of the permissions.") from None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token, and what is shown this once."""

    token: PersonalToken
    raw: str = field(repr=False)


def create_token(
    tx: Transaction,
    proven: User,
    wanted: Wanted,
    *,
    maker: int | None = None,
    now: Instant,
    keys: Keys,
    entropy: Entropy,
    origin: Origin = INTERNAL,
) -> NewToken:
    """A new token of 256 random bits; only its digest is kept. Raises ``UnacceptableToken`` or ``NoLongerProven``.

    ``proven`` is the user as somebody has just proven to be, by the password or by the token numbered ``maker``. The
    new token does no more and lives no longer than the one that makes it, and ends with it, or whoever steals one would
    have it for ever.
    """
    # The user's row first and alone: of those who make tokens at the same time each counts what the others made, and
    # whoever ends them all, disables the user or changes the password comes before this or after.
    present = users.claim(tx, proven.id)
    if present is None or not present.enabled or present.password_hash != proven.password_hash:
        raise NoLongerProven
    scope, expires_at = wanted.scope.as_set, now + wanted.days * DAY
    if maker is not None:
        made_by = personal_tokens.hold(tx, present.id, maker)
        if made_by is None or made_by.expires_at <= now:
            raise NoLongerProven
        scope, expires_at = scope.capped_by(made_by.scope), min(expires_at, made_by.expires_at)
    if personal_tokens.count_of(tx, present.id, now) >= MAX_TOKENS:
        raise UnacceptableToken("Nobody may have more than {maximum} tokens. Revoke one first.", maximum=MAX_TOKENS)
    raw = PREFIX + entropy.hex(32)
    digest = keys.digest(raw)
    token = personal_tokens.add(
        tx,
        present.id,
        name=wanted.name,
        scope=scope,
        digest=digest,
        made_by=maker,
        now=now,
        expires_at=expires_at,
    )
    detail = {"token": token.id, "scope": str(scope), "expires_at": expires_at, **({"maker": maker} if maker else {})}
    audit.record(tx, Event.PERSONAL_TOKEN_CREATED, origin, now, user_id=present.id, detail=detail)
    return NewToken(token, raw)


def revoke_token(tx: Transaction, user: User, number: int, now: Instant, origin: Origin = INTERNAL) -> bool:
    """End a token at once, and those it made: whoever stole it may have made them. ``False`` when there is none."""
    gone = personal_tokens.remove(tx, user.id, number)
    if gone:
        detail = {"token": number}
        audit.record(tx, Event.PERSONAL_TOKEN_REVOKED, origin, now, user_id=user.id, detail=detail)
    return gone


def revoke_all_tokens(tx: Transaction, user: User, now: Instant, origin: Origin = INTERNAL) -> int:
    """End every token of a user at once, those that are being made with them; how many ended."""
    users.claim(tx, user.id)
    ended = personal_tokens.remove_all_of(tx, user.id)
    if ended:
        detail = {"personal_tokens_ended": ended}
        audit.record(tx, Event.PERSONAL_TOKEN_REVOKED, origin, now, user_id=user.id, detail=detail)
    return ended


def token_as_json(token: PersonalToken, user: User) -> dict[str, object]:
    """A token for machines, without what is secret of it; its scope as far as its user may do that much now."""
    return personal_token_json(
        token.id,
        token.name,
        str(token.scope.capped_by(user.role.ceiling)),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )
