"""Options that lead to the settings, the same on every command that needs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from watersmeet import settings as settings_module
from watersmeet.settings import Settings, require_production

if TYPE_CHECKING:
    from watersmeet.web.environment import Environment

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FILE = Path("watersmeet.toml")


def config_option(command: F) -> F:
    """``--config FILE``."""
    return click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="WATERSMEET_CONFIG",
        help="The settings file; ./watersmeet.toml if there is one.",
    )(command)


def property_option(command: F) -> F:
    """``-D name=value``, as the vendor's system properties are given to a Java process."""
    return click.option(
        "-D",
        "properties",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a property, e.g. -Datlassian.oauth2.provider.access.token.expiration.seconds=7200.",
    )(command)


def parse_properties(properties: tuple[str, ...]) -> dict[str, str]:
    """The flags that ``-D`` options amount to. Raises ``click.BadParameter``."""
    flags = {}
    for item in properties:
        name, equals, value = item.partition("=")
        if not equals:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE.", param_hint="-D")
        flags[name] = value
    return flags


def load_settings(config: Path | None, flags: dict[str, Any] | None = None) -> Settings:
    """The settings of this invocation. Raises ``SettingsError``."""
    file = config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    return settings_module.load(flags=flags, environment=os.environ, file=file)


@contextmanager
def production_environment(config: Path | None) -> Iterator[Environment]:
    """What the operations need, over the database that `serve` uses. Raises ``SettingsError``."""
    from watersmeet.app import create_environment, open_database
    from watersmeet.database.properties import Purpose, prepare
    from watersmeet.oauth2.keys import Keys

    settings = load_settings(config)
    require_production(settings)
    database = open_database(settings)
    try:
        prepare(database, Purpose.PRODUCTION, Keys.derive(settings.secret).fingerprint)
        yield create_environment(settings, database)
    finally:
        database.close()
