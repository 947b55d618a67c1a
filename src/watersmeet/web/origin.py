"""The origin of a request, as the audit log keeps it."""

from __future__ import annotations

from starlette.requests import Request

from watersmeet.database.audit import Origin
from watersmeet.web.log import request_id


def origin_of(request: Request, actor: str | None = None) -> Origin:
    """From which address and in which request somebody acted; ``actor`` is the user name where it is known."""
    return Origin(actor, request.client.host if request.client else None, request_id(request))
