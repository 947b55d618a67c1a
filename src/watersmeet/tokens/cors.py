"""CORS at the token endpoint: programs in browsers may read the answers to public clients (S107, S010).

Only an origin that some public client registered a redirection URI of is named, to the letter; never ``*``, never
``null``, and no cookies are read anyway.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.database import clients
from watersmeet.database.engine import Database

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PREFLIGHT: Final = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "600",
}


async def readable_from(database: Database, request: Request) -> str | None:
    """The origin of a request, if programs from there may read the answer; costs nothing without an ``Origin``."""
    origin = request.headers.get("origin")
    if origin is None or not _ORIGIN.fullmatch(origin):
        return None
    return origin if await database.read(lambda tx: clients.is_public_origin(tx, origin)) else None


def allow(response: Response, origin: str | None) -> Response:
    """The answer, readable by programs from ``origin``; caches keep it apart from answers to others."""
    response.headers.append("vary", "Origin")
    if origin is not None:
        response.headers["access-control-allow-origin"] = origin
    return response


def preflight(origin: str | None) -> Response:
    """The answer to the question whether a program from ``origin`` may post a form (Fetch standard, CORS)."""
    if origin is None:
        return Response(status_code=405, headers={"allow": "POST"})
    return Response(status_code=204, headers=_PREFLIGHT)
