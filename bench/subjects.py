"""Subjects: the servers that are measured, each able to start on a fresh store full of unexchanged codes."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.support.postgresql import PostgresqlServer

from bench.client import Client
from bench.processes import Served, free_port, served
from bench.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """A subject that accepts connections: its client, and one code for each exchange."""

    served: Served
    client: Client
    codes: list[str]


class Subject(Protocol):
    """A server that can be measured."""

    name: str
    """As the tables call it."""
    pace: int
    """Roughly how many exchanges a second it could ever do: how many codes a measurement needs."""

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
    database_url: Callable[[Path], contextlib.AbstractContextManager[str]]
    pace: int = 12_000

    @property
    def name(self) -> str:
        """Engine and number of workers."""
        return f"Watersmeet, {self.engine}, {self.workers} worker{'s' if self.workers > 1 else ''}"

    @contextlib.contextmanager
    def running(self, codes: int) -> Iterator[Running]:
        """``watersmeet serve`` on a fresh database."""
        port = free_port()
        with new_folder() as folder, self.database_url(folder) as url:
            store = Store.create(url)
            granted = store.add_codes(codes)
            store.close()
            command = [sys.executable, "-m", "watersmeet", "serve", "--port", str(port)]
            if self.workers > 1:
                command += ["--workers", str(self.workers)]
            with served(command, port=port, folder=folder, environment=store.environment) as server:
                yield Running(server, store.client, granted)


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def sqlite_file(folder: Path) -> Iterator[str]:
    """The URL of a SQLite file in that folder."""
    yield f"sqlite:///{folder}/watersmeet.db"


def database_of(postgresql: PostgresqlServer) -> Callable[[Path], contextlib.AbstractContextManager[str]]:
    """The URL of a database of one's own on that server."""
    return lambda _folder: postgresql.fresh_database()
