"""``watersmeet settings``: every setting, its names, default and meaning."""

from __future__ import annotations

import click

from watersmeet.cli.output import print_json, say


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """List every setting: its name in watersmeet.toml and for -D, its environment variable, default, meaning."""
    from watersmeet.settings import all_settings

    found = [
        {
            "name": setting.name,
            "environment_variable": setting.environment_variable,
            "default": setting.default,
            "help": setting.help,
        }
        for setting in all_settings()
    ]
    if as_json:
        print_json(found)
        return
    for setting in found:
        say(f"{setting['name']} = {setting['default']!r}\n  {setting['environment_variable']}\n  {setting['help']}\n")
