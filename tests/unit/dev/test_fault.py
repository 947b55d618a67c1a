"""The rules of faults: which requests they hit, and that a run repeats."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from watersmeet.dev.fault import MAX_FAULTS, WORDS, Deed, Fault, Faults, Standing, TooManyFaults


def hits(fault: Fault, count: int, method: str = "GET", path: str = "/rest/api/content") -> list[int]:
    """The numbers of the requests that a new rule hits."""
    standing = Standing(1, fault)
    return [number for number in range(1, count + 1) if standing.strikes(method, path)]


@pytest.mark.parametrize(
    ("rule", "method", "path", "is_hit"),
    [
        ({}, "GET", "/anything", True),
        ({"path": "/rest/api/*"}, "GET", "/rest/api/content/1", True),
        ({"path": "/rest/api/*"}, "GET", "/rest/oauth2/latest/token", False),
        ({"path": "/rest/api/content"}, "GET", "/rest/api/content/1", False),
        ({"path": "/rest/API/*"}, "GET", "/rest/api/content", False),
        ({"method": "POST"}, "POST", "/", True),
        ({"method": "POST"}, "GET", "/", False),
        ({"method": "*"}, "PUT", "/", True),
    ],
)
def test_it_is_about_a_method_and_a_pattern_of_paths(
    rule: dict[str, Any], method: str, path: str, is_hit: bool
) -> None:
    assert bool(hits(Fault(do=Deed.STATUS, **rule), 1, method, path)) is is_hit


def test_some_pass_first_and_then_so_many_are_hit() -> None:
    assert hits(Fault(do=Deed.STATUS), 4) == [1, 2, 3, 4]
    assert hits(Fault(do=Deed.STATUS, after=2), 4) == [3, 4]
    assert hits(Fault(do=Deed.STATUS, after=1, times=2), 5) == [2, 3]
    assert hits(Fault(do=Deed.STATUS, times=0), 5) == []


def test_chance_is_the_same_on_every_run_and_differs_by_seed() -> None:
    rule = Fault(do=Deed.STATUS, probability=0.3, seed=7)
    assert hits(rule, 1000) == hits(rule, 1000)
    assert 250 < len(hits(rule, 1000)) < 350
    assert hits(rule, 1000) != hits(Fault(do=Deed.STATUS, probability=0.3, seed=8), 1000)
    assert hits(Fault(do=Deed.STATUS, probability=0.0), 1000) == []


def test_every_rule_that_matches_counts_and_numbers_start_again_after_clearing() -> None:
    faults = Faults()
    first, second = faults.add(Fault(do=Deed.DELAY)), faults.add(Fault(do=Deed.STATUS, path="/x", times=1))
    assert [standing.number for standing in faults.strike("GET", "/x")] == [1, 2]
    assert [standing.number for standing in faults.strike("GET", "/x")] == [1]
    assert (first.met, first.hit, second.met, second.hit) == (2, 2, 2, 1)
    faults.remove(1)
    assert [standing.number for standing in faults] == [2]
    faults.clear()
    assert list(faults) == []
    assert faults.add(Fault(do=Deed.DELAY)).number == 1


def test_there_are_not_endlessly_many() -> None:
    faults = Faults()
    for _ in range(MAX_FAULTS):
        faults.add(Fault(do=Deed.DELAY))
    with pytest.raises(TooManyFaults):
        faults.add(Fault(do=Deed.DELAY))


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"do": "explode"},
        {"do": "status", "status": 200},
        {"do": "delay", "seconds": 1e9},
        {"do": "status", "probability": 2},
        {"do": "status", "times": -1},
        {"do": "status", "content_type": "a\r\nb: c"},
        {"do": "status", "unknown": 1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(rule, Fault)


def test_every_deed_is_explained() -> None:
    assert WORDS.keys() == set(Deed)
