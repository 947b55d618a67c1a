"""The envelope: how a token looks on the wire.

The seed's tokens are JWTs with the header ``{"alg":"HS256"}`` and the payload ``{"id":"<32 hex>"}``, nothing
else, 120 characters; those of ``strict`` clients hold an identifier twice as long, 163 characters (N7). Access and
refresh tokens look alike; each kind is signed with a key of its own. Reading one re-creates the whole string and
compares, so only the exact, canonical token passes (S123): there is no parser to confuse and no ``alg`` to believe.
"""

from __future__ import annotations

import base64
import hmac
import re

from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.vocabulary import TokenKind

_HEADER = "eyJhbGciOiJIUzI1NiJ9"  # {"alg":"HS256"}
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
TOKEN_LENGTHS = (120, 163)
_SIGNATURE_LENGTH = 43  # 32 bytes in base64url


def seal(token_id: str, kind: TokenKind, keys: Keys) -> str:
    """The token string of an identifier of 32 or 64 lower-case hexadecimal digits."""
    return _seal(token_id, keys.signing(kind))


def seals(token_id: str, kind: TokenKind, keys: Keys) -> list[str]:
    """Every string that a token may have been given with the keys that are accepted now, the present one first."""
    return [_seal(token_id, key) for key in keys.accepted(kind)]


def _seal(token_id: str, key: bytes) -> str:
    payload = _base64url(b'{"id":"' + token_id.encode() + b'"}')
    signed = f"{_HEADER}.{payload}"
    signature = hmac.digest(key, signed.encode(), "sha256")
    return f"{signed}.{_base64url(signature)}"


def is_genuine(token: str, kind: TokenKind, keys: Keys) -> bool:
    """Whether this server made exactly this string as a token of that kind.

    Costs no database access, so noise is turned away cheaply. Whether the token is *valid* only the
    database knows.
    """
    if len(token) not in TOKEN_LENGTHS or not token.isascii():
        return False
    try:
        payload = base64.urlsafe_b64decode(_padded(token[len(_HEADER) + 1 : -_SIGNATURE_LENGTH - 1])).decode()
    except ValueError:
        return False
    token_id = payload[7:-2]  # between {"id":" and "}
    if not _ID.fullmatch(token_id):
        return False
    # A token carries no key id, for the seed's have none: after a rotation the older keys are tried in turn.
    for key in keys.accepted(kind):  # noqa: SIM110 - a generator would cost as much as the comparison
        if hmac.compare_digest(_seal(token_id, key), token):
            return True
    return False


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
