"""The HTTP side of categories of spaces: parse the request, call one operation."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.scopes import Scope
from watersmeet.content import category
from watersmeet.content.http.api import SPACE, Api
from watersmeet.web.bearer import Caller
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of categories."""
    handlers = _Categories(api)
    path = SPACE + "/{key}/category/{label}"
    return [api.route(path, POST=(Scope.WRITE, handlers.add), DELETE=(Scope.WRITE, handlers.remove))]


@dataclass(frozen=True, slots=True)
class _Categories:
    """The handlers."""

    api: Api

    async def add(self, request: Request, caller: Caller) -> Response:
        key, name, now = request.path_params["key"], request.path_params["label"], self.api.environment.clock.now()
        await self.api.environment.database.write(lambda tx: category.add(tx, caller.user, key, name, now))
        return Response(status_code=204)

    async def remove(self, request: Request, caller: Caller) -> Response:
        key, name, now = request.path_params["key"], request.path_params["label"], self.api.environment.clock.now()
        await self.api.environment.database.write(lambda tx: category.remove(tx, caller.user, key, name, now))
        return Response(status_code=204)
