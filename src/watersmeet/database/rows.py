"""Rows: many records in one statement, handed to the database as one value.

A statement that serves a batch must not grow with it: one text, prepared once whatever the batch's size, one
round trip, and the outcome of each row by ``RETURNING`` where a guard may refuse some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Column, Executable, FromClause, Row

from watersmeet.database import dialect
from watersmeet.database.transaction import Transaction

Record: TypeAlias = tuple[str | int | None, ...]

_encoder = msgspec.json.Encoder()


class RowsStatement:
    """A statement over a parameter that has rows: ``build`` makes it of something to select from.

    The parameter has the given columns, by their names, and each record their values in the same order.
    """

    def __init__(self, columns: Sequence[Column[Any]], build: Callable[[FromClause], Executable]) -> None:
        self._columns = columns
        self._build = build
        self._built: dict[str, Executable] = {}

    def execute(
        self, tx: Transaction, records: Sequence[Record], more: Mapping[str, Any] = MappingProxyType({})
    ) -> Sequence[Row[Any]]:
        """Run it for these records; what it returned or selected, nothing when there are none.

        ``more`` are the parameters that it has besides.
        """
        if not records:
            return ()
        name = tx.dialect.name
        statement = self._built.get(name)
        if statement is None:
            statement = self._built[name] = self._build(dialect.rows_parameter(name, self._columns))
        result = tx.execute(statement, {dialect.ROWS: _encoder.encode(records).decode(), **more})
        return result.all() if result.returns_rows else ()
