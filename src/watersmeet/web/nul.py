"""NUL: no name here contains it, and PostgreSQL refuses it in a parameter, so no address may (S024).

Forms refuse it where they are read, OAuth requests with every other control character in ``oauth2.parameters``.
"""

from __future__ import annotations

from starlette.requests import Request

from watersmeet.errors import WatersmeetError


class NulInAddress(WatersmeetError):
    """The path or the query of a request contains the character NUL."""

    description = "The address must not contain the character NUL."


def refuse_nul(request: Request) -> None:
    """Raises ``NulInAddress`` if a part of the path or a value of the query contains NUL."""
    sent = list(request.path_params.values())
    if request.scope["query_string"]:
        sent += [value for _, value in request.query_params.multi_items()]
    if any("\0" in value for value in sent):
        raise NulInAddress
