"""The routes of incoming links and of authorized applications, and the client resource."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.scopes import Scope
from watersmeet.database import clients
from watersmeet.links.http_authorized import AUTHORIZED_PATH, VENDORS_TOKENS_PATH, AuthorizedApplications
from watersmeet.links.http_incoming import LINK_PATH, LINKS_PATH, IncomingLinks
from watersmeet.links.register import link_as_json
from watersmeet.web.bearer import Caller, Protected, protected_route
from watersmeet.web.environment import Environment
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route


def routes(environment: Environment) -> list[Route]:
    """The routes of this slice."""
    links, mine = IncomingLinks(environment), AuthorizedApplications(environment)
    resource = _ClientResource(environment)
    return [
        Route("/", mine.home, methods=["GET"]),
        Route(LINKS_PATH, links.list, methods=["GET"]),
        Route(LINK_PATH, links.create_form, methods=["GET"]),
        Route(LINK_PATH, links.create, methods=["POST"]),
        Route(LINK_PATH + "/check", links.check_draft, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}", links.show, methods=["GET"]),
        Route(LINK_PATH + "/{client_id}/edit", links.edit_form, methods=["GET"]),
        Route(LINK_PATH + "/{client_id}/edit", links.edit, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/check", links.check_draft, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/rotate-secret", links.rotate, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/secret", links.view, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/end-old-secrets", links.end_old_secrets, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/disable", links.disable, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/enable", links.enable, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/rules", links.rules, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/delete", links.delete, methods=["POST"]),
        Route(AUTHORIZED_PATH, mine.list, methods=["GET"]),
        Route(AUTHORIZED_PATH, mine.revoke, methods=["POST"]),
        Route(AUTHORIZED_PATH + "/tokens", mine.create_token, methods=["POST"]),
        Route(VENDORS_TOKENS_PATH, mine.to_tokens, methods=["GET"]),
        *(
            protected_route(
                environment.verify_token, path, {"GET": Protected(Scope.ADMIN, resource.as_json)}, probed={"POST"}
            )
            for path in ("/rest/oauth2/latest/client", "/rest/oauth2/1.0/client")
        ),
    ]


@dataclass(frozen=True)
class _ClientResource:
    environment: Environment

    async def as_json(self, _request: Request, _caller: Caller) -> Response:
        links = await self.environment.database.read(clients.list_all)
        return JsonResponse([link_as_json(link) for link in links])
