"""Subjects: the servers that are measured, each able to start on a fresh store full of unexchanged codes."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from tests.support.postgresql import PostgresqlServer

from bench.client import Client
from bench.processes import Served, free_port, served
from bench.store import Store

DatabaseUrl: TypeAlias = Callable[[Path], contextlib.AbstractContextManager[str]]
"""Lends the URL of a fresh database, perhaps a file in the folder it is given."""


@dataclass(frozen=True, slots=True)
class Running:
    """A subject that accepts connections: its client, and one code for each exchange."""

    served: Served
    client: Client
    codes: list[str]
    cookie: str = ""
    """The header of a signed-in browser, where there is one."""


class Subject(Protocol):
    """A server that can be measured."""

    @property
    def name(self) -> str:
        """As the tables call it."""
        ...

    @property
    def pace(self) -> int:
        """Roughly how many exchanges a second it could ever do: how many codes a measurement needs."""
        ...

    def running(self, codes: int) -> contextlib.AbstractContextManager[Running]:
        """The server on a fresh store with that many codes."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """What the HTTP server and the framework could do if granting tokens cost nothing."""

    name: str = "limit: uvicorn and Starlette, no work"
    pace: int = 30_000

    @contextlib.contextmanager
    def running(self, codes: int) -> Iterator[Running]:
        """The limit; its codes are made up."""
        port = free_port()
        with (
            new_folder() as folder,
            served([sys.executable, "-m", "bench.servers.limit", str(port)], port=port, folder=folder) as server,
        ):
            yield Running(server, Client("/token", "0" * 32, "0" * 64), [f"{number:064x}" for number in range(codes)])


@dataclass(frozen=True, slots=True)
class Watersmeet:
    """Watersmeet as ``serve`` runs it."""

    engine: str
    workers: int
    database_url: DatabaseUrl
    pace: int = 12_000
    python: str = sys.executable
    """The interpreter that serves; another environment's, where start-up is measured."""

    @property
    def name(self) -> str:
        """Engine and number of workers."""
        return f"Watersmeet, {self.engine}, {self.workers} worker{'s' if self.workers > 1 else ''}"

    @contextlib.contextmanager
    def running(self, codes: int) -> Iterator[Running]:
        """``watersmeet serve`` on a fresh database."""
        port = free_port()
        command = [self.python, "-m", "watersmeet", "serve", "--port", str(port)]
        if self.workers > 1:
            command += ["--workers", str(self.workers)]
        with self._running(command, port, codes) as running:
            yield running

    @contextlib.contextmanager
    def running_with_open_route(self, codes: int) -> Iterator[Running]:
        """One worker with ``/bench/open`` and ``/bench/protected`` besides."""
        port = free_port()
        with self._running([sys.executable, "-m", "bench.servers.open_route", str(port)], port, codes) as running:
            yield running

    @contextlib.contextmanager
    def _running(self, command: Sequence[str], port: int, codes: int) -> Iterator[Running]:
        with new_folder() as folder, self.database_url(folder) as url:
            store = Store.create(url)
            granted, cookie = store.add_codes(codes), store.sign_in()
            store.close()
            with served(command, port=port, folder=folder, environment=store.environment) as server:
                yield Running(server, store.client, granted, cookie)


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def sqlite_file(folder: Path) -> Iterator[str]:
    """The URL of a SQLite file in that folder."""
    yield f"sqlite:///{folder}/watersmeet.db"


def database_of(postgresql: PostgresqlServer) -> DatabaseUrl:
    """The URL of a database of one's own on that server."""
    return lambda _folder: postgresql.fresh_database()
