"""Errors: which answer each kind of error becomes, by the kind of route it happened on.

Under ``/rest`` the answer is Confluence's JSON envelope (and a Bearer challenge where one is due); everywhere
else it is a page. Neither ever shows a private detail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import RestError, envelope
from watersmeet.errors import ServiceUnavailable, WatersmeetError
from watersmeet.oauth2.errors import BearerRefused, UntrustedRequest
from watersmeet.oauth2.response import bearer_challenge
from watersmeet.oauth2.vocabulary import ErrorCode
from watersmeet.settings import Settings
from watersmeet.web.csrf import CrossSitePost
from watersmeet.web.forms import BodyTooLarge
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log, request_id
from watersmeet.web.templates import Page, render

# Confluence's own spelling; some clients compare the whole value.
_ENVELOPE_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    """What a person sees when something cannot be done."""

    template: ClassVar[str] = "error.html"
    title: str
    message: str
    parameter: str | None
    request_id: str


def handlers(
    settings: Settings,
) -> Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    """The handlers to install, from the most specific error to the least."""

    async def on_bearer_refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, BearerRefused)  # noqa: S101 - Starlette dispatches by type
        status = {ErrorCode.INSUFFICIENT_SCOPE: 403, ErrorCode.INVALID_REQUEST: 400}.get(error.code, 401)
        _note(error, status)
        response = _rest_answer(_with_status(status, error.description))
        response.headers.append("www-authenticate", bearer_challenge(error, _resource_metadata(request, settings)))
        if status == 401:
            # The original's own challenge, which its clients know (wire dossier 2.4).
            response.headers.append("www-authenticate", f'OAuth realm="{quote(settings.base_url, safe="")}"')
        return response

    async def on_error(request: Request, error: Exception) -> Response:
        status, headers = _status_of(error)
        _note(error, status)
        description = error.description if isinstance(error, WatersmeetError) else _phrase(status)
        if _is_rest(request):
            rest_error = error if isinstance(error, RestError) else _with_status(status, description)
            return _rest_answer(rest_error, headers)
        return render(
            ErrorPage(
                context_path=settings.context_path,
                title=_phrase(status) if not isinstance(error, UntrustedRequest) else "This link does not work",
                message=description,
                parameter=error.parameter if isinstance(error, UntrustedRequest) else None,
                request_id=request_id(request),
            ),
            status,
            headers,
        )

    return {
        BearerRefused: on_bearer_refused,
        WatersmeetError: on_error,
        HTTPException: on_error,
        Exception: on_error,
    }


def _rest_answer(error: RestError, headers: Mapping[str, str] | None = None) -> JsonResponse:
    return JsonResponse(envelope(error), error.status, {**(headers or {}), "content-type": _ENVELOPE_TYPE})


def _with_status(status: int, description: str) -> RestError:
    """An error of another tree as the REST API tells it."""
    error = RestError(description)
    error.status, error.reason = status, HTTPStatus(status).phrase
    error.authorized, error.valid = status not in (401, 403), status != 400
    return error


def _status_of(error: Exception) -> tuple[int, Mapping[str, str]]:
    match error:
        case RestError():
            return error.status, {}
        case HTTPException():
            return error.status_code, error.headers or {}
        case ServiceUnavailable():
            return 503, {"retry-after": str(error.retry_after_seconds)}
        case CrossSitePost():
            return 403, {}
        case BodyTooLarge():
            return 413, {}
        case WatersmeetError():
            return 400, {}
    return 500, {}


def _phrase(status: int) -> str:
    return {
        403: "You may not do that",
        404: "There is nothing here",
        500: "Something went wrong on our side",
        503: "The service is busy",
    }.get(status, HTTPStatus(status).phrase)


def _is_rest(request: Request) -> bool:
    prefix = request.scope.get("root_path", "")
    path = request.scope["path"].removeprefix(prefix)
    # The authorization endpoint lives under /rest, but a person stands before it.
    return bool(path.startswith("/rest/")) and not path.endswith("/authorize")


def _resource_metadata(request: Request, settings: Settings) -> str | None:
    """Where the metadata of the refused resource is, if it belongs to the API that has some."""
    is_api = f"{request.scope['path']}/".startswith(f"{settings.context_path}/rest/api/")
    return settings.resource_metadata if is_api else None


def _note(error: Exception, status: int) -> None:
    cause = type(error).__name__
    if status >= 500:
        log.error("failed", cause=cause, exc_info=error)
    else:
        log.info("refused", cause=cause, status=status, detail=getattr(error, "detail", ""))
