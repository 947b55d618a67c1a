"""Rows: many records in one statement, handed to the database as one value.

A statement that serves a batch must not grow with it: one text, prepared once whatever the batch's size, one
round trip, and the outcome of each row by ``RETURNING`` where a guard may refuse some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Column, FromClause

from watersmeet.database import dialect
from watersmeet.database.prepared import Prepared, Rows, Statement
from watersmeet.database.transaction import Transaction

Record: TypeAlias = tuple[str | int | None, ...]

_encoder = msgspec.json.Encoder()


class RowsStatement:
    """A statement over a parameter that has rows: ``build`` makes it of something to select from.

    The parameter has the given columns, by their names, and each record their values in the same order.
    """

    def __init__(self, columns: Sequence[Column[Any]], build: Callable[[FromClause], Statement]) -> None:
        self._columns = columns
        self._build = build
        self._prepared: dict[str, Prepared] = {}

    def execute(
        self, tx: Transaction, records: Sequence[Record], more: Mapping[str, Any] = MappingProxyType({})
    ) -> Rows:
        """Run it for these records; what it returned or selected, nothing when there are none.

        ``more`` are the parameters that it has besides.
        """
        if not records:
            return ()
        name = tx.dialect.name
        prepared = self._prepared.get(name)
        if prepared is None:
            statement = self._build(dialect.rows_parameter(name, self._columns))
            prepared = self._prepared[name] = Prepared(statement, tx.dialect)
        return prepared.execute(tx, {dialect.ROWS: _encoder.encode(records).decode(), **more})
