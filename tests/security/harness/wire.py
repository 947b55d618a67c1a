"""Raw HTTP: requests no client library would send, and many requests released at the same moment."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlencode, urlsplit

import httpx

from tests.security.harness.browser import new_address
from tests.security.harness.target import Target

_SECONDS = 60
CLOSED = 0
"""The status of an answer that never came: the server closed the connection without a word."""


def get_request(url: str, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a GET, with the address exactly as it is given."""
    host, _, path = url.partition("://")[2].partition("/")
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": host, **(headers or {})}.items())
    return f"GET /{path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode("utf-8", "surrogateescape")


def post_form(url: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a form post."""
    parts, body = urlsplit(url), urlencode(fields).encode()
    given = {"Host": parts.netloc, "Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    head = f"POST {target} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode("latin-1") + body


def unfinished_post(target: Target) -> bytes:
    """The beginning of a token request whose body does not come."""
    parts = urlsplit(target.token)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: 10000\r\n\r\ngrant".encode()


def connect(node: str, address: str | None = None) -> socket.socket:
    """A connection to ``host:port``."""
    host, _, port = node.rpartition(":")
    source = (address or new_address(), 0) if host == "127.0.0.1" else None
    connection = socket.create_connection((host, int(port)), _SECONDS, source)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def send(node: str, request: bytes, address: str | None = None) -> httpx.Response:
    """Send bytes, read one answer."""
    with connect(node, address) as connection:
        # Perhaps it is refused before everything was sent; the answer may be there all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        return _read(connection)


def race(nodes: Sequence[str], requests: Sequence[bytes], address: str | None = None) -> list[httpx.Response]:
    """Send requests from one address so that they become complete at the same moment, spread over the nodes.

    Everything but the last byte is sent first; then the last bytes, in one go.
    """
    address = address or new_address()
    connections = [connect(nodes[index % len(nodes)], address) for index in range(len(requests))]
    try:
        for connection, request in zip(connections, requests, strict=True):
            connection.sendall(request[:-1])
        for connection, request in zip(connections, requests, strict=True):
            connection.sendall(request[-1:])
        return [_read(connection) for connection in connections]
    finally:
        for connection in connections:
            connection.close()


def _read(connection: socket.socket) -> httpx.Response:
    response = HTTPResponse(connection)
    try:
        response.begin()
        return httpx.Response(response.status, headers=response.getheaders(), content=response.read())
    except (HTTPException, ConnectionResetError):
        return httpx.Response(CLOSED)
    finally:
        response.close()
