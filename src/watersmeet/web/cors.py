"""Cross-origin requests: which other origins' scripts may read an answer (S010, S107).

None may, except where a route is wrapped in ``CrossOrigin``. There the one origin that asked is named, never ``*``,
never with cookies; an origin that is not allowed gets the answer without a word, and its browser keeps it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watersmeet.errors import ServiceUnavailable, StorageFailed

_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}


class CrossOrigin:
    """Middleware of a route: scripts of the origins that ``is_allowed`` may post there and read the answer."""

    def __init__(self, app: ASGIApp, is_allowed: Callable[[str], Awaitable[bool]]) -> None:
        self._app = app
        self._is_allowed = is_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer the browser's question whether it may ask."""
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        is_question = scope["method"] == "OPTIONS"
        if origin is None and not is_question:
            await self._app(scope, receive, send)
            return
        try:
            allowed = origin is not None and await self._is_allowed(origin)
        except (ServiceUnavailable, StorageFailed):
            if is_question:
                raise
            allowed = False  # what is asked says it in its own words

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("vary", "origin")
                if allowed:
                    headers["access-control-allow-origin"] = str(origin)
            await send(message)

        if not is_question:
            await self._app(scope, receive, send_with_headers)
        elif allowed:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_with_headers)
        else:
            await Response(status_code=405, headers={"allow": "POST"})(scope, receive, send_with_headers)
