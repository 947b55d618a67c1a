"""Masking: credentials shortened, so that a screenshot of a page gives nothing away and yet two can be told apart.

Even in ``dev``, whose passwords are public: people learn here what their own logs should look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES = r"access_token|refresh_token|client_secret|code_verifier|code|token|rawToken|password|form_token"
# In a query or form, and in JSON.
_FIELD = re.compile(rf'((?:^|[?&\s])(?:{_NAMES})=|"(?:{_NAMES})"\s*:\s*")([^&"\s]+)')
_LONG = 16


def shortened(value: str) -> str:
    """The first and the last four characters of something long; nothing of something short."""
    return f"{value[:4]}…{value[-4:]}" if len(value) >= _LONG else "…"


def masked(text: str) -> str:
    """A text of fields, encoded as a form or as JSON, with the credentials in it shortened."""
    return _FIELD.sub(lambda match: match[1] + shortened(match[2]), text)


def masked_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers, the credentials in them shortened."""
    return [(name, _HEADERS[name](value) if name in _HEADERS else masked(value)) for name, value in headers]


def _authorization(value: str) -> str:
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {shortened(secret)}" if space else shortened(value)


def _cookies(value: str) -> str:
    pairs = [pair.partition("=") for pair in value.split("; ")]
    return "; ".join(f"{name}={shortened(secret)}" for name, _, secret in pairs)


def _set_cookie(value: str) -> str:
    pair, semicolon, attributes = value.partition(";")
    return f"{_cookies(pair)}{semicolon}{attributes}"


_HEADERS = {"authorization": _authorization, "cookie": _cookies, "set-cookie": _set_cookie}
