"""Migrations: a database of any released version becomes one of this version, on both engines, or stays as it was."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, delete, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from tests.http.conftest import HandClock, Site
from tests.support.grants import KEYS, together
from tests.support.postgresql import PostgresqlServer
from watersmeet.app import create_app, create_environment
from watersmeet.cli import main
from watersmeet.database import audit, dialect, migrations
from watersmeet.database.audit import Event, Origin
from watersmeet.database.engine import Database
from watersmeet.database.properties import Purpose, inspect_schema, prepare
from watersmeet.database.schema import SCHEMA_VERSION, alembic_version, metadata, properties
from watersmeet.errors import ServiceUnavailable, SettingsError
from watersmeet.settings import Settings

DATA = Path(__file__).parents[1] / "data"
RELEASED = sorted(path.stem for path in DATA.glob("*.json"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table, once for each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        with server.fresh_database() as url:
            yield url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


def load(database: Database, version: str) -> dict[str, Any]:
    """Fill an empty database with what a released version left; what is known of it."""
    script = (DATA / f"{version}.{database.dialect}.sql").read_text()
    if database.dialect == "sqlite":
        connection = sqlite3.connect(str(database.engine.url.database))
        connection.executescript(script)
        connection.close()
    else:
        url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as server:
            server.execute(script.encode())
    told: dict[str, Any] = json.loads((DATA / f"{version}.json").read_text())[database.dialect]
    return told


def table_names(database: Database) -> set[str]:
    names = database.read_now(lambda tx: set(inspect(tx).get_table_names()))
    # FTS5 keeps its index in tables of its own, whose names begin with the index's: no part of the metadata.
    return {name for name in names if not name.startswith("search_index")}


TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger "
    "WHERE NOT tgisinternal",
}


def _index(index: Any) -> str:
    # On SQLite, the condition of a partial index comes as an object whose repr is its address.
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return repr(sorted({**index, "dialect_options": options}.items()))


def described(database: Database) -> dict[str, Any]:
    """Everything that the engine knows of the tables, independent of order."""

    def look(tx: Connection) -> dict[str, Any]:
        inspector = inspect(tx)
        tables: dict[str, Any] = {}
        for table in inspector.get_table_names():
            columns = {
                column["name"]: (
                    str(column["type"]),
                    column["nullable"],
                    column["default"],
                    column.get("autoincrement"),
                )
                for column in inspector.get_columns(table)
            }
            tables[table] = {
                "columns": columns,
                "primary key": inspector.get_pk_constraint(table),
                "foreign keys": sorted(map(repr, inspector.get_foreign_keys(table))),
                "unique": sorted(map(repr, inspector.get_unique_constraints(table))),
                "checks": sorted(map(repr, inspector.get_check_constraints(table))),
                "indexes": sorted(map(_index, inspector.get_indexes(table))),
            }
        if database.dialect == "sqlite":
            autoincrement = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
            tables["autoincrement"] = dict.fromkeys(tx.exec_driver_sql(autoincrement).scalars())
        tables["triggers"] = sorted(map(str, tx.exec_driver_sql(TRIGGERS[database.dialect])))
        return tables

    return database.read_now(look)


def said_of_itself(database: Database) -> dict[str, str]:
    """Schema, purpose and fingerprint of the secret, as they are stored."""
    return database.read_now(lambda tx: {row.name: row.value for row in tx.execute(select(properties))})


# ---- the schema ---------------------------------------------------------------------------------------------


def test_the_migrations_lead_to_the_schema_of_this_version() -> None:
    assert migrations.head() == SCHEMA_VERSION


def test_the_migrated_schema_is_that_of_schema_py(empty: Database) -> None:
    with dialect.alone(empty.engine) as tx:
        migrations.migrate(tx, None)
    assert migrations.differences(empty) == []
    migrated = described(empty)
    metadata.drop_all(empty.engine)
    metadata.create_all(empty.engine)
    assert described(empty) == migrated


def test_a_difference_is_told(database: Database) -> None:
    database.write_now(lambda tx: tx.exec_driver_sql("DROP INDEX ix_sessions_expires_at"))
    (difference,) = migrations.differences(database)
    assert difference.startswith("add_index")


# ---- upgrading ----------------------------------------------------------------------------------------------


def test_there_is_data_of_released_versions() -> None:
    assert "0.1.0" in RELEASED


@pytest.mark.parametrize("version", RELEASED)
def test_a_database_of_a_released_version_has_the_schema_of_this_one_after_the_upgrade(
    empty: Database, version: str
) -> None:
    load(empty, version)
    migrations.upgrade(empty)
    assert migrations.differences(empty) == []
    assert inspect_schema(empty) == SCHEMA_VERSION
    assert empty.read_now(lambda tx: tx.execute(select(alembic_version.c.version_num)).scalars().all()) == [
        SCHEMA_VERSION
    ]
    before = described(empty)
    assert migrations.upgrade(empty) == (SCHEMA_VERSION, SCHEMA_VERSION)  # nothing to do is no error
    assert described(empty) == before


@pytest.mark.parametrize("version", RELEASED)
def test_everything_in_a_database_of_a_released_version_works_after_the_upgrade(empty: Database, version: str) -> None:
    told = load(empty, version)
    migrations.upgrade(empty)
    settings = Settings(base_url=told["base_url"], secret=told["secret"])
    clock = HandClock(told["now"])
    environment = create_environment(settings, empty, clock)
    prepare(empty, Purpose.PRODUCTION, environment.keys.fingerprint)
    app = create_app(settings, database=empty, clock=clock)
    site = Site(environment, clock, lambda: TestClient(app, base_url=told["base_url"], follow_redirects=False))

    # A live token reads, its refresh token refreshes; a session is still signed in; a code is still good.
    live = told["live"]
    page = site.bearer(live["access_token"], f"/rest/api/content/{told['page']}?expand=body.storage,version")
    assert page.json()["body"]["storage"]["value"] == "<p>second</p>"
    assert page.json()["version"]["number"] == 2
    found = site.bearer(live["access_token"], "/rest/api/content/search?cql=text~second")
    assert [each["id"] for each in found.json()["results"]] == [str(told["page"])]
    refreshed = site.refresh(live["refresh_token"])
    assert refreshed.status_code == 200, refreshed.text
    assert site.bearer(refreshed.json()["access_token"]).status_code == 200
    assert site.bearer(live["access_token"]).status_code == 401
    browser = site.new_browser()
    browser.cookies.update(told["session_cookies"])
    assert site.ask(browser, state="new").status_code == 200
    assert site.exchange(told["code"]).status_code == 200
    assert site.tokens("bob").keys() >= {"access_token", "refresh_token"}

    # What was dead stays dead.
    for why, pair in told["dead"].items():
        assert site.bearer(pair["access_token"]).status_code == 401, why
        assert site.refresh(pair["refresh_token"]).status_code == 400, why

    # Replays are still recognised, of codes and of refresh tokens.
    assert site.bearer(told["of_used_code"]["access_token"]).status_code == 200
    assert site.exchange(told["used_code"]).status_code == 400
    assert site.bearer(told["of_used_code"]["access_token"]).status_code == 401
    assert site.refresh(told["spent"]["refresh_token"]).status_code == 400
    assert site.bearer(refreshed.json()["access_token"]).status_code == 401

    # And everything expires as it was meant to.
    clock.advance(90 * 86_400)
    assert site.exchange(told["code"]).status_code == 400


@pytest.mark.parametrize("version", RELEASED)
def test_the_log_of_an_upgraded_database_is_append_only_too(empty: Database, version: str) -> None:
    load(empty, version)
    migrations.upgrade(empty)
    empty.write_now(lambda tx: audit.record(tx, Event.SIGNED_OUT, Origin("alice"), 1000))
    forbidden = ["UPDATE audit_events SET actor = 'bob'", "DELETE FROM audit_events"]
    for statement in [*forbidden, *(["TRUNCATE audit_events"] if empty.dialect == "postgresql" else [])]:
        with pytest.raises(DBAPIError, match="append-only"):
            empty.write_now(lambda tx, sql=statement: tx.exec_driver_sql(sql))  # type: ignore[misc]
    assert [entry.actor for entry in empty.read_now(lambda tx: audit.search(tx, audit.Query()))] == ["alice"]
    assert empty.write_now(lambda tx: audit.prune(tx, 1000, 10)) == 0
    assert empty.write_now(lambda tx: audit.prune(tx, 1001, 10)) == 1


@pytest.mark.parametrize(
    ("told", "becomes", "says"),
    [
        ("secret", "0" * 64, "The secret is not the one this database was made with"),
        ("purpose", "dev", "was made by `watersmeet dev`, whose passwords are public"),
        (None, "", "does not say whose they are"),
    ],
)
def test_the_command_upgrades_no_database_of_another_secret_or_of_dev_and_leaves_it_as_it_was(
    empty_url: str, told: str | None, becomes: str, says: str
) -> None:
    """Whoever typed the wrong URL or secret must not have changed somebody else's tables by it."""
    with closing(Database(empty_url)) as database:
        kept = load(database, "0.1.0")
        genuine = said_of_itself(database)
        of_another = update(properties).where(properties.c.name == told).values(value=becomes)
        database.write_now(lambda tx: tx.execute(of_another if told else delete(properties)))
        before = described(database), said_of_itself(database)

    def upgrade() -> Result:
        settings = {"WATERSMEET_DATABASE_URL": empty_url, "WATERSMEET_SECRET": kept["secret"]}
        return CliRunner().invoke(main, ["database", "upgrade"], env=settings)

    refused = upgrade()
    assert (refused.exit_code, says in refused.output) == (1, True), refused.output
    with closing(Database(empty_url)) as database:
        assert (described(database), said_of_itself(database)) == before
        database.write_now(lambda tx: tx.execute(delete(properties)))
        rows = [{"name": name, "value": value} for name, value in genuine.items()]
        database.write_now(lambda tx: tx.execute(insert(properties), rows))
    assert upgrade().output.strip() == f"Upgraded the database from schema 1 to {SCHEMA_VERSION}."


def test_of_upgrades_at_the_same_time_one_works_and_the_others_find_nothing_to_do(empty_url: str) -> None:
    databases = [Database(empty_url, lock_timeout_seconds=60) for _ in range(4)]
    try:
        load(databases[0], "0.1.0")
        outcomes = together(4, lambda number: migrations.upgrade(databases[number]))
        assert [type(outcome) for outcome in outcomes] == [tuple] * 4, outcomes
        assert min(outcomes, key=str) == ("1", SCHEMA_VERSION)
        assert migrations.differences(databases[0]) == []
    finally:
        for database in databases:
            database.close()


def test_an_upgrade_that_fails_changes_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    load(empty, "0.1.0")
    before = described(empty)

    def fail(tx: Connection, _schema: str) -> None:
        tx.exec_driver_sql("DROP TABLE token_pairs")
        raise RuntimeError("in the middle")

    monkeypatch.setattr(migrations, "say_schema", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        migrations.upgrade(empty)
    assert described(empty) == before
    assert inspect_schema(empty) == "1"


def test_on_sqlite_a_table_can_be_made_anew_without_losing_what_refers_to_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    try:
        load(database, "0.1.0")
        count = "SELECT count(*) FROM sessions"
        before = database.read_now(lambda tx: tx.exec_driver_sql(count).scalar())
        with dialect.alone(database.engine) as tx:
            tx.exec_driver_sql("CREATE TABLE copied AS SELECT * FROM users")
            tx.exec_driver_sql("DROP TABLE users")
            metadata.tables["users"].create(tx)
            tx.exec_driver_sql("INSERT INTO users SELECT *, NULL FROM copied")
            tx.exec_driver_sql("DROP TABLE copied")
        assert database.read_now(lambda tx: tx.exec_driver_sql(count).scalar()) == before

        with pytest.raises(RuntimeError, match="would refer to nothing"), dialect.alone(database.engine) as tx:
            tx.exec_driver_sql("DELETE FROM users")
        assert database.read_now(lambda tx: tx.exec_driver_sql(count).scalar()) == before
    finally:
        database.close()


def test_a_failure_of_the_database_is_one_sentence(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    load(empty, "0.1.0")
    monkeypatch.setattr(migrations, "say_schema", lambda tx, _schema: tx.exec_driver_sql("DROP TABLE no_such_table"))
    with pytest.raises(SettingsError, match=r"failed and changed nothing: .*no_such_table"):
        migrations.upgrade(empty)


def test_an_upgrade_that_gets_no_lock_says_so_and_changes_nothing(empty_url: str) -> None:
    first, second = Database(empty_url), Database(empty_url, lock_timeout_seconds=1)
    try:
        load(first, "0.1.0")
        with dialect.alone(first.engine), pytest.raises(ServiceUnavailable, match="stop the servers"):
            migrations.upgrade(second)
        migrations.upgrade(second)
    finally:
        first.close()
        second.close()


def test_a_database_that_takes_no_tables_is_one_sentence(postgresql_server: PostgresqlServer) -> None:
    with postgresql_server.fresh_database() as url:
        with psycopg.connect(url, autocommit=True) as server:
            name = server.info.dbname
            server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        database = Database(url)
        try:
            with pytest.raises(SettingsError, match=r"takes no tables: .*read-only transaction"):
                prepare(database, Purpose.PRODUCTION, KEYS.fingerprint)
        finally:
            database.close()


def test_serving_does_not_import_alembic() -> None:
    code = "import sys, watersmeet.app, watersmeet.cli.serve, watersmeet.cli.server; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_schema_that_nobody_knows_is_refused_and_left_alone(empty: Database) -> None:
    load(empty, "0.1.0")
    empty.write_now(lambda tx: tx.execute(properties.update().where(properties.c.name == "schema").values(value="99")))
    with pytest.raises(SettingsError, match="has schema 99, which this version of Watersmeet does not know"):
        migrations.upgrade(empty)
    with pytest.raises(SettingsError, match="made by a newer version"):
        prepare(empty, Purpose.PRODUCTION, KEYS.fingerprint)
    assert inspect_schema(empty) == "99"


def test_an_empty_database_is_not_upgraded(empty: Database) -> None:
    with pytest.raises(SettingsError, match="is empty"):
        migrations.upgrade(empty)
    assert table_names(empty) == set()


def test_of_servers_that_start_on_an_empty_database_one_makes_the_schema(empty_url: str) -> None:
    databases = [Database(empty_url, lock_timeout_seconds=60) for _ in range(4)]
    try:
        outcomes = together(4, lambda number: prepare(databases[number], Purpose.PRODUCTION, KEYS.fingerprint))
        assert outcomes == [None] * 4
        assert table_names(databases[0]) == set(metadata.tables)
        assert migrations.upgrade(databases[0]) == (SCHEMA_VERSION, SCHEMA_VERSION)
    finally:
        for database in databases:
            database.close()
