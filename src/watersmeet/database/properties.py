"""What a database says of itself: its schema, its purpose, and the secret it was written with."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import insert as insert_into
from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError

from watersmeet.database.engine import Database
from watersmeet.database.schema import SCHEMA_VERSION, metadata, properties
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
    try:
        is_empty = not database.read_now(lambda tx: inspect(tx).has_table(properties.name))
    except (DBAPIError, ServiceUnavailable) as error:
        raise SettingsError(f"The database of database_url cannot be opened: {_cause(error)}") from error
    if is_empty:
        metadata.create_all(database.engine)
        database.write_now(lambda tx: _describe(tx, purpose, fingerprint))
        return
    known = database.read_now(_read)
    if known.get("purpose") != purpose.value:
        raise SettingsError(
            "This database was made by `watersmeet dev`, whose passwords are public: change database_url to a new one."
            if purpose is Purpose.PRODUCTION
            else "This database was not made by `watersmeet dev`."
        )
    if known.get("schema") != SCHEMA_VERSION:
        raise SettingsError(
            f"This database has schema {known.get('schema')}, this Watersmeet needs {SCHEMA_VERSION}: start the "
            "version that made it, or change database_url to a new database."
        )
    if known.get("secret") != fingerprint:
        raise SettingsError(
            "The secret is not the one this database was made with, so no stored credential would work: set "
            "the original secret again."
        )


def _cause(error: DBAPIError | ServiceUnavailable) -> str:
    """The driver's own words, in one line; they name no password."""
    text = str(error.orig) if isinstance(error, DBAPIError) else error.detail
    return " ".join(text.split("(Background")[0].split())


def _describe(tx: Transaction, purpose: Purpose, fingerprint: str) -> None:
    described = {"schema": SCHEMA_VERSION, "purpose": purpose.value, "secret": fingerprint}
    tx.execute(insert_into(properties), [{"name": name, "value": value} for name, value in described.items()])


def _read(tx: Transaction) -> dict[str, str]:
    return {row.name: row.value for row in tx.execute(select(properties))}
