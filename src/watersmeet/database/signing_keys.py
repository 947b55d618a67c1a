"""The generations of the keys that sign tokens, as rows: salts, never keys."""

from __future__ import annotations

from sqlalchemy import delete, func, insert, or_, select, update

from watersmeet.clock import Instant
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog
from watersmeet.database.schema import signing_keys, token_families
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.keys import ORIGINAL, Generation

_ALL = select(
    signing_keys.c.id,
    signing_keys.c.salt,
    signing_keys.c.created_at,
    signing_keys.c.signs_from,
    signing_keys.c.retires_at,
).order_by(signing_keys.c.signs_from)


def list_all(tx: Transaction) -> list[Generation]:
    """Every generation, the oldest first; before the first rotation that is the original one."""
    return [Generation(*row) for row in tx.execute(_ALL)] or [ORIGINAL]


def add(tx: Transaction, newest: Generation, *, others_retire_at: Instant) -> None:
    """A new generation; all before it end at ``others_retire_at`` at the latest."""
    if tx.execute(select(func.count()).select_from(signing_keys)).scalar_one() == 0:
        _insert(tx, ORIGINAL)
    later = or_(signing_keys.c.retires_at.is_(None), signing_keys.c.retires_at > others_retire_at)
    tx.execute(update(signing_keys).where(later).values(retires_at=others_retire_at))
    _insert(tx, newest)


def _insert(tx: Transaction, generation: Generation) -> None:
    tx.execute(
        insert(signing_keys),
        {
            "id": generation.id,
            "salt": generation.salt,
            "created_at": generation.created_at,
            "signs_from": generation.signs_from,
            "retires_at": generation.retires_at,
        },
    )


def last_family_ends_at(tx: Transaction) -> Instant:
    """When the last token that was ever issued stops working; 0 without any."""
    return tx.execute(select(func.max(token_families.c.expires_at))).scalar() or 0


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether a generation has retired."""
    return tx.execute(select(signing_keys.c.id).where(signing_keys.c.retires_at < before)).first() is not None


def prune(tx: Transaction, before: Instant, _at_most: int) -> int:
    """Forget the salts of retired generations: from then on nobody can make their keys again; how many went."""
    return tx.execute(delete(signing_keys).where(signing_keys.c.retires_at < before)).rowcount


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {signing_keys.name: expiry.backlog(tx, signing_keys.c.retires_at, before)}
