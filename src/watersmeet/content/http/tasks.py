"""The HTTP side of tasks in bodies, at the address of the web interface that clients know."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.scopes import Scope
from watersmeet.content import task
from watersmeet.content.body import decode
from watersmeet.content.http.api import Api, content_id_of, read_body
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_STATUSES = {"CHECKED": True, "UNCHECKED": False}


class SentTask(Struct):
    """What becomes of a task; where it was ticked, ``trigger``, says nothing here."""

    status: str | None = None


def routes(api: Api) -> list[Route]:
    """The routes of tasks."""
    handlers = _Tasks(api)
    return [api.route("/rest/inlinetasks/1/task/{content_id}/{task}", POST=(Scope.WRITE, handlers.tick))]


@dataclass(frozen=True, slots=True)
class _Tasks:
    """The handlers."""

    api: Api

    async def tick(self, request: Request, caller: Caller) -> Response:
        content_id, number = content_id_of(request), request.path_params["task"]
        status, now = decode(await read_body(request), SentTask).status or "", self.api.environment.clock.now()
        if status not in _STATUSES:
            raise BadBody(f"The status of a task is one of {', '.join(_STATUSES)}, not {status!r}.")
        content = await self.api.environment.database.write(
            lambda tx: task.tick(tx, caller.user, content_id, number, now, complete=_STATUSES[status])
        )
        shown = {"contentId": str(content.id), "taskId": number, "status": status}
        return JsonResponse(shown | {"version": content.version.number})
