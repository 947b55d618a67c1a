"""The HTTP side of the instance: what clients ask of it before they start."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.scopes import Scope
from watersmeet.content.http.api import Api
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of the instance."""
    return [api.route("/rest/api/accessmode", GET=(Scope.READ, _show_access_mode))]


async def _show_access_mode(_request: Request, _caller: Caller) -> Response:
    return JsonResponse("READ_WRITE")
