"""``watersmeet database``: its schema, its backlog, its backup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watersmeet.cli.configuration import config_option, load_settings
from watersmeet.cli.output import print_json, print_table, say
from watersmeet.errors import SettingsError

if TYPE_CHECKING:
    from watersmeet.database.engine import Database
    from watersmeet.database.expiry import Backlog
    from watersmeet.settings import Settings


@click.group("database")
def command() -> None:
    """Upgrade, check and back up the database; count what waits to be pruned."""


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Settings, Database]]:
    from watersmeet.app import open_database
    from watersmeet.settings import require_production

    settings = load_settings(config)
    require_production(settings)
    database = open_database(settings)
    try:
        yield settings, database
    finally:
        database.close()


def _schema(database: Database) -> str:
    """The schema of a database that has one. Raises ``SettingsError``."""
    from watersmeet.database.properties import inspect_schema

    schema = inspect_schema(database)
    if schema is None:
        raise SettingsError(
            "This database is empty: `watersmeet database upgrade` or `watersmeet serve` makes its tables."
        )
    return schema


@command.command("upgrade")
@config_option
def upgrade(config: Path | None) -> None:
    """Bring the database to the schema of this version; an empty one gets its tables.

    Make a backup first, and stop the servers of the older version. One transaction: if it fails, nothing has
    changed. Of two at the same time, one does the work. A database of another secret, or of `dev`, stays as it is.
    """
    from watersmeet.database.properties import Purpose, inspect_schema, prepare, require_own
    from watersmeet.oauth2.keys import Keys

    with _opened(config) as (settings, database):
        fingerprint = Keys.derive(settings.secret).fingerprint
        if inspect_schema(database) is None:
            prepare(database, Purpose.PRODUCTION, fingerprint)
            say(f"The database was empty; it has schema {_schema(database)} now.")
            return
        from watersmeet.database import migrations

        require_own(database, Purpose.PRODUCTION, fingerprint)
        before, after = migrations.upgrade(database)
    if before == after:
        say(f"The database has schema {after} already.")
    else:
        say(f"Upgraded the database from schema {before} to {after}.")


@command.command("current")
@config_option
def current(config: Path | None) -> None:
    """Print the schema that the database has."""
    with _opened(config) as (_, database):
        say(_schema(database))


@command.command("check")
@config_option
def check(config: Path | None) -> None:
    """Say whether the database has exactly the tables that this version needs; exit code 1 if not."""
    from watersmeet.database import migrations
    from watersmeet.database.properties import other_schema

    with _opened(config) as (_, database):
        schema, needed = _schema(database), migrations.head()
        if schema != needed:
            raise SettingsError(other_schema(schema))
        differences = migrations.differences(database)
    if differences:
        raise SettingsError(f"The tables differ from schema {schema}: {'; '.join(differences)}.")
    say(f"The database has schema {schema}, as this version needs it.")


@command.command("stats")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--prometheus", "as_metrics", is_flag=True, help="As metrics, for node_exporter's textfile collector.")
@config_option
def stats(as_json: bool, as_metrics: bool, config: Path | None) -> None:
    """Count the rows of what expires, and those that have expired and wait to be pruned; blobs of attachments, too."""
    import asyncio

    from watersmeet.app import open_blobs
    from watersmeet.clock import SystemClock, as_datetime
    from watersmeet.content import unnamed
    from watersmeet.database.properties import require_own_schema
    from watersmeet.oauth2.keys import Keys
    from watersmeet.tokens.sweep import backlogs, sweeps

    with _opened(config) as (settings, database):
        require_own_schema(database)
        due, now = sweeps(settings), SystemClock().now()
        found = database.read_now(lambda tx: backlogs(tx, due, now))
        found["blobs"] = asyncio.run(unnamed.backlog(open_blobs(settings, Keys.derive(settings.secret)), database, now))
    if as_json:
        print_json(
            {name: {"rows": each.rows, "waiting": each.waiting, "oldest": each.oldest} for name, each in found.items()}
        )
    elif as_metrics:
        say(_metrics(found), nl=False)
    else:
        rows = [
            (name, str(each.rows), str(each.waiting), as_datetime(each.oldest).isoformat() if each.oldest else "-")
            for name, each in found.items()
        ]
        print_table(("TABLE", "ROWS", "WAITING", "OLDEST ENDED"), rows)


def _metrics(found: Mapping[str, Backlog]) -> str:
    """The text format of Prometheus."""
    lines = ["# HELP watersmeet_rows Rows in a table.", "# TYPE watersmeet_rows gauge"]
    lines += [f'watersmeet_rows{{table="{name}"}} {each.rows}' for name, each in found.items()]
    lines += ["# HELP watersmeet_rows_waiting Rows that have expired and wait to be pruned."]
    lines += ["# TYPE watersmeet_rows_waiting gauge"]
    lines += [f'watersmeet_rows_waiting{{table="{name}"}} {each.waiting}' for name, each in found.items()]
    return "\n".join(lines) + "\n"


@command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
def backup(file: Path, config: Path | None) -> None:
    """Copy a SQLite database into a new FILE, consistent also while it is being served.

    The copy is readable by its owner alone and on the disk when the command returns; an existing file is left as
    it is. To restore it, see docs/operations.md; afterwards run `watersmeet database end-grants`.
    """
    from watersmeet.database.backup import back_up

    with _opened(config) as (_, database):
        _schema(database)
        size = back_up(database, file)
    say(f"Wrote {file} ({size} bytes).")


@command.command("end-grants")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def end_grants(yes: bool, config: Path | None) -> None:
    """End what applications, browsers and scripts were given, as is due after a backup was restored.

    A restored database takes back what was spent, revoked and signed out since the backup was made. Users sign in,
    authorize their applications and make their personal access tokens again; incoming links, users and content stay.
    """
    from watersmeet.clock import SystemClock
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.database.properties import require_own_schema
    from watersmeet.tokens.revoke import end_everything

    with _opened(config) as (_, database):
        require_own_schema(database)
        if not yes:
            click.confirm("Every application, browser and script will have to ask again. Go on?", abort=True, err=True)
        now = SystemClock().now()
        ended = database.write_now(lambda tx: end_everything(tx, now, COMMAND_LINE))
    counts = ((ended.grants, "grant"), (ended.sessions, "session"), (ended.personal_tokens, "personal access token"))
    grants, sessions, tokens = (f"{count} {what}{'s' * (count != 1)}" for count, what in counts)
    say(f"Ended {grants}, {sessions} and {tokens}.")
