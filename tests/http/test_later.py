"""Routes for later: each is found by whoever asks for it first, and no address leads to another than it would."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from threading import Barrier

import httpx
from starlette import routing

from tests.http.conftest import Site, SiteFactory
from watersmeet.app import create_app
from watersmeet.content import http as content_http
from watersmeet.testing.process import running_server
from watersmeet.web.route import Mount, Route, Router


def router_of(site: Site) -> Router:
    """A new one: nobody has asked it for anything."""
    router = create_app(site.environment.settings, database=site.environment.database).router
    assert isinstance(router, Router)
    return router


def every(routes: Sequence[routing.BaseRoute], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Method, an example of an address, and the path of every route."""
    for route in routes:
        if isinstance(route, Mount):
            yield from every(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            example = prefix + re.sub(r"\{[^}]+\}", "1", route.path.replace("{rest:path}", ""))
            yield from ((method, example, route.path) for method in sorted(route.methods or ()))


def found(router: Router, method: str, address: str) -> str | None:
    return getattr(router.find(method, address), "path", None)


def test_every_route_is_found_by_whoever_asks_for_it_first(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    warm = router_of(site)
    addresses = list(every(warm.routes))
    assert len(addresses) > 300
    for address, methods in groupby(addresses, key=itemgetter(1)):
        cold = router_of(site)
        for method, _, path in methods:
            known = found(warm, method, address)
            assert known is not None, (method, path)
            assert found(cold, method, address) == known, (method, path)


def test_every_module_of_the_content_api_is_named() -> None:
    modules = [each.name for each in pkgutil.iter_modules(content_http.__path__)]
    nouns = {name for name in modules if hasattr(import_module(f"{content_http.__name__}.{name}"), "routes")}
    assert set(content_http.NOUNS) == nouns


def test_every_beginning_leads_to_a_route(site: Site) -> None:
    for noun, later in zip(content_http.NOUNS, content_http.routes(site.environment), strict=True):
        paths = [getattr(route, "path", "").strip("/").split("/") for route in later.make()]
        for beginning in later.beginnings:
            fixed = [(place, part) for place, part in enumerate(beginning) if not part.startswith("{")]
            assert any(
                len(path) >= len(beginning) and all(path[place].split("{")[0] == part for place, part in fixed)
                for path in paths
            ), (noun, beginning)


def test_the_first_requests_to_a_server_may_all_come_at_once() -> None:
    """Everything is imported in the middle of requests for other things that import too."""
    with running_server() as server:
        headers = server.authorize(user="admin").headers
        paths = [
            "/rest/api/content?limit=3", "/rest/api/space", "/rest/api/user/current", "/rest/api/search?cql=type=page",
            "/rest/api/content/search?cql=type=page", "/rest/api/group", "/rest/api/label/recent", "/rest/api/longtask",
            "/rest/api/space/DEMO/labels", "/rest/api/space/DEMO/content", "/rest/api/template/page", "/status",
            "/spaces/DEMO", "/rest/api/accessmode", "/rest/api/space/DEMO/permissions", "/rest/api/audit",
        ] * 2  # fmt: skip
        barrier = Barrier(len(paths))

        def ask(path: str) -> tuple[str, int, str]:
            barrier.wait(60)
            answer = client.get(path)
            return path, answer.status_code, answer.text

        with (
            httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client,
            ThreadPoolExecutor(len(paths)) as threads,
        ):
            first = list(threads.map(ask, paths))
            again = list(threads.map(ask, paths))
        assert {status for path, status, _ in first if path != "/rest/api/audit"} == {200}
        assert [(path, status) for path, status, _ in first] == [(path, status) for path, status, _ in again]
        assert json.loads(next(text for path, _, text in first if path == "/rest/api/space"))["results"]
