"""What a database says of itself: its schema, its purpose, and the secret it was written with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import insert as insert_into
from sqlalchemy import inspect, select, update
from sqlalchemy.exc import DBAPIError

from watersmeet.database import dialect
from watersmeet.database.engine import Database
from watersmeet.database.schema import SCHEMA_VERSION, alembic_version, metadata, properties
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable, SettingsError


class Purpose(StrEnum):
    """Who made a database."""

    DEVELOPMENT = "dev"
    PRODUCTION = "serve"


def prepare(database: Database, purpose: Purpose, fingerprint: str) -> None:
    """Make the schema of an empty database; check that a used one belongs here.

    Raises ``SettingsError`` for a database of another schema, purpose or secret: serving it would be wrong in
    a way that shows late.
    """
    if inspect_schema(database) is None:
        _make(database, purpose, fingerprint)
    known = _known(database)
    _refuse_other_purpose(known, purpose)
    if known.get("schema") != SCHEMA_VERSION:
        raise SettingsError(other_schema(known.get("schema")))
    _refuse_other_secret(known, fingerprint)


def require_own(database: Database, purpose: Purpose, fingerprint: str) -> None:
    """Raises ``SettingsError`` for a database of another purpose or secret, whatever its schema is."""
    known = _known(database)
    _refuse_other_purpose(known, purpose)
    _refuse_other_secret(known, fingerprint)


def _known(database: Database) -> dict[str, str]:
    known = database.read_now(_read)
    if not known:
        raise SettingsError(
            "This database has tables but does not say whose they are, as if making it had been interrupted or a "
            "backup restored in part: change database_url to an empty one, or restore a backup as a whole."
        )
    return known


def _refuse_other_purpose(known: Mapping[str, str], purpose: Purpose) -> None:
    if known.get("purpose") != purpose.value:
        raise SettingsError(
            "This database was made by `watersmeet dev`, whose passwords are public: change database_url to a new one."
            if purpose is Purpose.PRODUCTION
            else "This database was not made by `watersmeet dev`."
        )


def _refuse_other_secret(known: Mapping[str, str], fingerprint: str) -> None:
    if known.get("secret") != fingerprint:
        raise SettingsError(
            "The secret is not the one this database was made with, so no stored credential would work: set "
            "the original secret again."
        )


def inspect_schema(database: Database) -> str | None:
    """Which schema a database has, ``None`` when it is empty. Raises ``SettingsError`` when it cannot be opened."""
    try:
        return database.read_now(schema_of)
    except (DBAPIError, ServiceUnavailable) as error:
        raise SettingsError(f"The database of database_url cannot be opened: {_cause(error)}") from error


def schema_of(tx: Transaction) -> str | None:
    """Which schema a database says it has, ``None`` when it is empty."""
    if not inspect(tx).has_table(properties.name):
        return None
    return _read(tx).get("schema", "?")


def say_schema(tx: Transaction, schema: str) -> None:
    """Let the database say that it has that schema, to versions that knew no migrations too."""
    tx.execute(update(properties).where(properties.c.name == "schema").values(value=schema))


def require_own_schema(database: Database) -> None:
    """Raises ``SettingsError`` for a database without tables or of another schema; it names the command to run."""
    schema = inspect_schema(database)
    if schema is None:
        raise SettingsError("This database is empty: `watersmeet database upgrade` makes its tables.")
    if schema != SCHEMA_VERSION:
        raise SettingsError(other_schema(schema))


def other_schema(schema: str | None) -> str:
    """What to tell whoever comes with a database of another schema: one sentence with the command to run."""
    says = f"This database has schema {schema}, this Watersmeet needs {SCHEMA_VERSION}: "
    if schema is not None and schema.isdecimal() and int(schema) > int(SCHEMA_VERSION):
        return says + "it was made by a newer version, so install that one."
    return says + "make a backup (`watersmeet database backup FILE`), then run `watersmeet database upgrade`."


def _make(database: Database, purpose: Purpose, fingerprint: str) -> None:
    """The tables as the newest migration leaves them; a test holds the two equal."""
    try:
        with dialect.alone(database.engine) as tx:
            if schema_of(tx) is None:  # no other process was quicker
                metadata.create_all(tx, checkfirst=False)
                _describe(tx, purpose, fingerprint)
    except DBAPIError as error:
        raise SettingsError(f"The database of database_url takes no tables: {_cause(error)}") from error


def _describe(tx: Transaction, purpose: Purpose, fingerprint: str) -> None:
    described = {"schema": SCHEMA_VERSION, "purpose": purpose.value, "secret": fingerprint}
    tx.execute(insert_into(properties), [{"name": name, "value": value} for name, value in described.items()])
    tx.execute(insert_into(alembic_version), {"version_num": SCHEMA_VERSION})


def _cause(error: DBAPIError | ServiceUnavailable) -> str:
    """The driver's own words, in one line; they name no password."""
    text = str(error.orig) if isinstance(error, DBAPIError) else error.detail
    return " ".join(text.split("(Background")[0].split())


def _read(tx: Transaction) -> dict[str, str]:
    return {row.name: row.value for row in tx.execute(select(properties))}
