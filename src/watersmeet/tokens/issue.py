"""Issuing: from a pair to its two token strings, of which only digests are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.database.tokens import NewPair
from watersmeet.entropy import Entropy
from watersmeet.oauth2.envelope import seal, seals
from watersmeet.oauth2.family import TokenPair
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.vocabulary import TokenKind


@dataclass(frozen=True, slots=True)
class TokenIds:
    """The identifiers inside the two tokens of a pair, in hexadecimal digits."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)

    @classmethod
    def random(cls, entropy: Entropy, length: int) -> TokenIds:
        """Identifiers of so many bytes that follow from nothing."""
        return cls(entropy.hex(length), entropy.hex(length))

    @classmethod
    def following(cls, refresh_token: str, generation: int, keys: Keys, length: int) -> TokenIds:
        """The identifiers, of so many bytes, of the generation that a refresh token is exchanged for."""
        return cls(
            keys.successor_id(refresh_token, generation, TokenKind.ACCESS, length),
            keys.successor_id(refresh_token, generation, TokenKind.REFRESH, length),
        )

    def seal(self, pair: TokenPair, keys: Keys) -> IssuedTokens:
        """The token strings of a pair with these identifiers."""
        return IssuedTokens(
            pair, seal(self.access, TokenKind.ACCESS, keys), seal(self.refresh, TokenKind.REFRESH, keys)
        )

    def sealed_before(self, pair: TokenPair, keys: Keys) -> list[IssuedTokens]:
        """What ``seal`` may have made of them: one answer for each generation of keys that is still accepted."""
        both = zip(
            seals(self.access, TokenKind.ACCESS, keys), seals(self.refresh, TokenKind.REFRESH, keys), strict=True
        )
        return [IssuedTokens(pair, access, refresh) for access, refresh in both]


def issue(family_id: str, pair: TokenPair, keys: Keys, ids: TokenIds) -> tuple[NewPair, IssuedTokens]:
    """Give a new pair its token strings: what is to be remembered of it, and what the client is told."""
    issued = ids.seal(pair, keys)
    return NewPair(family_id, pair, keys.digest(issued.access_token), keys.digest(issued.refresh_token)), issued
