"""Issuing: from a pair to its two token strings, of which only digests are kept."""

from __future__ import annotations

from watersmeet.database import tokens
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.oauth2.envelope import seal
from watersmeet.oauth2.family import TokenPair
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.vocabulary import TokenKind


def issue(tx: Transaction, family_id: str, pair: TokenPair, keys: Keys, entropy: Entropy) -> IssuedTokens:
    """Give a new pair its token strings and remember their digests."""
    access = seal(entropy.hex(16), TokenKind.ACCESS, keys)
    refresh = seal(entropy.hex(16), TokenKind.REFRESH, keys)
    tokens.add_pair(tx, family_id, pair, access_digest=keys.digest(access), refresh_digest=keys.digest(refresh))
    return IssuedTokens(pair, access, refresh)
