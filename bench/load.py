"""The load: prepared requests over a fixed number of connections, each answered before the next is sent.

A driver of our own, because every exchange needs a code of its own in its body and because the answers become
the next workload's requests. It knows just enough HTTP/1.1 to be quick, and says what it cost itself.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop


class LoadError(Exception):
    """A subject did not answer as a measurement needs it to; the text shows what came instead."""


@dataclass(slots=True)
class Load:
    """What came of one load: every answer's body, every latency, and how long it all took."""

    wanted_status: int
    bodies: list[bytes] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    """Seconds from sending to the last byte of the answer."""
    unwanted: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    driver_seconds: float = 0.0
    """Processor time of the driver itself."""
    server_seconds: float | None = None
    """Processor time of the server's processes, where the machine tells it."""

    @property
    def rate(self) -> float:
        """Wanted answers a second."""
        return len(self.bodies) / self.seconds

    @property
    def server_microseconds(self) -> float | None:
        """Processor time of the server's processes for one wanted answer."""
        return None if self.server_seconds is None else self.server_seconds / len(self.bodies) * 1e6

    def percentile(self, part: float) -> float:
        """The latency, in seconds, that ``part`` of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

    @property
    def driver_share(self) -> float:
        """How much of one processor the driver used: near 1 it measured itself."""
        return self.driver_seconds / self.seconds


def post(path: str, form: bytes, headers: Sequence[str] = ()) -> bytes:
    """The bytes of a form's POST."""
    more = "".join(f"{header}\r\n" for header in headers)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n{more}\r\n"
    )
    return head.encode() + form


def get(path: str, headers: Sequence[str] = ()) -> bytes:
    """The bytes of a GET."""
    more = "".join(f"{header}\r\n" for header in headers)
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode()


def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    wanted_status: int = 200,
    per_second: float | None = None,
) -> Load:
    """Send the requests in order until they are used up or ``seconds`` are over.

    With ``per_second`` a request is sent at each tick of that clock, and its latency counts from the tick, so a
    server that stalls cannot slow the clock down. Raises ``LoadError`` when more than one answer in a hundred has
    another status, or when the server falls silent.
    """
    load = Load(wanted_status)
    gc.collect()
    gc.disable()
    try:
        uvloop.run(_drive(load, port, requests, connections, seconds, per_second))
    finally:
        gc.enable()
    if len(load.unwanted) * 100 > len(load.bodies) or not load.bodies:
        shown = load.unwanted[0][:600].decode(errors="replace") if load.unwanted else "nothing at all"
        raise LoadError(f"{len(load.unwanted)} of {len(load.bodies) + len(load.unwanted)} answers: {shown}")
    return load


async def _drive(
    load: Load, port: int, requests: Sequence[bytes], connections: int, seconds: float, per_second: float | None
) -> None:
    loop = asyncio.get_running_loop()
    began, processor = time.monotonic(), time.process_time()
    schedule = _Schedule(iter(requests), began + seconds, began, 1 / per_second if per_second else 0.0)
    opened = [_Connection(loop, load, schedule, port) for _ in range(connections)]
    await asyncio.gather(*(connection.open() for connection in opened))
    _, silent = await asyncio.wait([connection.finished for connection in opened], timeout=seconds + 30)
    load.seconds, load.driver_seconds = time.monotonic() - began, time.process_time() - processor
    for connection in opened:
        connection.close()
    if silent:
        raise LoadError(f"{len(silent)} of {connections} connections were still waiting half a minute after the end")


@dataclass(slots=True)
class _Schedule:
    """Which request comes next, and when: at once, or at the next tick."""

    requests: Iterator[bytes]
    end: float
    next_tick: float
    interval: float

    def take(self, now: float) -> tuple[bytes, float] | None:
        """A request and the moment it is due; ``None`` when it is all over."""
        due = self.next_tick if self.interval else now
        request = next(self.requests, None) if max(now, due) < self.end else None
        if request is None:
            return None
        self.next_tick += self.interval
        return request, due


class _Connection(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends the next."""

    def __init__(self, loop: asyncio.AbstractEventLoop, load: Load, schedule: _Schedule, port: int) -> None:
        self.finished: asyncio.Future[None] = loop.create_future()
        self._loop, self._load, self._schedule, self._port = loop, load, schedule, port
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._due = 0.0
        self._request: bytes | None = None

    async def open(self) -> None:
        await self._loop.create_connection(lambda: self, "127.0.0.1", self._port)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._request is None:
            self._next()
        else:
            self._transport.write(self._request)

    def _next(self) -> None:
        now = time.monotonic()  # the loop's clock, which uvloop tells to the millisecond only
        taken = self._schedule.take(now)
        if taken is None:
            self._request = None
            if not self.finished.done():
                self.finished.set_result(None)
            return
        self._request, self._due = taken
        if self._due > now:
            self._loop.call_at(self._due, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if self._transport is not None and self._request is not None:
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        end = _end_of_answer(self._received)
        if end is None:
            return
        body_at, closes = end
        load = self._load
        if self._received[9:12] == b"%d" % load.wanted_status:
            load.bodies.append(self._received[body_at:])
            load.latencies.append(time.monotonic() - self._due)
        else:
            load.unwanted.append(self._received)
        self._received = b""
        if closes:  # a server without kept-alive connections: the next request needs another one
            self._request = None
            self._transport, old = None, self._transport
            if old is not None:
                old.close()
            self._reopening = self._loop.create_task(self.open())
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is None:
            return  # closed by us, and opened anew
        self._transport = None
        if self._request is not None and not self.finished.done():
            # Kept-alive connections may be closed by the server at any time; whoever sends again is in the right.
            self._received = b""
            self._reopening = self._loop.create_task(self.open())


def _end_of_answer(received: bytes) -> tuple[int, bool] | None:
    """Where the body of a complete answer begins, and whether the server closes; ``None``: more must come."""
    head_ends = received.find(b"\r\n\r\n")
    if head_ends < 0:
        return None
    head, body_at = received[:head_ends].lower(), head_ends + 4
    closes = b"\r\nconnection: close" in head
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        line_ends = head.find(b"\r\n", at + 2)
        length = int(head[at + 17 : line_ends if line_ends > 0 else None])
        return (body_at, closes) if len(received) >= body_at + length else None
    if b"\r\ntransfer-encoding: chunked" in head:
        return (body_at, closes) if received.endswith(b"0\r\n\r\n") else None
    return body_at, closes  # no body at all: 204, 304
