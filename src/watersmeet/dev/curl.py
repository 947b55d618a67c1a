"""Curl: a recorded request as a command.

It carries the credentials as they were sent: they are good on this server only, and only until it stops.
"""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from watersmeet.dev.record import Record

_NOT_COPIED = frozenset(
    ["host", "connection", "content-length", "accept-encoding", "user-agent", "cookie", "transfer-encoding"]
)


def as_curl(record: Record, base_url: str) -> str:
    """The command that sends the same request again; cookies are left out."""
    parts = ["curl", "--include"]
    if record.method not in ("GET", "POST") or (record.method == "POST" and not record.request.body):
        parts += ["--request", shlex.quote(record.method)]
    parts.append(shlex.quote(base_url.removesuffix(context_path(base_url)) + record.target))
    lines = [" ".join(parts)]
    lines += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in copied_headers(record)]
    if record.request.body:
        lines.append(f"--data-raw {shlex.quote(record.request.text)}")  # raw: a body may begin with @
    return " \\\n  ".join(lines)


def copied_headers(record: Record) -> list[tuple[str, str]]:
    """The headers that belong to the request and not to the connection it came on."""
    return [(name, value) for name, value in record.request.headers if name not in _NOT_COPIED]


def context_path(base_url: str) -> str:
    """The path of a base URL."""
    return urlsplit(base_url).path
