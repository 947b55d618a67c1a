"""Migrations: from the schema of an older version to this one's, with Alembic.

Imported only by ``watersmeet database``: Alembic takes half a second to import, which `serve` does not have.
A database says which schema it has in two places that are always written together: ``properties.schema``, which
every server looks at when it starts, versions that knew no migrations among them; and Alembic's own table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from watersmeet.database import dialect
from watersmeet.database.engine import Database
from watersmeet.database.properties import say_schema, schema_of
from watersmeet.database.schema import metadata
from watersmeet.errors import ServiceUnavailable, SettingsError


def head() -> str:
    """The schema that the newest migration leads to."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None  # noqa: S101 - there is at least schema 1
    return found


def upgrade(database: Database, to: str = "head") -> tuple[str, str]:
    """Bring a database to a schema; the schemas it had before and has now.

    One transaction and one lock on either engine: an upgrade that fails changes nothing, and of two at the same
    time the second waits and finds nothing to do. Raises ``SettingsError`` when it fails, or for a database of a
    schema that this version does not know; ``ServiceUnavailable`` when the lock was not to be had.
    """
    before = None
    try:
        with dialect.alone(database.engine) as tx:
            before = schema_of(tx)
            if before is None:
                raise SettingsError("This database is empty: `watersmeet serve` makes its tables.")
            after = migrate(tx, before, to)
            say_schema(tx, after)
            return before, after
    except CommandError as error:
        raise SettingsError(
            f"This database has schema {before}, which this version of Watersmeet does not know ({error}): use the "
            "version that made it, or a newer one."
        ) from error
    except DBAPIError as error:
        if dialect.is_busy(error):
            raise ServiceUnavailable(
                "Somebody else is using the database: stop the servers, and try again. Nothing was changed.",
                detail=str(error.orig),
            ) from error
        cause = " ".join(str(error.orig).split())
        raise SettingsError(f"The upgrade failed and changed nothing: {cause}") from error


def migrate(tx: Connection, schema: str | None, to: str = "head") -> str:
    """Run the migrations that lead from a schema, ``None`` for no tables at all; the schema they lead to."""
    if schema is not None and MigrationContext.configure(tx).get_current_revision() is None:
        command.stamp(_config(tx), schema)  # version 0.1.0 knew no Alembic
    command.upgrade(_config(tx), to)
    after = MigrationContext.configure(tx).get_current_revision()
    assert after is not None  # noqa: S101 - it is the revision of the last migration
    return after


_WORD_INDEXES = ("ix_search_texts_title_words", "ix_search_texts_words")


def differences(database: Database) -> list[str]:
    """How the tables differ from what this version expects; empty when they do not."""

    def compare(tx: Connection) -> list[str]:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            # The tables in which FTS5 keeps what follows from search_texts.
            "include_name": lambda name, kind, _: kind != "table" or not name.startswith("search_index"),
            # PostgreSQL's indexes of expressions, which schema.py makes in the engine's own words.
            "include_object": lambda _, name, kind, *__: kind != "index" or name not in _WORD_INDEXES,
        }
        found = compare_metadata(MigrationContext.configure(tx, opts=options), metadata)
        return [_in_words(each) for each in found]

    return database.read_now(compare)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _in_words(difference: Any) -> str:
    # Alembic groups the changes of one column in a list of their own.
    first = difference[0] if isinstance(difference, list) else difference
    return " ".join(str(part) for part in first if part is not None)
