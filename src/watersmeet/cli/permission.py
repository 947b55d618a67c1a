"""``watersmeet permission``: who may do what, on the instance and in a space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from watersmeet.cli.configuration import config_option, production_environment
from watersmeet.cli.output import print_json, print_table, say
from watersmeet.confluence.permission import GlobalPermission, Permission, SpacePermission

if TYPE_CHECKING:
    from watersmeet.confluence.content import Space
    from watersmeet.confluence.permission import GlobalGrant, SpaceGrant
    from watersmeet.content.grant import Subject
    from watersmeet.database.transaction import Transaction

F = TypeVar("F", bound=Callable[..., Any])


@click.group("permission")
def command() -> None:
    """Grant, revoke and list permissions, on the instance or in a space; also those of strangers."""


def _word(permission: Permission) -> str:
    return permission.name.lower().replace("_", "-")


_GLOBAL = {_word(each): each for each in GlobalPermission}
_IN_SPACE = {_word(each): each for each in SpacePermission}


def _whose(command: F) -> F:
    for option in (
        click.option("--anonymous", is_flag=True, help="Everybody, strangers without a token included."),
        click.option("--group", metavar="NAME", help="A group."),
        click.option("--user", metavar="NAME", help="A user."),
        click.option("--space", metavar="KEY", help="In that space; without it, on the instance."),
    ):
        command = option(command)
    return command


@command.command("grant")
@click.argument("permissions", nargs=-1, required=True)
@_whose
@config_option
def grant(permissions: tuple[str, ...], config: Path | None, **whose: Any) -> None:
    """Let somebody do something, besides what they may already.

    On the instance: use, personal-space, create-space. In a space: view, edit-page, edit-blog, comment,
    create-attachment, remove-page, remove-blog, remove-comment, remove-attachment, remove-own, restrict, export,
    archive, administer.
    """
    changed = _change(permissions, config, revoke=False, **whose)
    say("Granted." if changed else "Nothing changed: it was granted already.")


@command.command("revoke")
@click.argument("permissions", nargs=-1, required=True)
@_whose
@config_option
def revoke(permissions: tuple[str, ...], config: Path | None, **whose: Any) -> None:
    """Let somebody do something no longer; what they lack stays lacking."""
    changed = _change(permissions, config, revoke=True, **whose)
    say(
        "Revoked."
        if changed
        else "Nothing changed: they were not granted it themselves; `permission list` says who is."
    )


@command.command("list")
@click.option("--space", metavar="KEY", help="Of that space; without it, of the instance.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def list_grants(space: str | None, as_json: bool, config: Path | None) -> None:
    """List who may do what."""
    from watersmeet.database import permissions

    def operation(tx: Transaction) -> list[SpaceGrant] | list[GlobalGrant]:
        return permissions.list_grants(tx, _space(tx, space).id) if space else permissions.list_global_grants(tx)

    with production_environment(config) as environment:
        found = environment.database.read_now(operation)
    rows = [(*_subject_words(each), _word(each.permission)) for each in found]
    if as_json:
        print_json([{"subject": kind, "name": name or None, "permission": word} for kind, name, word in rows])
    else:
        print_table(("SUBJECT", "NAME", "PERMISSION"), rows)


def _subject_words(grant: SpaceGrant | GlobalGrant) -> tuple[str, str]:
    if grant.person:
        return "user", grant.person.username
    return ("group", grant.group) if grant.group else ("everybody", "")


def _change(
    words: tuple[str, ...],
    config: Path | None,
    *,
    revoke: bool,
    space: str | None,
    user: str | None,
    group: str | None,
    anonymous: bool,
) -> bool:
    from watersmeet.content.grant import Change, change_global, change_in
    from watersmeet.database.audit import COMMAND_LINE

    if [user is not None, group is not None, anonymous].count(True) != 1:
        raise click.UsageError("Say whose: one of --user NAME, --group NAME and --anonymous.")
    chosen = _permissions(words, _IN_SPACE if space else _GLOBAL)
    with production_environment(config) as environment:
        now = environment.clock.now()

        def operation(tx: Transaction) -> bool:
            changes = [Change(_subject(tx, user, group), chosen, revoke=revoke)]
            if space:
                return change_in(tx, _space(tx, space), changes, now, COMMAND_LINE)
            return change_global(tx, changes, now, COMMAND_LINE)

        return environment.database.write_now(operation)


def _permissions(words: tuple[str, ...], known: dict[str, Any]) -> list[Permission]:
    for word in words:
        if word not in known:
            raise click.UsageError(f"There is no permission {word!r} there; {_where(word, known)}.")
    return [known[word] for word in words]


def _where(word: str, known: dict[str, Any]) -> str:
    if word in _IN_SPACE:
        return "it is one of a space: name that with --space KEY"
    if word in _GLOBAL:
        return "it is one of the instance: leave --space out"
    return f"the permissions are {', '.join(known)}"


def _subject(tx: Transaction, user: str | None, group: str | None) -> Subject:
    from watersmeet.content.grant import Subject
    from watersmeet.users.signin import require_user

    return Subject(require_user(tx, user).user_key if user is not None else None, group)


def _space(tx: Transaction, key: str) -> Space:
    from watersmeet.confluence.errors import SpaceNotFound
    from watersmeet.database import spaces

    found = spaces.find(tx, key)
    if not found:
        raise SpaceNotFound(key)
    return found
