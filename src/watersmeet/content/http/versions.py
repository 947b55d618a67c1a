"""The HTTP side of versions. The list of them is where the original has it: outside its documented API."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import ContentNotFound
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.representation import version_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import read, version
from watersmeet.content.body import version_number
from watersmeet.content.http.api import CONTENT, Api, content_id_of, expansion_of, window_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_EXPERIMENTAL = "/rest/experimental/content/{content_id}/version"


def routes(api: Api) -> list[Route]:
    """The routes of versions."""
    versions = _Versions(api)
    return [
        api.route(_EXPERIMENTAL, GET=(Scope.READ, versions.list_versions)),
        api.route(
            _EXPERIMENTAL + "/{number}",
            GET=(Scope.READ, versions.show_version),
            DELETE=(Scope.WRITE, versions.delete_version),
        ),
        api.route(CONTENT + "/{content_id}/version/{number}", DELETE=(Scope.WRITE, versions.delete_version)),
    ]


@dataclass(frozen=True, slots=True)
class _Versions:
    """The handlers."""

    api: Api

    async def list_versions(self, request: Request, caller: Caller) -> Response:
        content_id, expansion, window = content_id_of(request), expansion_of(request), window_of(request)
        part = await self.api.environment.database.read(
            lambda tx: version.list_versions(tx, caller.user, content_id, window)
        )
        results = [version_json(item, expansion, self.api.site) for item in part.items]
        path = _EXPERIMENTAL.format(content_id=content_id)
        return self.api.listed(request, path, part, results)

    async def show_version(self, request: Request, caller: Caller) -> Response:
        content_id, number, expansion = content_id_of(request), _number(request), expansion_of(request)
        found: Content = await self.api.environment.database.read(
            lambda tx: read.find_version(tx, caller.user, content_id, number, NOTHING)
        )
        return JsonResponse(version_json(found, expansion, self.api.site) | {"_links": self._links(content_id, number)})

    def _links(self, content_id: int, number: int) -> dict[str, str]:
        path = f"{_EXPERIMENTAL.format(content_id=content_id)}/{number}"
        return {"self": self.api.site.absolute(path)} | self.api.site.outermost

    async def delete_version(self, request: Request, caller: Caller) -> Response:
        content_id, number = content_id_of(request), _number(request)
        await self.api.environment.database.write(
            lambda tx: version.delete_version(tx, caller.user, content_id, number)
        )
        return Response(status_code=204)


def _number(request: Request) -> int:
    number = version_number(request.path_params["number"])
    if number is None:
        raise ContentNotFound(content_id_of(request))
    return number
