"""The HTTP side of watches: parse the request, call one operation, render its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Person
from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.page import Slice
from watersmeet.confluence.representation_person import person_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import content_path, space_path
from watersmeet.content import watch
from watersmeet.content.http.api import CONTENT, SPACE, Api, content_id_of, window_of
from watersmeet.content.person import find_subject
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.database.watches import Watched
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_WATCH = "/rest/api/user/watch"
_MAX_TYPE = 255


def routes(api: Api) -> list[Route]:
    """The routes of watches."""
    handlers = _Watches(api)
    watched = {
        "GET": (Scope.READ, handlers.is_watching),
        "POST": (Scope.WRITE, handlers.start),
        "DELETE": (Scope.WRITE, handlers.stop),
    }
    return [
        api.route(_WATCH + "/content/{content_id}", **watched),
        api.route(_WATCH + "/space/{key}", **watched),
        api.route(CONTENT + "/{content_id}/watchers", GET=(Scope.READ, handlers.list_of_content)),
        api.route(SPACE + "/{key}/watchers", GET=(Scope.READ, handlers.list_of_space)),
    ]


@dataclass(frozen=True, slots=True)
class _Watches:
    """The handlers."""

    api: Api

    async def is_watching(self, request: Request, caller: Caller) -> Response:
        find = _finder(request, caller.user)
        watching = await self.api.environment.database.read(lambda tx: watch.is_watching(tx, *find(tx)))
        return JsonResponse({"watching": watching})

    async def start(self, request: Request, caller: Caller) -> Response:
        find, now = _finder(request, caller.user), self.api.environment.clock.now()
        await self.api.environment.database.write(lambda tx: watch.start(tx, *find(tx), now))
        return Response(status_code=204)

    async def stop(self, request: Request, caller: Caller) -> Response:
        find = _finder(request, caller.user)
        await self.api.environment.database.write(lambda tx: watch.stop(tx, *find(tx)))
        return Response(status_code=204)

    async def list_of_content(self, request: Request, caller: Caller) -> Response:
        content_id, window = content_id_of(request), window_of(request)
        part = await self.api.environment.database.read(
            lambda tx: watch.list_watchers_of_content(tx, caller.user, content_id, window)
        )
        return self._people(request, part, content_path(content_id) + "/watchers")

    async def list_of_space(self, request: Request, caller: Caller) -> Response:
        key, window = request.path_params["key"], window_of(request)
        part = await self.api.environment.database.read(
            lambda tx: watch.list_watchers_of_space(tx, caller.user, key, window)
        )
        return self._people(request, part, space_path(key) + "/watchers")

    def _people(self, request: Request, part: Slice[Person], path: str) -> Response:
        results = [person_json(person, self.api.site) for person in part.items]
        return self.api.listed(request, path, part, results)


def _finder(request: Request, caller: User) -> Callable[[Transaction], tuple[Watched, User]]:
    """What finds what is watched, and by whom, once there is a transaction. Raises ``BadParameter``."""
    query = request.query_params
    if "content_id" in request.path_params:
        find = partial(watch.find_content, caller=caller, content_id=content_id_of(request))
    else:
        content_type = query.get("contentType", "")
        if len(content_type) > _MAX_TYPE:
            raise BadParameter(f"The parameter contentType has at most {_MAX_TYPE} characters.")
        find = partial(watch.find_space, caller=caller, key=request.path_params["key"], content_type=content_type)
    return lambda tx: (find(tx), find_subject(tx, caller, key=query.get("key"), username=query.get("username")))
