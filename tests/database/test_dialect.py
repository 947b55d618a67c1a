"""Database URLs as operators write them, and what makes a connection be given up."""

from __future__ import annotations

import socket

import pytest

from tests.support.postgresql import PostgresqlServer
from watersmeet.database.dialect import dialect_name, open_engine
from watersmeet.database.engine import Database
from watersmeet.errors import ServiceUnavailable


@pytest.mark.parametrize(
    ("url", "host", "port", "more"),
    [
        ("postgresql://u:p@one/n", "one", None, {}),
        ("postgresql://u:p@one:1,two:2/n", "one,two", "1,2", {}),
        (
            "postgresql://u:p%2C@one,two/n?target_session_attrs=read-write",
            "one,two",
            None,
            {"password": "p,", "target_session_attrs": "read-write"},
        ),
        ("postgresql://u:p@one:1,two:2/n?connect_timeout=9", "one,two", "1,2", {"connect_timeout": "9"}),
        ("postgresql://u@/n?host=/one&host=/two", "/one,/two", None, {}),
    ],
)
def test_one_host_or_several(url: str, host: str, port: str | None, more: dict[str, str]) -> None:
    engine = open_engine(url, lock_timeout_seconds=1, pool_size=1)
    _, arguments = engine.dialect.create_connect_args(engine.url)
    assert dialect_name(url) == "postgresql"
    assert arguments["host"] == host
    assert str(arguments.get("port", "")).strip(",") == (port or "")
    assert arguments["dbname"] == "n"
    assert {name: arguments[name] for name in more} == more


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        database = Database(f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/n")
        try:
            with pytest.raises(ServiceUnavailable, match="Nothing was changed"):
                database.write_now(lambda tx: tx.exec_driver_sql("SELECT 1"))
        finally:
            database.close()


def test_what_the_url_says_of_options_is_kept_but_for_what_durability_needs(
    postgresql_server: PostgresqlServer,
) -> None:
    with postgresql_server.fresh_database() as url:
        more = "options=-c%20synchronous_commit%3Doff%20-c%20application_name%3Dours"
        database = Database(f"{url}{'&' if '?' in url else '?'}{more}")
        try:
            shown = [
                database.read_now(lambda tx, name=name: tx.exec_driver_sql(f"SHOW {name}").scalar())  # type: ignore[misc]
                for name in ("synchronous_commit", "application_name")
            ]
        finally:
            database.close()
    assert shown == ["on", "ours"]
