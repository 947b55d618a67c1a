"""The HTTP side of space permissions: parse the request, call one operation, render its value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.clock import Instant
from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.representation_permission import grant_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import grant
from watersmeet.content.body_permission import sent_grants, sent_operations
from watersmeet.content.grant import Change, Subject
from watersmeet.content.http.api import SPACE, Api, read_body
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

_PATH = SPACE + "/{key}/permissions"
_MAX_SUBJECTS = 40


def routes(api: Api) -> list[Route]:
    """The routes of space permissions."""
    handlers = _Permissions(api)
    found = [api.route(_PATH, GET=(Scope.READ, handlers.list_all), POST=(Scope.WRITE, handlers.set_many))]
    for subject in ("/anonymous", "/group/{group}", "/user/{user_key}"):
        path = _PATH + subject
        found += [
            # Without "grant" as a well-known client sends it.
            api.route(path, GET=(Scope.READ, handlers.list_of_subject), PUT=(Scope.WRITE, handlers.grant)),
            api.route(path + "/grant", PUT=(Scope.WRITE, handlers.grant)),
            api.route(path + "/revoke", PUT=(Scope.WRITE, handlers.revoke)),
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Permissions:
    """The handlers."""

    api: Api

    async def list_all(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, None)

    async def list_of_subject(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, _subject(request))

    async def set_many(self, request: Request, caller: Caller) -> Response:
        sent = sent_grants(await read_body(request))
        if len(sent) > _MAX_SUBJECTS:
            raise BadBody(f"At most {_MAX_SUBJECTS} subjects can be granted permissions at once.")
        await self._change(request, caller, grant.set_in_space, [each.change() for each in sent])
        return await self._list(request, caller, None)

    async def grant(self, request: Request, caller: Caller) -> Response:
        return await self._change_one(request, caller, revoke=False)

    async def revoke(self, request: Request, caller: Caller) -> Response:
        return await self._change_one(request, caller, revoke=True)

    async def _change_one(self, request: Request, caller: Caller, *, revoke: bool) -> Response:
        operations = [each.permission() for each in sent_operations(await read_body(request))]
        await self._change(request, caller, grant.change, [Change(_subject(request), operations, revoke=revoke)])
        return Response(status_code=204)

    async def _change(self, request: Request, caller: Caller, make: _Make, changes: Sequence[Change]) -> None:
        key, now = request.path_params["key"], self.api.environment.clock.now()
        origin = origin_of(request, caller.user.username)
        await self.api.environment.database.write(lambda tx: make(tx, caller.user, key, changes, now, origin))

    async def _list(self, request: Request, caller: Caller, subject: Subject | None) -> Response:
        key = request.path_params["key"]
        space, grants = await self.api.environment.database.read(
            lambda tx: grant.list_grants(tx, caller.user, key, subject)
        )
        return JsonResponse([grant_json(each, space, self.api.site) for each in grants])


_Make = Callable[[Transaction, User, str, Sequence[Change], Instant, Origin], None]


def _subject(request: Request) -> Subject:
    return Subject(request.path_params.get("user_key"), request.path_params.get("group"))
