"""Known devices: browsers in which a user has signed in before.

Somebody who guesses a user's password from many addresses must not keep that user out. A browser that a user signed
in with keeps a cookie that says so; attempts from it are counted apart from everybody else's (OWASP, "Slow down
online guessing attacks with device cookies"). The cookie signs nobody in.
"""

from __future__ import annotations

import hmac
import re

from watersmeet.database.users import User
from watersmeet.entropy import Entropy
from watersmeet.oauth2.keys import Keys
from watersmeet.web.csrf import form_token

ONE_YEAR = 365 * 86_400  # seconds

_COOKIE = re.compile(r"(?P<identifier>[0-9a-f]{32})\.(?P<proof>[0-9a-f]{64})")


def new_device(user: User, keys: Keys, entropy: Entropy) -> str:
    """The value of the cookie for a browser in which this user has just signed in."""
    identifier = entropy.hex(16)
    return f"{identifier}.{_proof(user, identifier, keys)}"


def known_device(cookie: str | None, user: User | None, keys: Keys) -> str | None:
    """What identifies the browser, if its cookie is genuine, of this user, and of the present password."""
    found = _COOKIE.fullmatch(cookie or "")
    if found is None or user is None:
        return None
    genuine = hmac.compare_digest(found["proof"], _proof(user, found["identifier"], keys))
    return found["identifier"] if genuine else None


def _proof(user: User, identifier: str, keys: Keys) -> str:
    # The password's hash is part of it: who knew an old password has no browsers to guess the new one from.
    return form_token(keys, "device", user.username, user.password_hash, identifier)
