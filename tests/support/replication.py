"""A PostgreSQL primary with a synchronous standby, on loopback; the one can be killed, the other promoted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.postgresql import postgresql_programs, reachable, run_as
from tests.support.production import PATIENCE, children, free_port, wait_until

_ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


@dataclass
class _Server:
    """One server: its data, its port, its process."""

    programs: Path
    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.data.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.data), *options],
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.data, env=_ENVIRONMENT, **run_as(),
            )  # fmt: skip
        wait_until(self._answers, f"the server on port {self.port} answers")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(statement.encode()).fetchall()

    def kill(self) -> None:
        """Every process of it, without a word."""
        if self.process is None:
            return
        for pid in (self.process.pid, *children(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


@dataclass
class Replicated:
    """What is committed on the primary is on the standby before the client hears of it."""

    primary: _Server
    standby: _Server

    @property
    def url(self) -> str:
        """Both servers, of which the one that takes writes is used."""
        ports = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://postgres@{ports}/postgres?target_session_attrs=read-write"

    def fail_over(self) -> None:
        """The primary dies, and the standby takes its place."""
        self.primary.kill()
        assert self.standby.ask("SELECT pg_promote(true, 60)") == [(True,)]


@contextmanager
def replicated_postgresql() -> Iterator[Replicated]:
    """Both servers, running and in step. Raises ``PostgresqlMissingError``."""
    folder = Path(tempfile.mkdtemp(prefix="watersmeet-ha-"))
    programs = postgresql_programs()
    if run_as():
        programs = reachable(programs, folder)
        shutil.chown(folder, run_as()["user"], run_as()["group"])
    servers = Replicated(
        _Server(programs, folder / "primary", free_port()), _Server(programs, folder / "standby", free_port())
    )
    try:
        _make(programs, servers)
        yield servers
    finally:
        servers.primary.kill()
        servers.standby.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _make(programs: Path, servers: Replicated) -> None:
    primary, standby = servers.primary, servers.standby
    _run(
        programs, "initdb", "-D", str(primary.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"
    )
    primary.start()
    source = f"host=127.0.0.1 port={primary.port} user=postgres application_name=standby"
    _run(programs, "pg_basebackup", "-D", str(standby.data), "-d", source, "--write-recovery-conf", "--checkpoint=fast")
    standby.start()
    with psycopg.connect(primary.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        connection.execute("SELECT pg_reload_conf()")
    wait_until(
        lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == [("sync",)], "the standby is in step"
    )


def _run(programs: Path, name: str, *words: str) -> None:
    done = subprocess.run(
        [str(programs / name), *words],
        check=False, capture_output=True, text=True, timeout=PATIENCE,
        cwd=programs, env=_ENVIRONMENT, **run_as(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
