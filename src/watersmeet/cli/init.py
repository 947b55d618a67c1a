"""``watersmeet init``: a settings file with a secret of its own."""

from __future__ import annotations

import os
from pathlib import Path

import click

from watersmeet.cli.configuration import DEFAULT_FILE
from watersmeet.cli.output import say
from watersmeet.errors import SettingsError

_TEMPLATE = """\
# Settings of Watersmeet. All of them: `watersmeet settings`.

# Under which clients and browsers reach the server, context path included.
base_url = "{base_url}"

# Keep it secret and keep it: every stored credential depends on it.
secret = "{secret}"

database_url = "sqlite:///watersmeet.db"
"""


@click.command("init")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_FILE, show_default=True)
@click.option("--base-url", default="http://127.0.0.1:8090", show_default=True, help="https unless on this computer.")
def command(config: Path, base_url: str) -> None:
    """Write a settings file with a new secret, readable by you alone; an existing file is left alone."""
    from watersmeet import settings
    from watersmeet.entropy import SystemEntropy

    checked = settings.load(flags={"base_url": base_url, "secret": SystemEntropy().hex(32)}, environment={})
    settings.require_production(checked)
    text = _TEMPLATE.format(base_url=checked.base_url, secret=checked.secret)
    try:
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SettingsError(f"{config} exists already; it was left as it is.") from error
    except OSError as error:
        raise SettingsError(f"{config} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    say(f"Wrote {config}. Next: watersmeet user add admin --role system-administrator (it asks for a password")
    say("of at least 8 characters), then watersmeet serve.")
