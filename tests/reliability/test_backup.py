"""Backups made while a server writes, restored as docs/operations.md says (both engines)."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from tests.support.ledger import Chain, Ledger
from tests.support.postgresql import PostgresqlServer, postgresql_programs
from tests.support.production import SECRET, Production, running
from watersmeet.cli import main
from watersmeet.database.engine import Database
from watersmeet.database.schema import SCHEMA_VERSION, properties


def watersmeet(production: Production, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on the database of a server."""
    settings = {"WATERSMEET_DATABASE_URL": production.database_url, "WATERSMEET_SECRET": SECRET}
    return subprocess.run(
        [sys.executable, "-m", "watersmeet", *words],
        check=False, capture_output=True, text=True, cwd=production.folder, env={**os.environ, **settings},
    )  # fmt: skip


def settled(ledger: Ledger) -> list[Chain]:
    """The chains that will not change any more: their client has gone on to another code."""
    return [Chain(chain.code, list(chain.pairs)) for chain in ledger.chains[:-10] if len(chain.pairs) == 5][:8]


def check_restored(production: Production, before: list[Chain]) -> None:
    """What was answered before the backup is in it; then everything that was given is ended."""
    assert before
    with running(production), production.client() as client:
        for chain in before:
            assert [client.read(pair["access_token"]) for pair in chain.pairs] == [401, 401, 401, 401, 200]
        assert client.exchange(before[0].code).status_code == 400
        assert client.refresh(before[1].pairs[-1]["refresh_token"]).status_code == 200
        done = watersmeet(production, "database", "end-grants", "--yes")
        assert done.stdout.startswith("Ended "), done.stderr
        assert all(client.read(chain.pairs[-1]["access_token"]) == 401 for chain in before)
        assert all(client.refresh(chain.pairs[-1]["refresh_token"]).status_code == 400 for chain in before)
        (code,) = production.codes(1)
        assert client.exchange(code).status_code == 200


@pytest.mark.slow
def test_a_backup_under_load_is_consistent_and_can_be_restored_on_sqlite(tmp_path: Path) -> None:
    file, copy = tmp_path / "watersmeet.db", tmp_path / "copy.db"
    production = Production(f"sqlite:///{file}", tmp_path)
    ledger = Ledger.open(production, 400)
    with running(production):
        with ledger.load(clients=4):
            ledger.wait_for_answers(120)
            before = settled(ledger)
            done = watersmeet(production, "database", "backup", str(copy))
            assert done.returncode == 0, done.stderr
            ledger.wait_for_answers(50)
        again = watersmeet(production, "database", "backup", str(copy))
        assert (again.returncode, again.stderr) == (1, f"watersmeet: {copy} exists already; it was left as it is.\n")

    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        unfinished = """
            SELECT count(*) FROM authorizations a WHERE status = 'exchanged' AND NOT EXISTS (
                SELECT 1 FROM token_families f JOIN token_pairs p ON p.family_id = f.id WHERE f.id = a.family_id)
        """
        assert database.execute(unfinished).fetchone() == (0,), "no exchange is in it by half"

    for path in tmp_path.glob("watersmeet.db*"):  # the side files too
        path.unlink()
    copy.rename(file)
    assert watersmeet(production, "database", "check").returncode == 0
    check_restored(production, before)


@pytest.mark.slow
def test_a_dump_under_load_can_be_restored_on_postgresql(postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
    def postgresql(name: str, *words: str) -> None:
        program = str(postgresql_programs() / name)
        done = subprocess.run([program, *words], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    dump = tmp_path / "watersmeet.dump"
    with postgresql_server.fresh_database() as url, postgresql_server.fresh_database() as new_url:
        production = Production(url, tmp_path)
        refused = watersmeet(production, "database", "backup", str(dump))
        assert (refused.returncode, "pg_dump --format=custom" in refused.stderr) == (1, True)
        ledger = Ledger.open(production, 400)
        with running(production), ledger.load(clients=4):
            ledger.wait_for_answers(120)
            before = settled(ledger)
            postgresql("pg_dump", "--format=custom", f"--file={dump}", url)
            ledger.wait_for_answers(50)
        postgresql("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={new_url}", str(dump))
        production.database_url = new_url
        assert watersmeet(production, "database", "check").returncode == 0
        check_restored(production, before)


@contextmanager
def _limited(most: tuple[int, int]) -> Iterator[None]:
    """Files that the block's child processes write are no longer than that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, most)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path)
    done = watersmeet(production, "database", "backup", str(tmp_path / "nowhere" / "copy.db"))
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)
    (tmp_path / "full").mkdir()
    most = (100_000, resource.RLIM_INFINITY)  # bytes of any file: enough to open the database, not for a copy
    with _limited(most):
        done = watersmeet(production, "database", "backup", str(tmp_path / "full" / "copy.db"))
    assert (done.returncode, "could not be finished" in done.stderr) == (1, True), done.stderr
    assert list((tmp_path / "full").iterdir()) == []


def test_serve_refuses_another_schema_than_its_own_and_names_the_command(tmp_path: Path) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path)
    older = update(properties).where(properties.c.name == "schema").values(value="0")
    database = Database(production.database_url)
    database.write_now(lambda tx: tx.execute(older))
    database.close()
    done = watersmeet(production, "serve")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "has schema 0" in done.stderr
    assert "run `watersmeet database upgrade`" in done.stderr


def test_the_schema_commands(empty_url: str) -> None:
    settings = {"WATERSMEET_DATABASE_URL": empty_url, "WATERSMEET_SECRET": SECRET}

    def says(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["database", *words], env=settings)
        assert done.exit_code == code, done.output
        return done.output.strip()

    assert "is empty" in says("current", code=1)
    assert "is empty" in says("check", code=1)
    assert says("upgrade") == f"The database was empty; it has schema {SCHEMA_VERSION} now."
    assert says("current") == SCHEMA_VERSION
    assert says("upgrade") == f"The database has schema {SCHEMA_VERSION} already."
    assert says("check") == f"The database has schema {SCHEMA_VERSION}, as this version needs it."

    counted: dict[str, Any] = json.loads(says("stats", "--json"))
    assert counted["token_pairs"] == {"rows": 0, "waiting": 0, "oldest": None}
    assert counted.keys() == {
        "authorizations", "token_families", "token_pairs", "sessions",
        "personal_tokens", "consents", "failed_attempts", "signing_keys", "audit_events", "long_tasks", "blobs",
    }  # fmt: skip
    assert says("stats").splitlines()[0].split() == ["TABLE", "ROWS", "WAITING", "OLDEST", "ENDED"]
    assert 'watersmeet_rows_waiting{table="token_families"} 0' in says("stats", "--prometheus").splitlines()

    database = Database(empty_url)
    database.write_now(lambda tx: tx.exec_driver_sql("DROP INDEX ix_sessions_expires_at"))
    database.close()
    assert "The tables differ from schema" in says("check", code=1)
