"""Deprecation: what an answer says to a client that was only accepted for compatibility (RFC 9745, RFC 8594)."""

from __future__ import annotations

from collections.abc import Collection
from email.utils import formatdate

from starlette.responses import Response

from watersmeet.clock import epoch_seconds
from watersmeet.oauth2.profile import Legacy
from watersmeet.settings import Settings
from watersmeet.web.log import log

# RFC 9700, which advises against all of it, appeared in January 2025.
_DEPRECATED_AT = 1_735_689_600
_WHY = '<https://www.rfc-editor.org/rfc/rfc9700>; rel="deprecation"; type="text/html"'


def note_legacy(response: Response, client_id: str, accepted: Collection[Legacy], settings: Settings) -> None:
    """Tell the client, and the log, what was accepted although it should not be; nothing if there is nothing.

    The one place where legacy acceptances are announced; they are counted in ``database.legacy``.
    """
    if not accepted:
        return
    log.warning("legacy accepted", client=client_id, kinds=sorted(kind.value for kind in accepted))
    response.headers["deprecation"] = f"@{_DEPRECATED_AT}"
    response.headers.append("link", _WHY)
    if settings.legacy_ends_at is not None:
        response.headers["sunset"] = formatdate(epoch_seconds(settings.legacy_ends_at), usegmt=True)
