"""A transaction: what an operation is given to work with, and the shapes of operations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection

Transaction: TypeAlias = Connection
"""An open transaction. Operations read and write through it and never commit: the runner does."""

T = TypeVar("T")
Request = TypeVar("Request")

Operation: TypeAlias = Callable[[Transaction], T]
"""A unit of work: a plain function of an open transaction, safe to run again from the start."""

BatchOperation: TypeAlias = Callable[[Transaction, Sequence[Request]], Sequence[T | Exception]]
"""A unit of work for many callers at once: an outcome for each request, in order.

An outcome that is an exception is raised to its own caller; what others changed is kept.
"""


class TakesLong(Exception):
    """An operation found out that it takes long, on a thread that has others to serve."""


def leave_the_loop() -> None:
    """Say in an operation that what comes takes long. Raises ``TakesLong`` on the thread of an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise TakesLong
