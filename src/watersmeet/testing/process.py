"""The process: ``watersmeet dev`` from its ready line to its end."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from watersmeet.testing.server import Client, Server, ServerFailed, User

_READY_SECONDS = 60
_STOP_SECONDS = 10


@contextlib.contextmanager
def running_server(arguments: Sequence[str] = ()) -> Iterator[Server]:
    """``watersmeet dev`` on a free port, until the block is left. Raises ``ServerFailed``."""
    command = [sys.executable, "-m", "watersmeet", "dev", "--port", "0", "--json", *arguments]
    with tempfile.TemporaryDirectory(prefix="watersmeet-testing-") as folder:
        errors = Path(folder) / "stderr"
        with errors.open("wb") as stderr:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)  # noqa: S603
        with process:
            try:
                yield _server(_ready_line(process, errors))
            finally:
                _stop(process)


def _ready_line(process: subprocess.Popen[bytes], errors: Path) -> dict[str, Any]:
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read_line, args=(process.stdout, lines), daemon=True).start()
    try:
        line = lines.get(timeout=_READY_SECONDS)
        announced: dict[str, Any] = json.loads(line)
    except (queue.Empty, ValueError):
        said = errors.read_text(errors="replace").strip()
        raise ServerFailed(f"watersmeet dev did not start: {said or 'no ready line'}") from None
    return announced


def _read_line(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    lines.put(stream.readline())


def _server(announced: dict[str, Any]) -> Server:
    return Server(
        base_url=announced["base_url"],
        users={user["username"]: User(**user) for user in announced["users"]},
        clients=[Client(**client) for client in announced["clients"]],
        pid=announced["pid"],
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
