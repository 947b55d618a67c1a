"""What only ``dev`` does to its database, which is always SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from tests.support.grants import NOW, Grants
from watersmeet.clock import SECOND
from watersmeet.database import dev
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata
from watersmeet.oauth2.errors import GrantRevoked, TokenInvalid
from watersmeet.oauth2.response import IssuedTokens


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/dev.db")
    metadata.create_all(database.engine)
    yield database
    database.close()


def test_a_restored_database_is_the_same_in_every_row(database: Database) -> None:
    Grants.prepare(database, "First").tokens()
    before = database.read_now(dev.take_snapshot)
    Grants.prepare(database, "Second").tokens()
    assert database.read_now(dev.take_snapshot) != before
    database.write_now(lambda tx: dev.restore(tx, before))
    assert database.read_now(dev.take_snapshot) == before


def test_the_append_only_log_is_restored_and_stays_append_only(database: Database) -> None:
    before = database.read_now(dev.take_snapshot)
    Grants.prepare(database)
    assert database.read_now(dev.take_snapshot).tables["audit_events"]
    database.write_now(lambda tx: dev.restore(tx, before))
    assert database.read_now(dev.take_snapshot) == before
    Grants.prepare(database)
    with pytest.raises(IntegrityError, match="append-only"):
        database.write_now(lambda tx: tx.exec_driver_sql("DELETE FROM audit_events"))


def test_a_restore_that_fails_changes_nothing(database: Database) -> None:
    Grants.prepare(database)
    before = database.read_now(dev.take_snapshot)
    broken = dev.Snapshot({**before.tables, "clients": [{"id": 1}]})
    with pytest.raises(IntegrityError):
        database.write_now(lambda tx: dev.restore(tx, broken))
    assert database.read_now(dev.take_snapshot) == before


def test_the_bytes_are_a_database_of_their_own(database: Database, tmp_path: Path) -> None:
    Grants.prepare(database, "Somebody")
    (tmp_path / "copy.db").write_bytes(database.read_now(dev.serialize))
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("SELECT display_name FROM users").fetchall() == [("Somebody",)]
    copy.close()


def test_access_tokens_end_and_refresh_tokens_work_on(database: Database) -> None:
    grants = Grants.prepare(database)
    issued = grants.tokens()
    database.write_now(lambda tx: dev.expire_access_tokens(tx, NOW + SECOND))
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token, now=NOW + SECOND)
    assert isinstance(grants.refresh(issued.refresh_token, now=NOW + SECOND), IssuedTokens)


def test_everything_is_revoked_and_says_when_and_why(database: Database) -> None:
    grants = Grants.prepare(database)
    issued = grants.tokens()
    family = database.read_now(dev.take_snapshot).tables["token_families"][0]["id"]
    assert database.read_now(lambda tx: dev.ending_of(tx, family)) is None
    database.write_now(lambda tx: dev.revoke_everything(tx, NOW + SECOND))
    assert database.read_now(lambda tx: dev.ending_of(tx, family)) == dev.Ending(NOW + SECOND, "by administrator")
    with pytest.raises(GrantRevoked):
        grants.refresh(issued.refresh_token, now=NOW + SECOND)
