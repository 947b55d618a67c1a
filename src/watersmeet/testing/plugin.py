"""The pytest plugin: the fixture ``watersmeet_server``, loaded by the entry point ``pytest11``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from watersmeet.testing.server import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the configuration file."""
    parser.addini(
        "watersmeet_arguments", "Arguments added to `watersmeet dev`, like --context-path /confluence.", type="args"
    )


@pytest.fixture(scope="session")
def watersmeet_process(pytestconfig: pytest.Config) -> Iterator[Server]:
    """One running ``watersmeet dev`` for the whole session. Nothing puts it back between tests."""
    # Imported here, so that a session that does not use it pays nothing and coverage starts in time.
    from watersmeet.testing.process import running_server

    with running_server(pytestconfig.getini("watersmeet_arguments")) as server:
        yield server


@pytest.fixture
def watersmeet_server(watersmeet_process: Server) -> Server:
    """A running Watersmeet in its first state: data, clock and faults are reset before each test."""
    watersmeet_process.reset()
    return watersmeet_process
