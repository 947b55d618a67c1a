"""Running the application: a socket bound first, a word when it accepts, a clean end on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from watersmeet.cli import collector
from watersmeet.cli.connection import Connection, raise_file_limit
from watersmeet.cli.door import Door
from watersmeet.errors import SettingsError
from watersmeet.web.headers import ALWAYS
from watersmeet.web.log import log

_GRACE_SECONDS = 1  # what a request in flight gets when `dev` ends, so that the process ends within two


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ``SettingsError`` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SettingsError(f"Cannot listen on {host} port {port}: {error.strerror}. Choose another --port.") from error
    return listener


def end_cleanly_on_sigterm() -> None:
    """Make SIGTERM end the process with 0 and everything tidied up, also before the server has begun to run."""

    def end(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process by the signal instead of with 0."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready
        self.failure: Exception | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            door: Any = Door(self.config.http_protocol_class, listener, lambda: self.should_exit)
            self.config.http_protocol_class = door
        await super().startup(sockets)
        collector.resume()
        if not self.should_exit:
            try:
                self._when_ready()
            except Exception as failure:
                # It is told once everything has ended cleanly, which uvicorn only does from its main loop.
                self.failure = failure
                asyncio.get_running_loop().call_soon(self._stop)


def run(
    app: ASGIApp,
    listener: socket.socket,
    when_ready: Callable[[], None],
    *,
    protocol: type[HttpToolsProtocol] = Connection,
    grace_seconds: int = _GRACE_SECONDS,
) -> None:
    """Serve until SIGINT or SIGTERM; ``when_ready`` is called once the port accepts connections.

    At the end, no more is accepted, and what is in flight has ``grace_seconds`` to be finished. ``protocol`` is
    how a connection is served: ``Connection``, or a class made from it.
    """
    raise_file_limit()
    config = uvicorn.Config(
        _WithoutTraceback(app),
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace_seconds,
    )
    server = _Server(config, when_ready)
    server.run(sockets=[listener])
    if server.failure is not None:
        raise server.failure


class _WithoutTraceback:
    """ASGI application around another: a request that is cut off at the end is told so, and is no error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            log.warning("cut off at the end", method=scope["method"], path=scope["raw_path"].decode("ascii", "replace"))
            if not has_begun:  # otherwise uvicorn closes the connection
                headers = {**ALWAYS, "retry-after": "1", "connection": "close"}
                await PlainTextResponse("The server is ending.\n", 503, headers)(scope, receive, send)
