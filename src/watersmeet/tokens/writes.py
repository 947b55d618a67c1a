"""Writes: what the decisions of a batch change, gathered one by one and written all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from watersmeet.database import audit, legacy, tokens
from watersmeet.database.audit import Record
from watersmeet.database.legacy import Accepted
from watersmeet.database.tokens import NewPair
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.family import Revocation, TokenFamily


@dataclass(frozen=True, slots=True)
class EndedByReplay:
    """A family that ends because a code or a token of it came again, and the event if it had not ended before."""

    family_id: str
    because: Revocation
    event: Record


@dataclass(slots=True)
class Writes:
    """New families, new pairs, families that end by a replay, and what the logs say of it all."""

    families: list[TokenFamily] = field(default_factory=list)
    pairs: list[NewPair] = field(default_factory=list)
    ended: list[EndedByReplay] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)

    def write(self, tx: Transaction) -> None:
        """A statement for each kind; replays, which are rare, one by one."""
        tokens.add_families(tx, self.families)
        tokens.add_pairs(tx, self.pairs)
        # Whoever presents the same code or token again and again ends the family, and is written down, once.
        ended = [each for each in self.ended if tokens.revoke(tx, each.family_id, each.because, each.event.at)]
        audit.record_all(tx, [*self.events, *(each.event for each in ended)])
        legacy.record_all(tx, self.accepted)
