"""Watersmeet itself as the target: two ``watersmeet serve`` processes on one store, set up by its command line."""

from __future__ import annotations

import json
import os
import resource
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner
from starlette import routing
from starlette.routing import BaseRoute

from tests.security.harness.shifted import Shift
from tests.security.harness.target import LEGACY, STRICT, Forms, Hooks, Registration, Resource, Route, Target, User
from watersmeet import __version__
from watersmeet.app import create_app
from watersmeet.cli import main
from watersmeet.settings import Settings
from watersmeet.web.bearer import ProtectedRoute

_ROOT = Path(__file__).parents[3]
_READY_SECONDS = 60
_STOP_SECONDS = 30
CALLBACK = "https://app.example/cb"
REDIRECT_URIS = [CALLBACK, "https://app.example/other?x=1", "http://127.0.0.1:5000/cb"]
# Every setting that decides about security, as it is not by default: the server must be seen to obey each (V44).
UNLIKE_DEFAULTS = """\
session_hours = 1
throttle_attempts = 3
throttle_minutes = 2
refresh_grace_seconds = 2
legacy_refresh_idle_days = 1
admin_token_minutes = 0
legacy_profile_until = "2100-01-01"
proxy_header = "forwarded"
log_format = "text"
"atlassian.oauth2.provider.skip.base.url.https.requirement" = true
"atlassian.oauth2.provider.skip.redirect.url.https.requirement" = true
"atlassian.oauth2.provider.max.client.delay.seconds" = 20
"atlassian.oauth2.provider.access.token.expiration.seconds" = 7200
"atlassian.oauth2.provider.invalidate.session.enabled" = false
"atlassian.oauth2.provider.validate.client.secret" = false
"""


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class _Process:
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Watersmeet(Hooks):
    """A store, its settings, and the processes that serve it."""

    folder: Path
    base_url: str
    more_settings: str = 'log_format = "json"\n'
    processes: list[_Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config, self.database = self.folder / "watersmeet.toml", self.folder / "store.db"
        self.shift = Shift(self.folder / "clock")
        self.secret = secrets.token_hex(32)
        self.config.write_text(
            f'base_url = "{self.base_url}"\ndatabase_url = "sqlite:///{self.database}"\n'
            f'secret = "{self.secret}"\nblob_store = "{self.folder / "blobs"}"\n'
            # So that S105 need not hold the store for the ten seconds of the default.
            '"atlassian.oauth2.provider.max.lock.timeout.seconds" = 2\n'
            # Not the default: what is remembered, and what never is, can be seen (S056, S057).
            "remember_consent_days = 30\n"
            # Not the default, so that V44 and S115 show that the running server obeys it.
            f'"atlassian.oauth2.provider.refresh.token.expiration.seconds" = {30 * 86_400}\nrefresh_idle_days = 20\n'
            + self.more_settings
        )

    # ---- processes ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start whatever does not run."""
        for each in self.processes:
            if each.process is None:
                each.process = self._start(each)
        for each in self.processes:
            self._wait_until_ready(each)

    def _start(self, each: _Process) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.security.harness.shifted", str(self.folder / "clock"), "serve"]
        ours = {name: value for name, value in os.environ.items() if not name.startswith("WATERSMEET_")}
        with each.log.open("ab") as log:
            return subprocess.Popen(
                [*command, "--config", str(self.config), "--port", str(each.port)],
                cwd=_ROOT, env=ours, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _wait_until_ready(self, each: _Process) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            assert each.process is not None
            if each.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", each.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"watersmeet serve did not start:\n{each.log.read_text()[-3000:]}")

    def stop(self, *, kill: bool = False) -> None:
        """Stop every process."""
        running = [each for each in self.processes if each.process is not None]
        for each in running:
            assert each.process is not None
            each.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        for each in running:
            assert each.process is not None
            try:
                each.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()
                raise
            finally:
                each.process = None

    def restart(self, *, kill: bool = False) -> None:
        self.stop(kill=kill)
        self.start()

    @contextmanager
    def restarted_with(self, settings: str) -> Iterator[None]:
        before = self.config.read_text()
        self.config.write_text(before + settings)
        try:
            self.restart()
            yield
        finally:
            self.config.write_text(before)
            self.restart()

    # ---- the command line ---------------------------------------------------------------------------------

    def command(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        with self.shift.applied():
            done = CliRunner().invoke(main, list(arguments), input=stdin, env={"WATERSMEET_CONFIG": str(self.config)})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    def _run(self, *arguments: str, stdin: str = "") -> str:
        code, output = self.command(*arguments, stdin=stdin)
        assert code == 0, output
        return output

    def new_client(self, **wanted: Any) -> Registration:
        name = wanted.get("name") or f"Client {secrets.token_hex(4)}"
        uris, scope = wanted.get("redirect_uris", REDIRECT_URIS), wanted.get("scope", "WRITE")
        profile = wanted.get("profile", STRICT)
        options = [item for uri in uris for item in ("--redirect-uri", uri)]
        options += ["--public"] if wanted.get("public") else []
        options += ["--profile", profile] if "--profile" in self._run("link", "add", "--help") else []
        made = json.loads(self._run("link", "add", name, "--json", "--scope", scope, *options))
        return Registration(made["client_id"], list(uris), made.get("client_secret"), scope, profile, name)

    def new_user(self, role: str = "user") -> User:
        user = User(f"u{secrets.token_hex(5)}", f"pw-{secrets.token_hex(12)}")
        self._run("user", "add", user.username, "--role", role, "--password-stdin", stdin=user.password + "\n")
        return user

    def delete_client(self, client_id: str) -> None:
        self._run("link", "delete", client_id, "--yes")

    def rotate_secret(self, client_id: str, overlap_hours: int) -> str:
        output = self._run("link", "rotate-secret", client_id, "--overlap-hours", str(overlap_hours), "--json")
        secret: str = json.loads(output)["client_secret"]
        return secret

    def disable_user(self, username: str) -> None:
        self._run("user", "disable", username)

    def delete_user(self, username: str) -> None:
        self._run("user", "delete", username, "--yes")

    def set_password(self, username: str, password: str) -> None:
        self._run("user", "password", username, "--password-stdin", stdin=password + "\n")

    # ---- everything else ----------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        self.shift.advance(seconds)

    def standing_clock(self) -> AbstractContextManager[None]:
        return self.shift.standing()

    def routes(self) -> list[Route]:
        settings = Settings(database_url=f"sqlite:///{self.folder / 'routes.db'}", secret=self.secret)
        return list(_routes(create_app(settings).routes))

    def memory(self) -> int:
        pids = [each.process.pid for each in self.processes if each.process is not None]
        if not Path("/proc/self/statm").exists():
            self._missing("measure its memory")
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * resource.getpagesize()

    def dump(self) -> str:
        # Closed before the files are read: closing those would let go of its locks, and SQLite would not know.
        with closing(sqlite3.connect(self.database)) as connection:
            rows = "\n".join(connection.iterdump())
        # And what was deleted, or only written ahead: it is in the files until something else takes its place.
        files = sorted(self.folder.glob(f"{self.database.name}*"))
        return "\n".join([rows, *(file.read_bytes().decode("latin-1") for file in files)])

    def logs(self) -> str:
        return "".join(each.log.read_text(errors="replace") for each in self.processes)

    def audit(self, newest: int | None = None) -> list[dict[str, Any]]:
        code, output = self.command("audit", "--json", *(["--limit", str(newest)] if newest else []))
        assert code == 0, f"watersmeet audit --json: {output}"
        return [json.loads(line) for line in reversed(output.splitlines()) if line.strip()]

    def refusal(self, statement: str) -> str:
        connection = sqlite3.connect(self.database, timeout=30)
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            return str(error)
        finally:
            connection.rollback()
            connection.close()
        return ""

    @contextmanager
    def broken_store(self) -> Iterator[None]:
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=30)
        try:
            connection.execute("ALTER TABLE token_families RENAME TO token_families_elsewhere")
            yield
            connection.execute("ALTER TABLE token_families_elsewhere RENAME TO token_families")
        finally:
            connection.close()

    @contextmanager
    def hold_store(self) -> Iterator[None]:
        connection = sqlite3.connect(self.database, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()


def _routes(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[Route]:
    for route in routes:
        if isinstance(route, routing.Mount):
            # Files have no list of routes; one of them stands for all.
            yield from _routes(route.routes, prefix + route.path)
            if not route.routes:
                yield Route(f"{prefix}{route.path}/watersmeet.css", {"GET": None, "HEAD": None})
        elif isinstance(route, routing.Route):
            protected = route.protected if isinstance(route, ProtectedRoute) else {}
            needed = {name: str(each.scope) for name, each in protected.items()}
            needed |= {"HEAD": needed["GET"]} if "GET" in needed else {}
            yield Route(prefix + route.path, {name: needed.get(name) for name in sorted(route.methods or ())})


def _target(server: Watersmeet) -> Target:
    base = server.base_url
    clients = {
        "confidential": server.new_client(name="Confidential"),
        "other": server.new_client(name="Other"),
        "public": server.new_client(name="Public", public=True),
        "legacy": server.new_client(name="Legacy", profile=LEGACY),
        "administration": server.new_client(name="Administration", scope="SYSTEM_ADMIN"),
        "plain": server.new_client(name="Plain web client", redirect_uris=[CALLBACK]),
    }
    users = {
        "reader": server.new_user(),
        "writer": server.new_user(),
        "administrator": server.new_user("administrator"),
        "system-administrator": server.new_user("system-administrator"),
    }
    well_known = ("oauth-authorization-server", "openid-configuration")
    oauth = f"{base}/rest/oauth2/latest"
    return Target(
        name="Watersmeet",
        version=__version__,
        issuer=base,
        authorize=f"{oauth}/authorize",
        token=f"{oauth}/token",
        revoke=f"{oauth}/revoke",
        introspect=f"{oauth}/introspect",
        metadata=[f"{base}/.well-known/{name}" for name in well_known],
        clients=clients,
        users=users,
        scopes=["READ", "WRITE", "ADMIN", "SYSTEM_ADMIN"],
        resources={
            "READ": Resource("/rest/api/user/current"),
            "WRITE": Resource("/rest/api/space", "POST", {"key": "S" + secrets.token_hex(4), "name": "Security"}),
            "ADMIN": Resource("/rest/oauth2/latest/client"),
        },
        forms=Forms(deny=("decision", "deny"), narrow=("granted_scope", "READ"), remember=("remember", "yes")),
        nodes=[f"127.0.0.1:{each.port}" for each in server.processes],
        pages={
            "home": "/",
            "sign_in": "/login.action",
            "sign_out": "/logout.action",
            "authorized": "/plugins/servlet/oauth2/authorized-applications",
            "account": "/account",
            "audit": "/admin/audit",
            "consent": "/plugins/servlet/oauth2/consent",
            "links": "/plugins/servlet/applinks/listApplicationLinks",
            "new_link": "/plugins/servlet/applinks/incoming",
            "link": "/plugins/servlet/applinks/incoming/{client_id}",
            "edit_link": "/plugins/servlet/applinks/incoming/{client_id}/edit",
        },
    )


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Target, Watersmeet]]:
    """Two processes on one store, with clients and users in it, until the block ends."""
    ports = [free_port(), free_port()]
    processes = [_Process(port, folder / f"log-{number}") for number, port in enumerate(ports)]
    server = Watersmeet(folder, f"http://127.0.0.1:{ports[0]}", processes=processes)
    target = _target(server)
    server.start()
    try:
        yield target, server
    finally:
        server.stop()


@contextmanager
def serving_behind_proxy(folder: Path, base_url: str, settings: str = "") -> Iterator[tuple[Target, Watersmeet]]:
    """One process with any base URL, to which the suite is the trusted proxy at 127.0.0.1."""
    process = _Process(free_port(), folder / "log")
    server = Watersmeet(folder, base_url, f'trusted_proxies = "127.0.0.1"\n{settings}', [process])
    target = msgspec.structs.replace(_target(server), nodes=[], behind=f"127.0.0.1:{process.port}")
    server.start()
    try:
        yield target, server
    finally:
        server.stop()
