"""``watersmeet token``: the personal access tokens that users made."""

from __future__ import annotations

from pathlib import Path

import click

from watersmeet.cli.configuration import config_option, production_environment
from watersmeet.cli.output import print_json, print_table, say
from watersmeet.clock import Instant, as_datetime


@click.group("token")
def command() -> None:
    """List and end users' personal access tokens; nobody but their user makes one. Works also while it is served."""


@command.command("list")
@click.argument("username")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def list_tokens(username: str, as_json: bool, config: Path | None) -> None:
    """List a user's personal access tokens that have not expired."""
    from watersmeet.database import personal_tokens
    from watersmeet.users.personal_token import token_as_json
    from watersmeet.users.signin import require_user

    with production_environment(config) as environment:
        now = environment.clock.now()
        user = environment.database.read_now(lambda tx: require_user(tx, username))
        found = environment.database.read_now(lambda tx: personal_tokens.list_of(tx, user.id, now))
    if as_json:
        print_json([token_as_json(token, user) for token in found])
        return
    rows = [
        (
            str(token.id),
            token.name,
            str(token.scope.capped_by(user.role.ceiling)),
            _day(token.expires_at),
            _last_use(token.last_used_at),
        )
        for token in found
    ]
    print_table(("ID", "NAME", "SCOPE", "EXPIRES", "LAST USED"), rows)


@command.command("revoke")
@click.argument("username")
@click.argument("token_id", type=int, required=False)
@click.option("--all", "every", is_flag=True, help="All that the user has.")
@config_option
def revoke(username: str, token_id: int | None, every: bool, config: Path | None) -> None:
    """End one of a user's personal access tokens, or all, at once."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.personal_token import UnknownToken, revoke_all_tokens, revoke_token
    from watersmeet.users.signin import require_user

    if every == (token_id is not None):
        raise click.UsageError("Name one token, or use --all.")
    with production_environment(config) as environment:
        user, now = environment.database.read_now(lambda tx: require_user(tx, username)), environment.clock.now()
        if token_id is None:
            ended = environment.database.write_now(lambda tx: revoke_all_tokens(tx, user, now, COMMAND_LINE))
        elif environment.database.write_now(lambda tx: revoke_token(tx, user, token_id, now, COMMAND_LINE)):
            ended = 1
        else:
            raise UnknownToken
    say(f"Ended {ended} personal access token{'s' * (ended != 1)} of {user.username}.")


def _day(instant: Instant) -> str:
    return f"{as_datetime(instant):%Y-%m-%d}"


def _last_use(instant: Instant | None) -> str:
    return _day(instant) if instant is not None else "never"
