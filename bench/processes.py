"""Processes: starting a server, knowing when it is ready, weighing it, and ending it with all its children."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


class StartError(Exception):
    """A server did not start; the text is the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    port: int
    pid: int
    seconds_to_ready: float

    def megabytes(self) -> float | None:
        """Memory of the process and its children, shared pages counted proportionally; ``None`` but on Linux."""
        found = [_proportional_kilobytes(pid) for pid in [self.pid, *_descendants(self.pid)]]
        weighed = [kilobytes for kilobytes in found if kilobytes is not None]
        return sum(weighed) / 1024 if weighed else None

    def processor_seconds(self) -> float | None:
        """Processor time of the process and its children so far; ``None`` but on Linux."""
        ticks = 0
        for pid in [self.pid, *_descendants(self.pid)]:
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                return None
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def served(
    command: Sequence[str], *, port: int, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """The command's server on that port, from its first answer to its end.

    It runs in a session of its own, so that its children end with it. Raises ``StartError``.
    """
    log = folder / "server.log"
    # As after an ordinary installation: compiled modules are kept, so the run that warms up writes them.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env={**inherited, **(environment or {})}, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        try:
            _wait_until_ready(process, port, log)
            yield Served(port, process.pid, time.perf_counter() - began)
        finally:
            stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(port):
            return
        time.sleep(0.005)
    raise StartError(log.read_text(errors="replace")[-2000:] or "it wrote nothing and accepted no connection")


def _answers(port: int) -> bool:
    """Whether a request is answered at all: gunicorn accepts connections before it has loaded anything."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_READY_SECONDS) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return bool(connection.recv(1))
    except OSError:
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own session, gently at first, and everything it started."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _proportional_kilobytes(pid: int) -> int | None:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [one for child in children for one in (child, *_descendants(child))]
