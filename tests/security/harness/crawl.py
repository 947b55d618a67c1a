"""Every address of a server, by every method, as everybody: what it answers when what is asked for makes no sense.

The list of addresses comes from the server's own router, so that a new one is here without being written down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from tests.security.harness.client import Server
from tests.security.harness.target import Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STRANGER, USER, ADMINISTRATOR = "a stranger", "a user's browser", "an administrator's browser"
NOTHING = "999999"  # no content, no link, no user, no space is called so


@dataclass(frozen=True)
class Seen:
    """One answer, and what it was an answer to. ``who`` is a visitor, or the scope of a token."""

    path: str
    method: str
    needs: str | None
    is_served: bool
    who: str
    answer: httpx.Response

    def __str__(self) -> str:
        return f"{self.method} {self.path} by {self.who}: {self.answer.status_code}"


def routes_of(server: Server) -> list[Route]:
    """The routes of a server, one for each path."""
    found: dict[str, dict[str, str | None]] = {}
    for route in server.hooks.routes():
        found.setdefault(route.path, {}).update(route.methods)
    return [Route(path, methods) for path, methods in sorted(found.items())]


def address_of(path: str) -> str:
    """An address that a route serves, of something that does not exist."""
    return re.sub(r"\{[^}]*\}", NOTHING, path)


def crawl(server: Server) -> list[Seen]:
    """Every route: by every method as a stranger from a foreign page; by those it serves as everybody else."""
    routes = routes_of(server)
    visitors = _visitors(server) if routes else []
    found = [
        seen
        for route in routes
        for visitor in visitors
        for seen in visitor.visit(server, route, _served_at(address_of(route.path), routes))
    ]
    server.close()
    return found


def _served_at(address: str, routes: list[Route]) -> set[str]:
    """The methods of every route that an address belongs to: ``content/scan`` is also a ``content/{id}``."""
    return {method for route in routes if re.fullmatch(_pattern_of(route), address) for method in route.methods}


def _pattern_of(route: Route) -> str:
    fixed = [re.escape(part) for part in re.split(r"\{[^}]*\}", route.path)]
    varying = [".*" if part.endswith(":path") else "[^/]+" for part in re.findall(r"\{([^}]*)\}", route.path)]
    return "".join(each for pair in zip(fixed, [*varying, ""], strict=True) for each in pair)


@dataclass(frozen=True)
class _Visitor:
    who: str
    http: httpx.Client
    headers: dict[str, str]

    def visit(self, server: Server, route: Route, served: set[str]) -> Iterator[Seen]:
        url = server.url(address_of(route.path))
        is_api = route.path.startswith("/rest/")
        if "Authorization" in self.headers and not is_api and not any(route.methods.values()):
            return  # it is for people
        if self.who is ADMINISTRATOR and is_api:
            return  # to the API one session is as good as another
        for method in METHODS if self.who is STRANGER else (each for each in route.methods if each != "HEAD"):
            answer = self.http.request(method, url, headers=self.headers)
            yield Seen(route.path, method, route.methods.get(method), method in served, self.who, answer)


def _visitors(server: Server) -> list[_Visitor]:
    asking = {"Access-Control-Request-Method": "POST"}
    visitors = [_Visitor(STRANGER, server.http(), {"Origin": "https://evil.test", **asking})]
    for who, name in ((USER, "reader"), (ADMINISTRATOR, "system-administrator")):
        browser, user = server.browser(), server.user(name)
        server.open(browser, server.page("authorized"), user)
        visitors.append(_Visitor(who, browser.http, {"Origin": "null"}))
    client = server.client("administration").acting_for(server.user("system-administrator"))
    for scope in server.target.scopes:
        token = client.tokens(scope=scope)["access_token"]
        visitors.append(_Visitor(scope, server.http(), {"Authorization": f"Bearer {token}"}))
    return visitors
