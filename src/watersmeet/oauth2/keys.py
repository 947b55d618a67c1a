"""Keys: everything secret is derived from one master secret, a separate key for each purpose.

HKDF (RFC 5869) with SHA-256; every derived key fits one block, so expansion is a single HMAC. The master
secret never leaves this module.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from watersmeet.oauth2.vocabulary import TokenKind

MINIMUM_SECRET_LENGTH = 32


def derive_key(secret: bytes, purpose: str) -> bytes:
    """32 bytes that only a holder of ``secret`` can compute, different for every ``purpose``."""
    extracted = hmac.digest(b"watersmeet", secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")


@dataclass(frozen=True, slots=True)
class Keys:
    """The derived keys. Access and refresh tokens are signed with different ones (S118)."""

    access: bytes = field(repr=False)
    refresh: bytes = field(repr=False)
    lookup: bytes = field(repr=False)
    form: bytes = field(repr=False)
    fingerprint: str
    """A digest by which a database recognises the secret it was written with. Not a secret itself."""

    @classmethod
    def derive(cls, secret: str) -> Keys:
        """All keys of a master secret."""
        master = secret.encode()
        return cls(
            access=derive_key(master, "access token signature"),
            refresh=derive_key(master, "refresh token signature"),
            lookup=derive_key(master, "lookup of stored credentials"),
            form=derive_key(master, "form tokens"),
            fingerprint=derive_key(master, "fingerprint").hex(),
        )

    def signing(self, kind: TokenKind) -> bytes:
        """The key that signs tokens of that kind."""
        return self.access if kind is TokenKind.ACCESS else self.refresh

    def digest(self, credential: str) -> str:
        """What is stored of a random credential: a keyed digest, useless to whoever reads the database.

        Tokens, codes, session identifiers and client secrets are random, so no slow hash is needed (S094).
        """
        return hmac.digest(self.lookup, credential.encode("utf-8", "surrogatepass"), "sha256").hex()
