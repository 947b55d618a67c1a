"""The door: whoever waits to connect is let in together.

uvloop accepts one connection, then serves everybody who is in, then accepts the next. While sixty are let in so, the
last of them waits for two thousand answers to the others.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

_AT_ONCE = 16  # several workers share the listening socket: one of them must not take everybody


class Door:
    """Makes the protocol of each connection that uvloop accepts, and accepts those that wait behind it."""

    def __init__(self, make: Callable[..., asyncio.Protocol], listener: socket.socket, is_shut: Callable[[], bool]):
        self._make, self._listener, self._is_shut = make, listener, is_shut
        self._entering: set[asyncio.Task[Any]] = set()
        self._is_opening = False

    def __call__(self, **named: Any) -> asyncio.Protocol:
        """The protocol of a connection, as uvicorn asks for it."""
        if not self._is_opening:
            self._is_opening = True
            asyncio.get_running_loop().call_soon(self._let_in, named)
        return self._make(**named)

    def _let_in(self, named: dict[str, Any]) -> None:
        self._is_opening = False
        loop = asyncio.get_running_loop()
        for _ in range(0 if self._is_shut() else _AT_ONCE):
            try:
                connection, _address = self._listener.accept()
            except OSError:  # nobody waits; or there are no files left, which uvloop meets too, and sees to
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            entering = loop.create_task(loop.connect_accepted_socket(lambda: self._make(**named), connection))
            self._entering.add(entering)
            entering.add_done_callback(self._entering.discard)
