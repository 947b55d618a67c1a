"""Connections: which are open, so that a fault can cut one without an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Connections:
    """The open connections by the address of their other end."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def listed(self, protocol: type[HttpToolsProtocol]) -> type[HttpToolsProtocol]:
        """The server's own protocol, made to keep this list as well."""
        transports = self._transports

        class Listed(protocol):  # type: ignore[valid-type,misc]
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                if self.client:
                    transports[self.client] = self.transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Listed

    async def cut(self, scope: Scope, receive: Receive, *, flush: bool = False) -> None:
        """Close the connection of a request, what was written so far sent or not.

        Raises ``ConnectionResetError`` where there is no connection, as in an in-process test.
        """
        transport = self._transports.get(tuple(scope["client"] or ()))
        if transport is None:
            raise ConnectionResetError("the connection was cut by a fault")
        transport.close() if flush else transport.abort()
        # The server must know by the time the request ends, or it would complain that there was no answer.
        while (await receive())["type"] != "http.disconnect":
            pass
