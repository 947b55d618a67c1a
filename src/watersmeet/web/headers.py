"""Headers: what every answer carries, whoever made it (S005-S009)."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watersmeet.settings import Settings


def content_security_policy(form_action: str = "") -> str:
    """The policy of a page: own files only, nothing inline, no frames.

    ``form_action`` is where redirects after a post may lead; Chromium applies ``form-action`` to each of them, so
    a form that ends at a client must name ``RedirectUri.form_action`` (S007).
    """
    sources = f"'self' {form_action}".rstrip()
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action {sources}; base-uri 'none'; frame-ancestors 'none'"
    )


ALWAYS: Final = {
    "content-security-policy": content_security_policy(),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
_ONE_YEAR = "max-age=31536000"


class SecurityHeaders:
    """Middleware that adds each header the answer does not set itself."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        headers = dict(ALWAYS)
        if settings.is_https:
            headers["strict-transport-security"] = _ONE_YEAR
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                names = dict(own)
                message["headers"] = [*own, *[header for header in self._headers if header[0] not in names]]
            await send(message)

        await self._app(scope, receive, send_with_headers)
