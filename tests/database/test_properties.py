"""What a database says of itself, and the databases that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, select, update

from tests.support.grants import KEYS
from watersmeet.database.engine import Database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.database.schema import SCHEMA_VERSION, metadata, properties
from watersmeet.errors import SettingsError

FINGERPRINT = KEYS.fingerprint


@pytest.fixture
def empty(database: Database) -> Database:
    """A database without a schema."""
    metadata.drop_all(database.engine)
    return database


def described(database: Database) -> dict[str, str]:
    return database.read_now(lambda tx: {row.name: row.value for row in tx.execute(select(properties))})


@pytest.mark.parametrize("purpose", list(Purpose))
def test_an_empty_database_gets_the_schema_and_a_description(empty: Database, purpose: Purpose) -> None:
    prepare(empty, purpose, FINGERPRINT)
    assert described(empty) == {"schema": SCHEMA_VERSION, "purpose": purpose.value, "secret": FINGERPRINT}
    tables = {name for name in inspect(empty.engine).get_table_names() if not name.startswith("search_index")}
    assert tables == set(metadata.tables)  # and what FTS5 keeps for itself


def test_a_database_that_belongs_here_is_accepted_again(empty: Database) -> None:
    for _ in range(2):
        prepare(empty, Purpose.PRODUCTION, FINGERPRINT)


def test_s149_a_database_of_dev_is_never_served(empty: Database) -> None:
    prepare(empty, Purpose.DEVELOPMENT, FINGERPRINT)
    with pytest.raises(SettingsError, match="made by `watersmeet dev`, whose passwords are public"):
        prepare(empty, Purpose.PRODUCTION, FINGERPRINT)


def test_a_database_of_production_is_not_used_by_dev(empty: Database) -> None:
    prepare(empty, Purpose.PRODUCTION, FINGERPRINT)
    with pytest.raises(SettingsError, match="was not made by `watersmeet dev`"):
        prepare(empty, Purpose.DEVELOPMENT, FINGERPRINT)


def test_a_database_of_another_schema_is_refused(empty: Database) -> None:
    prepare(empty, Purpose.PRODUCTION, FINGERPRINT)
    other = update(properties).where(properties.c.name == "schema").values(value="0")
    empty.write_now(lambda tx: tx.execute(other))
    with pytest.raises(SettingsError, match=f"has schema 0, this Watersmeet needs {SCHEMA_VERSION}"):
        prepare(empty, Purpose.PRODUCTION, FINGERPRINT)


def test_a_database_of_another_secret_is_refused(empty: Database) -> None:
    prepare(empty, Purpose.PRODUCTION, FINGERPRINT)
    with pytest.raises(SettingsError, match="The secret is not the one this database was made with"):
        prepare(empty, Purpose.PRODUCTION, "0" * 64)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_database_that_says_nothing_of_itself_is_refused(database: Database, purpose: Purpose) -> None:
    with pytest.raises(SettingsError, match="does not say whose they are"):
        prepare(database, purpose, FINGERPRINT)


def test_making_a_database_is_all_or_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("watersmeet.database.properties._describe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(empty, Purpose.PRODUCTION, FINGERPRINT)
    monkeypatch.undo()
    assert inspect(empty.engine).get_table_names() == []
    prepare(empty, Purpose.PRODUCTION, FINGERPRINT)


def test_a_database_that_cannot_be_opened_is_refused_with_the_cause(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/watersmeet.db")
    try:
        with pytest.raises(SettingsError, match="cannot be opened: unable to open database file"):
            prepare(database, Purpose.PRODUCTION, FINGERPRINT)
    finally:
        database.close()


def test_a_file_that_is_no_database_is_refused_with_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    database = Database(f"sqlite:///{path}")
    try:
        with pytest.raises(SettingsError, match="cannot be opened: file is not a database"):
            prepare(database, Purpose.PRODUCTION, FINGERPRINT)
    finally:
        database.close()


def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    database = Database("postgresql://user:hush@127.0.0.1:1/none", lock_timeout_seconds=1)
    try:
        with pytest.raises(SettingsError, match="cannot be opened") as refusal:
            prepare(database, Purpose.PRODUCTION, FINGERPRINT)
    finally:
        database.close()
    assert "hush" not in refusal.value.description
