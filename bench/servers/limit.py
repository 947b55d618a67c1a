"""The limit: the same HTTP server and framework, answering bytes of the same length without doing the work."""

from __future__ import annotations

import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watersmeet.cli import server
from watersmeet.web.headers import ALWAYS

_TOKEN = "eyJhbGciOiJIUzI1NiJ9." + "x" * 99
_BODY = (
    f'{{"access_token":"{_TOKEN}","token_type":"bearer","expires_in":3600,"refresh_token":"{_TOKEN}",'
    '"created_at":1800000000,"scope":"WRITE"}'
).encode()
_HEADERS = {**ALWAYS, "pragma": "no-cache"}


async def _token(request: Request) -> Response:
    await request.body()
    return Response(_BODY, 200, _HEADERS, "application/json")


async def _resource(request: Request) -> Response:
    return Response(b"x" * request.path_params["length"], 200, _HEADERS, "application/json")


if __name__ == "__main__":
    routes = [Route("/token", _token, methods=["POST"]), Route("/resource/{length:int}", _resource)]
    server.run(Starlette(routes=routes), server.bind("127.0.0.1", int(sys.argv[1])), lambda: None)
