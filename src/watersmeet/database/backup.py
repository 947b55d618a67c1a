"""Backups: a consistent copy of a SQLite database, made while it is being served."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from watersmeet.database.engine import Database
from watersmeet.errors import ServiceUnavailable, SettingsError, WatersmeetError


class BackupFailed(WatersmeetError):
    """The copy could not be finished; the description says why. Nothing was left behind."""


def back_up(database: Database, file: Path) -> int:
    """Copy the database as it is at one instant into a new file, readable by its owner alone; its size in bytes.

    The copy is one file without side files, checked and flushed to the disk before this returns. Servers go on
    reading and writing meanwhile. Raises ``SettingsError`` on PostgreSQL, which has its own tools, and
    ``BackupFailed`` when the file exists or cannot be written.
    """
    if database.dialect != "sqlite":
        raise SettingsError(
            "This database is on PostgreSQL: use `pg_dump --format=custom --file=FILE DATABASE_URL` for its backup."
        )
    partial = file.with_name(file.name + ".partial")
    try:
        # Taken before anything is copied, so that nobody's file is ever overwritten.
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise BackupFailed(f"{file} exists already; it was left as it is.") from error
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written: {error.strerror}.") from error
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        database.read_now(lambda tx: _copy(tx.connection.dbapi_connection, partial))
        _flush(partial)
        partial.replace(file)
        _flush(file.parent)
    except (OSError, sqlite3.Error, ServiceUnavailable) as error:
        for left in (partial, file):
            with suppress(OSError):
                left.unlink()
        why = error.detail if isinstance(error, ServiceUnavailable) else error
        raise BackupFailed(f"The backup could not be finished: {why}.") from error
    return file.stat().st_size


def _copy(source: Any, file: Path) -> None:
    """All pages in one step: one snapshot, however busy the writers are."""
    with closing(sqlite3.connect(file)) as copy:
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")  # the copy is one file
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged ({verdict})")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
