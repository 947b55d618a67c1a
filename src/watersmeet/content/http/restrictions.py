"""The HTTP side of restrictions: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import NotFound
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.representation_restriction import (
    by_operation_json,
    restriction_json,
    restrictions_json,
)
from watersmeet.confluence.scopes import Scope
from watersmeet.content import restriction
from watersmeet.content.body import decode
from watersmeet.content.body_restriction import SentRestriction
from watersmeet.content.http.api import CONTENT, Api, content_id_of, read_body, window_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

_PATH = CONTENT + "/{content_id}/restriction"


def routes(api: Api) -> list[Route]:
    """The routes of restrictions of a content."""
    handlers = _Restrictions(api)
    return [
        api.route(_PATH, PUT=(Scope.WRITE, handlers.put), POST=(Scope.WRITE, handlers.add)),
        api.route(_PATH + "/byOperation", GET=(Scope.READ, handlers.by_operation)),
        api.route(_PATH + "/byOperation/{operation}", GET=(Scope.READ, handlers.one_operation)),
        api.route(_PATH + "/relevantViewRestrictions", GET=(Scope.READ, handlers.relevant)),
    ]


@dataclass(frozen=True, slots=True)
class _Restrictions:
    """The handlers."""

    api: Api

    async def put(self, request: Request, caller: Caller) -> Response:
        return await self._restrict(request, caller, anew=True)

    async def add(self, request: Request, caller: Caller) -> Response:
        return await self._restrict(request, caller, anew=False)

    async def by_operation(self, request: Request, caller: Caller) -> Response:
        content_id, window = content_id_of(request), window_of(request, default_limit=200)
        found = await self.api.environment.database.read(
            lambda tx: restriction.list_restrictions(tx, caller.user, content_id)
        )
        return self._outermost(by_operation_json(content_id, found, self.api.site, window))

    async def one_operation(self, request: Request, caller: Caller) -> Response:
        content_id, window = content_id_of(request), window_of(request, default_limit=200)
        found = await self.api.environment.database.read(
            lambda tx: restriction.list_restrictions(tx, caller.user, content_id)
        )
        operation = request.path_params["operation"]
        if operation not in found:
            raise NotFound(f"No restrictions for the operation {operation}: there are 'read' and 'update'.")
        return self._outermost(restriction_json(found[operation], self.api.site, window))

    async def relevant(self, request: Request, caller: Caller) -> Response:
        content_id, window = content_id_of(request), window_of(request, default_limit=200)
        found = await self.api.environment.database.read(
            lambda tx: restriction.list_relevant(tx, caller.user, content_id)
        )
        return JsonResponse(restrictions_json(content_id, found, self.api.site, window))

    async def _restrict(self, request: Request, caller: Caller, *, anew: bool) -> Response:
        content_id, window = content_id_of(request), window_of(request, default_limit=200)
        wanted = [each.wanted() for each in decode(await read_body(request), list[SentRestriction])]
        now, origin = self.api.environment.clock.now(), origin_of(request, caller.user.username)
        found = await self.api.environment.database.write(
            lambda tx: restriction.restrict(tx, caller.user, content_id, wanted, now, origin, anew=anew)
        )
        return JsonResponse(restrictions_json(content_id, list(found.values()), self.api.site, window))

    def _outermost(self, shown: Json) -> Response:
        shown["_links"] |= self.api.site.outermost
        return JsonResponse(shown)
