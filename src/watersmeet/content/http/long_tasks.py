"""The HTTP side of long tasks: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.representation_long_task import long_task_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import long_task
from watersmeet.content.http.api import Api, window_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_PATH = "/rest/api/longtask"


def routes(api: Api) -> list[Route]:
    """The routes of long tasks."""
    handlers = _LongTasks(api)
    return [
        api.route(_PATH, GET=(Scope.READ, handlers.list_tasks)),
        api.route(_PATH + "/{task_id}", GET=(Scope.READ, handlers.show_task)),
    ]


@dataclass(frozen=True, slots=True)
class _LongTasks:
    """The handlers."""

    api: Api

    async def list_tasks(self, request: Request, caller: Caller) -> Response:
        window, now = window_of(request, default_limit=100), self.api.environment.clock.now()
        part = await self.api.environment.database.read(lambda tx: long_task.list_tasks(tx, caller.user, window))
        results = [long_task_json(each, now, self.api.site) for each in part.items]
        return self.api.listed(request, _PATH, part, results)

    async def show_task(self, request: Request, caller: Caller) -> Response:
        task_id, now = request.path_params["task_id"], self.api.environment.clock.now()
        found = await self.api.environment.database.read(lambda tx: long_task.find(tx, caller.user, task_id))
        return JsonResponse(long_task_json(found, now, self.api.site, outermost=True))
