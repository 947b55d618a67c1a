"""The connection: uvicorn's, with limits on how much and how slowly a client may speak (S013, S014).

A request's head has 10 seconds and 32 KiB. A body has 30 seconds and one second more for each KiB that has come, so
that a slow line may upload and a dribbling one may not. Whoever is over a limit is told so and cut off.

uvicorn writes the head of an answer and its body one after the other; here they leave together.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from watersmeet.web.headers import ALWAYS

MAX_HEAD = 32 * 1024  # bytes: the request line and all headers
MAX_HEADERS = 100
HEAD_SECONDS = 10
BODY_SECONDS = 30
_SLOWEST = 1024  # bytes a second
_LITTLE = 16 * 1024  # bytes: more than any head of ours

_HEADERS = b"".join(f"{name}: {value}\r\n".encode() for name, value in ALWAYS.items())


class Connection(HttpToolsProtocol):
    """One client's connection.

    There is a deadline whenever the next move is the client's: from the moment it connects, or begins another
    request, until its request is complete. Between requests uvicorn's own keep-alive time-out rules. What comes in
    one piece, as most requests do, needs no clock.
    """

    _deadline: asyncio.TimerHandle | None = None
    _is_awaited = True  # more of a request must come
    _in_head = True
    _received = 0  # bytes of the part that is being received
    _began = 0.0
    _refusal = 400

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        super().connection_made(Paired(transport, self.loop))  # type: ignore[arg-type]
        self._expect_head()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        if not self._is_awaited:
            self._expect_head()
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > MAX_HEAD and not self.transport.is_closing():
            self._refuse(431, "The request line and headers are too large.")
        self._watch()

    def on_headers_complete(self) -> None:
        """The head is there: let the application begin, unless the head is too large."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD or len(self.headers) > MAX_HEADERS:
            self._refusal = 431
            raise _HeadTooLarge
        self._expect_body()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete; the next move is ours."""
        self._expect_nothing()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers when the parser gives up, whatever made it give up."""
        text = "The request line and headers are too large." if self._refusal == 431 else msg
        self._refuse(self._refusal, text)

    def _refuse(self, status: int, text: str) -> None:
        body = text.encode()
        head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + _HEADERS + b"\r\n" + body)
        self.transport.close()

    # ---- deadlines ----------------------------------------------------------------------------------------

    def _expect_head(self) -> None:
        self._expect(in_head=True)

    def _expect_body(self) -> None:
        self._expect(in_head=False)

    def _expect(self, *, in_head: bool) -> None:
        self._drop_deadline()
        self._is_awaited, self._in_head, self._received = True, in_head, 0

    def _expect_nothing(self) -> None:
        self._drop_deadline()
        self._is_awaited = self._in_head = False

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _watch(self) -> None:
        if self._is_awaited and self._deadline is None:
            self._set_deadline(HEAD_SECONDS if self._in_head else BODY_SECONDS)

    def _set_deadline(self, seconds: float) -> None:
        self._began = self.loop.time()
        self._deadline = self.loop.call_later(seconds, self._on_deadline)

    def _on_deadline(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        answering = cycle is not None and not cycle.response_complete
        if self._in_head and answering:
            self._set_deadline(HEAD_SECONDS)  # it pipelines: what came before is still being answered
            return
        allowed = BODY_SECONDS + self._received / _SLOWEST
        left = allowed - (self.loop.time() - self._began)
        if not self._in_head and left > 0:
            self._deadline = self.loop.call_later(left, self._on_deadline)
        elif cycle is not None and answering and cycle.response_started:
            self.transport.close()
        else:
            self._refuse(408, "The request did not arrive in time.")


class Paired(asyncio.Transport):
    """A transport that keeps a little that is written until more is, or until the loop's next turn.

    So an answer is one packet, not two: a system call and a packet cost more than joining its head and its body.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send these bytes after all that came before them, at the latest when the loop turns."""
        if self._kept or len(data) > _LITTLE:
            kept, self._kept = self._kept, b""
            self._transport.write(kept + data)
        else:
            self._kept = bytes(data)
            self._loop.call_soon(self._send_kept)

    def _send_kept(self) -> None:
        if self._kept:
            kept, self._kept = self._kept, b""
            self._transport.write(kept)

    def close(self) -> None:
        """Send what is kept, then close."""
        self._send_kept()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._kept = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows of the socket."""
        return self._transport.get_extra_info(name, default)


class _HeadTooLarge(httptools.HttpParserError):
    """Makes the parser stop."""


def raise_file_limit() -> None:
    """Let the process hold as many connections as the system allows: a flood of slow ones must not use them up."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted: Any = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
