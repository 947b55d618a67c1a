"""Known hosts: a server on this computer answers only to this computer's names (S004).

Without the check, any web page could point a name of its own at 127.0.0.1 and read what the demo serves (DNS
rebinding). A server with a public base URL stands behind a proxy that knows which names are its own.
"""

from __future__ import annotations

from urllib.parse import SplitResult

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class KnownHosts:
    """Middleware that answers 421 to a foreign ``Host`` while the base URL is on loopback."""

    def __init__(self, app: ASGIApp, base: SplitResult) -> None:
        self._app = app
        self._known: frozenset[str] | None = None
        if base.hostname in ("127.0.0.1", "localhost", "::1"):
            port = f":{base.port}" if base.port else ""
            self._known = frozenset(name + port for name in _LOOPBACK_NAMES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and self._known is not None:
            host = Headers(scope=scope).get("host", "")
            if host not in self._known:
                text = f"This server answers only to {', '.join(sorted(self._known))}.\n"
                await PlainTextResponse(text, 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)
