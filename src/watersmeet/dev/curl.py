"""Curl: a recorded request as a command.

It carries the credentials as they were sent: they are good on this server only, and only until it stops.
"""

from __future__ import annotations

import re
import shlex
from urllib.parse import urlsplit

from watersmeet.dev.record import Record

# What belongs to the connection or to the browser, and changes no answer of this server.
_NOT_COPIED = re.compile(
    "host|connection|content-length|accept-encoding|user-agent|cookie|transfer-encoding|upgrade-insecure-requests"
    "|priority|sec-ch-.*|sec-fetch-(?:mode|dest|user)"
)

# Only what a foreign page sends is judged by where it came from.
_OWN_PAGES = (("sec-fetch-site", "none"), ("sec-fetch-site", "same-origin"))


def as_curl(record: Record, base_url: str) -> str:
    """The command that sends the same request again; of the cookies only the one by which somebody was signed in."""
    parts = ["curl", "--include"]
    if record.method not in ("GET", "POST") or (record.method == "POST" and not record.request.body):
        parts += ["--request", shlex.quote(record.method)]
    parts.append(shlex.quote(base_url.removesuffix(context_path(base_url)) + record.target))
    lines = [" ".join(parts)]
    lines += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in copied_headers(record)]
    if session := session_cookie(record, base_url):
        lines.append(f"--cookie {shlex.quote(session)}")
    if record.request.body:
        lines.append(f"--data-raw {shlex.quote(record.request.text)}")  # raw: a body may begin with @
    return " \\\n  ".join(lines)


def copied_headers(record: Record) -> list[tuple[str, str]]:
    """The headers that belong to the request and not to the connection it came on."""
    return [
        (name, value)
        for name, value in record.request.headers
        if not _NOT_COPIED.fullmatch(name) and (name, value) not in _OWN_PAGES
    ]


def session_cookie(record: Record, base_url: str) -> str | None:
    """The cookie of this server's sign-in, as it was sent: cookies ignore ports, so others may have come along."""
    name = f"watersmeet-session-{urlsplit(base_url).port or 80}="
    pairs = record.request.header("cookie").split("; ")
    return next((pair for pair in pairs if pair.startswith(name)), None)


def context_path(base_url: str) -> str:
    """The path of a base URL."""
    return urlsplit(base_url).path
