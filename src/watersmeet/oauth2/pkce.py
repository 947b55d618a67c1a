"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from watersmeet.oauth2.errors import InvalidCodeChallenge

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


class CodeChallengeMethod(StrEnum):
    """How the challenge was made from the verifier."""

    S256 = "S256"
    PLAIN = "plain"


# The seed's table says "sha256" where its example sends "S256"; clients in the field send either, in any case.
_METHODS = {
    "s256": CodeChallengeMethod.S256,
    "sha256": CodeChallengeMethod.S256,
    "plain": CodeChallengeMethod.PLAIN,
}


def is_well_formed_verifier(verifier: str) -> bool:
    """43 to 128 unreserved characters (RFC 7636 §4.1; the seed says 127)."""
    return _VERIFIER.fullmatch(verifier) is not None


def s256(verifier: str) -> str:
    """BASE64URL(SHA256(ASCII(verifier))), without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class CodeChallenge:
    """What the client committed to when it asked for the code."""

    value: str
    method: CodeChallengeMethod

    @classmethod
    def parse(cls, value: str | None, method: str | None) -> CodeChallenge | None:
        """The challenge of an authorization request; ``None`` when the client does not use PKCE.

        A challenge without a method is ``plain`` (RFC 7636 §4.3). Raises ``InvalidCodeChallenge``.
        """
        if value is None:
            if method is not None:
                raise InvalidCodeChallenge("code_challenge_method was sent without code_challenge.")
            return None
        known = _METHODS.get((method or "plain").lower())
        if known is None:
            raise InvalidCodeChallenge("code_challenge_method must be S256 or plain.")
        if known is CodeChallengeMethod.S256 and not _S256_CHALLENGE.fullmatch(value):
            raise InvalidCodeChallenge("An S256 code_challenge has 43 base64url characters without padding.")
        if known is CodeChallengeMethod.PLAIN and not is_well_formed_verifier(value):
            raise InvalidCodeChallenge("A plain code_challenge has 43 to 128 unreserved characters.")
        return cls(value, known)

    def is_met_by(self, verifier: str) -> bool:
        """Whether this is the verifier the challenge was made from; compared in constant time."""
        if not is_well_formed_verifier(verifier):
            return False
        computed = s256(verifier) if self.method is CodeChallengeMethod.S256 else verifier
        return hmac.compare_digest(computed, self.value)
