"""Routes: found with and without a slash at the end, and never by a redirect.

Clients of the original send both. Starlette would redirect one to the other, to a URL made of the request's ``Host``
and scheme, with the whole query in it: behind a proxy a secret would go out over plain http (S003).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette import routing, types
from starlette.exceptions import HTTPException


class Route(routing.Route):
    """A route that is served with a slash at the end too, unless its path ends with one anyway.

    ``allowed`` are the methods of all routes with its path, for the answer to any other (RFC 9110 §10.2.1).
    """

    def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.allowed = set(self.methods or ())
        if not path.endswith("/"):
            self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + r"/?\Z")

    async def handle(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer a request. Raises ``HTTPException`` for a method that no route with this path serves."""
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(self.allowed))})
        await super().handle(scope, receive, send)


class Mount(routing.Mount):
    """Routes below a path."""

    def __init__(self, path: str, routes: list[routing.BaseRoute]) -> None:
        super().__init__(path, Router(routes))


class Router(routing.Router):
    """Tries the routes whose fixed beginning is that of the path, in their order, instead of every one."""

    def __init__(self, routes: Sequence[routing.BaseRoute], **options: Any) -> None:
        super().__init__(routes, redirect_slashes=False, **options)
        _join_allowed(self.routes)
        beginnings = [_fixed_beginning(route) for route in self.routes]
        self._beginnings = {beginning: number for number, beginning in enumerate(dict.fromkeys(beginnings))}
        self._routes_of: dict[int, list[int]] = {number: [] for number in self._beginnings.values()}
        for position, beginning in enumerate(beginnings):
            self._routes_of[self._beginnings[beginning]].append(position)
        self._depth = max((len(beginning) for beginning in beginnings), default=0)
        self._narrowed: dict[tuple[int, ...], routing.Router] = {}

    async def app(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer with the first route that matches."""
        if scope["type"] != "http":
            await super().app(scope, receive, send)
            return
        scope.setdefault("router", self)
        await self._router_for(scope).app(scope, receive, send)

    def _router_for(self, scope: types.Scope) -> routing.Router:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        segments = tuple(path.strip("/").split("/", self._depth)[: self._depth])
        prefixes = (segments[:length] for length in range(len(segments) + 1))
        found = tuple(self._beginnings[prefix] for prefix in prefixes if prefix in self._beginnings)
        router = self._narrowed.get(found)
        if router is None:  # there are no more of them than beginnings
            positions = sorted(position for number in found for position in self._routes_of[number])
            router = routing.Router([self.routes[position] for position in positions], redirect_slashes=False)
            self._narrowed[found] = router
        return router


def _join_allowed(routes: Sequence[routing.BaseRoute]) -> None:
    together: dict[str, set[str]] = {}
    for route in routes:
        if isinstance(route, Route):
            route.allowed = together.setdefault(route.path, set())
            route.allowed |= route.methods or set()


def _fixed_beginning(route: routing.BaseRoute) -> tuple[str, ...]:
    """The segments of a route's path before the first that may vary."""
    fixed, varies, _ = getattr(route, "path", "").partition("{")
    segments = fixed.split("/")
    return tuple(segment for segment in (segments[:-1] if varies else segments) if segment)
