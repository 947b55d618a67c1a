"""The HTTP side of groups: parse the request, call one operation, render its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.clock import Instant
from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.page import Slice
from watersmeet.confluence.representation_person import Json, group_json, person_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import group, person
from watersmeet.content.body import decode
from watersmeet.content.body_user import NewGroup
from watersmeet.content.http.api import Api, read_body, window_of
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

_GROUP = "/rest/api/group"
_LIMIT = 200
_RELATED = ("groupmember", "groupparent", "groupancestor")


def routes(api: Api) -> list[Route]:
    """The routes of groups."""
    handlers = _Groups(api)
    return [
        api.route(_GROUP, GET=(Scope.READ, handlers.list_groups)),
        api.route(_GROUP + "/member", GET=(Scope.READ, handlers.list_members)),
        api.route(_GROUP + "/info", GET=(Scope.READ, handlers.show_group)),
        *(api.route(f"{_GROUP}/{kind}", GET=(Scope.READ, handlers.list_related)) for kind in _RELATED),
        api.route(_GROUP + "/{name}", GET=(Scope.READ, handlers.show_group)),
        api.route(_GROUP + "/{name}/member", GET=(Scope.READ, handlers.list_members)),
        *(api.route(f"{_GROUP}/{{name}}/{kind}", GET=(Scope.READ, handlers.list_related)) for kind in _RELATED),
        api.route("/rest/api/user/memberof", GET=(Scope.READ, handlers.list_of_user)),
        api.route(
            "/rest/api/user/{username}/group/{name}",
            PUT=(Scope.ADMIN, handlers.add_member),
            DELETE=(Scope.ADMIN, handlers.remove_member),
        ),
        api.route("/rest/api/admin/group", POST=(Scope.ADMIN, handlers.create_group)),
        api.route("/rest/api/admin/group/{name}", DELETE=(Scope.ADMIN, handlers.delete_group)),
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
        asked = _name(request)
        name = await self.api.environment.database.read(lambda tx: person.find_group(tx, caller.user, asked))
        return JsonResponse(group_json(name, self.api.site, outermost=True))

    async def list_members(self, request: Request, caller: Caller) -> Response:
        name, window = _name(request), window_of(request, default_limit=_LIMIT)
        part = await self.api.environment.database.read(lambda tx: person.list_members(tx, caller.user, name, window))
        results = [person_json(each, self.api.site) for each in part.items]
        return self._as_asked(request, part, results)

    async def list_related(self, request: Request, caller: Caller) -> Response:
        """Groups in groups: there are none."""
        name, window = _name(request), window_of(request, default_limit=_LIMIT)
        await self.api.environment.database.read(lambda tx: person.find_group(tx, caller.user, name))
        return self._as_asked(request, Slice([], window, more=False), [])

    def _as_asked(self, request: Request, part: Slice[Any], results: list[Json]) -> Response:
        # The path as it was asked for: its query names the group where it does not.
        return self.api.listed(request, request.url.path.removeprefix(self.api.site.context_path), part, results)

    async def list_of_user(self, request: Request, caller: Caller) -> Response:
        window, query = window_of(request, default_limit=_LIMIT), request.query_params
        key, username = query.get("key"), query.get("username")
        part = await self.api.environment.database.read(
            lambda tx: person.list_groups_of(tx, caller.user, key=key, username=username, window=window)
        )
        results = [group_json(name, self.api.site) for name in part.items]
        return self.api.listed(request, "/rest/api/user/memberof", part, results)

    async def create_group(self, request: Request, caller: Caller) -> Response:
        sent = decode(await read_body(request), NewGroup)
        now, origin = self.api.environment.clock.now(), origin_of(request, caller.user.username)
        name = await self.api.environment.database.write(lambda tx: group.create(tx, sent.name, now, origin))
        return JsonResponse(group_json(name, self.api.site, outermost=True))

    async def delete_group(self, request: Request, caller: Caller) -> Response:
        name, now = _name(request), self.api.environment.clock.now()
        origin = origin_of(request, caller.user.username)
        await self.api.environment.database.write(lambda tx: group.delete(tx, name, now, origin))
        return Response(status_code=204)

    async def add_member(self, request: Request, caller: Caller) -> Response:
        return await self._change_membership(request, caller, group.join)

    async def remove_member(self, request: Request, caller: Caller) -> Response:
        return await self._change_membership(request, caller, group.leave)

    async def _change_membership(
        self, request: Request, caller: Caller, act: Callable[[Transaction, str, str, Instant, Origin], None]
    ) -> Response:
        username, name, now = request.path_params["username"], _name(request), self.api.environment.clock.now()
        origin = origin_of(request, caller.user.username)
        await self.api.environment.database.write(lambda tx: act(tx, username, name, now, origin))
        return Response(status_code=204)


def _name(request: Request) -> str:
    """The group that a request names, in its path or in its query. Raises ``BadParameter``."""
    name: str = request.path_params.get("name") or request.query_params.get("name") or ""
    if not name:
        raise BadParameter("Say which group: ?name=NAME.")
    return name
