"""Timing: whether answers that look alike also take alike long, statistically."""

from __future__ import annotations

import itertools
import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

_SERIES = 3
_DIFFERENCE = 0.05  # of a median: what is less tells nobody anything over a network
_CERTAINTY = 4.0  # standard deviations: one in 15,000 by chance


def differing_medians(prepared: Mapping[str, Callable[[], Callable[[], object]]], times: int) -> dict[str, float]:
    """The median seconds of each attempt where two differ, by 5 % and beyond chance; nothing where they do not.

    What is prepared is called, and what it gives is called and timed. The attempts take turns in random order, so
    that whatever else the machine does meets all alike. What a server gives away it gives away in every series;
    what only one shows is noise.
    """
    medians: dict[str, float] = {}
    for _ in range(_SERIES):
        found: dict[str, list[float]] = {name: [] for name in prepared}
        for _ in range(times):
            for name, prepare in random.sample(list(prepared.items()), len(prepared)):
                attempt = prepare()
                began = time.perf_counter()
                attempt()
                found[name].append(time.perf_counter() - began)
        medians = {name: statistics.median(each) for name, each in found.items()}
        if not any(_differ(one, other) for one, other in itertools.combinations(found.values(), 2)):
            return {}
    return medians


def _differ(one: Sequence[float], other: Sequence[float]) -> bool:
    shorter, longer = sorted([statistics.median(one), statistics.median(other)])
    return longer - shorter >= _DIFFERENCE * shorter and _separation(one, other) > _CERTAINTY


def _separation(one: Sequence[float], other: Sequence[float]) -> float:
    """Mann and Whitney's statistic, in standard deviations: how surely one of them is longer than the other."""
    ranked = sorted([(seconds, True) for seconds in one] + [(seconds, False) for seconds in other])
    of_one = sum(rank for rank, (_, is_one) in enumerate(ranked, 1) if is_one)
    count, total = len(one), len(ranked)
    expected = count * (total + 1) / 2
    return abs(of_one - expected) / math.sqrt(count * len(other) * (total + 1) / 12)
