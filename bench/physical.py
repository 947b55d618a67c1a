"""The physical limit: the statements of an exchange without the server around them.

On SQLite the statements that the server's own operation sends are recorded while it serves batches, and sent again
by the bare driver to a copy of the file as it was before, with the same commits. On PostgreSQL pgbench runs the
statements of one exchange, once a transaction.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bench.client import REDIRECT_URI, VERIFIER
from bench.store import Store
from watersmeet.clock import SECOND, SystemClock
from watersmeet.entropy import SystemEntropy
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.family import Lifetimes
from watersmeet.tokens.batch import Asked
from watersmeet.tokens.exchange import ExchangeRequest, exchange_all

_LIFETIMES = Lifetimes(3600 * SECOND, 90 * 86_400 * SECOND)


def bare_sqlite_rate(batches: int, batch: int) -> float:
    """Exchanges a second of the bare driver, that many in one commit."""
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder:
        file, copy = Path(folder) / "watersmeet.db", Path(folder) / "copy.db"
        store = Store.create(f"sqlite:///{file}")
        codes = store.add_codes(batches * batch)
        with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        recorded = [_record(store, codes[at : at + batch]) for at in range(0, len(codes), batch)]
        store.close()
        return len(codes) / _replay(copy, recorded)


def _record(store: Store, codes: list[str]) -> list[tuple[str, Any]]:
    """The statements with which the server's operation serves one batch, and their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    now, client = SystemClock().now(), store.client
    credentials = ClientCredentials(client.client_id, client.client_secret, from_basic=False)
    asked = [Asked(credentials, ExchangeRequest(code, REDIRECT_URI, VERIFIER), now) for code in codes]
    event.listen(store.database.engine, "before_cursor_execute", note)
    try:
        store.database.write_now(
            lambda tx: exchange_all(tx, asked, lifetimes=_LIFETIMES, keys=store.keys, entropy=SystemEntropy())
        )
    finally:
        event.remove(store.database.engine, "before_cursor_execute", note)
    return sent


def _replay(file: Path, recorded: list[list[tuple[str, Any]]]) -> float:
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    began = time.perf_counter()
    for statements in recorded:
        for statement, parameters in statements:
            connection.execute(statement, parameters or ()).fetchall()
    seconds = time.perf_counter() - began
    connection.close()
    return seconds
