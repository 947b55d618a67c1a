"""Cases: a request and its outcome, with everything that can be looked up to explain it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Scope
from watersmeet.database.transaction import Transaction
from watersmeet.dev.credential import Credential
from watersmeet.dev.fault import Standing
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.keys import Keys
from watersmeet.web.language import Sentence


@dataclass(frozen=True, slots=True)
class Seen:
    """A request and its outcome, as far as they tell who sent it and why it was refused.

    ``path`` is below the context path, ``base_path``; ``rule`` names the protected route, ``needed`` the scope it
    needs; ``allow`` is that header of the answer. ``origin`` is where a browser says the request comes from.
    """

    method: str
    path: str
    base_path: str
    is_below_base: bool
    host: str
    origin: str
    query: bytes
    content_type: str
    authorization: str
    session: str | None
    form: bytes
    status: int | None
    cause: Exception | None
    allow: str
    struck: Sequence[Standing]
    rule: str | None
    needed: Scope | None


@dataclass(frozen=True, slots=True)
class Case:
    """A request under examination, just answered.

    ``parameters`` are those of query and form as they came; ``values`` has one for each name, without empty ones.
    ``client`` is the one that the request names by ``client_id``, or that its credential belongs to.
    """

    tx: Transaction
    keys: Keys
    now: Instant
    seen: Seen
    parameters: Sequence[tuple[str, str]]
    values: dict[str, str]
    client_id: str | None
    client: Client | None
    credential: Credential | None
    user: str | None

    @property
    def names(self) -> list[str]:
        """The names of the parameters that came with a value, each once."""
        return list(self.values)

    def count(self, name: str) -> int:
        """How many times a parameter came."""
        return sum(key == name for key, _ in self.parameters)

    def shown(self, name: str) -> str:
        """The value of a parameter for people: its beginning, if it is long."""
        return clipped(self.values.get(name, ""))


Explainers: TypeAlias = Mapping[type[Exception], Callable[[Case, Any], Sentence | None]]
"""By the kind of cause: what makes a sentence of it, or ``None`` where nothing more is known than was said."""


def clipped(text: str) -> str:
    """The beginning of a text that may be long, and never two lines."""
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:160]}…"


def verbatim(text: str) -> Sentence:
    """A text that is the same in every language."""
    return Sentence("{text}", text=text)
