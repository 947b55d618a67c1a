"""The HTTP side of spaces: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import list_envelope
from watersmeet.confluence.representation import space_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import space
from watersmeet.content.body import NewSpace, decode
from watersmeet.content.http.api import SPACE, Api, expansion_of, read_body, values_of, window_of
from watersmeet.database.spaces import SpaceFilter
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_CREATED = Expansion.parse(["description.plain"])


def routes(api: Api) -> list[Route]:
    """The routes of spaces."""
    spaces = _Spaces(api)
    return [
        api.route(SPACE, GET=(Scope.READ, spaces.list_spaces), POST=(Scope.WRITE, spaces.create_space)),
        api.route(SPACE + "/{key}", GET=(Scope.READ, spaces.show_space)),
    ]


@dataclass(frozen=True, slots=True)
class _Spaces:
    """The handlers."""

    api: Api

    async def list_spaces(self, request: Request, caller: Caller) -> Response:
        expansion, window = expansion_of(request), window_of(request)
        query = request.query_params
        wanted = SpaceFilter(
            keys=values_of(request, "spaceKey") + values_of(request, "spaceKeys"),
            types=query.getlist("type"),
            statuses=query.getlist("status"),
        )
        part = await self.api.environment.database.read(
            lambda tx: space.list_spaces(tx, caller.user, wanted, window, expansion)
        )
        results = [space_json(item, expansion, self.api.site) for item in part.items]
        return JsonResponse(list_envelope(results, part, self.api.site, SPACE, query.multi_items()))

    async def create_space(self, request: Request, caller: Caller) -> Response:
        wanted = decode(await read_body(request), NewSpace)
        expansion, now = expansion_of(request, _CREATED), self.api.environment.clock.now()
        created = await self.api.environment.database.write(
            lambda tx: space.create(
                tx,
                caller.user,
                key=wanted.key,
                name=wanted.name.strip(),
                description=wanted.plain_description,
                now=now,
            )
        )
        return JsonResponse(space_json(created, expansion, self.api.site, outermost=True))

    async def show_space(self, request: Request, caller: Caller) -> Response:
        key, expansion = request.path_params["key"], expansion_of(request)
        found = await self.api.environment.database.read(lambda tx: space.find(tx, caller.user, key, expansion))
        return JsonResponse(space_json(found, expansion, self.api.site, outermost=True))
