"""The server under test: ``watersmeet dev`` as a process of its own, as a user would start it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

_READY_SECONDS = 60  # a machine that runs eight things at once is slow, not wrong
_STOP_SECONDS = 2  # the contract of `watersmeet dev`


class DemoUser(msgspec.Struct, frozen=True):
    """A demo user, as announced."""

    username: str
    password: str
    roles: Any


class DemoClient(msgspec.Struct, frozen=True):
    """A demo client, as announced."""

    name: str
    client_id: str
    client_secret: str
    redirect_uris: list[str]
    scope: str


class Announcement(msgspec.Struct, frozen=True):
    """The one line that ``watersmeet dev --json`` prints."""

    base_url: str
    users: list[DemoUser]
    clients: list[DemoClient]
    pid: int


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that accepts connections."""

    process: subprocess.Popen[bytes]
    announcement: Announcement
    seconds_to_ready: float
    _errors: Path
    _lines: queue.Queue[bytes] = field(repr=False)

    @property
    def base_url(self) -> str:
        """Scheme, host, port and context path, without a closing slash."""
        return self.announcement.base_url

    @property
    def users(self) -> list[DemoUser]:
        """The demo users."""
        return self.announcement.users

    @property
    def clients(self) -> list[DemoClient]:
        """The demo clients."""
        return self.announcement.clients

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self.announcement.pid

    def user(self, username: str) -> DemoUser:
        """The demo user of that name."""
        return next(user for user in self.users if user.username == username)

    def stderr_text(self) -> str:
        """Everything written to standard error so far."""
        return self._errors.read_text(errors="replace")

    def later_stdout(self) -> list[bytes]:
        """The lines that followed the announcement on standard output so far: there should be none."""
        return list(self._lines.queue)


@contextmanager
def running_server(args: Sequence[str] = (), *, env: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """``watersmeet dev --port 0 --json`` with ``args`` added, from its ready line to its clean end.

    ``env`` is added to this process's environment. Leaving the block sends SIGTERM and demands exit code 0
    within two seconds, and nothing but the announcement on standard output.
    """
    command = [sys.executable, "-m", "watersmeet", "dev", "--port", "0", "--json", *args]
    with tempfile.TemporaryDirectory(prefix="watersmeet-server-") as folder:
        errors = Path(folder) / "stderr"
        started = time.monotonic()
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                env={**os.environ, **(env or {})},
            )  # fmt: skip
        assert process.stdout is not None
        lines: queue.Queue[bytes] = queue.Queue()
        reading = threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True)
        reading.start()
        try:
            announcement = _announcement(process, lines, errors)
            yield RunningServer(process, announcement, time.monotonic() - started, errors, lines)
            _stop(process, errors)
            reading.join(timeout=1)
            assert list(lines.queue) == [], "--json prints one line on standard output"
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            reading.join(timeout=1)
            process.stdout.close()


def _read_lines(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    for line in stream:
        lines.put(line)


def _announcement(process: subprocess.Popen[bytes], lines: queue.Queue[bytes], errors: Path) -> Announcement:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            return msgspec.json.decode(lines.get(timeout=0.05), type=Announcement)
        except queue.Empty:
            if process.poll() is not None and lines.empty():
                break
    raise _problem(errors, f"no ready line, exit code {process.poll()}")


def _stop(process: subprocess.Popen[bytes], errors: Path) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise _problem(errors, f"still running {_STOP_SECONDS} s after SIGTERM") from None
    if code != 0:
        raise _problem(errors, f"exit code {code} after SIGTERM")


def _problem(errors: Path, what: str) -> AssertionError:
    return AssertionError(f"{what}; standard error:\n{errors.read_text(errors='replace')}")
