"""The log: structured events, one line each; causes and private details, never a credential (S016)."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watersmeet.entropy import Entropy

# structlog imports rich wherever that is installed, tens of milliseconds at every start, for tracebacks in colours
# that are not used here (docs/decisions/0004). To it, and to nobody else, rich is not there.
_rich_is_there = "rich" in sys.modules
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
try:
    import structlog
finally:
    if not _rich_is_there:
        del sys.modules["rich"]

log: structlog.stdlib.BoundLogger = structlog.get_logger("watersmeet")


def log_failure(error: Exception) -> None:
    """Write down what nobody expected, with its traceback.

    Formatted here: what a log is configured to make of exc_info may show local variables, credentials too.
    """
    log.error("failed", cause=type(error).__name__, exception="".join(traceback.format_exception(error)))


def configure(log_format: str) -> None:
    """Write events to standard error, as text for people or as JSON for machines."""
    structlog.configure(
        processors=[_complete, _renderer(log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


_merge_context = structlog.contextvars.merge_contextvars
_add_level = structlog.processors.add_log_level
_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
_format_exception = structlog.processors.format_exc_info


def _complete(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the request, the level and the time: one processor, not four, for a line each request has."""
    stamped = _stamp(logger, method, _add_level(logger, method, _merge_context(logger, method, event)))
    return _format_exception(logger, method, stamped) if "exc_info" in event else stamped


def _renderer(log_format: str) -> Any:
    if log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_as_json)
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer(
            colors=True, pad_event_to=28, exception_formatter=structlog.dev.plain_traceback
        )
    return _as_text


def _as_json(event: Any, **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


_BARE = re.compile(r"[!#-&(-~]+")  # printable ASCII without spaces and quotes


def _as_text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """The console's line without its colours, at a quarter of their cost: there is one for each request."""
    moment, level, what = event.pop("timestamp"), event.pop("level"), event.pop("event")
    exception = event.pop("exception", None)
    fields = " ".join(
        f"{name}={value if not isinstance(value, str) or _BARE.fullmatch(value) else repr(value)}"
        for name, value in sorted(event.items())
    )
    line = f"{moment} [{level:<9}] {what:<28} {fields}"
    return f"{line}\n{exception}" if exception else line


def request_id(request: Request) -> str:
    """The identifier of a request, which error pages and the log share."""
    return str(request.scope["state"]["request_id"])


class RequestLog:
    """Middleware that gives each request an identifier and writes one line when it is answered.

    Only the path is written: queries may carry what the seed's examples put there, secrets and codes.
    """

    def __init__(self, app: ASGIApp, entropy: Entropy) -> None:
        self._app = app
        self._entropy = entropy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log its outcome."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = self._entropy.hex(8)
        scope.setdefault("state", {})["request_id"] = identifier
        began, status = perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        structlog.contextvars.bind_contextvars(request=identifier)
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            log.info(
                "request",
                method=scope["method"],
                # As it was sent, percent-encoded, so that nothing in it can look like another line.
                path=scope["raw_path"].decode("ascii", "replace"),
                status=status,
                ms=round((perf_counter() - began) * 1000, 1),
            )
            structlog.contextvars.clear_contextvars()
