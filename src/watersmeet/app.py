"""The composition root: the one place where settings, database, clock, entropy and routes meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from starlette import routing
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from watersmeet import __version__
from watersmeet.blobs.folder import FolderStore
from watersmeet.blobs.store import BlobStore
from watersmeet.clock import Clock, SystemClock
from watersmeet.content import http as content_http
from watersmeet.content import long_task, unnamed
from watersmeet.content.long_task import Work
from watersmeet.database.engine import Database
from watersmeet.discovery import http as discovery_http
from watersmeet.entropy import Entropy, SystemEntropy
from watersmeet.errors import SettingsError
from watersmeet.links import credentials
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings
from watersmeet.tokens import http as tokens_http
from watersmeet.tokens import keys as signing
from watersmeet.tokens import sweep
from watersmeet.users import http as users_http
from watersmeet.web import errors, uses
from watersmeet.web.direct import DirectRoutes
from watersmeet.web.environment import DemoAccount, Environment
from watersmeet.web.errors import Failures
from watersmeet.web.headers import SecurityHeaders
from watersmeet.web.hosts import KnownHosts
from watersmeet.web.log import RequestLog
from watersmeet.web.proxies import TrustedProxies
from watersmeet.web.route import Later, Mount, Route, Router
from watersmeet.web.static import StaticFiles
from watersmeet.web.throttle import Throttle


@cache
def long_works() -> Mapping[str, Work]:
    """How each kind of long task is done; imported with the first one (docs/decisions/0074)."""
    from watersmeet.content import space_deletion, user_deletion

    return {space_deletion.NAME: space_deletion.WORK, user_deletion.NAME: user_deletion.WORK}


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


def open_blobs(settings: Settings, keys: Keys) -> BlobStore:
    """The place of the settings for the bytes of attachments; nothing is made or reached before it is used.

    Raises ``SettingsError`` for a URL that names none.
    """
    if "://" in settings.blob_store:
        return _open_bucket(settings.blob_store, keys)
    return FolderStore(Path(settings.blob_store), owner=keys.fingerprint)


def _open_bucket(url: str, keys: Keys) -> BlobStore:
    if not url.startswith("s3://"):
        raise SettingsError("blob_store must be a folder or a URL like s3://BUCKET/PREFIX.")
    # Imported here because most instances have a folder (docs/decisions/0004).
    from watersmeet.blobs.s3 import BucketStore

    try:
        return BucketStore(url, owner=keys.fingerprint)
    except ValueError as error:
        raise SettingsError(f"blob_store is not usable: {error}.") from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"blob_store names a bucket, but {error.name} is not installed: pip install 'watersmeet[s3]'."
        ) from error


def create_environment(
    settings: Settings,
    database: Database,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    *,
    demo_accounts: Sequence[DemoAccount] = (),
) -> Environment:
    """Everything the slices need, the Bearer check among it."""

    def not_yet(*_: object) -> object:
        raise AssertionError("the verifier is set below")

    clock, keys = clock or SystemClock(), Keys.derive(settings.secret)
    environment = Environment(
        settings=settings,
        database=database,
        clock=clock,
        entropy=entropy or SystemEntropy(),
        keys=keys,
        throttle=Throttle(settings, database, clock, keys),
        verify_token=not_yet,  # type: ignore[arg-type]
        blobs=open_blobs(settings, keys),
        demo_accounts=tuple(demo_accounts),
    )
    return replace(environment, verify_token=tokens_http.token_verifier(environment))


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    more_routes: Sequence[BaseRoute] = (),
    demo_accounts: Sequence[DemoAccount] = (),
) -> Starlette:
    """The ASGI application.

    A ``database`` that is handed in must be prepared and stays the caller's to close; otherwise the one of the
    settings is opened, and closed at shutdown. ``demo_accounts`` are offered for signing in, in `dev` only.
    Raises ``SettingsError``.
    """
    opened = database or open_database(settings)
    environment = create_environment(settings, opened, clock, entropy, demo_accounts=demo_accounts)
    sweeps = [
        *sweep.sweeps(settings),
        sweep.Sweep(
            sweep.Schedule("* * * * *"),
            0,
            credentials.any_expired,
            credentials.end_expired,
            "expired links",
            lambda *_: {},
        ),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await signing.adopt(opened, environment.keys, environment.clock)
        running = [
            asyncio.create_task(signing.follow(opened, environment.keys, environment.clock)),
            *(asyncio.create_task(sweep.run(each, opened, environment.clock)) for each in sweeps),
            asyncio.create_task(uses.run(environment.uses, opened)),
            asyncio.create_task(unnamed.run(environment.blobs, opened)),
            asyncio.create_task(long_task.run(long_works, opened, environment.clock)),
        ]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await environment.uses.write(opened)
        if database is None:
            opened.close()

    endpoint = tokens_http.TokenEndpoint(environment)
    routes: list[BaseRoute] = [
        *tokens_http.routes(environment, endpoint),
        *users_http.routes(environment),
        *_for_later(environment),
        *content_http.routes(environment),
        *discovery_http.routes(settings, __version__),
        *more_routes,
        routing.Mount("/static", StaticFiles()),
    ]
    if settings.context_path:
        routes = [_way_home(settings.context_path), Mount(settings.context_path, routes)]
    routes = [*discovery_http.root_routes(settings), *routes]
    visitor_of = partial(users_http.visitor_of, environment)
    app = Starlette(
        exception_handlers={**errors.handlers(environment, visitor_of), **users_http.error_handlers(environment)},
        middleware=[
            Middleware(RequestLog, entropy=environment.entropy),
            Middleware(TrustedProxies, settings=settings),
            Middleware(SecurityHeaders, settings=settings),
            Middleware(Failures, environment=environment, visitor_of=visitor_of),
            Middleware(KnownHosts, settings=settings),
            Middleware(DirectRoutes, handlers=endpoint.direct()),
        ],
    )
    app.router = Router(routes, lifespan=lifespan)
    app.state.environment = environment
    return app


def _for_later(environment: Environment) -> list[Later]:
    """What is imported when it is first asked for, and what its paths begin with."""

    def authorize() -> list[Route]:
        from watersmeet.authorize import http

        return http.routes(environment)

    def account() -> list[Route]:
        from watersmeet.users import http_account

        return http_account.routes(environment)

    def personal_tokens() -> list[Route]:
        from watersmeet.users import http_personal_token

        return http_personal_token.routes(environment)

    def links() -> list[Route]:
        from watersmeet.links import http

        return http.routes(environment)

    def audit() -> list[Route]:
        from watersmeet.audit import http

        return http.routes(environment)

    return [
        Later(["/rest/oauth2/{version}/authorize", "/plugins/servlet/oauth2/consent"], authorize),
        Later(["/account"], account),
        Later(["/rest/pat"], personal_tokens),
        Later(
            [
                "/",
                "/plugins/servlet/applinks",
                "/plugins/servlet/oauth2/authorized-applications",
                "/plugins/personalaccesstokens",
                "/rest/oauth2/{version}/client",
            ],
            links,
        ),
        Later(["/admin/audit", "/rest/oauth2/{version}/audit"], audit),
    ]


def _way_home(context_path: str) -> BaseRoute:
    """The context path without its slash, as people type it."""

    async def go(_request: Request) -> Response:
        return RedirectResponse(context_path + "/", 303)

    return routing.Route(context_path, go, methods=["GET"])
