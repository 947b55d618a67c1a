"""``watersmeet serve`` as an operator runs it: a process of its own that can be stopped, killed and started again."""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.support.grants import ENTROPY, KEYS, REDIRECT_URI, Grants, answering
from watersmeet.authorize.begin import Refused, begin
from watersmeet.authorize.decide import approve
from watersmeet.clock import SECOND, SystemClock
from watersmeet.database.engine import Database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.parameters import Parameters
from watersmeet.users import session as sessions

SECRET = "the secret of these tests, long enough to be one"  # the one of KEYS
CODE_LIFETIME = 600 * SECOND
PATIENCE = 60.0  # seconds for what takes one or two on a quiet machine
_TOKEN = "/rest/oauth2/latest/token"


def wait_until(happened: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Look again and again. Raises ``AssertionError`` naming ``what`` when it does not happen in time."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience} s"
        time.sleep(0.02)


def children(pid: int) -> set[int]:
    """The processes that a process has started and that have not ended."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
            # The name, in brackets, may contain anything; state and parent follow it.
            state, parent, *_ = status.read_text().rpartition(")")[2].split()
            if int(parent) == pid and state != "Z":
                found.add(int(status.parent.name))
    return found


def free_port() -> int:
    """A port that nobody listens on, out of the range from which the system lends ports."""
    for port in random.sample(range(10_000, 32_000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@dataclass
class Production:
    """A server, a user and a confidential client that acts for them. Not running until ``start``."""

    database_url: str
    folder: Path
    workers: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        database = Database(self.database_url)
        try:
            prepare(database, Purpose.PRODUCTION, KEYS.fingerprint)
            self.grants = Grants.prepare(database)
        finally:
            database.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- the process ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Return once it accepts connections."""
        environment = {
            **os.environ,
            "WATERSMEET_BASE_URL": self.base_url,
            "WATERSMEET_PORT": str(self.port),
            "WATERSMEET_WORKERS": str(self.workers),
            "WATERSMEET_DATABASE_URL": self.database_url,
            "WATERSMEET_SECRET": SECRET,
            **self.settings,
        }
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "watersmeet", "serve"],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,  # so that it can be killed with all its workers
            )  # fmt: skip
        assert self.process.stdout is not None
        told, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert told, f"not ready after {PATIENCE} s: {self.log_text()}"
        assert b"ready" in self.process.stdout.readline(), self.log_text()

    def stop(self) -> int:
        """Ask it to end; the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """The exit code of a server that is ending."""
        assert self.process is not None
        assert self.process.stdout is not None
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.process = None
        return code

    def kill(self) -> None:
        """As if the machine lost its power: every process at once, without a word."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait()

    def worker_pids(self) -> set[int]:
        """The processes that the supervisor started."""
        assert self.process is not None
        return children(self.process.pid)

    @property
    def _log(self) -> Path:
        return self.folder / "serve.log"

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")

    # ---- what a client does ---------------------------------------------------------------------------------

    def codes(self, count: int) -> list[str]:
        """Authorization codes that a user has just allowed, good for ten minutes."""
        database = Database(self.database_url)
        try:
            return database.write_now(lambda tx: [self._code(tx, number) for number in range(count)])
        finally:
            database.close()

    def _code(self, tx: Transaction, number: int) -> str:
        grants, now = self.grants, SystemClock().now()
        identifier = sessions.start(tx, grants.session.user, KEYS, ENTROPY, now, 60 * SECOND)
        assert identifier is not None
        session = sessions.find(tx, identifier, KEYS, now)
        assert session is not None
        asked = {
            "client_id": grants.registered.client.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "READ",
            "state": str(number),
        }
        question = begin(tx, Parameters.parse(urlencode(asked).encode()), session, now, ENTROPY)
        assert not isinstance(question, Refused)
        url = approve(tx, question.authorization.id, answering(session, now, CODE_LIFETIME))
        return parse_qs(urlsplit(url).query)["code"][0]

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Somebody with a connection of their own."""
        with httpx.Client(base_url=self.base_url, timeout=PATIENCE) as http:
            yield Client(http, self.grants)

    def all_at_once(self, count: int, work: Callable[[Client, int], Any]) -> list[Any]:
        """What ``count`` clients got whose connections stand, and who are let go at the same moment."""
        start, outcomes = threading.Barrier(count), dict[int, Any]()

        def run(number: int) -> None:
            with self.client() as client:
                client.http.get("/login.action")
                start.wait(PATIENCE)
                try:
                    outcomes[number] = work(client, number)
                except Exception as error:
                    outcomes[number] = error

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [outcomes[number] for number in range(count)]


@dataclass(frozen=True, slots=True)
class Client:
    """The client's side of the protocol over one connection."""

    http: httpx.Client
    grants: Grants

    def exchange(self, code: str) -> httpx.Response:
        return self._token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self._token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, token: str) -> httpx.Response:
        return self.http.post("/rest/oauth2/latest/revoke", data={**self._credentials, "token": token})

    def read(self, access_token: str) -> int:
        """The status of a protected read."""
        bearer = {"Authorization": f"Bearer {access_token}"}
        return self.http.get("/rest/api/user/current", headers=bearer).status_code

    def _token(self, **parameters: str) -> httpx.Response:
        return self.http.post(_TOKEN, data={**self._credentials, **parameters})

    @property
    def _credentials(self) -> dict[str, str]:
        registered = self.grants.registered
        return {"client_id": registered.client.client_id, "client_secret": registered.client_secret or ""}


@contextmanager
def running(production: Production) -> Iterator[Production]:
    """From its start to an end that must be clean."""
    production.start()
    try:
        yield production
        assert production.stop() == 0, production.log_text()
    finally:
        production.kill()
