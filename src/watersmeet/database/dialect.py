"""The dialect: every difference between SQLite and PostgreSQL, in one place."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Literal

from sqlalchemy import DDL, Engine, Table, create_engine, event, make_url
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


_APPEND_ONLY_SQLITE = (
    """CREATE TRIGGER {table}_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    """CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}
WHEN OLD.at >= COALESCE((SELECT CAST(value AS INTEGER) FROM properties WHERE name = '{horizon}'), 0)
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
)
_APPEND_ONLY_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < COALESCE((SELECT CAST(value AS BIGINT) FROM properties WHERE name = '{horizon}'), 0) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '{table} is append-only';
END $$""",
    """CREATE TRIGGER {table}_row BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_append_only()""",
    """CREATE TRIGGER {table}_all BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()""",
)


def append_only_statements(name: DialectName, table: str, horizon: str) -> list[str]:
    """What makes the engine itself refuse to change a table's rows, and to delete those it must still keep.

    Rows whose ``at`` lies before the property named ``horizon`` may be deleted; without that property, none.
    """
    templates = _APPEND_ONLY_SQLITE if name == "sqlite" else _APPEND_ONLY_POSTGRESQL
    return [template.format(table=table, horizon=horizon) for template in templates]


def append_only(table: Table, *, deletable_before: str) -> None:
    """Whenever the table is created, create its triggers too."""
    names: tuple[DialectName, ...] = ("sqlite", "postgresql")
    for name in names:
        for statement in append_only_statements(name, table.name, deletable_before):
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=name))  # type: ignore[no-untyped-call]
