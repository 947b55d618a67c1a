"""The composition root: the one place where settings, database, clock, entropy and routes meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from watersmeet.authorize import http as authorize_http
from watersmeet.clock import Clock, SystemClock
from watersmeet.content import http as content_http
from watersmeet.database.engine import Database
from watersmeet.entropy import Entropy, SystemEntropy
from watersmeet.errors import SettingsError
from watersmeet.links import http as links_http
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings
from watersmeet.tokens import http as tokens_http
from watersmeet.tokens import sweep
from watersmeet.users import http as users_http
from watersmeet.web import errors
from watersmeet.web.environment import Environment
from watersmeet.web.headers import SecurityHeaders
from watersmeet.web.hosts import KnownHosts
from watersmeet.web.log import RequestLog


def open_database(settings: Settings) -> Database:
    """The database of the settings. Raises ``SettingsError`` for a URL that names none."""
    try:
        return Database(settings.database_url, lock_timeout_seconds=settings.provider.max_lock_timeout_seconds)
    except ValueError as error:
        raise SettingsError(f"database_url is not usable: {error}.") from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"database_url names PostgreSQL, but {error.name} is not installed: pip install 'watersmeet[postgresql]'."
        ) from error


def create_environment(
    settings: Settings, database: Database, clock: Clock | None = None, entropy: Entropy | None = None
) -> Environment:
    """Everything the slices need, the Bearer check among it."""

    def not_yet(*_: object) -> object:
        raise AssertionError("the verifier is set below")

    environment = Environment(
        settings=settings,
        database=database,
        clock=clock or SystemClock(),
        entropy=entropy or SystemEntropy(),
        keys=Keys.derive(settings.secret),
        verify_token=not_yet,  # type: ignore[arg-type]
    )
    return replace(environment, verify_token=tokens_http.token_verifier(environment))


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    more_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The ASGI application.

    A ``database`` that is handed in must be prepared and stays the caller's to close; otherwise the one of the
    settings is opened, and closed at shutdown. Raises ``SettingsError``.
    """
    opened = database or open_database(settings)
    environment = create_environment(settings, opened, clock, entropy)
    sweeps = sweep.sweeps(settings.provider)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        running = [asyncio.create_task(sweep.run(each, opened, environment.clock)) for each in sweeps]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if database is None:
            opened.close()

    routes: list[BaseRoute] = [
        *tokens_http.routes(environment),  # first, because they are asked for most
        *authorize_http.routes(environment),
        *users_http.routes(environment),
        *links_http.routes(environment),
        *content_http.routes(environment),
        *more_routes,
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    if settings.context_path:
        routes = [Mount(settings.context_path, routes=routes)]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={**errors.handlers(settings), **users_http.error_handlers(environment)},
        middleware=[
            Middleware(RequestLog, entropy=environment.entropy),
            Middleware(SecurityHeaders, settings=settings),
            Middleware(KnownHosts, base=urlsplit(settings.base_url)),
        ],
    )
