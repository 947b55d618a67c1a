"""Bearer protection (RFC 6750): a REST route declares the scope it needs, and gets a caller who has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette import types
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.scopes import Scope
from watersmeet.database.users import User
from watersmeet.oauth2.errors import InsufficientScope, TokenAmbiguous, TokenInvalid, TokenMissing
from watersmeet.oauth2.scope import ScopeSet
from watersmeet.web.nul import refuse_nul
from watersmeet.web.route import Route


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a protected request acts for, and what it may do: the token's scope capped by the user's role.

    ``family_id`` names the grant that the token belongs to; it is empty for a personal access token, whose number
    ``personal_token`` is.
    """

    user: User
    scope: ScopeSet
    family_id: str
    personal_token: int | None = None


TokenVerifier: TypeAlias = Callable[[str, Request], Awaitable[Caller]]
"""From an access token, and the request it came with, to the caller. Raises ``TokenInvalid``."""

StrangerPolicy: TypeAlias = Callable[[Request], Awaitable[Caller | None]]
"""The caller that a request without a token has; ``None`` where such requests are refused."""

Handler: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Protected:
    """A handler and the scope without which it is not called."""

    scope: Scope
    handler: Handler


class ProtectedRoute(Route):
    """A route of the protected API, which knows what its methods need.

    ``probed`` are methods that are not served, but for which strangers get 401: clients ask to be told so.
    """

    protected: Mapping[str, Protected]
    probed: Collection[str]

    async def handle(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer a request. Raises ``TokenMissing``, or ``HTTPException`` for a method that is not served."""
        if scope["method"] in self.probed:
            _presented_token(Request(scope))
        await super().handle(scope, receive, send)


def protected_route(
    verify: TokenVerifier,
    path: str,
    methods: Mapping[str, Protected],
    *,
    probed: Collection[str] = (),
    stranger: StrangerPolicy | None = None,
) -> ProtectedRoute:
    """A route of the protected API: for each HTTP method a handler with its scope.

    ``HEAD`` is served wherever ``GET`` is. A method without a declared scope cannot be written down, so none
    can be forgotten. A request without any ``Authorization`` may read as ``stranger`` says; one with a token that is
    no good may not.
    """

    async def endpoint(request: Request) -> Response:
        protected = methods["GET" if request.method == "HEAD" else request.method]
        caller = None
        if stranger and protected.scope is Scope.READ and "authorization" not in request.headers:
            caller = await stranger(request)
        caller = caller or await authenticate(verify, request, protected.scope)
        refuse_nul(request)
        return await protected.handler(request, caller)

    route = ProtectedRoute(path, endpoint, methods=list(methods), name=path)
    route.protected, route.probed = methods, probed
    return route


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
    if len(headers) > 1 or (request.scope["query_string"] and "access_token" in request.query_params):
        raise TokenAmbiguous
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMissing
    if not token:
        raise TokenInvalid
    return token
