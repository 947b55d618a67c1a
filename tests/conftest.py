"""The fixtures that need something real: two database engines, a running server, a browser.

What cannot be had fails the tests that need it. Only ``WATERSMEET_TEST_WITHOUT="browser postgresql"``, said
by a person, turns them into skips.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support.log import write_without_print
from tests.support.postgresql import PostgresqlMissingError, PostgresqlServer, running_postgresql
from tests.support.server import RunningServer, running_server
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_missing = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    # How long an example takes says more of the machine than of the code.
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")
    config.stash[_missing] = {}
    write_without_print()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright's synchronous interface keeps an event loop running on the main thread, under which
    # asyncio.run() refuses to work: whatever uses the browser comes last. What takes longest comes first, so that
    # no process of `make test` works on alone at the end.
    items.sort(key=lambda item: (_uses_browser(item), _part(item) not in ("security", "reliability")))
    for item in items:
        # The security suite looks at the traces of its whole run, so it stays in one process.
        group = "security" if _part(item) == "security" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(f"{group}, browser" if _uses_browser(item) else group))


def _uses_browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def _part(item: pytest.Item) -> str:
    """The folder of ``tests`` that a test is in."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, why in config.stash[_missing].items():
        terminalreporter.section(f"NOT TESTED: {what}", red=True)
        terminalreporter.line(why)
        terminalreporter.line(f'To leave it out on purpose: WATERSMEET_TEST_WITHOUT="{what}"')


def _skip_if_left_out(what: str) -> None:
    if what in os.environ.get("WATERSMEET_TEST_WITHOUT", "").split():
        pytest.skip(f"left out by choice: WATERSMEET_TEST_WITHOUT names {what}")


def _fail_because_missing(config: pytest.Config, what: str, error: Exception) -> None:
    config.stash[_missing][what] = str(error)
    pytest.fail(f"{what} cannot be had on this machine: {error}", pytrace=False)


# ---- databases --------------------------------------------------------------------------------------------


def _create_schema(url: str) -> None:
    database = Database(url)
    try:
        metadata.create_all(database.engine)
    finally:
        database.close()


@pytest.fixture(scope="session")
def postgresql_server(pytestconfig: pytest.Config) -> Iterator[PostgresqlServer]:
    """A PostgreSQL server; its ``fresh_database()`` lends an empty database."""
    _skip_if_left_out("postgresql")
    serving = running_postgresql()
    try:
        server = serving.__enter__()
    except PostgresqlMissingError as error:
        _fail_because_missing(pytestconfig, "postgresql", error)
        raise
    try:
        yield server
    finally:
        serving.__exit__(None, None, None)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases that are made once and copied; `make mutate`, which is thousands of sessions, keeps them."""
    kept = os.environ.get("WATERSMEET_TEST_TEMPLATES")
    return Path(kept) if kept else tmp_path_factory.mktemp("templates")


@pytest.fixture(scope="session")
def _sqlite_template(templates: Path) -> Path:
    path = templates / "empty.db"
    if not path.exists():
        _create_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database with the schema in it, once for each engine."""
    if request.param == "sqlite":
        path = tmp_path / "watersmeet.db"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        with server.fresh_database(_create_schema) as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with the schema in it, once for each engine."""
    database = Database(database_url)
    yield database
    database.close()


# ---- the server -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def dev_server() -> Iterator[RunningServer]:
    """``watersmeet dev`` at the root, shared by the session: tests must not rely on what is not theirs."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def dev_server_under_context_path() -> Iterator[RunningServer]:
    """``watersmeet dev`` under ``/confluence``, shared by the session."""
    with running_server(["--context-path", "/confluence"]) as server:
        yield server


# ---- the browser ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Headless Chromium."""
    _skip_if_left_out("browser")
    from tests.support.browser import ChromiumMissingError, running_browser

    running = running_browser()
    try:
        started = running.__enter__()
    except ChromiumMissingError as error:
        _fail_because_missing(pytestconfig, "browser", error)
        raise
    try:
        yield started
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page without cookies. The test fails if a page logs an error or breaks the content security policy.

    ``@pytest.mark.expects_console_error(pattern)`` allows the messages that match.
    """
    from tests.support.browser import fresh_page

    marks = request.node.iter_markers("expects_console_error")
    with fresh_page(browser, expected=tuple(pattern for mark in marks for pattern in mark.args)) as page:
        yield page


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Page, str], Path]:
    """``screenshot(page, "consent")`` writes a picture, into docs/images when that is asked for."""
    from tests.support.browser import write_screenshot

    return lambda page, name: write_screenshot(page, name, scratch=tmp_path)
