"""What leaves a connection: the head of an answer together with its body, in order, and nothing kept for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from watersmeet.cli.connection import Paired


class Wire(asyncio.Transport):
    """A transport that remembers what was written to it, and what was done to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 5)})
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed


def after(act: Callable[[Paired], Awaitable[None] | None]) -> Wire:
    """The wire after something was done with a transport on it, in one turn of a loop or more."""

    async def run() -> Wire:
        wire = Wire()
        doing = act(Paired(wire, asyncio.get_running_loop()))
        if doing is not None:
            await doing
        return wire

    return asyncio.run(run())


def writes(transport: Paired, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        transport.write(piece)


def test_head_and_body_leave_together() -> None:
    assert after(lambda transport: writes(transport, [b"head", b"body"])).sent == [b"headbody"]


def test_what_comes_alone_leaves_in_the_next_turn_of_the_loop() -> None:
    async def write_and_wait(transport: Paired) -> None:
        transport.write(b"head")
        await asyncio.sleep(0)
        transport.write(b"body")
        await asyncio.sleep(0)

    assert after(write_and_wait).sent == [b"head", b"body"]


@pytest.mark.parametrize("size", [1, 5, 16 * 1024, 16 * 1024 + 1, 1_000_000])
def test_nothing_is_lost_or_comes_too_early(size: int) -> None:
    pieces = [b"head", b"", *(bytes([number]) * size for number in range(7))]

    async def write_and_wait(transport: Paired) -> None:
        writes(transport, pieces)
        await asyncio.sleep(0)

    assert b"".join(after(write_and_wait).sent) == b"".join(pieces)


def test_closing_sends_what_is_kept_first_and_aborting_does_not() -> None:
    async def write_and(end: str, transport: Paired) -> None:
        transport.write(b"head")
        getattr(transport, end)()
        await asyncio.sleep(0)
        assert transport.is_closing()

    assert after(lambda transport: write_and("close", transport)).sent == [b"head"]
    assert after(lambda transport: write_and("abort", transport)).sent == []


def test_the_socket_is_known() -> None:
    def ask(transport: Paired) -> None:
        assert transport.get_extra_info("peername") == ("192.0.2.1", 5)
        assert transport.get_extra_info("sslcontext") is None

    after(ask)
