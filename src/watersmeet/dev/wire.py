"""The wire: requests as the bytes that are sent, and answers as the bytes that come back."""

from __future__ import annotations

import http.client
import shlex
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import msgspec

_TIMEOUT_SECONDS = 30
_SHOWN = 20_000  # characters of a body


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request to this server. ``target`` is path and query."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]] = ()
    body: str = ""

    @classmethod
    def form(cls, target: str, fields: dict[str, str]) -> WireRequest:
        """A post of a form."""
        return cls("POST", target, [("Content-Type", "application/x-www-form-urlencoded")], urlencode(fields))

    def text(self, base_url: str, *more: tuple[str, str]) -> str:
        """What goes over the wire."""
        body = self.body.encode()
        headers = [("Host", urlsplit(base_url).netloc), *more, *self.headers, ("Connection", "close")]
        if self.body:
            headers.append(("Content-Length", str(len(body))))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines) + "\r\n\r\n" + self.body

    def curl(self, base_url: str) -> str:
        """The command that sends the same."""
        parts = urlsplit(base_url)
        lines = [f"curl --include {shlex.quote(f'{parts.scheme}://{parts.netloc}{self.target}')}"]
        lines += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in self.headers]
        lines += [f"--data {shlex.quote(self.body)}"] if self.body else []
        return " \\\n  ".join(lines)


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """What came back; ``status`` is ``None`` when the connection ended first."""

    status: int | None
    head: str
    body: bytes = b""

    @property
    def text(self) -> str:
        """Head and body for people, JSON indented."""
        try:
            shown = msgspec.json.format(self.body, indent=2).decode() if self.body else ""
        except (msgspec.DecodeError, UnicodeDecodeError):
            shown = self.body.decode("utf-8", "replace")
        return f"{self.head}\n\n{shown[:_SHOWN]}".rstrip()


def send(request: WireRequest, base_url: str, *more: tuple[str, str]) -> WireAnswer:
    """Send a request to the server itself over a connection of its own, and wait for the answer."""
    parts = urlsplit(base_url)
    try:
        with socket.create_connection(
            (parts.hostname or "127.0.0.1", parts.port or 80), _TIMEOUT_SECONDS
        ) as connection:
            connection.sendall(request.text(base_url, *more).encode())
            answer = http.client.HTTPResponse(connection, method=request.method)
            answer.begin()
            lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
            lines += [f"{name}: {value}" for name, value in answer.getheaders()]
            return WireAnswer(answer.status, "\n".join(lines), answer.read())
    except (OSError, http.client.HTTPException) as error:
        return WireAnswer(None, f"(no answer: {type(error).__name__}: {error})")
