"""The dialect: every difference between SQLite and PostgreSQL, in one place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Text,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    literal_column,
    make_url,
    select,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

DialectName = Literal["sqlite", "postgresql"]

# PostgreSQL's codes for "run the same transaction again": serialization failure, deadlock, and a unique violation,
# because then somebody came between a check and its insert, and the check will see it the second time.
_TRY_AGAIN = frozenset({"40001", "40P01", "23505"})
_LOCK_NOT_AVAILABLE = "55P03"
_SQLITE_SIGNS = ("database is locked", "database or disk is full", "readonly database", "unable to open database")


def dialect_name(url: str) -> DialectName:
    """Which engine a database URL names.

    Raises ``ValueError`` for a URL that is neither ``sqlite:///…`` nor ``postgresql://…``.
    """
    backend = make_url(url).get_backend_name()
    if backend in ("sqlite", "postgresql"):
        return "sqlite" if backend == "sqlite" else "postgresql"
    raise ValueError(f"unsupported database {backend!r}: use sqlite:///FILE or postgresql://…")


def open_engine(url: str, *, lock_timeout_seconds: float, pool_size: int) -> Engine:
    """An engine whose connections carry the durability and time-outs that the runner relies on."""
    if dialect_name(url) == "sqlite":
        return _open_sqlite(url, lock_timeout_seconds)
    return _open_postgresql(url, lock_timeout_seconds, pool_size)


def _open_sqlite(url: str, lock_timeout_seconds: float) -> Engine:
    _create_private_file(make_url(url).database)
    # The runner holds one connection for writing and one for reading, each used by one thread at a time, so
    # there is nothing to pool. AUTOCOMMIT: the runner says BEGIN IMMEDIATE itself, because the driver's
    # implicit BEGIN takes the write lock too late and then cannot wait for it.
    engine = create_engine(
        make_url(url).set(drivername="sqlite+pysqlite"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error's text may end in the log (S016)
        connect_args={"check_same_thread": False, "timeout": lock_timeout_seconds},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an answered token survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    return engine


def _create_private_file(path: str | None) -> None:
    """Make a new database readable by its owner alone; SQLite gives its side files the same rights."""
    if path and path != ":memory:":
        with suppress(OSError):  # whoever opens it next says what is wrong
            os.close(os.open(path, os.O_CREAT, 0o600))


def _open_postgresql(url: str, lock_timeout_seconds: float, pool_size: int) -> Engine:
    milliseconds = int(lock_timeout_seconds * 1000)
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=lock_timeout_seconds,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={"options": f"-c lock_timeout={milliseconds} -c synchronous_commit=on"},
    )


ROWS = "rows"
"""The name of the parameter that ``rows_parameter`` reads."""


def rows_parameter(name: str, columns: Sequence[Column[Any]]) -> FromClause:
    """Something to select from: the records of a JSON array of arrays, under the names of ``columns``."""
    value = bindparam(ROWS, type_=Text)
    if name == "sqlite":
        record = func.json_each(value).table_valued("value", name="record").c.value
        fields: list[ColumnElement[Any]] = [
            func.json_extract(record, literal_column(f"'$[{place}]'")) for place in range(len(columns))
        ]
    else:
        from sqlalchemy.dialects.postgresql import JSONB

        record = func.jsonb_array_elements(cast(value, JSONB)).table_valued("value", name="record").c.value
        fields = [
            cast(record.op("->>")(literal_column(str(place))), column.type) for place, column in enumerate(columns)
        ]
    return select(*(field.label(column.name) for field, column in zip(fields, columns, strict=True))).subquery(ROWS)


def data_version(connection: Connection) -> int:
    """A number that changes when another connection changes the database (SQLite only); cheaper than a read."""
    raw = connection.connection.dbapi_connection
    assert raw is not None  # noqa: S101 - the connection is open
    try:
        found: tuple[int] = raw.execute("PRAGMA data_version").fetchone()
    except raw.OperationalError as error:
        raise OperationalError("PRAGMA data_version", None, error) from error
    return found[0]


def can_try_again(error: DBAPIError) -> bool:
    """Whether the same transaction may simply be run again (PostgreSQL only)."""
    return getattr(error.orig, "sqlstate", None) in _TRY_AGAIN


def is_busy(error: DBAPIError) -> bool:
    """Whether the database could not be reached or locked in time: nothing happened, so try later."""
    if error.connection_invalidated or _is_unreachable(error):
        return True
    text = str(error.orig).lower()
    return any(sign in text for sign in _SQLITE_SIGNS)


def _is_unreachable(error: DBAPIError) -> bool:
    """Whether PostgreSQL could not be reached, is starting or stopping, or kept a lock from us too long."""
    if type(error.orig).__module__.partition(".")[0] != "psycopg":
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # it never came to a conversation
        return isinstance(error, OperationalError)
    return state == _LOCK_NOT_AVAILABLE or str(state).startswith(("08", "57P"))
