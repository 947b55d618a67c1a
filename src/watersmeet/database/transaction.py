"""A transaction: what an operation is given to work with, and the shape of an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection

Transaction: TypeAlias = Connection
"""An open transaction. Operations read and write through it and never commit: the runner does."""

T = TypeVar("T")

Operation: TypeAlias = Callable[[Transaction], T]
"""A unit of work: a plain function of an open transaction, safe to run again from the start."""
