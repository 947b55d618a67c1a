"""What SQLite says of how it will find the rows of a statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def explained(engine: Engine) -> Iterator[list[str]]:
    """The plan of every statement that is sent meanwhile; none of another engine, which decides by the rows it has."""
    plans: list[str] = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: object, *_: object) -> None:
        if engine.dialect.name == "sqlite":
            rows = cursor.connection.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.append(" ".join(row[3] for row in rows.fetchall()))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)
