"""The HTTP side of global permissions: parse the request, call one operation, render its value.

Their scope is ADMIN, which only administrators hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.clock import Instant
from watersmeet.confluence.errors import NotServed
from watersmeet.confluence.representation_permission import global_grant_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import grant
from watersmeet.content.body_permission import sent_grants, sent_operations
from watersmeet.content.grant import Change, Subject
from watersmeet.content.http.api import Api, read_body
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

_PATH = "/rest/api/permissions"


def routes(api: Api) -> list[Route]:
    """The routes of global permissions."""
    handlers = _Permissions(api)
    found = [
        api.route(_PATH, GET=(Scope.ADMIN, handlers.list_all), PUT=(Scope.ADMIN, handlers.set_many)),
        api.route(_PATH + "/unlicensed", GET=(Scope.ADMIN, handlers.list_of_unlicensed)),
        api.route(_PATH + "/unlicensed/grant", PUT=(Scope.ADMIN, handlers.refuse_unlicensed)),
        api.route(_PATH + "/unlicensed/revoke", PUT=(Scope.ADMIN, handlers.refuse_unlicensed)),
    ]
    for subject in ("/anonymous", "/group/{group}", "/user/{user_key}"):
        path = _PATH + subject
        found += [
            api.route(path, GET=(Scope.ADMIN, handlers.list_of_subject)),
            api.route(path + "/grant", PUT=(Scope.ADMIN, handlers.grant)),
            api.route(path + "/revoke", PUT=(Scope.ADMIN, handlers.revoke)),
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Permissions:
    """The handlers."""

    api: Api

    async def list_all(self, _request: Request, _caller: Caller) -> Response:
        return await self._list(None)

    async def list_of_subject(self, request: Request, _caller: Caller) -> Response:
        return await self._list(_subject(request))

    async def list_of_unlicensed(self, _request: Request, _caller: Caller) -> Response:
        return JsonResponse([])

    async def refuse_unlicensed(self, _request: Request, _caller: Caller) -> Response:
        raise NotServed("Nobody needs a licence here, so there are no unlicensed users to grant anything.")

    async def set_many(self, request: Request, caller: Caller) -> Response:
        sent = sent_grants(await read_body(request))
        return await self._change(request, caller, grant.set_global, [each.global_change() for each in sent])

    async def grant(self, request: Request, caller: Caller) -> Response:
        return await self._change_one(request, caller, revoke=False)

    async def revoke(self, request: Request, caller: Caller) -> Response:
        return await self._change_one(request, caller, revoke=True)

    async def _change_one(self, request: Request, caller: Caller, *, revoke: bool) -> Response:
        operations = [each.global_permission() for each in sent_operations(await read_body(request))]
        change = Change(_subject(request), operations, revoke=revoke)
        return await self._change(request, caller, grant.change_global, [change])

    async def _change(self, request: Request, caller: Caller, make: _Make, changes: Sequence[Change]) -> Response:
        now, origin = self.api.environment.clock.now(), origin_of(request, caller.user.username)
        await self.api.environment.database.write(lambda tx: make(tx, changes, now, origin))
        return Response(status_code=204)

    async def _list(self, subject: Subject | None) -> Response:
        grants = await self.api.environment.database.read(lambda tx: grant.list_global_grants(tx, subject))
        return JsonResponse([global_grant_json(each, self.api.site) for each in grants])


_Make = Callable[[Transaction, Sequence[Change], Instant, Origin], object]


def _subject(request: Request) -> Subject:
    return Subject(request.path_params.get("user_key"), request.path_params.get("group"))
