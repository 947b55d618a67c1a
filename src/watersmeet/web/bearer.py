"""Bearer protection (RFC 6750): a REST route declares the scope it needs, and gets a caller who has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watersmeet.confluence.scopes import Scope
from watersmeet.database.users import User
from watersmeet.oauth2.errors import InsufficientScope, TokenAmbiguous, TokenInvalid, TokenMissing
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.web.nul import refuse_nul


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a protected request acts for, and what it may do: the token's scope capped by the user's role.

    ``family_id`` names the grant that the token belongs to.
    """

    user: User
    scope: ScopeSet
    family_id: str


TokenVerifier: TypeAlias = Callable[[str, Request], Awaitable[Caller]]
"""From an access token, and the request it came with, to the caller. Raises ``TokenInvalid``."""

Handler: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Protected:
    """A handler and the scope without which it is not called."""

    scope: Scope
    handler: Handler


class ProtectedRoute(Route):
    """A route of the protected API, which knows what its methods need."""

    protected: Mapping[str, Protected]


def protected_route(verify: TokenVerifier, path: str, methods: Mapping[str, Protected]) -> ProtectedRoute:
    """A route of the protected API: for each HTTP method a handler with its scope.

    ``HEAD`` is served wherever ``GET`` is. A method without a declared scope cannot be written down, so none
    can be forgotten. Served with and without a trailing slash, as clients of the original send both.
    """

    async def endpoint(request: Request) -> Response:
        protected = methods["GET" if request.method == "HEAD" else request.method]
        caller = await authenticate(verify, request, protected.scope)
        refuse_nul(request)
        return await protected.handler(request, caller)

    route = ProtectedRoute(path + "{_:slash}", endpoint, methods=list(methods), name=path)
    route.protected = methods
    return route


class _OptionalSlash(Convertor[str]):
    regex = "/?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("slash", _OptionalSlash())


async def authenticate(verify: TokenVerifier, request: Request, needed: Scope) -> Caller:
    """The caller of a request, who holds ``needed``.

    Raises ``TokenMissing``, ``TokenAmbiguous``, ``TokenInvalid`` or ``InsufficientScope``. Only the header carries
    tokens: never the query, never a form, never a cookie (S124, S129).
    """
    caller = await verify(_presented_token(request), request)
    if needed not in caller.scope.implied:
        raise InsufficientScope(needed, str(caller.scope) or "none")
    return caller


def _presented_token(request: Request) -> str:
    headers = request.headers.getlist("authorization")
    if not headers:
        raise TokenMissing
    if len(headers) > 1 or (request.url.query and "access_token" in request.query_params):
        raise TokenAmbiguous
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMissing
    if not token:
        raise TokenInvalid
    return token
