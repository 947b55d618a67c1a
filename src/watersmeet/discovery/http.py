"""Metadata and the OpenAPI description over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2 import metadata
from watersmeet.settings import Settings
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
# We are no OpenID provider, but tolerant clients look here too, and every word is as true (S137).
OPENID = "/.well-known/openid-configuration"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
_BASES = ("/rest/oauth2/latest", "/rest/oauth2/1.0")


def routes(settings: Settings, version: str) -> list[Route]:
    """The routes below the base URL: ``{path}/.well-known/…``, as clients spell it that append."""
    return [
        *(Route(path, _server(settings), methods=["GET"]) for path in (AUTHORIZATION_SERVER, OPENID)),
        Route(PROTECTED_RESOURCE, _resource(settings), methods=["GET"]),
        *(Route(f"{base}/openapi.json", _openapi(settings, version), methods=["GET"]) for base in _BASES),
    ]


def root_routes(settings: Settings) -> list[Route]:
    """The routes at the root of the host: ``/.well-known/…{path}``, as RFC 8414 §3.1 and RFC 9728 §3.1 have it."""
    path = settings.context_path
    resource = _resource(settings)
    servers = (AUTHORIZATION_SERVER + path, OPENID + path) if path else ()
    resources = {PROTECTED_RESOURCE + path + "/rest/api", PROTECTED_RESOURCE + path} - {PROTECTED_RESOURCE}
    return [
        *(Route(each, _server(settings), methods=["GET"]) for each in servers),
        *(Route(each, resource, methods=["GET"]) for each in sorted(resources)),
    ]


_Endpoint = Callable[[Request], Awaitable[Response]]


def _server(settings: Settings) -> _Endpoint:
    document = metadata.authorization_server(settings.base_url, list(Scope), resource=settings.resource)
    return partial(_answer, document)


def _resource(settings: Settings) -> _Endpoint:
    return partial(_answer, metadata.protected_resource(settings.resource, settings.base_url, list(Scope)))


async def _answer(document: dict[str, object], _request: Request) -> Response:
    return JsonResponse(document)


def _openapi(settings: Settings, version: str) -> _Endpoint:
    async def describe(_request: Request) -> Response:
        # Loaded when it is first asked for: start-up is a budget.
        from watersmeet.discovery.openapi import description

        return JsonResponse(description(settings.base_url, version))

    return describe
