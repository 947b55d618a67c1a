"""Downloads: the bytes of attachments, whole or in part, for programs with a token and people with a session.

What could run in a browser is never shown in one: it is saved, and has no origin if it is opened all the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from watersmeet.confluence.attachment import has_thumbnail, is_harmless
from watersmeet.confluence.content import Content, File
from watersmeet.confluence.errors import BadParameter, NotFound
from watersmeet.content import attachment
from watersmeet.content.body import version_number
from watersmeet.content.http.api import Api, content_id_of
from watersmeet.content.kept_thumbnail import Thumbnails
from watersmeet.content.thumbnail import MAX_FILE, MAX_SIDE
from watersmeet.web.bearer import Caller
from watersmeet.web.byte_range import Portion, Stored, portion
from watersmeet.web.disposition import disposition_header
from watersmeet.web.route import Route

# An image or a video that is opened by itself is a page around itself, so it may be shown, and nothing else may.
_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'; sandbox"


class NoThumbnail(NotFound):
    """The file is no picture that thumbnails are made of, or a broken one, or one that is too large."""

    description = "There is no thumbnail of this file."


def routes(api: Api) -> list[Route]:
    """The routes of bytes."""
    downloads = _Downloads(api, Thumbnails(api.environment.database, api.environment.blobs))
    return [
        api.shown_route("/download/attachments/{content_id}/{name}", downloads.download),
        api.shown_route("/download/thumbnails/{content_id}/{name}", downloads.thumbnail),
    ]


@dataclass(frozen=True, slots=True)
class _Downloads:
    """The handlers."""

    api: Api
    thumbnails: Thumbnails

    async def download(self, request: Request, caller: Caller) -> Response:
        found, file = await self._found(request, caller)
        stored = Stored(file.size, file.digest, found.version.when)
        wanted = portion(request.headers, stored)
        inline = is_harmless(file.media_type) and request.query_params.get("download") != "true"
        headers = _headers(stored) | {
            "content-type": _content_type(file.media_type),
            "content-disposition": disposition_header(found.title, inline=inline),
        }
        return await self._answer(request, file, wanted, headers)

    async def thumbnail(self, request: Request, caller: Caller) -> Response:
        found, file = await self._found(request, caller)
        if not has_thumbnail(file) or file.size > MAX_FILE:
            raise NoThumbnail
        stored = Stored(file.size, f"{file.digest}-{MAX_SIDE}", found.version.when)
        headers = _headers(stored)
        del headers["accept-ranges"]
        conditions = {name: value for name, value in request.headers.items() if name != "range"}
        if (status := portion(conditions, stored).status) != 200:
            return Response(status_code=status, headers=headers)
        drawn = await self.thumbnails.of(file)
        if drawn is None:
            raise NoThumbnail
        return Response(drawn.data, headers=headers, media_type=drawn.media_type)

    async def _found(self, request: Request, caller: Caller) -> tuple[Content, File]:
        """The attachment of an address, and what it holds. Raises ``NotFound`` or ``BadParameter``."""
        content_id, name, number = content_id_of(request), request.path_params["name"], _version(request)
        database, user = self.api.environment.database, caller.user
        try:
            found = await database.read(lambda tx: attachment.find_named(tx, user, content_id, name, number))
        except NotFound:
            spaced = name.replace("+", " ")  # some clients write a space as forms do
            if spaced == name:
                raise
            found = await database.read(lambda tx: attachment.find_named(tx, user, content_id, spaced, number))
        if found.file is None:
            raise NotFound("There is no such file.")
        return found, found.file

    async def _answer(self, request: Request, file: File, wanted: Portion, headers: dict[str, str]) -> Response:
        if wanted.status == 416:
            return Response(status_code=416, headers=headers | {"content-range": f"bytes */{file.size}"})
        if wanted.status in (304, 412):
            return Response(status_code=wanted.status, headers=headers)
        if wanted.status == 206:
            headers |= {"content-range": f"bytes {wanted.start}-{wanted.stop - 1}/{file.size}"}
        headers |= {"content-length": str(wanted.stop - wanted.start)}
        if request.method == "HEAD" or wanted.start == wanted.stop:
            return Response(status_code=wanted.status, headers=headers)
        pieces = self.api.environment.blobs.read(file.digest, wanted.start, wanted.stop)
        first = await anext(pieces)  # what is missing is told before an answer has begun
        return StreamingResponse(_from(first, pieces), wanted.status, headers)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _headers(stored: Stored) -> dict[str, str]:
    return {
        "accept-ranges": "bytes",
        "etag": stored.etag,
        "last-modified": stored.last_modified,
        "cache-control": "private, no-cache",  # kept, and asked for again: rights may end
        "content-security-policy": _POLICY,
        "cross-origin-resource-policy": "same-origin",
    }


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type == "text/plain" else media_type


def _version(request: Request) -> int | None:
    text = request.query_params.get("version")
    if not text:
        return None
    number = version_number(text)
    if number is None:
        raise BadParameter("The parameter version must be a whole number.")
    return number
