"""Whoever waits to connect is let in together, and not one in each round of serving everybody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

import uvloop

from watersmeet.cli import door, server
from watersmeet.cli.door import Door

_WAITING = 40


def _rounds_until_all_are_in(make_door: Callable[[Callable[..., asyncio.Protocol], socket.socket], Any]) -> int:
    """In how many rounds of the loop those are let in that waited before it began."""
    listener = server.bind("127.0.0.1", 0)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(_WAITING)]
    entered: list[int] = []
    transports: list[asyncio.Transport] = []
    rounds = 0

    class Guest(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            entered.append(rounds)
            transports.append(cast(asyncio.Transport, transport))

    async def serve() -> None:
        nonlocal rounds
        loop = asyncio.get_running_loop()
        serving = await loop.create_server(make_door(lambda **_: Guest(), listener), sock=listener)
        while len(entered) < _WAITING and rounds < 50 * _WAITING:
            await asyncio.sleep(0)  # a round
            rounds += 1
        serving.close()
        for transport in transports:
            transport.abort()

    try:
        uvloop.run(serve())
    finally:
        for client in clients:
            client.close()
        listener.close()
    assert len(entered) == _WAITING
    return entered[-1] - entered[0]


def test_those_who_wait_are_let_in_together() -> None:
    alone = _rounds_until_all_are_in(lambda make, _: make)
    assert alone >= _WAITING - 1  # otherwise the door is not needed any more
    together = _rounds_until_all_are_in(lambda make, listener: Door(make, listener, lambda: False))
    assert together <= 4 * (_WAITING // door._AT_ONCE + 1)


def test_nobody_is_let_in_behind_the_last_when_it_ends() -> None:
    rounds = _rounds_until_all_are_in(lambda make, listener: Door(make, listener, lambda: True))
    assert rounds >= _WAITING - 1
