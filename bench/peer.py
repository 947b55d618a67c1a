"""Peers: other providers as subjects, installed with pinned versions into a git-ignored folder of their own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
from tests.support.postgresql import PostgresqlServer

from bench.client import CHALLENGE, REDIRECT_URI, Client
from bench.processes import free_port, served
from bench.subjects import Running, Subject, new_folder

_PROGRAMS = Path(__file__).parent / "peers"
_INSTALLED = _PROGRAMS / ".installed"
_UV = Path(__file__).parents[1] / ".tools" / "venv" / "bin" / "uv"
_INSTALL_SECONDS = 240
_PREPARE_SECONDS = 120
_PYTHON = _INSTALLED / "python" / "bin"


class PeerMissingError(Exception):
    """A peer cannot be had on this machine; the text says why."""


class _Prepared(msgspec.Struct):
    """What a peer's program says of the client and the codes that it made."""

    token_path: str
    client_id: str
    client_secret: str
    codes: list[str]

    @property
    def client(self) -> Client:
        return Client(self.token_path, self.client_id, self.client_secret)


@dataclass(frozen=True, slots=True)
class PythonPeer:
    """A provider under gunicorn, two workers of four threads, on PostgreSQL."""

    name: str
    program: str
    application: str
    postgresql: PostgresqlServer
    pace: int

    @contextlib.contextmanager
    def running(self, codes: int) -> Iterator[Running]:
        """The peer on a database of its own."""
        port = free_port()
        with new_folder() as folder, self.postgresql.fresh_database() as url:
            environment = _database(url)
            file = folder / "prepared.json"
            command = [str(_PYTHON / "python"), str(_PROGRAMS / f"{self.program}.py")]
            _run([*command, str(file), REDIRECT_URI, CHALLENGE, str(codes)], _PREPARE_SECONDS, environment)
            prepared = msgspec.json.decode(file.read_bytes(), type=_Prepared)
            gunicorn = [str(_PYTHON / "gunicorn"), "--chdir", str(_PROGRAMS), "--bind", f"127.0.0.1:{port}"]
            gunicorn += ["--workers", "2", "--threads", "4", "--keep-alive", "30", f"{self.program}:{self.application}"]
            with served(gunicorn, port=port, folder=folder, environment=environment) as server:
                yield Running(server, prepared.client, prepared.codes)


@dataclass(frozen=True, slots=True)
class NodePeer:
    """npm ``oidc-provider``, one process, in memory or on PostgreSQL."""

    name: str
    postgresql: PostgresqlServer | None
    pace: int

    @contextlib.contextmanager
    def running(self, codes: int) -> Iterator[Running]:
        """The peer with a fresh memory or on a database of its own."""
        port = free_port()
        with new_folder() as folder, self._database() as database:
            file = folder / "prepared.json"
            program = _INSTALLED / "node" / "oidc_provider.mjs"
            command = ["node", str(program), str(port), str(file), REDIRECT_URI, CHALLENGE, str(codes), *database]
            with served(command, port=port, folder=folder) as server:
                prepared = msgspec.json.decode(file.read_bytes(), type=_Prepared)
                yield Running(server, prepared.client, prepared.codes)

    @contextlib.contextmanager
    def _database(self) -> Iterator[Sequence[str]]:
        if self.postgresql is None:
            yield ()
            return
        with self.postgresql.fresh_database() as url:
            found = _database(url)
            yield found["DATABASE_HOST"], found["DATABASE_NAME"]


def installed_peers(postgresql: PostgresqlServer, say: Callable[[str], None]) -> tuple[list[Subject], list[str]]:
    """The peers that can be had, and a sentence for each that cannot."""
    subjects: list[Subject] = []
    missing = []
    try:
        versions = _install_python(say)
        subjects += [
            PythonPeer(f"Authlib on Flask, PostgreSQL, 2 workers ({versions['authlib']})", "authlib_flask", "app",
                       postgresql, 900),
            PythonPeer(f"django-oauth-toolkit, PostgreSQL, 2 workers ({versions['django-oauth-toolkit']})",
                       "django_toolkit", "application", postgresql, 600),
        ]  # fmt: skip
    except PeerMissingError as error:
        missing.append(f"Authlib and django-oauth-toolkit are missing: {error}")
    try:
        version = _install_node(say)
        subjects += [
            NodePeer(f"oidc-provider, in memory ({version})", None, 6000),
            NodePeer(f"oidc-provider, PostgreSQL ({version})", postgresql, 2500),
        ]
    except PeerMissingError as error:
        missing.append(f"oidc-provider is missing: {error}")
    return subjects, missing


def _install_python(say: Callable[[str], None]) -> dict[str, str]:
    pins = (_PROGRAMS / "requirements.txt").read_text()
    with _stamped("python", pins) as is_needed:
        if is_needed:
            say("installing Authlib and django-oauth-toolkit")
            _run([str(_UV), "venv", "--python", sys.executable, str(_INSTALLED / "python")], _INSTALL_SECONDS)
            requirements = ["-r", str(_PROGRAMS / "requirements.txt")]
            _run([str(_UV), "pip", "install", "--python", str(_PYTHON / "python"), *requirements], _INSTALL_SECONDS)
    return dict(line.split("==") for line in pins.split() if "==" in line)


def _install_node(say: Callable[[str], None]) -> str:
    pins = (_PROGRAMS / "package.json").read_text()
    with _stamped("node", pins) as is_needed:
        if is_needed:
            say("installing oidc-provider")
            (_INSTALLED / "node" / "package.json").write_text(pins)
            command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            _run([*command, "--prefix", str(_INSTALLED / "node")], _INSTALL_SECONDS)
    # Node looks for packages beside the program.
    shutil.copy(_PROGRAMS / "oidc_provider.mjs", _INSTALLED / "node")
    version: str = msgspec.json.decode(pins)["dependencies"]["oidc-provider"]
    return version


@contextlib.contextmanager
def _stamped(name: str, pins: str) -> Iterator[bool]:
    """Whether the folder of that name must be filled; remembered by its pins once that went well."""
    folder, stamp = _INSTALLED / name, _INSTALLED / f"{name}.pins"
    if stamp.exists() and stamp.read_text() == pins:
        yield False
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield True
    stamp.write_text(pins)


def _run(command: Sequence[str], seconds: float, environment: dict[str, str] | None = None) -> None:
    import os

    try:
        subprocess.run(
            command, check=True, timeout=seconds, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or "").strip().splitlines()
        why = said[-1] if said else type(error).__name__
        # The report is published: it names programs, not where they lie on this machine.
        raise PeerMissingError(f"{' '.join(Path(part).name for part in command[:2])}: {why}") from error


def _database(url: str) -> dict[str, str]:
    """The same database in the words of each peer."""
    parts = urlsplit(url)
    return {
        "DATABASE_URL": url.replace("postgresql://", "postgresql+psycopg://"),
        "DATABASE_NAME": parts.path.lstrip("/"),
        "DATABASE_HOST": parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
    }
