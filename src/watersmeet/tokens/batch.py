"""Batches: token requests that wait at the same time are answered together, each by its own decision.

A batch reads all its rows at once, decides request by request in the pure core, and writes all at once: a
handful of statements however many callers it serves (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

from watersmeet.clock import Instant
from watersmeet.database.audit import INTERNAL, Origin
from watersmeet.errors import ServiceUnavailable
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import OAuthError

Request = TypeVar("Request")
Outcome = TypeVar("Outcome")
Arguments = ParamSpec("Arguments")

_LOST_RACES = 3  # more of them in a row than this are no coincidence


@dataclass(frozen=True, slots=True)
class Asked(Generic[Request]):
    """A token request: who asks, what for, when, and where it came from."""

    credentials: ClientCredentials
    request: Request
    now: Instant
    origin: Origin = INTERNAL


def attempt(
    decide: Callable[Arguments, Outcome], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Outcome | OAuthError:
    """The decision on one request; a refusal concerns its own caller alone, so here it is a value."""
    try:
        return decide(*arguments, **named)
    except OAuthError as refusal:
        return refusal


def settle_in_rounds(keys: Sequence[str], settle: Callable[[Sequence[int]], Mapping[int, Outcome]]) -> list[Outcome]:
    """The outcome for each of ``keys``, where those that are equal are settled one after another.

    ``settle`` is given places in ``keys``, all of different keys, and returns their outcomes. The places it
    leaves out, because somebody was quicker in the database or another of the batch goes first, come again in the
    next round, and so do those whose key stood before them: they see what has changed. Raises
    ``ServiceUnavailable`` rather than go on for ever.
    """
    outcomes: dict[int, Outcome] = {}
    for _ in range(len(keys) + _LOST_RACES):
        waiting: dict[str, int] = {}
        for place, key in enumerate(keys):
            if place not in outcomes:
                waiting.setdefault(key, place)
        if not waiting:
            return [outcomes[place] for place in range(len(keys))]
        outcomes.update(settle(list(waiting.values())))
    raise ServiceUnavailable(detail="lost races that nobody won")
