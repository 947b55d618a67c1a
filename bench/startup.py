"""Start-up: how long until ``watersmeet dev`` accepts connections, what it imports, what it weighs."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_LIMIT_SECONDS = 30.0
_IDLE_SECONDS = 1.0
_DEV = ("-m", "watersmeet", "dev", "--port", "0", "--json")
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( *)(\S+)")


@dataclass(frozen=True, slots=True)
class _Started:
    """One start of the server."""

    seconds: float
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True, slots=True)
class _Imported:
    """One top-level package: its own modules, and these with everything they were the first to need."""

    name: str
    modules: int
    own_ms: float
    cumulative_ms: float


@contextlib.contextmanager
def _started(python: Path, options: Sequence[str] = ()) -> Iterator[_Started]:
    """The server from process start to its ready line; stopped on leaving."""
    with tempfile.TemporaryDirectory(prefix="watersmeet-bench-") as folder:
        log = Path(folder) / "stderr"
        with log.open("wb") as stderr:
            begun = time.perf_counter()
            process = subprocess.Popen(
                [python, *options, *_DEV],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, env=_environment(),
            )  # fmt: skip
            try:
                _read_ready_line(process, log)
                yield _Started(time.perf_counter() - begun, process, log)
            finally:
                _stop(process)


def _environment() -> dict[str, str]:
    """As after an ordinary installation: compiled modules are kept, so the run that warms up writes them."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _read_ready_line(process: subprocess.Popen[bytes], log: Path) -> None:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(_LIMIT_SECONDS) else b""
    if not line.startswith(b"{"):
        sys.exit(f"watersmeet dev printed no ready line:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _measure_starts(python: Path, runs: int) -> list[float]:
    seconds = []
    for _ in range(runs + 1):
        with _started(python) as server:
            seconds.append(server.seconds)
    return sorted(seconds[1:])  # the first one warms the caches


def _measure_memory(python: Path) -> float | None:
    """Megabytes of the idle server, its share of shared pages counted proportionally; Linux only."""
    with _started(python) as server:
        rollup = Path(f"/proc/{server.process.pid}/smaps_rollup")
        if not rollup.exists():
            return None
        time.sleep(_IDLE_SECONDS)
        found = re.search(r"^Pss:\s+(\d+) kB", rollup.read_text(), re.MULTILINE)
        return int(found[1]) / 1024 if found else None


def _measure_imports(python: Path) -> list[_Imported]:
    """What the server imports until it is ready, by top-level package, slowest first."""
    with _started(python, ["-X", "importtime"]) as server:
        text = server.log.read_text(errors="replace")
    return sorted(_by_package(text), key=lambda package: -package.own_ms)


def _by_package(text: str) -> Iterator[_Imported]:
    own: dict[str, int] = {}
    cumulative: dict[str, int] = {}
    modules: dict[str, int] = {}
    outer: list[str] = []  # the packages of the modules that were importing this one, outermost first
    # Python prints a module after those that it imported, so read backwards a module comes before them.
    for match in reversed(list(_IMPORT.finditer(text))):
        depth = (len(match[3]) - 1) // 2
        package = _package(match[4])
        del outer[depth:]
        own[package] = own.get(package, 0) + int(match[1])
        modules[package] = modules.get(package, 0) + 1
        if package not in outer:
            cumulative[package] = cumulative.get(package, 0) + int(match[2])
        outer.append(package)
    for package, microseconds in own.items():
        yield _Imported(package, modules[package], microseconds / 1000, cumulative.get(package, 0) / 1000)


def _package(module: str) -> str:
    top = module.partition(".")[0]
    return "(standard library)" if top in sys.stdlib_module_names or top == "site" else top


@dataclass(frozen=True, slots=True)
class Startup:
    """How ``watersmeet dev`` started."""

    seconds: list[float]
    """Process start to ready line, fastest first."""
    megabytes: float | None
    imports: list[_Imported]

    def as_markdown(self) -> str:
        """The tables."""
        slow = self.seconds[min(len(self.seconds) - 1, round(0.9 * (len(self.seconds) - 1)))]
        total = sum(package.own_ms for package in self.imports)
        lines = [
            f"| `watersmeet dev`, process start to ready line, {len(self.seconds)} times after one to warm up | |",
            "|---|---:|",
            f"| median | {statistics.median(self.seconds):.2f} s |",
            f"| 90th percentile | {slow:.2f} s |",
            f"| fastest | {self.seconds[0]:.2f} s |",
            f"| memory once idle (PSS) | {'not measured' if self.megabytes is None else f'{self.megabytes:.0f} MB'} |",
            "",
            f"Of this, imports: {total:.0f} ms, as `python -X importtime` tells them (it adds some of its own).",
            "“Own” is the package's modules; “with needs” adds what they were the first to import.",
            "",
            "| package | modules | own ms | with needs ms |",
            "|---|---:|---:|---:|",
        ]
        shown = [package for package in self.imports if package.own_ms >= 1]
        lines += [f"| {p.name} | {p.modules} | {p.own_ms:.0f} | {p.cumulative_ms:.0f} |" for p in shown]
        rest = [package for package in self.imports if package.own_ms < 1]
        if rest:
            count, own = sum(p.modules for p in rest), sum(p.own_ms for p in rest)
            lines.append(f"| {len(rest)} others | {count} | {own:.0f} | |")
        return "\n".join(lines)


def measure_startup(python: Path, runs: int) -> Startup:
    """Start that interpreter's ``watersmeet dev`` so often, and once more each to weigh it and to see its imports."""
    return Startup(_measure_starts(python, runs), _measure_memory(python), _measure_imports(python))
