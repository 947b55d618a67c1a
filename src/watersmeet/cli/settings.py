"""``watersmeet settings``: every setting, its names, default and meaning."""

from __future__ import annotations

from pathlib import Path

import click

from watersmeet.cli.configuration import config_option, load_settings
from watersmeet.cli.output import print_json, say, warn


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--check", is_flag=True, help="Say instead whether `serve` would start with those there are, and how weak."
)
@config_option
def command(as_json: bool, check: bool, config: Path | None) -> None:
    """List every setting: its name in watersmeet.toml and for -D, its environment variable, default, meaning."""
    from watersmeet.settings import all_settings, require_production, weaknesses

    if check:
        settings = load_settings(config)
        require_production(settings)
        found = weaknesses(settings)
        for weakness in found:
            warn(weakness)
        say(f"The settings are usable, with {len(found)} warning(s)." if found else "The settings are usable.")
        return

    every = [
        {
            "name": setting.name,
            "environment_variable": setting.environment_variable,
            "default": setting.default,
            "help": setting.help,
        }
        for setting in all_settings()
    ]
    if as_json:
        print_json(every)
        return
    for setting in every:
        say(f"{setting['name']}, by default {setting['default']!r}")
        say(f"  {setting['environment_variable']}\n  {setting['help']}\n")
