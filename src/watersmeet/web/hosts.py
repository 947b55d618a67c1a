"""Known hosts: a server answers only to the names it has (S003, S004).

The base URL says under which name clients reach it. A request for another name is a mistake in the proxy or an
attack: any web page can point a name of its own at an address it cannot reach itself (DNS rebinding). Three peers are
believed: everybody who asks for the base URL's name; a trusted proxy, whatever name it uses for its upstream; and a
program on this computer that asks for this computer, as health checks and proxies with their defaults do. Whatever
the ``Host``, nothing is ever built from it: every address the server names begins with the base URL.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from watersmeet.settings import Settings

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_LOOPBACK_PEERS = ("127.0.0.1", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class KnownHosts:
    """Middleware that answers 421 to a foreign ``Host``, and 403 to what a proxy took in without TLS."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._is_https = settings.is_https
        self._is_loopback = settings.is_loopback
        base = urlsplit(settings.base_url)
        names = _LOOPBACK_NAMES if settings.is_loopback else (_bracketed(base.hostname or ""),)
        default = _DEFAULT_PORTS[base.scheme]
        port = base.port or default
        known = {f"{name}:{port}" for name in names}
        self._known = frozenset(known | set(names) if port == default else known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and hosts[0].lower() in self._known and "through_proxy" not in scope["state"]:
            return None
        if "through_proxy" in scope["state"]:
            if (
                self._is_https
                and Headers(scope=scope).get("x-forwarded-proto", "https").rpartition(",")[2].strip() == "http"
            ):
                return PlainTextResponse("This server is reached over https only (RFC 6749, section 3.1.2.1).\n", 403)
            return None
        if len(hosts) == 1 and not self._is_loopback and self._is_local(scope, hosts[0]):
            return None
        text = (
            f"This server answers only to {', '.join(sorted(self._known))}. If a proxy of yours asked, "
            "let it pass the Host header on, or list its address in trusted_proxies.\n"
        )
        return PlainTextResponse(text, 421)

    @staticmethod
    def _is_local(scope: Scope, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return bool(scope["client"]) and scope["client"][0] in _LOOPBACK_PEERS and name in _LOOPBACK_NAMES


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
