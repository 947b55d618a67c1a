"""The virtual clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from watersmeet.clock import Instant
from watersmeet.dev.clock import ImpossibleTime, VirtualClock


@dataclass
class Still:
    instant: Instant = 1_800_000_000_000

    def now(self) -> Instant:
        return self.instant


def test_it_shows_the_system_s_time_until_it_is_moved_and_after_a_reset() -> None:
    system = Still()
    clock = VirtualClock(system)
    assert clock.now() == system.instant
    clock.advance(60)
    clock.reset()
    assert clock.now() == system.instant


def test_it_runs_on_from_where_it_was_put() -> None:
    system = Still()
    clock = VirtualClock(system)
    clock.advance(0.25)
    clock.advance(3600)
    system.instant += 5
    assert clock.now() == 1_800_003_600_255
    assert clock.offset == 3_600_250


@pytest.mark.parametrize(
    ("moment", "instant"),
    [
        ("2030-01-02T03:04:05Z", 1_893_553_445_000),
        ("2030-01-02T04:04:05+01:00", 1_893_553_445_000),
        (" 2030-01-02T03:04:05 ", 1_893_553_445_000),  # without a zone: UTC
        ("2030-01-02", 1_893_542_400_000),
        (1_893_553_445, 1_893_553_445_000),
        (1_893_553_445.5, 1_893_553_445_500),
        (0, 0),
    ],
)
def test_it_is_set_to_a_moment(moment: str | float, instant: Instant) -> None:
    clock = VirtualClock(Still())
    clock.set(moment)
    assert clock.now() == instant


@pytest.mark.parametrize("moment", ["", "tomorrow", "2030-13-01", -1, 1e18, math.inf, math.nan])
def test_an_impossible_moment_changes_nothing(moment: str | float) -> None:
    clock = VirtualClock(Still())
    clock.advance(1)
    with pytest.raises(ImpossibleTime):
        clock.set(moment)
    assert clock.offset == 1000


@pytest.mark.parametrize("seconds", [-2e9, 1e15, math.inf, math.nan])
def test_it_does_not_leave_the_calendar(seconds: float) -> None:
    clock = VirtualClock(Still())
    with pytest.raises(ImpossibleTime):
        clock.advance(seconds)
    assert clock.offset == 0
