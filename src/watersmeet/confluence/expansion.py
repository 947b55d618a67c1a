"""Expansion: which parts of an answer the ``expand`` parameter asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_INDICES = re.compile(r"\[[^\]]*\]")  # d[0:2]: a slice of a list; lists are shown whole
_DEPTH = 8  # no answer nests deeper, so deeper names are as good as unknown ones


@dataclass(frozen=True, slots=True)
class Expansion:
    """A tree of names. Names that mean nothing where they stand are ignored (S3.1)."""

    names: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, values: Iterable[str]) -> Expansion:
        """The expansion that the occurrences of ``expand`` ask for together: ``a,b.c`` and ``d[0:2].e``."""
        tree: dict[str, Any] = {}
        for path in ",".join(values).split(","):
            branch = tree
            for name in _INDICES.sub("", path).split(".", _DEPTH)[:_DEPTH]:
                if not (name := name.strip()):
                    break
                branch = branch.setdefault(name, {})
        return cls(tree)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def within(self, name: str) -> Expansion:
        """What is asked for inside ``name``; nothing where ``name`` itself is not."""
        inner = self.names.get(name)
        return Expansion(inner) if inner else NOTHING

    def without(self, *names: str) -> Expansion:
        """The same without what is asked for under these names."""
        return Expansion({name: inner for name, inner in self.names.items() if name not in names})

    def __or__(self, other: Expansion) -> Expansion:
        return Expansion(_merged(self.names, other.names))


def _merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _merged(left.get(name, {}), right.get(name, {})) for name in {**left, **right}}


NOTHING = Expansion()
# What is expanded where the request does not say (S3.1).
ONE_CONTENT = Expansion.parse(["history,space,version"])
WRITTEN_CONTENT = Expansion.parse(["body.storage,version,space,history,ancestors,container"])
