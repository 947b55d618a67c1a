"""Batches: equal keys are settled one after another, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from watersmeet.errors import ServiceUnavailable
from watersmeet.oauth2.errors import CodeExpired, InvalidGrant
from watersmeet.tokens.batch import attempt, settle_in_rounds


def test_a_refusal_is_a_value_and_any_other_failure_is_not() -> None:
    refusal = CodeExpired()

    def decide(outcome: str, *, refuse: BaseException | None = None) -> str:
        if refuse:
            raise refuse
        return outcome

    assert attempt(decide, "done") == "done"
    assert attempt(decide, "done", refuse=refusal) is refusal
    with pytest.raises(ZeroDivisionError):
        attempt(decide, "done", refuse=ZeroDivisionError())


def test_equal_keys_are_settled_one_round_after_another_and_outcomes_stay_in_their_places() -> None:
    rounds: list[list[int]] = []

    def settle(places: Sequence[int]) -> Mapping[int, str]:
        rounds.append(list(places))
        return {place: f"outcome {place}" for place in places}

    assert settle_in_rounds(["a", "b", "a", "c", "a"], settle) == [f"outcome {place}" for place in range(5)]
    assert rounds == [[0, 1, 3], [2], [4]]
    assert settle_in_rounds([], settle) == []
    assert rounds == [[0, 1, 3], [2], [4]]


def test_who_lost_a_race_comes_again_before_those_behind() -> None:
    rounds: list[list[int]] = []

    def settle(places: Sequence[int]) -> Mapping[int, str]:
        rounds.append(list(places))
        return {place: "won" for place in places if place != 0 or len(rounds) > 2}

    assert settle_in_rounds(["a", "b", "a"], settle) == ["won"] * 3
    assert rounds == [[0, 1], [0], [0], [2]]


@pytest.mark.parametrize("callers", [1, 3])
def test_s112_who_loses_every_race_is_told_that_the_server_is_busy(callers: int) -> None:
    rounds: list[list[int]] = []

    def settle(places: Sequence[int]) -> Mapping[int, InvalidGrant]:
        rounds.append(list(places))
        return {}

    with pytest.raises(ServiceUnavailable) as busy:
        settle_in_rounds(["a"] * callers, settle)
    assert busy.value.detail == "lost races that nobody won"
    assert rounds == [[0]] * (callers + 3)


def test_three_lost_races_are_still_a_coincidence() -> None:
    rounds: list[int] = []

    def settle(places: Sequence[int]) -> Mapping[int, str]:
        rounds.extend(places)
        return dict.fromkeys(places, "won") if len(rounds) == 3 else {}

    assert settle_in_rounds(["a"], settle) == ["won"]
