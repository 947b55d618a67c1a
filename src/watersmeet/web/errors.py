"""Errors: which answer each kind of error becomes, by the kind of route it happened on.

Under ``/rest``, and for whoever brings a token or reads JSON alone, the answer is Confluence's JSON envelope (and a
Bearer challenge where one is due); everywhere else it is a page. Neither ever shows a private detail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watersmeet.clock import Instant, as_datetime
from watersmeet.confluence.errors import RestError, envelope
from watersmeet.errors import ServiceUnavailable, StorageFailed, Throttled, WatersmeetError
from watersmeet.oauth2.errors import BearerRefused, UntrustedRequest
from watersmeet.oauth2.response import bearer_challenge
from watersmeet.oauth2.vocabulary import ErrorCode
from watersmeet.settings import Settings
from watersmeet.web.cause import note_cause
from watersmeet.web.environment import Environment
from watersmeet.web.json import JsonResponse
from watersmeet.web.language import translatable
from watersmeet.web.log import log, log_failure, request_id
from watersmeet.web.templates import Page, Visitor, render

# Confluence's own spelling; some clients compare the whole value.
_ENVELOPE_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    """What a person sees when something cannot be done."""

    template: ClassVar[str] = "error.html"
    status: int
    title: str
    error: WatersmeetError | None
    parameter: str | None
    remedy: str | None
    details: str
    switch_destination: str | None


VisitorOf = Callable[[Request], Awaitable[Visitor | None]]
"""Who is signed in with the browser that sent a request; handed in, because this layer knows no sessions."""


def handlers(
    environment: Environment, visitor_of: VisitorOf
) -> Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    """The handlers to install, from the most specific error to the least."""
    settings = environment.settings

    async def on_bearer_refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, BearerRefused)  # noqa: S101 - Starlette dispatches by type
        status = {ErrorCode.INSUFFICIENT_SCOPE: 403, ErrorCode.INVALID_REQUEST: 400}.get(error.code, 401)
        _note(request, error, status)
        response = _rest_answer(_with_status(status, error.description))
        response.headers.append("www-authenticate", bearer_challenge(error, _resource_metadata(request, settings)))
        if status == 401:
            # The original's own challenge, which its clients know (wire dossier 2.4).
            response.headers.append("www-authenticate", f'OAuth realm="{quote(settings.base_url, safe="")}"')
        return response

    async def on_error(request: Request, error: Exception) -> Response:
        status, headers = _status_of(error)
        _note(request, error, status)
        description = error.description if isinstance(error, WatersmeetError) else _phrase(status)
        if _is_rest(request):
            if isinstance(error, HTTPException):  # of no operation: nobody has said it better
                description = _said_to_programs(status, headers) or description
            rest_error = error if isinstance(error, RestError) else _with_status(status, description)
            return _rest_answer(rest_error, headers)
        visitor = await _visitor(visitor_of, request, status)
        untrusted = error if isinstance(error, UntrustedRequest) else None
        page = ErrorPage(
            context_path=settings.context_path,
            visitor=visitor,
            status=status,
            title=_BAD_LINK if untrusted else _phrase(500 if isinstance(error, StorageFailed) else status),
            error=error if isinstance(error, WatersmeetError) else None,
            parameter=untrusted.parameter if untrusted else None,
            remedy=_REMEDIES.get(untrusted.parameter) if untrusted and environment.is_dev else None,
            details=_details(request, error, status, environment.clock.now()),
            switch_destination=_destination(request, status) if visitor else None,
        )
        return render(page, status, headers)

    async def on_disconnect(_request: Request, _error: Exception) -> Response:
        return Response(status_code=408)  # nobody reads it: the client went away, or was too slow

    return {
        ClientDisconnect: on_disconnect,
        BearerRefused: on_bearer_refused,
        WatersmeetError: on_error,
        HTTPException: on_error,
        Exception: on_error,
    }


class Failures:
    """Middleware that answers what nothing else caught, so that those answers carry every header too.

    Starlette would answer them outside all middleware.
    """

    def __init__(self, app: ASGIApp, environment: Environment, visitor_of: VisitorOf) -> None:
        self._app = app
        self._answer = handlers(environment, visitor_of)[Exception]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 if it fails."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            # Refused by the server if an answer has begun; then the connection is closed.
            await (await self._answer(Request(scope), error))(scope, receive, send)


async def _visitor(visitor_of: VisitorOf, request: Request, status: int) -> Visitor | None:
    """Who sees an error page; nobody is looked up for what went wrong here, which looking might do again."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    try:
        return await visitor_of(request)
    except WatersmeetError:  # the database is busy: the page is shown without
        return None


def _destination(request: Request, status: int) -> str:
    """Where somebody else comes back to who signs in instead: to a page that others may see, otherwise home.

    Nothing of an address that was wrong in itself stands on the page that refuses it (S032).
    """
    if request.method not in ("GET", "HEAD") or status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return ""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def _rest_answer(error: RestError, headers: Mapping[str, str] | None = None) -> JsonResponse:
    return JsonResponse(envelope(error), error.status, {**(headers or {}), "content-type": _ENVELOPE_TYPE})


def _said_to_programs(status: int, headers: Mapping[str, str]) -> str | None:
    """What is wrong with an address or a method, to whoever reads no pages."""
    if status == HTTPStatus.NOT_FOUND:
        return "There is no such resource: look at the path."
    allowed = next((value for name, value in headers.items() if name.lower() == "allow"), None)
    if status == HTTPStatus.METHOD_NOT_ALLOWED and allowed:
        return f"This resource does not serve that method; it serves {allowed}."
    return None


def _with_status(status: int, description: str) -> RestError:
    """An error of another tree as the REST API tells it."""
    error = RestError(description)
    error.status, error.reason = status, HTTPStatus(status).phrase
    error.authorized, error.valid = status not in (401, 403), status != 400
    return error


def _status_of(error: Exception) -> tuple[int, Mapping[str, str]]:
    match error:
        case HTTPException():
            return error.status_code, error.headers or {}
        case ServiceUnavailable() | StorageFailed() | Throttled():
            return error.status, {"retry-after": str(error.retry_after_seconds)}
        case WatersmeetError():
            return error.status, {}
    return 500, {}


_TITLES = dict(
    zip(
        (400, 403, 404, 405, 413, 421, 429, 500, 503),
        translatable(
            "This did not work",
            "You may not do that",
            "There is nothing here",
            "This page does not work that way",
            "That is too much at once",
            "This is not the server you asked for",
            "Too many failed attempts",
            "Something went wrong on our side",
            "The service is busy",
        ),
        strict=True,
    )
)
_BAD_LINK = translatable("This link does not work")[0]

# Said in `dev` only, to whoever writes the application.
_REMEDIES = {
    "client_id": translatable("Send the client ID of an incoming link, once; the page Incoming links names them.")[0],
    "redirect_uri": translatable(
        "Send one of the redirect URLs of the incoming link, once and to the letter, or add this one to the link. "
        "Only the port of 127.0.0.1 and [::1] may differ."
    )[0],
}


def _phrase(status: int) -> str:
    return _TITLES.get(status, HTTPStatus(status).phrase)


def _details(request: Request, error: Exception, status: int, now: Instant) -> str:
    """What the developer of an application needs to know, in plain text: nothing that the page may not show."""
    facts = {
        "request": request_id(request),
        "time": as_datetime(now).isoformat(timespec="seconds"),
        "status": str(status),
        "path": request.scope["path"],
    }
    if isinstance(error, UntrustedRequest):
        facts["parameter"] = error.parameter
    if isinstance(error, WatersmeetError):
        facts["reason"] = error.description
    return "\n".join(f"{name}: {value}" for name, value in facts.items())


def _is_rest(request: Request) -> bool:
    prefix = request.scope.get("root_path", "")
    path = request.scope["path"].removeprefix(prefix)
    # The authorization endpoint lives under /rest, but a person stands before it. Elsewhere programs bring a token.
    if path.rstrip("/").endswith("/authorize"):
        return False
    return bool(path.startswith("/rest/")) or "authorization" in request.headers or _wants_json(request)


def _wants_json(request: Request) -> bool:
    """Whether a program says what it is by what it reads; browsers read pages, whatever else they take."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _resource_metadata(request: Request, settings: Settings) -> str | None:
    """Where the metadata of the refused resource is, if it belongs to the API that has some."""
    is_api = f"{request.scope['path']}/".startswith(f"{settings.context_path}/rest/api/")
    return settings.resource_metadata if is_api else None


def _note(request: Request, error: Exception, status: int) -> None:
    note_cause(request, error)
    if status >= 500:
        log_failure(error)
    else:
        log.info("refused", cause=type(error).__name__, status=status, detail=getattr(error, "detail", ""))
