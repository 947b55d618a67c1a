"""The HTTP side of a space's trash: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.page import Window
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import space_path
from watersmeet.content import trash
from watersmeet.content.http.api import SPACE, Api, cursor_of, expansion_of, window_of
from watersmeet.web.bearer import Caller
from watersmeet.web.route import Route

_PATH = SPACE + "/{key}/trash"


def routes(api: Api) -> list[Route]:
    """The routes of the trash."""
    handlers = _Trash(api)
    return [api.route(_PATH, GET=(Scope.READ, handlers.list_trash), DELETE=(Scope.WRITE, handlers.empty))]


@dataclass(frozen=True, slots=True)
class _Trash:
    """The handlers."""

    api: Api

    async def list_trash(self, request: Request, caller: Caller) -> Response:
        key, after, window = request.path_params["key"], cursor_of(request), Window(0, window_of(request).limit)
        expansion = expansion_of(request)
        part = await self.api.environment.database.read(
            lambda tx: trash.list_trash(tx, caller.user, key, after, window, expansion)
        )
        return await self.api.walked(request, space_path(key) + "/trash", part, expansion)

    async def empty(self, request: Request, caller: Caller) -> Response:
        """Some at a time, each in a transaction of its own, so that nobody else waits for all of it."""
        key = request.path_params["key"]
        while await self.api.environment.database.write(lambda tx: trash.purge_some(tx, caller.user, key)):
            pass
        return Response(status_code=204)
