"""``watersmeet user``: who can sign in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watersmeet.cli.configuration import config_option, production_environment
from watersmeet.cli.output import confirm, print_json, print_table, say
from watersmeet.confluence.scopes import Role

if TYPE_CHECKING:
    from watersmeet.database.users import User


@click.group("user")
def command() -> None:
    """Add, list, disable and delete users; set roles and passwords; end access.

    Works on the database of the settings, also while it is served.
    """


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password on: use --password-stdin.")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@command.command("add")
@click.argument("username")
@click.option("--name", default="", help="The name people see.")
@click.option("--email", default="")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.USER.value, show_default=True)
@_password_option
@config_option
def add(username: str, name: str, email: str, role: str, password_stdin: bool, config: Path | None) -> None:
    """Add a user; asks for the password."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.password import hash_password
    from watersmeet.users.signin import add_user

    with production_environment(config) as environment:
        password_hash = hash_password(_password(password_stdin))
        user = environment.database.write_now(
            lambda tx: add_user(
                tx,
                username=username,
                display_name=name,
                email=email,
                role=Role(role),
                password_hash=password_hash,
                now=environment.clock.now(),
                entropy=environment.entropy,
                origin=COMMAND_LINE,
            )
        )
    say(f"Added {user.username} ({user.role.value}).")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def list_users(as_json: bool, config: Path | None) -> None:
    """List the users."""
    from watersmeet.database import users

    with production_environment(config) as environment:
        found = environment.database.read_now(users.list_all)
    if as_json:
        print_json([_as_json(user) for user in found])
        return
    rows = [(user.username, user.display_name, user.role.value, "yes" if user.enabled else "no") for user in found]
    print_table(("USER", "NAME", "ROLE", "ENABLED"), rows)


def _as_json(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "display_name": user.display_name,
        "email": user.email,
        "role": user.role.value,
        "user_key": user.user_key,
        "enabled": user.enabled,
    }


@command.command("disable")
@click.argument("username")
@config_option
def disable(username: str, config: Path | None) -> None:
    """Keep a user out: sessions and every application's access end at once."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.signin import disable_user

    with production_environment(config) as environment:
        now = environment.clock.now()
        user = environment.database.write_now(lambda tx: disable_user(tx, username, now, COMMAND_LINE))
    say(f"Disabled {user.username}.")


@command.command("enable")
@click.argument("username")
@config_option
def enable(username: str, config: Path | None) -> None:
    """Let a disabled user in again; applications must be authorized anew."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.signin import enable_user

    with production_environment(config) as environment:
        now = environment.clock.now()
        user = environment.database.write_now(lambda tx: enable_user(tx, username, now, COMMAND_LINE))
    say(f"Enabled {user.username}.")


@command.command("delete")
@click.argument("username")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def delete(username: str, yes: bool, config: Path | None) -> None:
    """Delete a user for good: out at once, personal data erased; what they wrote stays, by an alias."""
    from watersmeet.content import user_deletion
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.signin import require_user

    with production_environment(config) as environment:
        user = environment.database.read_now(lambda tx: require_user(tx, username))
        confirm(f"Nobody can undo this. Delete {user.username} ({user.display_name})?", yes=yes)
        now, entropy = environment.clock.now(), environment.entropy
        environment.database.write_now(
            lambda tx: user_deletion.begin(tx, None, user.username, now, entropy, COMMAND_LINE)
        )
    say(f"Deleted {user.username}. Their drafts, and what they viewed, are erased while Watersmeet is served.")


@command.command("role")
@click.argument("username")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@config_option
def change_role(username: str, role: str, config: Path | None) -> None:
    """Give a user another role; what they allowed applications reaches no further from then on."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.signin import change_role

    with production_environment(config) as environment:
        now = environment.clock.now()
        user = environment.database.write_now(lambda tx: change_role(tx, username, Role(role), now, COMMAND_LINE))
    say(f"{user.username} is now: {user.role.value}.")


@command.command("end-access")
@click.argument("username")
@config_option
def end_access(username: str, config: Path | None) -> None:
    """End a user's sessions and every application's access; they may sign in and allow anew."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.signin import end_access

    with production_environment(config) as environment:
        now = environment.clock.now()
        ended = environment.database.write_now(lambda tx: end_access(tx, username, now, COMMAND_LINE))
    say(f"Ended {ended} grant{'' if ended == 1 else 's'} and every session of {username}.")


@command.command("password")
@click.argument("username")
@_password_option
@config_option
def password(username: str, password_stdin: bool, config: Path | None) -> None:
    """Set a user's password; sessions and every application's access end."""
    from watersmeet.database.audit import COMMAND_LINE
    from watersmeet.users.password import hash_password
    from watersmeet.users.signin import change_password, require_user

    with production_environment(config) as environment:
        environment.database.read_now(lambda tx: require_user(tx, username))
        password_hash, now = hash_password(_password(password_stdin)), environment.clock.now()
        user = environment.database.write_now(
            lambda tx: change_password(tx, username, password_hash, now, COMMAND_LINE)
        )
    say(f"Changed the password of {user.username}.")
