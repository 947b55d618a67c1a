"""Direct routes: the few that are asked for most, found by one look instead of by trying every route.

A route stays what it is: whatever is not an ordinary request for it (another method, a question of a browser's
script, a slash at the end) goes the way of all others, to the same handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


class DirectRoutes:
    """Middleware, the innermost: hands a POST without an ``Origin`` to the handler of its exact path.

    Handlers answer what they refuse themselves.
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[str, Handler]) -> None:
        self._app = app
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        handler = self._handlers.get(scope["path"]) if scope["type"] == "http" else None
        if handler is None or scope["method"] != "POST" or b"origin" in dict(scope["headers"]):
            await self._app(scope, receive, send)
            return
        try:
            answer = await handler(Request(scope, receive, send))
        except ClientDisconnect:
            answer = Response(status_code=408)  # nobody reads it
        await answer(scope, receive, send)
