"""The sweep: deleting what has expired, in small batches, on the schedules of the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from watersmeet.clock import DAY, SECOND, Clock, Instant, as_datetime
from watersmeet.database import (
    attempts,
    audit,
    authorizations,
    consents,
    long_tasks,
    personal_tokens,
    signing_keys,
    tokens,
    users,
)
from watersmeet.database.engine import Database
from watersmeet.database.expiry import Backlog
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable, SettingsError
from watersmeet.settings import Settings
from watersmeet.web.log import log

# Each row touches a page of its own in every index of its table, and whoever writes meanwhile waits. So few are deleted
# in half a millisecond, and their commit flushes about as many pages as that of a few requests (docs/decisions/0018).
BATCH = 5

# A used code is kept for a day after its end, so that its replay is still recognised (S079). Families need no
# such time: their last refresh token expires with them, so there is nothing left to replay.
CODE_RETENTION: Instant = DAY

TASK_RETENTION: Instant = 7 * DAY
"""How long a long task can be asked about after its end."""


class Schedule:
    """A cron line: five fields, or six beginning with seconds as the vendor's property has it (``* * * * * ?``).

    Raises ``SettingsError`` for anything else.
    """

    def __init__(self, line: str) -> None:
        from cronsim import CronSim, CronSimError

        # "?" is Quartz for "no particular value"; elsewhere that is spelled "*".
        self._line = line.replace("?", "*")
        self._simulation = CronSim
        try:
            self.next_after(0)
        except (CronSimError, StopIteration) as error:
            raise SettingsError(f"{line!r} is not a cron line of five or six fields.") from error

    def next_after(self, now: Instant) -> Instant:
        """The first instant after ``now`` that the line names."""
        moment = next(self._simulation(self._line, as_datetime(now)))
        return int(moment.timestamp() * SECOND)


@dataclass(frozen=True)
class Sweep:
    """What is deleted, when, and until when it is kept."""

    schedule: Schedule
    retention: Instant
    any_expired: Callable[[Transaction, Instant], bool]
    prune: Callable[[Transaction, Instant, int], int]
    what: str
    backlog: Callable[[Transaction, Instant], Mapping[str, Backlog]]


def sweeps(settings: Settings) -> list[Sweep]:
    """Everything that expires; codes and tokens on the schedules of the vendor's properties.

    Raises ``SettingsError`` for an unreadable schedule.
    """
    codes = Schedule(settings.provider.prune_expired_authorizations_schedule)
    families = Schedule(settings.provider.prune_expired_tokens_schedule)
    every_minute, every_hour = Schedule("* * * * *"), Schedule("17 * * * *")
    expiring = [
        Sweep(
            codes,
            CODE_RETENTION,
            authorizations.any_expired,
            authorizations.prune,
            "authorizations",
            authorizations.backlog,
        ),
        Sweep(families, 0, tokens.any_expired, tokens.prune, "token families", tokens.backlog),
        Sweep(codes, 0, users.any_ended_session, users.prune_sessions, "sessions", users.session_backlog),
        Sweep(
            families,
            0,
            personal_tokens.any_expired,
            personal_tokens.prune,
            "personal access tokens",
            personal_tokens.backlog,
        ),
        Sweep(codes, 0, consents.any_expired, consents.prune, "remembered consent", consents.backlog),
        Sweep(every_minute, 0, attempts.any_expired, attempts.prune, "counters of failed attempts", attempts.backlog),
        Sweep(every_hour, TASK_RETENTION, long_tasks.any_over, long_tasks.prune, "long tasks", long_tasks.backlog),
        Sweep(every_minute, 0, signing_keys.any_expired, signing_keys.prune, "signing keys", signing_keys.backlog),
    ]
    if settings.audit_retention_days:
        retention = settings.audit_retention_days * DAY
        expiring.append(Sweep(every_hour, retention, audit.any_expired, audit.prune, "audit events", audit.backlog))
    return expiring


async def run(sweep: Sweep, database: Database, clock: Clock) -> None:
    """Sweep for ever, on schedule. Other writers get their turn between batches."""
    while True:
        now = clock.now()
        await asyncio.sleep((sweep.schedule.next_after(now) - now) / SECOND)
        try:
            await sweep_once(sweep, database, clock.now())
        except ServiceUnavailable as error:
            log.warning("sweep postponed", what=sweep.what, detail=error.detail)
        except Exception as error:  # whatever it was, the next round may fare better
            log.error("sweep failed", what=sweep.what, exc_info=error)


async def sweep_once(sweep: Sweep, database: Database, now: Instant) -> int:
    """Delete everything that is due now and that no other worker is deleting; how much went.

    After each batch it rests for as long as that took: the busier the database, the longer.
    """
    clock = asyncio.get_running_loop().time
    before, total = now - sweep.retention, 0
    while await database.read(lambda tx: sweep.any_expired(tx, before)):
        began = clock()
        went = await database.write(lambda tx: sweep.prune(tx, before, BATCH))
        total += went
        if not went:
            break
        await asyncio.sleep(clock() - began)
    if total:
        log.info("pruned", what=sweep.what, count=total)
    return total


def backlogs(tx: Transaction, due: Iterable[Sweep], now: Instant) -> dict[str, Backlog]:
    """What the tables hold and what of it waits for a sweep, by table."""
    return {name: found for sweep in due for name, found in sweep.backlog(tx, now - sweep.retention).items()}
