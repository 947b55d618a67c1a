"""The HTTP side of dev: pages for people, and the same addresses as JSON for scripts.

The modules of this package are imported with the first request to ``/_dev/``: most servers are started for something
else, and start-up is a budget (docs/decisions/0004).
"""

from __future__ import annotations

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from watersmeet.dev.workshop import Workshop


def entrance(workshop: Workshop) -> Route:
    """The one route that leads to everything under ``/_dev``."""
    return Route("/_dev{rest:path}", _DeveloperPages(workshop))


def routes(workshop: Workshop) -> list[Route]:
    """Everything under ``/_dev/``."""
    from watersmeet.dev.http import callback, control, inspector, playground

    return [
        *callback.routes(workshop),
        *control.routes(workshop),
        *inspector.routes(workshop),
        *playground.routes(workshop),
    ]


class _DeveloperPages:
    """ASGI application, built when it is first needed."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._router: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._router is None:
            self._router = Router(routes(self._workshop), redirect_slashes=False)
        await self._router(scope, receive, send)
