"""``watersmeet keys``: the keys that sign tokens."""

from __future__ import annotations

from pathlib import Path

import click

from watersmeet.cli.configuration import config_option, production_environment
from watersmeet.cli.output import print_json, print_table, say
from watersmeet.clock import Instant, as_datetime


@click.group("keys")
def command() -> None:
    """Rotate and list the keys that sign tokens. Works also while the database is being served."""


@command.command("rotate")
@click.option(
    "--now", "at_once", is_flag=True, help="Retire the old keys too: within two seconds every token stops working."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def rotate(at_once: bool, yes: bool, as_json: bool, config: Path | None) -> None:
    """Sign with a new key from ten seconds on; tokens of the old keys work until they expire."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.tokens import keys

    if at_once and not yes:
        click.confirm("Every application loses its access and must be authorized anew. Go on?", abort=True)
    with production_environment(config) as environment:
        now, lifetimes = environment.clock.now(), environment.lifetimes
        newest = environment.database.write_now(
            lambda tx: (
                keys.replace(tx, now=now, entropy=environment.entropy, origin=COMMAND_LINE)
                if at_once
                else keys.rotate(tx, now=now, lifetimes=lifetimes, entropy=environment.entropy, origin=COMMAND_LINE)
            )
        )
    if as_json:
        print_json({"id": newest.id, "signs_from": _time(newest.signs_from)})
        return
    say(f"Key {newest.id} signs from {_time(newest.signs_from)} on.")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def list_keys(as_json: bool, config: Path | None) -> None:
    """List the keys that are accepted, and when they sign and retire."""
    from watersmeet.database import signing_keys

    with production_environment(config) as environment:
        now = environment.clock.now()
        found = [each for each in environment.database.read_now(signing_keys.list_all) if each.is_accepted(now)]
    rows = [
        {
            "id": each.id,
            "signs_from": _time(each.signs_from) if each.signs_from else None,
            "retires_at": _time(each.retires_at) if each.retires_at else None,
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("KEY", "SIGNS FROM", "RETIRES"),
        [(str(row["id"]), row["signs_from"] or "the beginning", row["retires_at"] or "not planned") for row in rows],
    )


def _time(instant: Instant) -> str:
    return as_datetime(instant).isoformat(timespec="seconds")
