"""A full disk and a read-only database: 503, nothing consumed, reads go on, and it heals by itself (S105)."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.grants import Grants
from tests.support.postgresql import PostgresqlServer
from tests.support.production import Client, Production, running
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata
from watersmeet.errors import ServiceUnavailable
from watersmeet.oauth2.response import IssuedTokens


def is_busy(answer: httpx.Response) -> bool:
    """Whether the answer is 503 as it must be; anything else but success is a failure."""
    if answer.status_code == 503:
        assert answer.headers["retry-after"]
        assert answer.json()["error"] == "temporarily_unavailable"
        return True
    assert answer.status_code == 200, answer.text
    return False


@contextmanager
def full_disk(production: Production) -> Iterator[None]:
    """The server's files cannot grow any more, or soon will not."""
    assert production.process is not None
    pid = production.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """The PostgreSQL database takes no writes, neither from new connections nor from those that stand."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        connection.execute(others, [name])
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())


def refresh_until_busy(client: Client, pair: dict[str, Any]) -> dict[str, Any]:
    """Refresh until it is refused; the last pair there is.

    A refresh writes less than an exchange, so where one does not fit any more, a few of the other may.
    """
    for _ in range(50):
        answer = client.refresh(pair["refresh_token"])
        if is_busy(answer):
            return pair
        pair = answer.json()
    raise AssertionError("the disk is full, and still takes writes")


def check_outage(
    production: Production, client: Client, codes: list[str], outage: AbstractContextManager[None]
) -> None:
    """Write until it fails, read all the same; afterwards everything refused is as good as new."""
    pair = client.exchange(codes.pop()).json()
    refused: list[str] = []
    with outage:
        while len(refused) < 3:
            code = codes.pop()
            if is_busy(client.exchange(code)):
                refused.append(code)
        pair = refresh_until_busy(client, pair)
        assert client.read(pair["access_token"]) == 200
        assert production.process is not None
        assert production.process.poll() is None
    for code in refused:
        assert client.exchange(code).status_code == 200, "nothing had been consumed"
    assert client.refresh(pair["refresh_token"]).status_code == 200


def test_a_full_disk_on_sqlite(tmp_path: Path) -> None:
    production = Production(f"sqlite:///{tmp_path}/watersmeet.db", tmp_path)
    codes = production.codes(60)
    with running(production), production.client() as client:
        check_outage(production, client, codes, full_disk(production))


def test_a_database_that_became_read_only_on_postgresql(postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
    with postgresql_server.fresh_database() as url:
        production = Production(url, tmp_path, workers=2)
        codes = production.codes(60)
        with running(production), production.client() as client:
            check_outage(production, client, codes, read_only(url))


# What SQLite says when the file system does, without a file system of our own: the limit and the switch are the
# writing connection's, the errors are the real ones.


@pytest.mark.parametrize(
    ("break_it", "mend_it", "says"),
    [
        ("PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000", "database or disk is full"),
        ("PRAGMA query_only=ON", "PRAGMA query_only=OFF", "attempt to write a readonly database"),
    ],
    ids=["full", "read-only"],
)
def test_the_words_of_sqlite(tmp_path: Path, break_it: str, mend_it: str, says: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/watersmeet.db")
    try:
        metadata.create_all(database.engine)
        grants = Grants.prepare(database)
        codes = [grants.code() for _ in range(200)]
        kept = grants.tokens()
        writing: Any = database.write_now(lambda tx: tx.connection.dbapi_connection)
        writing.execute(break_it)
        refused: dict[str, str] = {}
        while len(refused) < 3:
            code = codes.pop()
            try:
                assert isinstance(grants.exchange(code), IssuedTokens)
            except ServiceUnavailable as busy:
                refused[code] = busy.detail
        assert set(refused.values()) == {says}
        assert grants.verify(kept.access_token).user.username == "app"
        writing.execute(mend_it)
        assert all(isinstance(grants.exchange(code), IssuedTokens) for code in refused)
    finally:
        database.close()
