"""Issuing: from a pair to its two token strings, of which only digests are kept."""

from __future__ import annotations

from watersmeet.database.tokens import NewPair
from watersmeet.entropy import Entropy
from watersmeet.oauth2.envelope import seal
from watersmeet.oauth2.family import TokenPair
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.vocabulary import TokenKind


def issue(family_id: str, pair: TokenPair, keys: Keys, entropy: Entropy) -> tuple[NewPair, IssuedTokens]:
    """Give a new pair its token strings: what is to be remembered of it, and what the client is told."""
    access = seal(entropy.hex(16), TokenKind.ACCESS, keys)
    refresh = seal(entropy.hex(16), TokenKind.REFRESH, keys)
    return NewPair(family_id, pair, keys.digest(access), keys.digest(refresh)), IssuedTokens(pair, access, refresh)
