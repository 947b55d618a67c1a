"""Personal access tokens on the wire: how one looks, and what the API says of it.

No part of OAuth: a user makes one for a script of their own, and it comes as a Bearer token like any other. The
original's form is unknown; ours begins with letters of its own, by which it is told from an OAuth token without asking
the database, and by which scanners find one that was published.
"""

from __future__ import annotations

import re
from typing import Any

from watersmeet.confluence.representation_person import instant_text

PREFIX = "wmpat_"

_WHOLE = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")  # 256 bits


def is_well_formed(token: str) -> bool:
    """Whether this server may have made exactly this token; noise costs no look-up."""
    return _WHOLE.fullmatch(token) is not None


def personal_token_json(
    number: int, name: str, scope: str, *, created_at: int, expires_at: int, last_used_at: int | None
) -> dict[str, Any]:
    """A token without the token. ``scope`` is ours: the original's tokens do whatever their user may."""
    return {
        "id": number,
        "name": name,
        "createdAt": instant_text(created_at),
        "expiringAt": instant_text(expires_at),
        "lastAccessed": instant_text(last_used_at) if last_used_at is not None else None,
        "scope": scope,
    }
