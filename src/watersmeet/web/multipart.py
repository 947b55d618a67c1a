"""Multipart bodies (RFC 7578), read as they come: never more than a few pieces of one are held."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import Request

from watersmeet.errors import WatersmeetError
from watersmeet.web.disposition import disposition_parameters
from watersmeet.web.forms import content_type

MULTIPART_TYPE = "multipart/form-data"
MAX_PARTS = 100
_MAX_HEADERS = 16
_MAX_HEADER = 8 * 1024  # bytes
MAX_FIELD = 64 * 1024  # bytes of a part that is no file


class UnreadableMultipart(WatersmeetError):
    """A body is not the form that its header says it is, or is beyond the limits."""

    description = "The form in the body of the request could not be read."


@dataclass(slots=True)
class Part:
    """One part of a form; ``filename`` is ``None`` unless it is a file. Its bytes must be read before the next part."""

    name: str
    filename: str | None
    media_type: str
    _parts: MultipartReader = field(repr=False)

    async def pieces(self) -> AsyncIterator[bytes]:
        """What the part holds, as it comes. Raises ``UnreadableMultipart``."""
        while (event := await self._parts.next_event()) is not None:
            yield event

    async def text(self) -> str:
        """What a part holds that is no file. Raises ``UnreadableMultipart`` if that is too much."""
        data = bytearray()
        async for piece in self.pieces():
            data += piece
            if len(data) > MAX_FIELD:
                raise UnreadableMultipart(f"A field of the form may hold at most {MAX_FIELD} bytes.")
        return data.decode("utf-8", "replace").strip()


class MultipartReader:
    """The parts of a request's body, one after the other. Raises ``UnreadableMultipart``."""

    def __init__(self, request: Request) -> None:
        # Imported here because few processes ever read such a body (docs/decisions/0004).
        from python_multipart.multipart import MultipartParser, parse_options_header

        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if kind.decode("ascii", "replace") != MULTIPART_TYPE or not 0 < len(boundary) <= 200:
            raise UnreadableMultipart(f"The body must be {MULTIPART_TYPE} with a boundary.")
        self._stream = request.stream()
        # A header dict opens a part, bytes are in it, None ends it.
        self._events: deque[dict[bytes, bytes] | bytes | None] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._header_name, self._header_value = bytearray(), bytearray()
        self._count = 0
        self._has_ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(None),
                "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": lambda: self._events.append(self._headers),
                "on_end": self._on_end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER,
        )

    def __aiter__(self) -> MultipartReader:
        return self

    async def __anext__(self) -> Part:
        """The next part; what was left of the one before is passed over."""
        while await self._fill():
            event = self._events.popleft()
            if isinstance(event, dict):
                return self._part(event)
        raise StopAsyncIteration

    async def next_event(self) -> bytes | None:
        """The next bytes of the present part; ``None`` at its end."""
        if not await self._fill():
            raise UnreadableMultipart("The form ends in the middle of a part.")
        event = self._events.popleft()
        assert not isinstance(event, dict)  # noqa: S101 - the parser ends a part before it begins another
        return event

    async def _fill(self) -> bool:
        """Read until something is known; ``False`` at the end of the form. Raises ``UnreadableMultipart``."""
        from python_multipart.exceptions import FormParserError

        while not self._events and not self._has_ended:
            try:
                self._parser.write(await anext(self._stream))
            except StopAsyncIteration as error:
                raise UnreadableMultipart("The form has no end: its last boundary is missing.") from error
            except FormParserError as error:
                raise UnreadableMultipart(detail=str(error)) from error
        return bool(self._events)

    def _part(self, headers: dict[bytes, bytes]) -> Part:
        parameters = disposition_parameters(headers.get(b"content-disposition", b""))
        if "name" not in parameters:
            raise UnreadableMultipart("A part of the form has no name.")
        media_type = headers.get(b"content-type", b"").decode("latin-1").strip()
        return Part(parameters["name"], parameters.get("filename"), media_type, self)

    def _on_part_begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise UnreadableMultipart(f"A form may have at most {MAX_PARTS} parts.")
        self._headers = {}

    def _on_header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_end(self) -> None:
        self._has_ended = True


def is_multipart(request: Request) -> bool:
    """Whether the body of a request says that it is a form with files."""
    return content_type(request) == MULTIPART_TYPE
