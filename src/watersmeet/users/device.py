"""Known devices: browsers in which a user has signed in before.

Somebody who guesses a user's password from many addresses must not keep that user out. A browser that a user signed
in with keeps a cookie that says so; attempts from it are counted apart from everybody else's (OWASP, "Slow down
online guessing attacks with device cookies"). The cookie signs nobody in.
"""

from __future__ import annotations

import hmac

from watersmeet.entropy import Entropy
from watersmeet.oauth2.keys import Keys
from watersmeet.web.csrf import form_token

ONE_YEAR = 365 * 86_400  # seconds


def new_device(username: str, keys: Keys, entropy: Entropy) -> str:
    """The value of the cookie for a browser in which this user has just signed in."""
    identifier = entropy.hex(16)
    return f"{identifier}.{form_token(keys, 'device', username.lower(), identifier)}"


def known_device(cookie: str | None, username: str, keys: Keys) -> str | None:
    """What identifies the browser, if its cookie is genuine and of this user."""
    identifier, _, presented = (cookie or "").partition(".")
    expected = form_token(keys, "device", username.lower(), identifier)
    return identifier if hmac.compare_digest(presented.encode(), expected.encode()) else None
