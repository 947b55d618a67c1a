"""``watersmeet audit``: what was decided, when, by whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watersmeet.cli.configuration import config_option, production_environment
from watersmeet.cli.output import print_table, say
from watersmeet.clock import as_datetime

if TYPE_CHECKING:
    from watersmeet.database.audit import Entry, Query
    from watersmeet.database.engine import Database

_CHUNK = 1000


@click.command("audit")
@click.option("--since", default="", metavar="TIME", help="From then on: 2026-03-02, 2026-03-02T14:00 (UTC), or 24h.")
@click.option("--until", default="", metavar="TIME", help="Before then.")
@click.option("--event", default="", help="One event, like tokens.issued, or a group, like tokens.")
@click.option("--user", default="", help="Who acted, or whom it concerned.")
@click.option("--client", default="", metavar="CLIENT_ID", help="The application it concerned.")
@click.option("--limit", type=click.IntRange(min=1), help="How many at most; 100 in a table, else all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV, safe to open in a spreadsheet.")
@config_option
def command(
    since: str,
    until: str,
    event: str,
    user: str,
    client: str,
    limit: int | None,
    as_json: bool,
    as_csv: bool,
    config: Path | None,
) -> None:
    """Print the audit log, the newest event first."""
    from watersmeet.audit.export import csv_header, csv_lines, json_lines
    from watersmeet.audit.filter import parse_query
    from watersmeet.database.audit import search

    if as_json and as_csv:
        raise click.UsageError("Choose --json or --csv.")
    if as_csv:
        say(csv_header(), nl=False)
    typed = {"since": since, "until": until, "event": event, "user": user, "client": client}
    lines = json_lines if as_json else csv_lines if as_csv else None
    with production_environment(config) as environment:
        query = parse_query(typed, environment.clock.now())
        if lines is None:
            wanted = replace(query, limit=limit or query.limit)
            _print(environment.database.read_now(lambda tx: search(tx, wanted)))
            return
        for entries in _chunks(environment.database, query, limit):
            say(lines(entries), nl=False)


def _chunks(database: Database, query: Query, limit: int | None) -> Iterator[list[Entry]]:
    """All events that fit, at most ``limit``, a thousand at a time so that a long log fits into memory."""
    from watersmeet.database.audit import search

    left = limit
    while left is None or left > 0:
        chunk = replace(query, limit=_CHUNK if left is None else min(left, _CHUNK))
        entries = database.read_now(partial(search, query=chunk))
        if not entries:
            return
        yield entries
        query = replace(query, before=(entries[-1].at, entries[-1].id))
        left = None if left is None else left - len(entries)


def _print(entries: list[Entry]) -> None:
    from watersmeet.audit.export import in_words

    rows = [
        (
            as_datetime(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
            entry.event,
            entry.actor or "",
            entry.username or "",
            entry.client_name or entry.client_id or "",
            entry.address or "",
            in_words(entry.detail),
        )
        for entry in entries
    ]
    print_table(("TIME (UTC)", "EVENT", "BY", "USER", "APPLICATION", "ADDRESS", "DETAIL"), rows)
