"""Personal access tokens, as rows: what users made for scripts of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, bindparam, delete, func, insert, select

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import personal_tokens, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User, as_user
from watersmeet.oauth2.scope import ScopeSet


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token as its user sees it later: everything but the token. ``scope`` is the most it may do."""

    id: int
    name: str
    scope: ScopeSet
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None
    last_used_from: str | None  # a network


@dataclass(frozen=True, slots=True)
class LivePersonalToken:
    """What a token of an enabled user amounts to until it expires, before the user's rights cap it."""

    id: int
    user: User
    scope: ScopeSet
    expires_at: Instant


_COLUMNS = [personal_tokens.c[name] for name in PersonalToken.__slots__]


def _select_live(rows: FromClause) -> Select[Any]:
    mine = personal_tokens.c
    return (
        select(mine.digest, mine.id, mine.scope, mine.expires_at, *(users.c[name] for name in User.__slots__))
        .join(users, users.c.id == mine.user_id)
        .where(mine.digest.in_(select(rows.c.digest)), users.c.enabled)
    )


_LIVE = RowsStatement([personal_tokens.c.digest], _select_live)
_HOLD = (
    select(*_COLUMNS)
    .where(personal_tokens.c.user_id == bindparam("of_user"), personal_tokens.c.id == bindparam("number"))
    .with_for_update(read=True)
)


def find_live(tx: Transaction, digests: Sequence[str]) -> list[LivePersonalToken | None]:
    """What the tokens with those digests amount to, in order: the Bearer check's only statement."""
    live: dict[str, LivePersonalToken] = {}
    for row in _LIVE.execute(tx, [(digest,) for digest in digests]):
        digest, number, scope, expires_at, *person = row
        live[digest] = LivePersonalToken(number, as_user(person), parse_scope(scope), expires_at)
    return [live.get(digest) for digest in digests]


def hold(tx: Transaction, user_id: int, number: int) -> PersonalToken | None:
    """A user's token of that number; nobody revokes it before the transaction ends."""
    row = tx.execute(_HOLD, {"of_user": user_id, "number": number}).first()
    return _as_token(row) if row else None


def list_of(tx: Transaction, user_id: int, now: Instant) -> list[PersonalToken]:
    """A user's tokens that have not expired, the newest first."""
    mine = select(*_COLUMNS).where(personal_tokens.c.user_id == user_id, personal_tokens.c.expires_at > now)
    return [_as_token(row) for row in tx.execute(mine.order_by(personal_tokens.c.id.desc()))]


def count_of(tx: Transaction, user_id: int, now: Instant) -> int:
    """How many tokens of a user have not expired."""
    mine = select(func.count()).where(personal_tokens.c.user_id == user_id, personal_tokens.c.expires_at > now)
    return tx.execute(mine).scalar_one()


def add(
    tx: Transaction,
    user_id: int,
    *,
    name: str,
    scope: ScopeSet,
    digest: str,
    made_by: int | None,
    now: Instant,
    expires_at: Instant,
) -> PersonalToken:
    """A new token; ``made_by`` is the number of the one that made it."""
    values = {"user_id": user_id, "name": name, "scope": str(scope), "digest": digest, "made_by": made_by}
    number = tx.execute(
        insert(personal_tokens).returning(personal_tokens.c.id),
        {**values, "created_at": now, "expires_at": expires_at},
    ).scalar_one()
    return PersonalToken(number, name, scope, now, expires_at, None, None)


def remove(tx: Transaction, user_id: int, number: int) -> bool:
    """Forget a token of a user, and those that were made with it; ``False`` when there is none of that number."""
    mine = (personal_tokens.c.user_id == user_id, personal_tokens.c.id == number)
    return tx.execute(delete(personal_tokens).where(*mine)).rowcount == 1


def remove_all_of(tx: Transaction, user_id: int) -> int:
    """Forget every token of a user; how many there were. Whoever calls this holds or has written the user's row."""
    return tx.execute(delete(personal_tokens).where(personal_tokens.c.user_id == user_id)).rowcount


def remove_everybodys(tx: Transaction) -> int:
    """Forget every token there is; how many there were."""
    return tx.execute(delete(personal_tokens)).rowcount


def _as_token(row: Any) -> PersonalToken:
    number, name, scope, *rest = row
    return PersonalToken(number, name, parse_scope(scope), *rest)


# ---- pruning ----------------------------------------------------------------------------------------------

_EXPIRED = ended(personal_tokens.c.id, personal_tokens.c.expires_at)
_ANY_EXPIRED = any_ended(personal_tokens.c.expires_at)


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index of expiries."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete tokens that ended before an instant, a bounded number; how many went."""
    found = list(tx.execute(_EXPIRED, {"before": before, "at_most": at_most}).scalars())
    tx.execute(delete(personal_tokens).where(personal_tokens.c.id.in_(found)))
    return len(found)


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {personal_tokens.name: expiry.backlog(tx, personal_tokens.c.expires_at, before)}
