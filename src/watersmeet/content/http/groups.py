"""The HTTP side of groups: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.representation_person import group_json, person_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import person
from watersmeet.content.http.api import Api, window_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_GROUP = "/rest/api/group"
_LIMIT = 200


def routes(api: Api) -> list[Route]:
    """The routes of groups."""
    handlers = _Groups(api)
    return [
        api.route(_GROUP, GET=(Scope.READ, handlers.list_groups)),
        api.route(_GROUP + "/member", GET=(Scope.READ, handlers.list_members)),
        api.route(_GROUP + "/{name}", GET=(Scope.READ, handlers.show_group)),
        api.route(_GROUP + "/{name}/member", GET=(Scope.READ, handlers.list_members)),
        api.route("/rest/api/user/memberof", GET=(Scope.READ, handlers.list_of_user)),
    ]


@dataclass(frozen=True, slots=True)
class _Groups:
    """The handlers."""

    api: Api

    async def list_groups(self, request: Request, caller: Caller) -> Response:
        window = window_of(request, default_limit=_LIMIT)
        part = await self.api.environment.database.read(lambda tx: person.list_groups(tx, caller.user, window))
        results = [group_json(name, self.api.site) for name in part.items]
        return self.api.listed(request, _GROUP, part, results)

    async def show_group(self, request: Request, caller: Caller) -> Response:
        asked = request.path_params["name"]
        name = await self.api.environment.database.read(lambda tx: person.find_group(tx, caller.user, asked))
        return JsonResponse(group_json(name, self.api.site, outermost=True))

    async def list_members(self, request: Request, caller: Caller) -> Response:
        name = request.path_params.get("name") or request.query_params.get("name")
        if not name:
            raise BadParameter("Say which group: ?name=NAME.")
        window = window_of(request, default_limit=_LIMIT)
        part = await self.api.environment.database.read(lambda tx: person.list_members(tx, caller.user, name, window))
        results = [person_json(each, self.api.site) for each in part.items]
        # The path as it was asked for: its query names the group where it does not.
        path = request.url.path.removeprefix(self.api.site.context_path)
        return self.api.listed(request, path, part, results)

    async def list_of_user(self, request: Request, caller: Caller) -> Response:
        window, query = window_of(request, default_limit=_LIMIT), request.query_params
        key, username = query.get("key"), query.get("username")
        part = await self.api.environment.database.read(
            lambda tx: person.list_groups_of(tx, caller.user, key=key, username=username, window=window)
        )
        results = [group_json(name, self.api.site) for name in part.items]
        return self.api.listed(request, "/rest/api/user/memberof", part, results)
