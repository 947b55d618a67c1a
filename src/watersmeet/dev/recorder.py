"""The recorder: stands outside everything and writes down each request before its answer is complete."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watersmeet.dev.injector import BLOW
from watersmeet.dev.record import BODY_LIMIT, Record, Records
from watersmeet.dev.record import Message as Kept
from watersmeet.web.bearer import ProtectedRoute
from watersmeet.web.cause import cause_of
from watersmeet.web.cookies import Cookie
from watersmeet.web.environment import Environment
from watersmeet.web.forms import FORM_TYPE, content_type
from watersmeet.web.language import Sentence
from watersmeet.web.log import log
from watersmeet.web.route import Router

if TYPE_CHECKING:
    from watersmeet.dev.reason import Finding

_PATIENCE_SECONDS = 0.2
_NOT_RECORDED = ("/_dev/", "/static/")


@dataclass
class _Body:
    """The beginning of a body, and how long all of it was."""

    kept: bytearray = field(default_factory=bytearray)
    length: int = 0

    def add(self, data: bytes) -> None:
        self.length += len(data)
        self.kept += data[: BODY_LIMIT - len(self.kept)]


@dataclass
class _Watch:
    """One request under way."""

    began: float
    sent: _Body = field(default_factory=_Body)
    answered: _Body = field(default_factory=_Body)
    status: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    is_recorded: bool = False
    has_more: bool = True

    def receive(self, message: Message) -> None:
        """Note a part of the request's body."""
        self.sent.add(message.get("body", b""))
        self.has_more = message.get("more_body", False)

    async def read_on(self, receive: Receive) -> None:
        """Read what the application did not wait for, because it refused before; soon, or not at all."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while self.has_more and self.sent.length < BODY_LIMIT:
                    self.receive(await receive())


class Recorder:
    """ASGI middleware around everything else, the injector of faults included."""

    def __init__(self, app: ASGIApp, router: Router, records: Records, environment: Environment) -> None:
        self._app = app
        self._router = router
        self._records = records
        self._environment = environment
        self._context_path = environment.settings.context_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record it."""
        path = scope.get("path", "").removeprefix(self._context_path)
        if scope["type"] != "http" or path.startswith(_NOT_RECORDED):
            await self._app(scope, receive, send)
            return
        watch = _Watch(perf_counter())

        async def watched_receive() -> Message:
            message = await receive()
            watch.receive(message)
            return message

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                watch.status, watch.headers = message["status"], list(message.get("headers", ()))
            else:
                watch.answered.add(message.get("body", b""))
                if not message.get("more_body", False):
                    await watch.read_on(receive)
                    # Before the last byte leaves: whoever has the answer finds the record.
                    await self._record(scope, path, watch)
            await send(message)

        failure: Exception | None = None
        try:
            await self._app(scope, watched_receive, watched_send)
        except Exception as error:
            failure = error
            raise
        finally:
            await self._record(scope, path, watch, failure)

    async def _record(self, scope: Scope, path: str, watch: _Watch, failure: Exception | None = None) -> None:
        if watch.is_recorded:
            return
        watch.is_recorded = True
        request, struck = Request(scope), scope.get(BLOW, [])
        now = self._environment.clock.now()
        self._records.add(
            Record(
                number=self._records.next_number(),
                at=now,
                method=scope["method"],
                path=scope["raw_path"].decode("ascii", "replace"),
                query=scope["query_string"].decode("ascii", "replace"),
                request=_kept(scope["headers"], watch.sent),
                status=watch.status,
                response=_kept(watch.headers, watch.answered),
                milliseconds=(perf_counter() - watch.began) * 1000,
                faults=[standing.fault for standing in struck],
                finding=await self._finding(request, path, watch, failure),
            )
        )

    async def _finding(self, request: Request, path: str, watch: _Watch, failure: Exception | None) -> Finding:
        # Imported with the first request (docs/decisions/0074).
        from watersmeet.dev.case import Seen
        from watersmeet.dev.reason import Finding, examine

        environment, now = self._environment, self._environment.clock.now()
        rule = self._rule(request.method, path)
        cause = cause_of(request.scope) or failure
        seen = Seen(
            method=request.method,
            path=path,
            base_path=self._context_path,
            is_below_base=f"{request.scope['path']}/".startswith(f"{self._context_path}/"),
            host=request.headers.get("host", ""),
            origin=_foreign(request),
            query=request.scope["query_string"],
            content_type=content_type(request),
            authorization=request.headers.get("authorization", ""),
            session=Cookie.named("session", environment.settings).read(request),
            form=bytes(watch.sent.kept) if content_type(request) == FORM_TYPE else b"",
            status=watch.status,
            # The router's own refusals have no words beyond their status.
            cause=None if isinstance(cause, HTTPException) else cause,
            allow=Headers(raw=list(watch.headers)).get("allow", ""),
            struck=request.scope.get(BLOW, []),
            rule=f"{request.method} {rule.name}" if rule else None,
            needed=rule.protected[_method(request.method)].scope if rule else None,
        )
        try:
            return await environment.database.read(lambda tx: examine(tx, seen, environment.keys, now))
        except Exception as error:
            # Looking must never hurt: a request is answered whatever the inspector thinks of it.
            log.warning("not examined", cause=type(error).__name__, exc_info=error)
            return Finding(why=Sentence("(not examined: {cause})", cause=type(error).__name__))

    def _rule(self, method: str, path: str) -> ProtectedRoute | None:
        found = self._router.find(method, self._context_path + path)
        return found if isinstance(found, ProtectedRoute) else None


def _foreign(request: Request) -> str:
    """Where another site's page is that a browser names as the origin of a request; empty if it names none."""
    if request.headers.get("sec-fetch-site") in ("same-origin", "none"):
        return ""
    origin = request.headers.get("origin") or request.headers.get("sec-fetch-site") or ""
    return "" if origin == f"{request.url.scheme}://{request.headers.get('host', '')}" else origin


def _method(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _kept(headers: Sequence[tuple[bytes, bytes]], body: _Body) -> Kept:
    decoded = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    return Kept(decoded, bytes(body.kept), body.length)
