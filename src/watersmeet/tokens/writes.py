"""Writes: what the decisions of a batch change, gathered one by one and written all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.clock import Instant
from watersmeet.database import tokens
from watersmeet.database.tokens import NewPair
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.family import Revocation, TokenFamily


@dataclass(slots=True)
class Writes:
    """New families, new pairs, and families that end because a code or token was replayed."""

    families: list[TokenFamily] = field(default_factory=list)
    pairs: list[NewPair] = field(default_factory=list)
    replayed: list[tuple[str, Instant]] = field(default_factory=list)
    """Identifiers of families, and when it happened."""

    def write(self, tx: Transaction) -> None:
        """A statement for each kind; replays, which are rare, one by one."""
        tokens.add_families(tx, self.families)
        tokens.add_pairs(tx, self.pairs)
        for family_id, now in self.replayed:
            tokens.revoke(tx, family_id, Revocation.REPLAYED, now)
