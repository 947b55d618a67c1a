"""Proxies: whose word about the client's address is taken, and what that address is (S003, V31).

Only a peer listed in ``trusted_proxies`` may say for whom it asks. Its header is read from the right, for that is
the end each proxy writes to: the first address that is not itself a trusted proxy is the client. Whatever the client
wrote stands to the left of that and is never reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address
from itertools import islice

from starlette.types import ASGIApp, Receive, Scope, Send

from watersmeet.settings import Settings
from watersmeet.web.log import log

_MAX_HOPS = 32
# RFC 7239 §4: a value is a token or a quoted string, and the client's own Host may be in one, "for=" and all.
_HOP = re.compile(r"\[(?P<v6>[0-9a-fA-F:.]+)\](?::\d+)?|(?P<v4>\d+(?:\.\d+){3})(?::\d+)?|(?P<bare>[0-9a-fA-F:.]+)")
_PAIR = re.compile(r'[ \t]*(?P<name>[\w!#$%&\'*+.^`|~-]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^;,"\s]*))[ \t]*')


class TrustedProxies:
    """Middleware that puts the client's address in the place of a trusted proxy's, for whoever comes after it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._networks = settings.proxy_networks
        self._header = settings.proxy_header.encode()
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            sent = [value for name, value in scope["headers"] if name == self._header]
            if scope["client"] and self._is_trusted(scope["client"][0]):
                address = self._client(scope["client"][0], [value.decode("latin-1") for value in sent])
                scope = {**scope, "client": (address, 0), "state": {**scope["state"], "through_proxy": True}}
            elif sent and not self._has_warned:
                self._has_warned = True
                log.warning(
                    "a peer that is not in trusted_proxies names a client; if it is your proxy, list it there",
                    peer=scope["client"][0] if scope["client"] else None,
                )
        await self._app(scope, receive, send)

    def _client(self, peer: str, lines: Sequence[str]) -> str:
        """The right-most address that no trusted proxy has; what nobody can read ends the search at the hop before."""
        client = peer
        for hop in islice(self._hops(lines), _MAX_HOPS):
            address = _address(hop.strip())
            if address is None:
                break
            client = address
            if not self._is_trusted(address):
                break
        return client

    def _hops(self, lines: Sequence[str]) -> Iterator[str]:
        """The hops from the right. A line is read by itself: none can change what another one means."""
        for line in reversed(lines):
            yield from reversed(_forwarded_hops(line) if self._header == b"forwarded" else line.split(","))

    def _is_trusted(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)


def _forwarded_hops(line: str) -> list[str]:
    """The ``for=`` of each hop of a ``Forwarded`` line (RFC 7239 §4); empty for a hop that names none.

    A line that is not well-formed to its end has one unreadable hop: a client may have opened a quotation that a
    proxy's own words are inside of.
    """
    hops, place = [""], 0
    while True:
        pair = _PAIR.match(line, place)
        if pair is None:
            return [""]
        if pair["name"].lower() == "for":
            if hops[-1]:
                return [""]
            hops[-1] = pair["token"] if pair["quoted"] is None else pair["quoted"]
        place = pair.end()
        if place == len(line):
            return hops
        if line[place] == ",":
            hops.append("")
        elif line[place] != ";":
            return [""]
        place += 1


def _address(hop: str) -> str | None:
    """The address of a hop, without port and brackets, in its canonical spelling."""
    found = _HOP.fullmatch(hop)
    if not found:
        return None
    try:
        return str(ip_address(found["v6"] or found["v4"] or found["bare"]))
    except ValueError:
        return None
