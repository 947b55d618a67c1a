"""Pictures that answers name: of a person, of whoever is not known, and of a space; the same for everybody."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import NotFound
from watersmeet.content.http.api import Api
from watersmeet.web.route import Route

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="48" height="48">'
_PICTURES = {
    "default.svg": f'{_HEAD}<rect width="48" height="48" rx="6" fill="#1b8a7d"/><circle cx="24" cy="18" r="8" '
    'fill="#fff"/><path d="M8 44c0-9 7-15 16-15s16 6 16 15z" fill="#fff"/></svg>',
    "anonymous.svg": f'{_HEAD}<rect width="48" height="48" rx="6" fill="#7a869a"/><circle cx="24" cy="18" r="7" '
    'fill="none" stroke="#fff" stroke-width="3" stroke-dasharray="4 3"/><path d="M9 43c0-8 7-13 15-13s15 5 15 13" '
    'fill="none" stroke="#fff" stroke-width="3" stroke-dasharray="4 3"/></svg>',
    "default-space-logo.svg": f'{_HEAD}<rect width="48" height="48" rx="6" fill="#5b7fd0"/><path d="M13 14h22v20H13z '
    'M13 21h22" fill="none" stroke="#fff" stroke-width="3"/></svg>',
}


def routes(_api: Api) -> list[Route]:
    """The routes of pictures. They say nothing of anybody, so they need no token: pages embed them."""
    folders = ("/images/icons/profilepics", "/images/logo")
    return [Route(folder + "/{name}", _show_picture, methods=["GET"]) for folder in folders]


async def _show_picture(request: Request) -> Response:
    picture = _PICTURES.get(request.path_params["name"])
    if picture is None:
        raise NotFound
    return Response(picture, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"})
