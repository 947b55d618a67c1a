"""Forms: reading what a page posts, within limits."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request

from watersmeet.errors import WatersmeetError

MAX_BODY = 64 * 1024
FORM_TYPE = "application/x-www-form-urlencoded"


class BodyTooLarge(WatersmeetError):
    """A body is larger than anything this server expects there."""

    status = 413
    description = "The request is too large."


class UnreadableForm(WatersmeetError):
    """A page's form came in a shape no page of ours produces."""

    description = "The form could not be read."


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The body of a request. Raises ``BodyTooLarge`` as soon as it is certain."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge
    return bytes(body)


def content_type(request: Request) -> str:
    """The media type of the body, without parameters, in lower case; empty when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a posted page."""

    fields: dict[str, list[str]]

    @classmethod
    async def read(cls, request: Request) -> Form:
        """The form of a request. Raises ``BodyTooLarge`` or ``UnreadableForm``."""
        if content_type(request) != FORM_TYPE:
            raise UnreadableForm
        try:
            text = (await read_body(request)).decode("ascii")
            fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=200)
        except ValueError as error:
            raise UnreadableForm(detail=str(error)) from error
        if any("\0" in value for values in fields.values() for value in values):
            raise UnreadableForm(detail="NUL")  # nobody types it, and PostgreSQL refuses it in a parameter (S024)
        return cls(fields)

    def text(self, name: str) -> str:
        """The first value of a field, without surrounding white space; empty when absent."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """The first value of a field exactly as typed (passwords); empty when absent."""
        return self.fields.get(name, [""])[0]

    def lines(self, name: str) -> list[str]:
        """The lines of all values of a field that are not empty."""
        return [line.strip() for value in self.fields.get(name, []) for line in value.splitlines() if line.strip()]
