"""Cookies: their names and attributes (S063).

Under https every cookie is ``__Host-`` and ``Secure``. Under http, which only development uses, browsers
refuse that prefix; the name then carries the port, because cookies ignore ports and two servers on one computer
would sign each other out.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.settings import Settings


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of this server."""

    name: str
    secure: bool

    @classmethod
    def named(cls, purpose: str, settings: Settings) -> Cookie:
        """The cookie for a purpose, under the rules that the base URL's scheme allows."""
        if settings.is_https:
            return cls(f"__Host-watersmeet-{purpose}", secure=True)
        return cls(f"watersmeet-{purpose}-{urlsplit(settings.base_url).port or 80}", secure=False)

    def read(self, request: Request) -> str | None:
        """The value a browser sent, if any."""
        return request.cookies.get(self.name) or None

    def write(self, response: Response, value: str, *, seconds: int | None = None) -> None:
        """Set the cookie for some seconds, or until the browser is closed; the server decides what it is worth."""
        response.set_cookie(
            self.name, value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        """Make the browser forget the cookie."""
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="lax")
