"""The HTTP side of the instance: what clients ask of it before they start."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.server_information import manifest_json, server_information_json
from watersmeet.content.http.api import Api
from watersmeet.database import holdings
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of the instance. Two of them tell programs what this is before they have a token."""
    instance = _Instance(api)
    return [
        api.route("/rest/api/accessmode", GET=(Scope.READ, instance.show_access_mode)),
        api.route("/rest/api/server-information", GET=(Scope.READ, instance.show_server_information)),
        # Whatever there is, seen or not: for administrators.
        api.route("/rest/api/instance-metrics", GET=(Scope.ADMIN, instance.show_metrics)),
        Route("/status", instance.show_status, methods=["GET"]),
        *(Route(f"/rest/applinks/{v}/manifest", instance.show_manifest, methods=["GET"]) for v in ("1.0", "latest")),
    ]


@dataclass(frozen=True, slots=True)
class _Instance:
    """The handlers."""

    api: Api

    async def show_access_mode(self, _request: Request, _caller: Caller) -> Response:
        return JsonResponse("READ_WRITE")

    async def show_server_information(self, _request: Request, _caller: Caller) -> Response:
        return JsonResponse(server_information_json(self.api.site))

    async def show_metrics(self, _request: Request, _caller: Caller) -> Response:
        return JsonResponse(asdict(await self.api.read_at_length(holdings.count)))

    async def show_status(self, _request: Request) -> Response:
        return JsonResponse({"state": "RUNNING"})

    async def show_manifest(self, _request: Request) -> Response:
        return JsonResponse(manifest_json(self.api.site))
