"""The injector: stands before the application and lets the faults happen to real requests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watersmeet.clock import Clock
from watersmeet.database import dev
from watersmeet.database.engine import Database
from watersmeet.dev.connection import Connections
from watersmeet.dev.fault import Deed, Fault, Faults

BLOW = "watersmeet.fault"
"""Where in a request's scope the rules that hit it are told: a list of ``Standing``."""

_DEFAULT_BODY = msgspec.json.encode(
    {"error": "temporarily_unavailable", "error_description": "A fault of watersmeet dev."}
)
_PIECES = 20  # of a body that is sent slowly
_EXEMPT = ("/_dev/", "/static/")  # so that faults can always be cleared, on pages that look right


@dataclass(frozen=True)
class FaultInjector:
    """ASGI middleware."""

    app: ASGIApp
    faults: Faults
    connections: Connections
    database: Database
    clock: Clock
    context_path: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless a fault has other plans."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self.context_path)
        struck = [] if path.startswith(_EXEMPT) else self.faults.strike(scope["method"], path)
        scope[BLOW] = struck
        for standing in struck:
            fault = standing.fault
            await self._beforehand(fault)
            if fault.do is Deed.STATUS:
                await _answer(fault, send)
                return
            if fault.do is Deed.DROP_BEFORE:
                await self.connections.cut(scope, receive)
                return
        await self._carry_out([standing.fault for standing in struck], scope, receive, send)

    async def _beforehand(self, fault: Fault) -> None:
        now = self.clock.now()
        match fault.do:
            case Deed.DELAY:
                await asyncio.sleep(fault.seconds)
            case Deed.EXPIRE:
                await self.database.write(lambda tx: dev.expire_access_tokens(tx, now))
            case Deed.REVOKE:
                await self.database.write(lambda tx: dev.revoke_everything(tx, now))

    async def _carry_out(self, faults: list[Fault], scope: Scope, receive: Receive, send: Send) -> None:
        for fault in faults:
            match fault.do:
                case Deed.SLOW_BODY:
                    send = _slowly(send, fault.seconds)
                case Deed.CUT_BODY:
                    await self.app(scope, receive, _half(send))
                    await self.connections.cut(scope, receive, flush=True)
                    return
                case Deed.DROP_AFTER:
                    await self.app(scope, receive, _nowhere)
                    await self.connections.cut(scope, receive)
                    return
        await self.app(scope, receive, send)


async def _nowhere(_message: Message) -> None:
    """An answer that gets lost."""


async def _answer(fault: Fault, send: Send) -> None:
    body = _DEFAULT_BODY if fault.body is None else fault.body.encode()
    headers = [
        (b"content-type", fault.content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _slowly(send: Send, seconds: float) -> Send:
    async def slow(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) < 2:
            await send(message)
            return
        size = -(-len(body) // _PIECES)
        for start in range(0, len(body), size):
            await asyncio.sleep(seconds / _PIECES)
            is_last = start + size >= len(body)
            more = message.get("more_body", False) or not is_last
            await send({**message, "body": body[start : start + size], "more_body": more})

    return slow


def _half(send: Send) -> Send:
    """Passes the head and the first half of each body message on, and never the end."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return cut
