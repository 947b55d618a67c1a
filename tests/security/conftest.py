"""Verdicts instead of dots: each test named for a row says what it found; the table comes at the end.

``WATERSMEET_TEST_TARGET`` names the description of another server (``harness/target.py``);
``WATERSMEET_TEST_VERDICTS`` a file that gets the verdicts as JSON; ``WATERSMEET_TEST_ROUNDS`` how often races are
run; ``WATERSMEET_TEST_TIMING=1`` adds the statistics of time and what takes long, of S065, S071, S095, S134 and V19.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.security.harness import watersmeet
from tests.security.harness.client import Client, Server
from tests.security.harness.crawl import Seen, crawl
from tests.security.harness.target import LEGACY, STRICT, Hooks, Target, read_target
from tests.security.harness.verdict import Row, Verdict, table
from tests.security.harness.watersmeet import UNLIKE_DEFAULTS
from tests.security.harness.wire import connect, unfinished_post
from tests.security.known_failures import KNOWN_FAILURES
from tests.security.requirements import ROW_NAME

_rows = pytest.StashKey[list[Row]]()
_target = pytest.StashKey[Target]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_rows] = []
    config.addinivalue_line("markers", "last: looks at the traces of the whole run, so it runs after the other rows")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Within the suite only: whatever follows it in the run stays where it is.
    ours = [index for index, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ordered = sorted((items[index] for index in ours), key=lambda item: item.get_closest_marker("last") is not None)
    for index, item in zip(ours, ordered, strict=True):
        items[index] = item
        reason = KNOWN_FAILURES.get(_identity(item))
        if "WATERSMEET_TEST_TARGET" in os.environ:
            if _identity(item) == ("", ""):
                item.add_marker(
                    pytest.mark.skip(reason="of no row: it is about Watersmeet's own parsers and documents")
                )
        elif reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def _identity(item: pytest.Item) -> tuple[str, str]:
    """The row and the profile of a test; empty for the others."""
    found = ROW_NAME.match(item.name)
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return (found[1].upper(), params.get("profile", STRICT)) if found else ("", "")


def _row_of(item: pytest.Item) -> Row | None:
    """What a test is to say of its row, also where it looks at no server, or was left out before it came to one."""
    row: Row | None = getattr(item, "funcargs", {}).get("row")
    identifier, profile = _identity(item)
    return row or (Row(identifier, item.name.partition("[")[0], profile) if identifier else None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    row = _row_of(item)
    if row is None or call.when == "teardown":
        return report
    if report.failed:
        row.verdict = Verdict.FAIL
        what = call.excinfo.exconly() if call.excinfo else ""
        row.note = what.removeprefix("AssertionError: ").partition("\n")[0][:160]
    elif hasattr(report, "wasxfail"):
        row.verdict = Verdict.PASS if report.passed else Verdict.FAIL
        row.note = "" if report.passed else report.wasxfail
    elif report.skipped:
        row.verdict = Verdict.NOT_SUPPORTED
        row.note = str(report.longrepr[2]).removeprefix("Skipped: ")
    if call.when == "call" or report.failed or report.skipped:
        item.config.stash[_rows].append(row)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_rows]
    if not rows:
        return
    terminalreporter.section("security specification")
    for line in table(rows):
        terminalreporter.line(line)
    counts = {verdict: sum(row.verdict is verdict for row in rows) for verdict in Verdict}
    terminalreporter.line(", ".join(f"{count} {verdict.value}" for verdict, count in counts.items()))
    file = os.environ.get("WATERSMEET_TEST_VERDICTS")
    if file:
        target = config.stash.get(_target, None)
        written = {
            "target": target.name if target else None,
            "version": target.version if target else None,
            "rows": [asdict(row) for row in rows],
        }
        Path(file).write_bytes(msgspec.json.encode(written))


# ---- what the rows use ------------------------------------------------------------------------------------


def _server(target: Target, hooks: Hooks) -> Server:
    return Server(target, hooks, secrets={user.password for user in target.users.values()})


@pytest.fixture(scope="session")
def described(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server under test: Watersmeet in two processes, or the one that the environment describes."""
    named = os.environ.get("WATERSMEET_TEST_TARGET")
    if named:
        target = read_target(Path(named))
        request.config.stash[_target] = target
        server = _server(target, Hooks())
        yield server
        server.close_all()
        return
    with watersmeet.serving(tmp_path_factory.mktemp("security")) as (target, hooks):
        request.config.stash[_target] = target
        server = _server(target, hooks)
        yield server
        server.close_all()


@pytest.fixture
def server(described: Server, row: Row) -> Iterator[Server]:
    """The server under test; connections opened through it are closed after the test."""
    yield described
    described.close()


@pytest.fixture(scope="session")
def abandoned(described: Server, request: pytest.FixtureRequest) -> Iterator[dict[str, socket.socket]]:
    """Connections that nobody goes on with: opened by the first row, looked at by S014 in the end.

    They are to another server where there is one, because rows restart this one.
    """
    ours = not os.environ.get("WATERSMEET_TEST_TARGET")
    target = request.getfixturevalue("secured").target if ours else described.target
    node = target.behind or target.nodes[0]
    connections = {"half a request line": connect(node), "a body that does not come": connect(node)}
    for connection, words in zip(connections.values(), (b"GET / HT", unfinished_post(target)), strict=True):
        connection.sendall(words)
    yield connections
    for connection in connections.values():
        connection.close()


@pytest.fixture(scope="session")
def crawled(described: Server) -> list[Seen]:
    """What every address of the server answered to everybody; nothing where its addresses are not known."""
    return crawl(described)


@pytest.fixture
def writes_down(server: Server) -> None:
    """Every failure is written down from now on: a process has so many a minute, and the rows before used them up."""
    if server.is_ours:
        server.hooks.restart()


@pytest.fixture
def profile() -> str:
    """The profile of the client; rows on which the vendor's dialect conflicts are run for both."""
    return STRICT


@pytest.fixture
def row(request: pytest.FixtureRequest, profile: str) -> Row:
    """The row this test is named for."""
    name = request.node.originalname
    found = ROW_NAME.match(name)
    assert found, f"{name} names no row"
    return Row(found[1].upper(), name, profile)


@pytest.fixture
def client(server: Server, profile: str) -> Client:
    """A confidential client of that profile."""
    return server.client("legacy" if profile == LEGACY else "confidential")


@pytest.fixture
def other(server: Server) -> Client:
    """Another confidential client."""
    return server.client("other")


@pytest.fixture
def rounds() -> int:
    """How often a race is run."""
    return int(os.environ.get("WATERSMEET_TEST_ROUNDS", "6"))


@pytest.fixture
def measures_time() -> bool:
    """Whether statistics of time are wanted: not where they would gate anything."""
    return os.environ.get("WATERSMEET_TEST_TIMING") == "1"


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Watersmeet at https://wiki.example.com/confluence, behind a proxy that ends TLS."""
    yield from _behind_proxy(tmp_path_factory.mktemp("secured"), "https://wiki.example.com/confluence")


@pytest.fixture
def elsewhere(server: Server, request: pytest.FixtureRequest) -> list[Server]:
    """The same server at another kind of address, where it can be had."""
    return [] if os.environ.get("WATERSMEET_TEST_TARGET") else [request.getfixturevalue("secured")]


@pytest.fixture(scope="session")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Watersmeet with the switches for staging on: no https, and nothing else as it is by default either."""
    yield from _behind_proxy(tmp_path_factory.mktemp("staging"), "http://staging.example.com", UNLIKE_DEFAULTS)


def _behind_proxy(folder: Path, base_url: str, settings: str = "") -> Iterator[Server]:
    if os.environ.get("WATERSMEET_TEST_TARGET"):
        pytest.skip("the target offers no hook to start it with other settings")
    with watersmeet.serving_behind_proxy(folder, base_url, settings) as (target, hooks):
        server = _server(target, hooks)
        yield server
        server.close_all()


@pytest.fixture(scope="session")
def https_node(secured: Server) -> str:
    """``host:port`` of the Watersmeet whose base URL is https."""
    return secured.target.behind
