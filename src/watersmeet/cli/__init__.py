"""The command line: one module per command, loaded when it is called.

Owns options, output and exit codes; the work is done by the same operations that the pages use. Must not know
tables.

Exit codes: 0 done; 1 refused, with one sentence on standard error that says what to change; 2 wrong usage;
3 no such user, token, group, space or incoming link.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from watersmeet import __version__
from watersmeet.errors import WatersmeetError

REFUSED = 1
NOT_FOUND = 3

_COMMANDS = {
    "dev": "Start with demo data on this computer, for trying out and for tests.",
    "serve": "Start for production.",
    "init": "Write a settings file with a new secret.",
    "user": "Add, list, disable, enable users; set roles, passwords; end access.",
    "token": "List and end users' personal access tokens.",
    "permission": "Grant, revoke, list permissions, on the instance and in spaces.",
    "link": "Add, list, show, change, disable, delete incoming links; rotate secrets.",
    "authorize": "Get tokens from a running server without a browser.",
    "database": "Upgrade, check and back up the database.",
    "audit": "Search and export the audit log.",
    "keys": "Rotate and list the keys that sign tokens.",
    "settings": "List every setting.",
}


class _Commands(click.Group):
    """The commands, each imported only when it is needed: start-up is a budget."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module: Any = importlib.import_module(f"watersmeet.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WatersmeetError as error:
            click.echo(f"watersmeet: {error.description}", err=True)
            ctx.exit(NOT_FOUND if _names_nothing(error) else REFUSED)


def _names_nothing(error: WatersmeetError) -> bool:
    from watersmeet.confluence.errors import NotFound
    from watersmeet.links.register import UnknownLink
    from watersmeet.users.personal_token import UnknownToken
    from watersmeet.users.signin import UnknownUser

    return isinstance(error, UnknownLink | UnknownToken | UnknownUser | NotFound)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no such user, token, group, space or incoming link.",
)
@click.version_option(__version__, prog_name="watersmeet")
def main() -> None:
    """Watersmeet: an OAuth 2.0 provider, wire-compatible with Confluence Data Center's, and the API it protects."""
