"""``watersmeet serve``: the server for production."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from watersmeet.cli.collector import resting
from watersmeet.cli.configuration import config_option, load_settings, parse_properties, property_option
from watersmeet.cli.output import say, warn


@click.command("serve")
@config_option
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--workers", type=click.IntRange(1), help="How many processes serve; one unless the settings say more.")
@property_option
@resting()
def command(
    config: Path | None, host: str | None, port: int | None, workers: int | None, properties: tuple[str, ...]
) -> None:
    """Start for production, on a SQLite file unless the settings name a PostgreSQL server.

    Refuses to start on a missing or sample secret, on an http base URL that is not this computer, and on a
    database made by `dev` or of another schema. TLS is the business of the proxy in front. Ends with 0 on SIGINT or
    SIGTERM, once what was started is finished.
    """
    from watersmeet.app import create_app, open_database
    from watersmeet.cli import server
    from watersmeet.database.properties import Purpose, prepare
    from watersmeet.database.users import any_administrator
    from watersmeet.oauth2.keys import Keys
    from watersmeet.settings import require_production, weaknesses
    from watersmeet.web import log

    flags = {"host": host, "port": port, "workers": workers, **parse_properties(properties)}
    settings = load_settings(config, flags)
    require_production(settings)
    for weakness in weaknesses(settings):
        warn(weakness)
    log.configure(settings.log_format)
    database = open_database(settings)
    try:
        prepare(database, Purpose.PRODUCTION, Keys.derive(settings.secret).fingerprint)
        if not database.read_now(any_administrator):
            warn("there is no administrator yet: watersmeet user add NAME --role system-administrator")
    finally:
        database.close()
    listener = server.bind(settings.host, settings.port)
    # What waits for a lock is given the time to get it.
    grace = settings.provider.max_lock_timeout_seconds + 1

    def work(when_ready: Callable[[], None]) -> None:
        database = open_database(settings)
        try:
            server.run(create_app(settings, database=database), listener, when_ready, grace_seconds=grace)
        finally:
            database.close()

    def announce() -> None:
        host, port = listener.getsockname()[:2]
        say(f"Watersmeet is ready at {settings.base_url}, listening on {host} port {port}")

    if settings.workers == 1:
        work(announce)
    else:
        from watersmeet.cli.supervisor import Supervisor

        Supervisor(settings.workers, work, listener, patience=grace + 2).run(announce)
