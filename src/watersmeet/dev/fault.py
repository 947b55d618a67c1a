"""Faults: rules by which chosen requests go wrong, the same way on every run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from watersmeet.errors import WatersmeetError
from watersmeet.web.language import Sentence

MAX_FAULTS = 100
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=120)]
_Text = Annotated[str, msgspec.Meta(max_length=10_000)]


class Deed(StrEnum):
    """What a fault does to a request."""

    STATUS = "status"
    DELAY = "delay"
    SLOW_BODY = "slow-body"
    DROP_BEFORE = "drop-before"
    DROP_AFTER = "drop-after"
    CUT_BODY = "cut-body"
    EXPIRE = "expire-access-tokens"
    REVOKE = "revoke-tokens"


WORDS = {
    Deed.STATUS: Sentence("Answer with a status, without carrying the request out"),
    Deed.DELAY: Sentence("Wait, then carry it out"),
    Deed.SLOW_BODY: Sentence("Carry it out, send the body slowly"),
    Deed.DROP_BEFORE: Sentence("Cut the connection, without carrying it out"),
    Deed.DROP_AFTER: Sentence("Carry it out and commit, then cut the connection: a lost answer"),
    Deed.CUT_BODY: Sentence("Carry it out, cut the connection half-way through the body"),
    Deed.EXPIRE: Sentence("Let every access token expire first"),
    Deed.REVOKE: Sentence("Revoke every token first"),
}


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: which requests, how many of them, and what happens to them.

    ``path`` is a pattern with ``*`` for the path below the context path. The first ``after`` requests that match
    pass; of the following each is hit with ``probability``, until ``times`` were. Whether one is hit depends on
    ``seed`` and its number alone, so a run repeats.
    """

    do: Deed
    path: _Text = "*"
    method: str | None = None
    after: _Count = 0
    times: _Count | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    retry_after: _Count | None = None
    body: _Text | None = None
    content_type: Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]{1,200}$")] = "application/json"
    seconds: _Seconds = 1.0

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is one that this rule is about."""
        return self.method in (None, "", "*", method) and fnmatchcase(path, self.path)


class TooManyFaults(WatersmeetError):
    """More rules than anybody can read."""

    def __init__(self) -> None:
        super().__init__("There are {maximum} faults already; clear some.", maximum=MAX_FAULTS)


@dataclass(slots=True)
class Standing:
    """A rule in force: its number, how many requests it met, how many of them it hit."""

    number: int
    fault: Fault
    met: int = 0
    hit: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Count a request in; whether it is hit."""
        if not self.fault.matches(method, path):
            return False
        self.met += 1
        used_up = self.fault.times is not None and self.hit >= self.fault.times
        if self.met <= self.fault.after or used_up or _draw(self.fault.seed, self.met) >= self.fault.probability:
            return False
        self.hit += 1
        return True


class Faults:
    """The rules in force, in the order they were made."""

    def __init__(self) -> None:
        self._standing: list[Standing] = []
        self._last_number = 0

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._standing)

    def add(self, fault: Fault) -> Standing:
        """One more rule. Raises ``TooManyFaults``."""
        if len(self._standing) >= MAX_FAULTS:
            raise TooManyFaults
        self._last_number += 1
        standing = Standing(self._last_number, fault)
        self._standing.append(standing)
        return standing

    def remove(self, number: int) -> None:
        """Take one rule away, if it is there."""
        self._standing = [standing for standing in self._standing if standing.number != number]

    def clear(self) -> None:
        """No rules, and numbers from one again."""
        self._standing, self._last_number = [], 0

    def strike(self, method: str, path: str) -> list[Standing]:
        """The rules that hit this request; every rule that is about it counts it."""
        return [standing for standing in self._standing if standing.strikes(method, path)]


def _draw(seed: int, number: int) -> float:
    """A number from 0 to below 1 that looks random and is always the same."""
    digest = hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=6).digest()
    return float(int.from_bytes(digest) / 2**48)
