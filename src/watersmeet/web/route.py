"""Routes: found with and without a slash at the end, and never by a redirect.

Clients of the original send both. Starlette would redirect one to the other, to a URL made of the request's ``Host``
and scheme, with the whole query in it: behind a proxy a secret would go out over plain http (S003).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import takewhile
from typing import Any, TypeAlias

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
        self.router = Router(routes)
        super().__init__(path, self.router)


class Later(routing.BaseRoute):
    """Routes that are made when they are first asked for, with all that their handlers import (docs/decisions/0074).

    They are asked for by a path that is one of ``beginnings``, or below it; every one of them has to be there. In a
    beginning a segment in braces stands for any. The beginning ``/`` is only itself.
    """

    def __init__(self, beginnings: Iterable[str], make: Callable[[], Sequence[routing.BaseRoute]]) -> None:
        self.beginnings = [_segments(beginning) for beginning in beginnings]
        self.make = make


class Router(routing.Router):
    """Tries the routes whose fixed beginning is that of the path, in their order, instead of every one."""

    def __init__(self, routes: Sequence[routing.BaseRoute], **options: Any) -> None:
        super().__init__(routes, redirect_slashes=False, **options)

    @property
    def routes(self) -> list[routing.BaseRoute]:
        """All routes. Those that were left for later are made."""
        while any(isinstance(route, Later) for route in self._table.routes):
            self._make(self._table.routes)
        return self._table.routes

    @routes.setter
    def routes(self, routes: list[routing.BaseRoute]) -> None:
        self._table = _Table(routes)

    def find(self, method: str, path: str) -> routing.BaseRoute | None:
        """The route that serves a method at a path, if there is one."""
        scope: types.Scope = {"type": "http", "method": method, "path": path, "root_path": ""}
        for route in self._router_for(scope).routes:
            if route.matches(scope)[0] is routing.Match.FULL:
                return route.router.find(method, path.removeprefix(route.path)) if isinstance(route, Mount) else route
        return None

    async def app(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer with the first route that matches."""
        if scope["type"] != "http":
            await super().app(scope, receive, send)
            return
        scope.setdefault("router", self)
        await self._router_for(scope).app(scope, receive, send)

    def _router_for(self, scope: types.Scope) -> routing.Router:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        segments = _segments(path, self._table.depth)
        router, waiting = self._table.narrowed(segments)
        asked = [later for beginning, later in waiting if _is_below(segments, beginning)]
        if asked:
            self._make(asked)
            return self._router_for(scope)
        return router

    def _make(self, asked: Collection[routing.BaseRoute]) -> None:
        made: list[routing.BaseRoute] = []
        for route in self._table.routes:
            made += route.make() if isinstance(route, Later) and route in asked else [route]
        self.routes = made


_Waiting: TypeAlias = tuple[tuple[str, ...], Later]
"""A beginning, and what is made when a path has it."""


class _Table:
    """The routes of a router by their fixed beginnings."""

    def __init__(self, routes: list[routing.BaseRoute]) -> None:
        self.routes = routes
        _join_allowed(routes)
        positions: dict[tuple[str, ...], list[int]] = {}
        for position, route in enumerate(routes):
            for beginning in _fixed_beginnings(route):
                positions.setdefault(beginning, []).append(position)
        self._numbers = {beginning: number for number, beginning in enumerate(positions)}
        self._positions = list(positions.values())
        self._narrowed: dict[tuple[int, ...], tuple[routing.Router, list[_Waiting]]] = {}
        beginnings = [*positions, *(each for route in routes if isinstance(route, Later) for each in route.beginnings)]
        self.depth = max(map(len, beginnings), default=0)
        """How many segments of a path it takes to know where to look."""

    def narrowed(self, segments: tuple[str, ...]) -> tuple[routing.Router, list[_Waiting]]:
        """What tries the routes with a fixed beginning of these segments, and those among them that are for later."""
        prefixes = [segments[:length] for length in range(len(segments) + 1)]
        found = tuple(self._numbers[prefix] for prefix in prefixes if prefix in self._numbers)
        narrowed = self._narrowed.get(found)
        if narrowed is None:  # there are no more of them than beginnings
            positions = sorted({position for number in found for position in self._positions[number]})
            routes = [self.routes[position] for position in positions]
            made = [route for route in routes if not isinstance(route, Later)]
            waiting = [
                (beginning, route)
                for route in routes
                if isinstance(route, Later)
                for beginning in route.beginnings
                if _fixed(beginning) in prefixes
            ]
            self._narrowed[found] = narrowed = routing.Router(made, redirect_slashes=False), waiting
        return narrowed


def _join_allowed(routes: Sequence[routing.BaseRoute]) -> None:
    together: dict[str, set[str]] = {}
    for route in routes:
        if isinstance(route, Route):
            route.allowed = together.setdefault(route.path, set())
            route.allowed |= route.methods or set()


def _fixed_beginnings(route: routing.BaseRoute) -> set[tuple[str, ...]]:
    """The segments of a route's path before the first that may vary."""
    if isinstance(route, Later):
        return {_fixed(beginning) for beginning in route.beginnings}
    fixed, varies, _ = getattr(route, "path", "").partition("{")
    segments = fixed.split("/")
    return {tuple(segment for segment in (segments[:-1] if varies else segments) if segment)}


def _segments(path: str, most: int = -1) -> tuple[str, ...]:
    """The segments of a path; no more than so many."""
    stripped = path.strip("/")
    return tuple(stripped.split("/", most)[: most if most >= 0 else None]) if stripped else ()


def _fixed(beginning: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(takewhile(_is_fixed, beginning))


def _is_below(segments: Sequence[str], beginning: Sequence[str]) -> bool:
    if not beginning:
        return not segments
    return len(segments) >= len(beginning) and all(
        part == segment or not _is_fixed(part) for part, segment in zip(beginning, segments, strict=False)
    )


def _is_fixed(segment: str) -> bool:
    return not segment.startswith("{")
