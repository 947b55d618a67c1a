"""Keys: everything secret is derived from one master secret, a separate key for each purpose.

HKDF (RFC 5869) with SHA-256; every derived key fits one block, so expansion is a single HMAC. The master
secret never leaves this module.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.oauth2.vocabulary import TokenKind

MINIMUM_SECRET_LENGTH = 32


def derive_key(secret: bytes, purpose: str) -> bytes:
    """32 bytes that only a holder of ``secret`` can compute, different for every ``purpose``."""
    extracted = hmac.digest(b"watersmeet", secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of the keys that sign tokens, as it is stored: without the master secret it is worth nothing.

    Published at ``created_at``, so that every process accepts what it signs before any process signs with it, from
    ``signs_from`` on; gone at ``retires_at`` (``None``: it is the newest).
    """

    id: str
    salt: str
    created_at: Instant
    signs_from: Instant
    retires_at: Instant | None

    def is_accepted(self, now: Instant) -> bool:
        """Whether what it signed is genuine at that moment."""
        return self.retires_at is None or now < self.retires_at


ORIGINAL = Generation("original", "", 0, 0, None)
"""The generation of a database whose keys were never rotated."""


@dataclass(slots=True)
class Keys:
    """The derived keys. Access and refresh tokens are signed with different ones (S118).

    The signing keys rotate: ``adopt`` replaces them, for everybody who holds this object, at once. The others are
    fixed for the life of a database, because digests that were stored with them cannot be computed anew.
    """

    lookup: bytes = field(repr=False)
    form: bytes = field(repr=False)
    successor: bytes = field(repr=False)
    fingerprint: str
    """A digest by which a database recognises the secret it was written with. Not a secret itself."""
    _master: bytes = field(repr=False)
    _signing: dict[TokenKind, tuple[bytes, ...]] = field(repr=False)

    @classmethod
    def derive(cls, secret: str) -> Keys:
        """All keys of a master secret."""
        master = secret.encode()
        keys = cls(
            lookup=derive_key(master, "lookup of stored credentials"),
            form=derive_key(master, "form tokens"),
            successor=derive_key(master, "successors of refresh tokens"),
            fingerprint=derive_key(master, "fingerprint").hex(),
            _master=master,
            _signing={},
        )
        keys.adopt([ORIGINAL], 0)
        return keys

    def adopt(self, generations: Sequence[Generation], now: Instant) -> None:
        """Sign with the newest generation whose time has come; accept all that are not retired.

        Without any that signs, the present keys stay: a server that has no key would refuse everything.
        """
        accepted = sorted(
            (each for each in generations if each.is_accepted(now)),
            key=lambda each: (each.signs_from <= now, each.signs_from),
            reverse=True,
        )
        if accepted and accepted[0].signs_from <= now:
            self._signing = {
                kind: tuple(derive_key(self._master, _purpose(kind, each)) for each in accepted) for kind in TokenKind
            }

    @property
    def access(self) -> bytes:
        """The key that signs access tokens now."""
        return self.signing(TokenKind.ACCESS)

    @property
    def refresh(self) -> bytes:
        """The key that signs refresh tokens now."""
        return self.signing(TokenKind.REFRESH)

    def signing(self, kind: TokenKind) -> bytes:
        """The key that signs tokens of that kind now."""
        return self._signing[kind][0]

    def accepted(self, kind: TokenKind) -> tuple[bytes, ...]:
        """The keys whose tokens of that kind are genuine, the one that signs now first."""
        return self._signing[kind]

    def successor_id(self, presented: str, generation: int, kind: TokenKind, length: int) -> str:
        """The identifier of the token that follows a refresh token: always the same, to be guessed by nobody.

        So an answer can be sent again although no token is stored (S111). ``length`` in bytes, at most 32.
        """
        seed = f"{kind.value}\0{generation}\0{presented}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.successor, seed, "sha256")[:length].hex()

    def client_secret(self, salt: str) -> str:
        """The client secret of 256 bits that belongs to a random salt: always the same, to be guessed by nobody."""
        return derive_key(self._master, f"client secret {salt}").hex()

    def digest(self, credential: str) -> str:
        """What is stored of a random credential: a keyed digest, useless to whoever reads the database.

        Tokens, codes, session identifiers and client secrets are random, so no slow hash is needed (S094).
        """
        return hmac.digest(self.lookup, credential.encode("utf-8", "surrogatepass"), "sha256").hex()


def _purpose(kind: TokenKind, generation: Generation) -> str:
    return f"{kind.value} token signature {generation.salt}".rstrip()
