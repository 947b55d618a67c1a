"""The router tries few routes, and finds the same one as by trying all."""

from __future__ import annotations

import pytest
from starlette import routing
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from watersmeet.web.route import Mount, Route, Router

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
    with TestClient(every) as slow, TestClient(few) as quick:
        expected, answer = slow.request(method, below + path), quick.request(method, below + path)
    assert (answer.status_code, answer.text) == (expected.status_code, expected.text)


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
