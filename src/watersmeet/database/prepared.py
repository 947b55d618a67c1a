"""Prepared statements: put into the driver's words once, for the few that are run for every request.

Whatever SQLAlchemy does for each execution costs about twenty times what SQLite takes for a point read, so on SQLite a
prepared statement is handed to the driver itself (docs/decisions/0075). PostgreSQL's driver and round trips outweigh
that, and SQLAlchemy notices there when a server is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Delete, Dialect, Insert, Select
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from watersmeet.database import dialect
from watersmeet.database.transaction import Transaction

Statement: TypeAlias = Select[Any] | Insert | Delete | ReturningUpdate[Any] | ReturningDelete[Any]

Rows: TypeAlias = Sequence[Sequence[Any]]
"""What a statement selected or returned, each value at the place of its column."""


class Prepared:
    """A statement for one engine. Its parameters are single values, none of them a list."""

    def __init__(self, statement: Statement, engine: Dialect) -> None:
        self._statement = statement
        self._goes_to_driver = engine.name == "sqlite"
        compiled = statement.compile(dialect=engine)
        self._text = str(compiled)
        self._fixed = compiled.params
        self._order: Sequence[str] = compiled.positiontup or ()
        self._readers: list[tuple[int, Callable[[Any], Any]]] = [
            (place, read)
            for place, column in enumerate(statement.exported_columns)
            if (read := column.type.dialect_impl(engine).result_processor(engine, None))
        ]

    def execute(self, tx: Transaction, parameters: Mapping[str, Any]) -> Rows:
        """Run it with these parameters; what it selected or returned."""
        if not self._goes_to_driver:
            result = tx.execute(self._statement, parameters)
            return result.all() if result.returns_rows else ()
        values = {**self._fixed, **parameters}
        rows = dialect.run(tx, self._text, [values[name] for name in self._order])
        return [self._read(row) for row in rows] if self._readers else rows

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        """The row with what the driver has no type for, truth values, as the columns have it."""
        values = list(row)
        for place, read in self._readers:
            values[place] = read(values[place])
        return values
