"""The log of servers that run in threads of the tests' own process, and of one module under a test's eyes."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType

import pytest
import structlog
from structlog.testing import LogCapture
from structlog.typing import EventDict


class _Lines:
    """Writes each line to what is standard output at that moment, so that pytest's fixtures see it.

    structlog's own logger calls ``print``, which borrows ``sys.stdout`` without holding on to it: when pytest puts
    another one there while a server's thread prints, Python 3.11 frees the old one under its feet and the whole run
    ends in a segmentation fault.
    """

    def msg(self, line: str) -> None:
        held = sys.stdout
        with suppress(ValueError):  # closed meanwhile: the test it belonged to is over
            held.write(line + "\n")

    debug = info = warning = error = critical = exception = log = msg


def write_without_print() -> None:
    """Configure the log for the tests; everything but where lines go stays as structlog has it."""
    structlog.configure(logger_factory=lambda *_: _Lines())


def captured(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[EventDict]:
    """What a module logs from now on, with its levels, however the log is configured."""
    found = LogCapture()
    quiet = structlog.wrap_logger(None, [found], structlog.make_filtering_bound_logger(0))
    monkeypatch.setattr(module, "log", quiet)
    return found.entries
