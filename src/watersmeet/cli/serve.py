"""``watersmeet serve``: the server for production."""

from __future__ import annotations

from pathlib import Path

import click

from watersmeet.cli.configuration import config_option, load_settings, parse_properties, property_option


@click.command("serve")
@config_option
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on.")
@property_option
def command(config: Path | None, host: str | None, port: int | None, properties: tuple[str, ...]) -> None:
    """Start for production, on a SQLite file unless the settings name a PostgreSQL server.

    Refuses to start on a missing or sample secret, on an http base URL that is not this computer, and on a
    database made by `dev`. TLS is the business of the proxy in front.
    """
    from watersmeet.app import create_app, open_database
    from watersmeet.cli import server
    from watersmeet.database.properties import Purpose, prepare
    from watersmeet.oauth2.keys import Keys
    from watersmeet.settings import require_production
    from watersmeet.web import log

    settings = load_settings(config, {"host": host, "port": port, **parse_properties(properties)})
    require_production(settings)
    log.configure(settings.log_format)
    database = open_database(settings)
    try:
        prepare(database, Purpose.PRODUCTION, Keys.derive(settings.secret).fingerprint)
        app = create_app(settings, database=database)
        listener = server.bind(settings.host, settings.port)
        server.run(app, listener, lambda: click.echo(f"Watersmeet is ready at {settings.base_url}"))
    finally:
        database.close()
