"""The HTTP side of likes, at the address of the web interface that clients know. One likes for oneself only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content, Person
from watersmeet.confluence.representation_person import person_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import like
from watersmeet.content.http.api import Api, content_id_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of likes."""
    handlers = _Likes(api)
    return [
        api.route(
            f"/rest/likes/{version}/content/{{content_id}}/likes",
            GET=(Scope.READ, handlers.list_likes),
            POST=(Scope.WRITE, handlers.like),
            DELETE=(Scope.WRITE, handlers.unlike),
        )
        for version in ("1.0", "latest")
    ]


@dataclass(frozen=True, slots=True)
class _Likes:
    """The handlers."""

    api: Api

    async def list_likes(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        found = await self.api.environment.database.read(lambda tx: like.list_likes(tx, caller.user, content_id))
        return self._answer(*found)

    async def like(self, request: Request, caller: Caller) -> Response:
        content_id, now = content_id_of(request), self.api.environment.clock.now()
        found = await self.api.environment.database.write(lambda tx: like.like(tx, caller.user, content_id, now))
        return self._answer(*found)

    async def unlike(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        await self.api.environment.database.write(lambda tx: like.unlike(tx, caller.user, content_id))
        return Response(status_code=204)

    def _answer(self, content: Content, people: Sequence[Person]) -> Response:
        likes = [
            {"user": person_json(each, self.api.site) | {"name": each.username, "fullName": each.display_name}}
            for each in people
        ]
        return JsonResponse({"likes": likes, "content_type": content.type, "content_id": str(content.id)})
