"""``watersmeet dev``: one command, a running server with demo data, and what to do next."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watersmeet.cli.collector import resting
from watersmeet.cli.configuration import parse_properties, property_option
from watersmeet.cli.output import say
from watersmeet.errors import SettingsError

if TYPE_CHECKING:
    from watersmeet.settings import Settings

_CONTEXT_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_FIXED = frozenset({"base_url", "host", "port", "database_url", "blob_store", "secret", "workers", "trusted_proxies"})


@click.command("dev")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="0 takes a free one.")
@click.option("--context-path", default="", metavar="PATH", help="Serve under a path, like /confluence.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line instead of the banner.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the same JSON object to this file once the port accepts connections.",
)
@click.option("--no-banner", is_flag=True, help="Print only the base URL.")
@property_option
@resting()
def command(
    port: int,
    context_path: str,
    as_json: bool,
    ready_file: Path | None,
    no_banner: bool,
    properties: tuple[str, ...],
) -> None:
    """Start with demo data on this computer.

    Listens on 127.0.0.1 only. The database and what was attached are thrown away at the end. Users, passwords and the
    incoming link are the same on every start, so that examples can be pasted. Ends with 0 on SIGINT or SIGTERM.
    """
    from watersmeet.cli import server
    from watersmeet.web import log

    server.end_cleanly_on_sigterm()
    if ready_file is not None and not ready_file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {ready_file.parent}", param_hint="--ready-file")
    listener = server.bind("127.0.0.1", port)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}{_checked(context_path)}"
    with _temporary_folder() as directory:
        settings = _settings(base_url, Path(directory) / "dev.db", parse_properties(properties))
        log.configure(settings.log_format)

        def when_ready() -> None:
            _announce(settings, as_json=as_json, ready_file=ready_file, no_banner=no_banner)

        _serve(settings, listener, when_ready)


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that is removed in any case: a signal waits until somebody is responsible for it."""
    signals = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        return tempfile.TemporaryDirectory(prefix="watersmeet-dev-")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def _checked(context_path: str) -> str:
    stripped = context_path.strip("/")
    if not stripped:
        return ""
    if not _CONTEXT_PATH.fullmatch(stripped):
        raise click.BadParameter("use letters, digits, - and _, like /confluence", param_hint="--context-path")
    return "/" + stripped


def _settings(base_url: str, file: Path, properties: dict[str, str]) -> Settings:
    from watersmeet import settings
    from watersmeet.entropy import SystemEntropy

    # Whatever is set for `serve` on this computer must not leak into a demo, nor the demo into it.
    flags: dict[str, Any] = {
        "base_url": base_url,
        "database_url": f"sqlite:///{file}",
        "blob_store": str(file.with_name("blobs")),
        "secret": SystemEntropy().hex(32),
        "throttle_attempts": 0,  # test suites guess wrong on purpose; -Dthrottle_attempts=10 for those about it
    }
    for name in properties:
        if name in _FIXED:
            raise SettingsError(f"`dev` decides {name} itself, so that it stays a demo on this computer; see --help.")
    return settings.load(flags=flags | properties, environment={})


def _serve(settings: Settings, listener: Any, when_ready: Any) -> None:
    from watersmeet import demo
    from watersmeet.app import create_app, create_environment, open_database
    from watersmeet.cli import server
    from watersmeet.cli.connection import Connection
    from watersmeet.database.properties import Purpose, prepare
    from watersmeet.dev.clock import VirtualClock
    from watersmeet.dev.http import entrance
    from watersmeet.dev.workshop import Workshop

    database = open_database(settings)
    try:
        clock = VirtualClock()
        environment = create_environment(settings, database, clock)
        prepare(database, Purpose.DEVELOPMENT, environment.keys.fingerprint)
        now = environment.clock.now()
        database.write_now(lambda tx: demo.add_demo(tx, environment, now))
        workshop = Workshop.open(environment, clock)
        app = create_app(
            settings,
            database=database,
            clock=clock,
            more_routes=[entrance(workshop)],
            demo_accounts=demo.accounts(),
        )
        server.run(workshop.around(app), listener, when_ready, protocol=workshop.connections.listed(Connection))
    finally:
        database.close()


def _announce(settings: Settings, *, as_json: bool, ready_file: Path | None, no_banner: bool) -> None:
    import msgspec

    from watersmeet import demo

    ready = msgspec.json.encode(demo.description(settings.base_url, os.getpid())).decode()
    if ready_file is not None:
        partial = ready_file.with_name(ready_file.name + ".partial")
        partial.write_text(ready + "\n")
        partial.replace(ready_file)  # whoever waits for the file never reads half of it
    if as_json:
        say(ready)
    elif no_banner:
        say(settings.base_url)
    else:
        from watersmeet.cli.banner import banner

        say(banner(settings.base_url))
