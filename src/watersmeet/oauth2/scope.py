"""Scopes: the algebra of RFC 6749 §3.3 with implication.

A ``ScopeVocabulary`` knows which scopes exist and what each implies. A ``ScopeSet`` is what somebody asked for
or was given, in their own words; ``implied`` is what it amounts to. Clients compare the ``scope`` of an answer
with the one they sent, so the words are kept and the closure is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from watersmeet.oauth2.errors import InvalidScope


@dataclass(frozen=True, slots=True)
class ScopeSet:
    """Some scopes of one vocabulary, e.g. ``WRITE``, together with all they imply."""

    vocabulary: ScopeVocabulary = field(repr=False, compare=False)
    names: frozenset[str]
    implied: frozenset[str] = field(init=False, repr=False, compare=False)
    """Every scope this set amounts to, its own names included."""

    def __post_init__(self) -> None:
        implied = frozenset[str]().union(*(self.vocabulary.implications[name] for name in self.names))
        object.__setattr__(self, "implied", implied)

    @property
    def is_administrative(self) -> bool:
        """Whether it reaches beyond content (S068, S122)."""
        return not self.vocabulary.administrative.isdisjoint(self.implied)

    def covers(self, other: ScopeSet) -> bool:
        """Whether everything ``other`` allows is allowed here too."""
        return other.implied <= self.implied

    def capped_by(self, ceiling: ScopeSet) -> ScopeSet:
        """What is allowed by both, in the fewest words; the words stay as they are where nothing is lost."""
        if ceiling.covers(self):
            return self
        return self.vocabulary.strongest(self.implied & ceiling.implied)

    def __str__(self) -> str:
        """The set as the ``scope`` parameter spells it, in the vocabulary's order."""
        return " ".join(name for name in self.vocabulary.implications if name in self.names)


@dataclass(frozen=True, slots=True)
class ScopeVocabulary:
    """The scopes there are, weakest first, each with the scopes it implies (itself included).

    ``administrative`` are those whose misuse would harm more than content.
    """

    implications: Mapping[str, frozenset[str]]
    administrative: frozenset[str] = frozenset()

    @classmethod
    def of(cls, implications: Mapping[str, Iterable[str]], *, administrative: Iterable[str] = ()) -> ScopeVocabulary:
        """A vocabulary from a plain mapping; every scope implies at least itself.

        Raises ``ValueError`` when an implied scope does not exist or implication is not transitive.
        """
        closed = {name: frozenset(implied) | {name} for name, implied in implications.items()}
        for name, implied in closed.items():
            if not implied <= closed.keys() or any(not closed[other] <= implied for other in implied):
                raise ValueError(f"the scopes implied by {name} are not closed")
        return cls(MappingProxyType(closed), frozenset(administrative))

    def parse(self, text: str) -> ScopeSet:
        """The set that a ``scope`` parameter names: space-delimited, case-sensitive, in any order.

        Raises ``InvalidScope`` for an empty list and for a name that does not exist (S147).
        """
        names = frozenset(text.split(" ")) - {""}
        unknown = names - self.implications.keys()
        if unknown or not names:
            raise InvalidScope(f"The valid scopes are {', '.join(self.implications)}, separated by spaces.")
        return ScopeSet(self, names)

    def strongest(self, implied: frozenset[str]) -> ScopeSet:
        """The smallest set of names that amounts to ``implied``."""
        weaker = frozenset().union(*(self.implications[name] - {name} for name in implied))
        return ScopeSet(self, implied - weaker)
