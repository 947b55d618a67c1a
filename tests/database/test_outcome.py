"""PostgreSQL is lost in the middle: whether "nothing was changed" may be said depends on when."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import insert

from tests.support.postgresql import PostgresqlServer
from tests.support.production import wait_until
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata, properties
from watersmeet.database.transaction import Transaction
from watersmeet.errors import OutcomeUnknown, ServiceUnavailable


@pytest.fixture
def database(postgresql_server: PostgresqlServer) -> Iterator[Database]:
    with postgresql_server.fresh_database() as url:
        database = Database(url)
        metadata.create_all(database.engine)
        yield database
        database.close()


def lose(tx: Transaction) -> None:
    """End the connection of a transaction from outside."""
    pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    url = tx.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: other.execute(gone, [pid]).fetchone() == (0,), "the connection is gone")


def test_lost_before_the_commit_nothing_was_changed(database: Database) -> None:
    def write(tx: Transaction) -> None:
        lose(tx)
        tx.execute(insert(properties), {"name": "a", "value": ""})

    with pytest.raises(ServiceUnavailable, match="Nothing was changed") as failure:
        database.write_now(write)
    assert not isinstance(failure.value, OutcomeUnknown)
    assert database.write_now(lambda tx: tx.exec_driver_sql("SELECT count(*) FROM properties").scalar()) == 0


def test_lost_while_it_commits_the_outcome_is_unknown(database: Database) -> None:
    def write(tx: Transaction) -> None:
        tx.execute(insert(properties), {"name": "a", "value": ""})
        lose(tx)

    with pytest.raises(OutcomeUnknown, match="may have been done, or not"):
        database.write_now(write)
