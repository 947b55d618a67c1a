"""Failed attempts, as rows: counters that every process shares and that nothing can race (S064, S096)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, text

from watersmeet.clock import Instant
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.schema import failed_attempts
from watersmeet.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often something failed in the present window, and when the window ends."""

    failures: int
    ends_at: Instant


# One statement, so that of any number of parallel attempts each gets a number of its own. Both engines
# understand it; SQLAlchemy has no common spelling for it.
_COUNT = text(
    """
    INSERT INTO failed_attempts (key, failures, ends_at) VALUES (:key, 1, :ends_at)
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN failed_attempts.ends_at <= :now THEN 1 ELSE failed_attempts.failures + 1 END,
        ends_at = CASE WHEN failed_attempts.ends_at <= :now THEN excluded.ends_at ELSE failed_attempts.ends_at END
    RETURNING failures, ends_at
    """
)


def count(tx: Transaction, key: str, now: Instant, window: Instant) -> Attempts:
    """Count one more failure; a window of ``window`` milliseconds begins with its first."""
    row = tx.execute(_COUNT, {"key": key, "now": now, "ends_at": now + window}).one()
    return Attempts(row.failures, row.ends_at)


def forget(tx: Transaction, keys: Sequence[str]) -> None:
    """Forget the failures of these keys."""
    tx.execute(delete(failed_attempts).where(failed_attempts.c.key.in_(keys)))


_TAKE_BACK = (
    failed_attempts.update()
    .where(failed_attempts.c.key == bindparam("of_key"), failed_attempts.c.failures > 0)
    .values(failures=failed_attempts.c.failures - 1)
)


def take_back(tx: Transaction, keys: Sequence[str]) -> None:
    """Uncount one failure of each key: it was counted in advance, and did not fail."""
    for key in keys:
        tx.execute(_TAKE_BACK, {"of_key": key})


_EXPIRED = ended(failed_attempts.c.key, failed_attempts.c.ends_at)
_ANY_EXPIRED = any_ended(failed_attempts.c.ends_at)


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete counters whose window ended before an instant, a bounded number; how many went."""
    found = list(tx.execute(_EXPIRED, {"before": before, "at_most": at_most}).scalars())
    forget(tx, found)
    return len(found)


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {failed_attempts.name: expiry.backlog(tx, failed_attempts.c.ends_at, before)}
