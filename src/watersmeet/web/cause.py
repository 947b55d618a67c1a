"""The cause: the error that refused a request, kept beside it for whoever watches from outside (``dev``)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Scope

_KEY = "watersmeet.cause"


def note_cause(request: Request, error: Exception) -> None:
    """Remember why a request is about to be refused."""
    request.scope[_KEY] = error


def cause_of(scope: Scope) -> Exception | None:
    """Why the request of a scope was refused, if it was."""
    found: Exception | None = scope.get(_KEY)
    return found
