"""A lock that somebody else holds: what an operation that needs it has to wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """A table that nobody else can write to or read, on PostgreSQL; on SQLite the whole database, for writing."""
    sqlite = url.startswith("sqlite")
    drivername = "sqlite+pysqlite" if sqlite else "postgresql+psycopg"
    other = create_engine(make_url(url).set(drivername=drivername), isolation_level="AUTOCOMMIT")
    try:
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN")
            if not sqlite:
                connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
            connection.exec_driver_sql("ROLLBACK")
    finally:
        other.dispose()
