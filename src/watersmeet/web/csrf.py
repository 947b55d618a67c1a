"""Protection against cross-site posts: where a post came from, and a token bound to browser and purpose."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.keys import Keys


class CrossSitePost(WatersmeetError):
    """A form was posted from another site, by another browser, or long ago."""

    status = 403
    description = "This form is no longer valid, perhaps because you signed in or out meanwhile. Go back and try again."


def form_token(keys: Keys, *bound_to: str) -> str:
    """The token of a form, bound to the browser and to what the form is for.

    Each part is preceded by its length, so that no two lists of parts are the same bytes, whatever a part contains.
    """
    parts = [part.encode("utf-8", "surrogatepass") for part in bound_to]
    return hmac.digest(keys.form, b"".join(b"%d:%b" % (len(part), part) for part in parts), "sha256").hex()


def check_form(request: Request, presented: str | None, expected: str, base_url: str) -> None:
    """Raises ``CrossSitePost`` unless this site's own form was posted by the browser it was made for."""
    if not _is_same_origin(request, base_url) or not hmac.compare_digest((presented or "").encode(), expected.encode()):
        raise CrossSitePost


def check_same_origin(request: Request, base_url: str) -> None:
    """Raises ``CrossSitePost`` if a browser says that another site's page sent the request."""
    if not _is_same_origin(request, base_url):
        raise CrossSitePost


def _is_same_origin(request: Request, base_url: str) -> bool:
    # Browsers say where a request comes from; other clients say nothing and prove themselves by the token.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    base = urlsplit(base_url)
    return origin == f"{base.scheme}://{base.netloc}"
