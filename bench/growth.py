"""Growth: the same work on a small store and on a big one, and while a big one is swept.

Big stores are filled with bulk inserts through the schema's tables. Digests are spread evenly over their whole
range, so that new tokens fall between old ones in every index, as random ones do; ends of grants are in another
order than their digests, so that a sweep deletes all over the indexes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from bench.load import Load, drive
from bench.processes import free_port, served
from bench.store import Store
from bench.subjects import Running, new_folder
from bench.workloads import CONNECTIONS, Grants, measure_grants
from watersmeet.clock import SECOND, SystemClock
from watersmeet.database.engine import Database
from watersmeet.database.schema import token_families

FEW_ROWS = 10_000
STEADY_PER_SECOND = 500.0
_BYTES_A_ROW = 1_200  # a token's rows and indexes are half of it
_NEVER = {"ATLASSIAN_OAUTH2_PROVIDER_PRUNE_EXPIRED_TOKENS_SCHEDULE": "0 0 29 2 *"}


class RoomMissingError(Exception):
    """The disk has no room for what was to be measured."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Watersmeet on a store that was filled before; a subject that keeps its rows from one run to the next."""

    folder: Path
    store: Store
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = "Watersmeet, SQLite, 1 worker, filled"
    pace: int = 6_000

    @contextlib.contextmanager
    def running(self, codes: int) -> Iterator[Running]:
        """``watersmeet serve``, with that many more codes."""
        store = self.store.reopened()
        granted = store.add_codes(codes)
        store.close()
        port = free_port()
        command = [sys.executable, "-m", "watersmeet", "serve", "--port", str(port)]
        environment = {**store.environment, **self.environment}
        with served(command, port=port, folder=self.folder, environment=environment) as server:
            yield Running(server, store.client, granted)

    def expired(self) -> int:
        """How many grants wait for a sweep."""
        database, now = Database(self.store.environment["WATERSMEET_DATABASE_URL"]), SystemClock().now()
        try:
            counted = select(func.count()).where(token_families.c.expires_at < now)
            return database.read_now(lambda tx: tx.execute(counted).scalar_one())
        finally:
            database.close()


Filling = Callable[[Store, sqlite3.Connection], None]


@contextlib.contextmanager
def filled(fill: Filling, megabytes: float = 0) -> Iterator[Filled]:
    """A store in a folder of its own, filled. Raises ``RoomMissingError``."""
    free = shutil.disk_usage(tempfile.gettempdir()).free / 1e6
    if free < megabytes + 1_000:
        raise RoomMissingError(f"it needs {megabytes / 1000:.0f} GB of disk, and {free / 1000:.0f} GB are free")
    with new_folder() as folder:
        file = folder / "watersmeet.db"
        store = Store.create(f"sqlite:///{file}")
        store.close()
        connection = sqlite3.connect(file, isolation_level=None)
        # Only here: a store that is lost while it is filled is filled again.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("BEGIN")
        fill(store, connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.close()
        yield Filled(folder, store)


def tokens(rows: int, *, live: bool) -> Filling:
    """That many grants of one token pair each, that end in a year's time, or ended in the year before."""

    def fill(store: Store, connection: sqlite3.Connection) -> None:
        now, year = SystemClock().now(), 365 * 86_400 * SECOND
        first_end = now + year if live else now - year
        values = {
            "rows": rows, "step": 16**12 // rows, "client": store.registered.client.id, "user": store.user.id,
            "then": now - 2 * year, "first": first_end, "each": max(1, year // 2 // rows),
        }  # fmt: skip
        connection.execute(
            """INSERT INTO token_families (id, client, user_id, scope, authorized_at, expires_at)
            WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :rows)
            SELECT printf('%012x', n * :step) || lower(hex(randomblob(10))), :client, :user, 'WRITE', :then,
              :first + n * 7919 % :rows * :each FROM numbers""",
            values,
        )
        connection.execute(
            """INSERT INTO token_pairs (family_id, generation, access_digest, refresh_digest, scope, state, created_at,
              access_expires_at)
            SELECT id, 0, substr(id, 1, 12) || lower(hex(randomblob(26))),
              substr(id, 1, 12) || lower(hex(randomblob(26))), scope, 'active', authorized_at, expires_at
            FROM token_families ORDER BY id""",
        )

    return fill


# ---- what is measured -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grown:
    """One round: grants on few rows, then on many."""

    few: Grants
    many: Grants


def measure_growth(big: Filled, seconds: float) -> Grown:
    """Exchange and refresh on a fresh store of ``FEW_ROWS`` and on the big one."""
    with filled(tokens(FEW_ROWS, live=True)) as small:
        few = measure_grants(small, seconds)
    return Grown(few, measure_grants(big, seconds))


@dataclass(frozen=True, slots=True)
class Swept:
    """One round: exchanges without and with a sweep at work, as fast as they go and at a steady pace."""

    resting: Load
    sweeping: Load
    resting_steadily: Load
    sweeping_steadily: Load
    pruned_per_second: float
    """Grants deleted a second while exchanges went as fast as they could."""


def measure_sweep(ended: Filled, seconds: float) -> Swept:
    """Exchange codes on a store full of expired grants, before and while they are swept away."""
    resting, resting_steadily, _ = _exchanged(dataclasses.replace(ended, environment=_NEVER), seconds)
    sweeping, sweeping_steadily, pruned = _exchanged(ended, seconds)
    if not pruned:
        raise RoomMissingError("nothing was left to sweep")
    return Swept(resting, sweeping, resting_steadily, sweeping_steadily, pruned / sweeping.seconds)


def _exchanged(subject: Filled, seconds: float) -> tuple[Load, Load, int]:
    steady, warm_up = int(STEADY_PER_SECOND * seconds), int(STEADY_PER_SECOND * 1.5)
    with subject.running(int(subject.pace * seconds) + steady + warm_up) as running:
        requests = [running.client.exchange(code) for code in running.codes]
        port = running.served.port
        # Longer than a second, so that the sweep, which begins at a full second, is at work.
        drive(port, requests[:warm_up], connections=CONNECTIONS, seconds=30, per_second=STEADY_PER_SECOND)
        steadily = drive(
            port, requests[warm_up : warm_up + steady], connections=CONNECTIONS, seconds=seconds,
            per_second=STEADY_PER_SECOND,
        )  # fmt: skip
        before = subject.expired()
        quickly = drive(port, requests[warm_up + steady :], connections=CONNECTIONS, seconds=seconds)
        return quickly, steadily, before - subject.expired()


def megabytes_of(rows: int) -> float:
    """The room that a store of so many tokens needs, its growth while it is measured included."""
    return rows * _BYTES_A_ROW / 1e6
