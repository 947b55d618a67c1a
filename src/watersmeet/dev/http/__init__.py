"""The HTTP side of dev: pages for people, and the same addresses as JSON for scripts."""

from __future__ import annotations

from starlette.routing import Route

from watersmeet.dev.http import callback, control, inspector, playground
from watersmeet.dev.workshop import Workshop


def routes(workshop: Workshop) -> list[Route]:
    """Everything under ``/_dev/``."""
    return [
        *callback.routes(workshop),
        *control.routes(workshop),
        *inspector.routes(workshop),
        *playground.routes(workshop),
    ]
