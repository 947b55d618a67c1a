"""The weight of a page: its own bytes and those of everything it loads, uncompressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin

BUDGET = 30_000
_LOADED = re.compile(r'(?:href|src)="(/[^"]*static/[^"]+)"')
_IMPORTED = re.compile(r'^import .*?"(\./[^"]+)";$', re.MULTILINE)


def loaded(page: str) -> list[str]:
    """The addresses of the static files that a page names."""
    return _LOADED.findall(page)


def weights(page: str, get: Callable[[str], str]) -> dict[str, int]:
    """The bytes of a page and, by address, of all it loads, modules that are imported by modules included."""
    found, ahead = {"the page": len(page.encode())}, loaded(page)
    while ahead:
        address = ahead.pop()
        if address not in found:
            text = get(address)
            found[address] = len(text.encode())
            if address.endswith(".js"):
                ahead += [urljoin(address, name) for name in _IMPORTED.findall(text)]
    return found
