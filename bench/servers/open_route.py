"""Watersmeet as ``serve`` runs it, with two routes more: the same GET without and with a Bearer check."""

from __future__ import annotations

import sys

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watersmeet import settings as settings_module
from watersmeet.app import create_app, create_environment, open_database
from watersmeet.cli import server
from watersmeet.confluence.scopes import Scope
from watersmeet.web import log
from watersmeet.web.bearer import Caller, Protected, protected_route
from watersmeet.web.json import JsonResponse

_ANSWER = {"type": "known", "username": "bench", "displayName": "The bench", "text": "x" * 300}


async def _unprotected(_request: Request) -> Response:
    return JsonResponse(_ANSWER)


async def _protected(_request: Request, _caller: Caller) -> Response:
    return JsonResponse(_ANSWER)


def main() -> None:
    """Serve the database of the environment's settings on the port that is named."""
    import os

    settings = settings_module.load(flags={}, environment=os.environ)
    log.configure(settings.log_format)
    database = open_database(settings)
    try:
        verify = create_environment(settings, database).verify_token
        more = [
            Route("/bench/open", _unprotected),
            protected_route(verify, "/bench/protected", {"GET": Protected(Scope.READ, _protected)}),
        ]
        app = create_app(settings, database=database, more_routes=more)
        server.run(app, server.bind("127.0.0.1", int(sys.argv[1])), lambda: None)
    finally:
        database.close()


if __name__ == "__main__":
    main()
