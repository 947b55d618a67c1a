"""Timing: whether answers that look alike also take alike long, statistically."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping

_SERIES = 3
_TOLERANCE = 0.05


def differing_medians(prepared: Mapping[str, Callable[[], Callable[[], object]]], times: int) -> dict[str, float]:
    """The median seconds of each attempt where they differ by 5 %; nothing where they do not.

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
        if max(medians.values()) - min(medians.values()) < _TOLERANCE * min(medians.values()):
            return {}
    return medians
