"""The router tries few routes, and finds the same one as by trying all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import httpx
import pytest
from starlette import routing
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from watersmeet.web.route import Later, Mount, Route, Router

PATHS = ("/", "/a", "/a/{id}", "/a/b", "/a/{id}/c", "/a/b/{rest:path}", "/d-{id}", "/{whatever}", "/e/f/g/h/i")
ASKED = ("/", "/a", "/a/", "/a/1", "/a/b", "/a/b/", "/a/1/c", "/a/b/c", "/a/b/c/d/e/f", "/d-3", "/z", "/z/y", "//a",
         "/a//c", "/e/f/g/h/i", "/e/f", "/A")  # fmt: skip


def _routes() -> list[routing.BaseRoute]:
    def route(path: str) -> Route:
        async def answer(request: Request) -> Response:
            return PlainTextResponse(f"{path} {sorted(request.path_params.items())}")

        return Route(path, answer, methods=["GET"])

    return [route(path) for path in PATHS]


@pytest.mark.parametrize("below", ["", "/context"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ASKED)
def test_it_finds_what_trying_every_route_finds(path: str, method: str, below: str) -> None:
    every, few = Starlette(), Starlette()
    every.router = routing.Router(
        [routing.Mount(below, routing.Router(_routes(), redirect_slashes=False))] if below else _routes()
    )
    every.router.redirect_slashes = False
    few.router = Router([Mount(below, _routes())] if below else _routes())
    few_at_a_time = Starlette()
    few_at_a_time.router = Router([Mount(below, _later_routes())] if below else _later_routes())
    with TestClient(every) as slow, TestClient(few) as quick, TestClient(few_at_a_time) as late:
        expected, answer = slow.request(method, below + path), quick.request(method, below + path)
        assert (answer.status_code, answer.text) == (expected.status_code, expected.text)
        for _ in range(2):
            answer = late.request(method, below + path)
            assert (answer.status_code, answer.text) == (expected.status_code, expected.text)


def _later_routes() -> list[routing.BaseRoute]:
    """The same routes in the same order, made in four parts."""
    routes = _routes()
    parts = (("/", "/a"), ("/a/{id}/c", "/a/b"), ("/{anything}",), ("/e/f/g/h/i",))
    bounds = ((0, 4), (4, 6), (6, 8), (8, 9))
    return [
        Later(beginnings, partial(list, routes[start:end]))
        for beginnings, (start, end) in zip(parts, bounds, strict=True)
    ]


# ---- routes for later -------------------------------------------------------------------------------------


class _Part:
    """Routes for later, and how often they were made."""

    def __init__(self, *beginnings: str, paths: Sequence[str] = ()) -> None:
        self.made = 0
        self.paths = paths or beginnings
        self.later = Later(beginnings, self._make)

    def _make(self) -> list[Route]:
        async def answer(request: Request) -> Response:
            return PlainTextResponse(request.url.path)

        self.made += 1
        return [Route(path, answer, methods=["GET"]) for path in self.paths]


def _asked(app: Starlette, *paths: str) -> list[int]:
    with TestClient(app) as client:
        return [client.get(path).status_code for path in paths]


def _app(*parts: _Part) -> Starlette:
    app = Starlette()
    app.router = Router([part.later for part in parts])
    return app


def test_routes_are_made_once_and_only_when_they_are_asked_for() -> None:
    labels = _Part("/content/{id}/label", paths=["/content/{id}/label", "/content/{id}/label/{name}"])
    spaces, home = _Part("/space"), _Part("/")
    app = _app(labels, spaces, home)
    assert _asked(app, "/content/1", "/content", "/spaces", "/content//label2", "/rest") == [404] * 5
    assert (labels.made, spaces.made, home.made) == (0, 0, 0)
    assert _asked(app, "/content/1/label", "/content/2/label/x", "/content/1/label/") == [200] * 3
    assert (labels.made, spaces.made, home.made) == (1, 0, 0)
    assert _asked(app, "/", "/space", "/", "/space/") == [200] * 4
    assert (labels.made, spaces.made, home.made) == (1, 1, 1)


def test_whoever_looks_at_all_routes_sees_those_for_later() -> None:
    one, other = _Part("/a"), _Part("/b", paths=["/b", "/b/{x}"])
    below = Router([Mount("/context", [one.later, other.later])])
    assert [route.path for mount in below.routes for route in mount.routes] == ["/a", "/b", "/b/{x}"]  # type: ignore[attr-defined]
    assert (one.made, other.made) == (1, 1)


def test_a_wrong_method_is_told_those_of_all_parts() -> None:
    async def answer(_request: Request) -> Response:
        return Response()

    app = Starlette()
    app.router = Router(
        [Later(["/a"], lambda: [Route("/a", answer, methods=["GET"])]),
         Later(["/a"], lambda: [Route("/a", answer, methods=["PUT"])])]
    )  # fmt: skip
    with TestClient(app) as client:
        refused = client.post("/a")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, PUT")


def test_the_first_requests_may_come_at_once() -> None:
    part = _Part("/a/{x}")
    app = _app(part)

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [each.status_code for each in await asyncio.gather(*(client.get(f"/a/{n}") for n in range(50)))]

    assert asyncio.run(ask()) == [200] * 50
    assert part.made == 1


def test_routes_that_cannot_be_made_are_tried_again() -> None:
    async def answer(_request: Request) -> Response:
        return Response()

    failures = [OSError("too many open files")]

    def make() -> list[Route]:
        if failures:
            raise failures.pop()
        return [Route("/a", answer)]

    app = Starlette()
    app.router = Router([Later(["/a"], make)])
    with TestClient(app, raise_server_exceptions=False) as client:
        assert [client.get("/a").status_code for _ in range(2)] == [500, 200]


def test_it_finds_the_route_of_a_method_and_a_path() -> None:
    part = _Part("/a/{x}")
    router = Router([Mount("/context", [part.later])])
    found = router.find("GET", "/context/a/1")
    assert isinstance(found, Route)
    assert found.path == "/a/{x}"
    assert router.find("PUT", "/context/a/1") is None
    assert router.find("GET", "/a/1") is None


def test_a_wrong_method_is_told_every_right_one() -> None:
    async def answer(_request: Request) -> Response:
        return Response()

    app = Starlette()
    app.router = Router(
        [Route("/a", answer, methods=["GET"]), Route("/b", answer), Route("/a", answer, methods=["PUT"])]
    )
    with TestClient(app) as client:
        refused = client.post("/a")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, PUT")
