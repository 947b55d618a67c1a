"""Following the generations of keys: every process looks, again and again, and goes on when the database is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.support.log import captured
from watersmeet.clock import SECOND, Instant
from watersmeet.database import signing_keys
from watersmeet.database.engine import Database
from watersmeet.errors import ServiceUnavailable
from watersmeet.oauth2.keys import ORIGINAL, Generation, Keys
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens import keys as module
from watersmeet.tokens.keys import LOOK_EVERY, PUBLISH_AHEAD, adopt, follow

SECRET = "the secret of these tests, long enough to be one"
NEW = Generation("new", "5a17", 0, 10 * SECOND, None)


class Enough(BaseException):
    """A loop that never ends has gone round often enough."""


class Published:
    """The generations that a database holds, or why it cannot say so, one answer after another; then enough."""

    def __init__(self, *answers: list[Generation] | Exception) -> None:
        self.answers = list(answers)

    async def read(self, operation: Callable[..., Any]) -> list[Generation]:
        assert operation is signing_keys.list_all
        if not self.answers:
            raise Enough
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def database(self) -> Database:
        return cast("Database", self)


class At:
    """A clock that stands still."""

    def __init__(self, instant: Instant) -> None:
        self.instant = instant

    def now(self) -> Instant:
        return self.instant


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long every sleep was meant to be. None takes any time."""
    seconds = list[float]()

    async def sleep(duration: float) -> None:
        seconds.append(duration)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


def test_s149_a_generation_is_adopted_as_it_stands_at_that_moment() -> None:
    keys = Keys.derive(SECRET)
    before = keys.access
    asyncio.run(adopt(Published([ORIGINAL, NEW]).database, keys, At(10 * SECOND - 1)))
    assert keys.access == before
    assert len(keys.accepted(TokenKind.ACCESS)) == 2
    asyncio.run(adopt(Published([ORIGINAL, NEW]).database, keys, At(10 * SECOND)))
    assert keys.access != before


def test_s149_every_process_looks_each_second_and_a_busy_database_stops_none(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = captured(monkeypatch, module)
    keys = Keys.derive(SECRET)
    before = keys.access
    published = Published([ORIGINAL], ServiceUnavailable(detail="full"), [ORIGINAL, NEW])
    with pytest.raises(Enough):
        asyncio.run(follow(published.database, keys, At(10 * SECOND)))
    assert slept == [LOOK_EVERY] * 4
    assert keys.access != before
    assert logged == [{"event": "looking for new keys postponed", "detail": "full", "log_level": "warning"}]


def test_s149_ten_looks_fit_between_publishing_and_signing() -> None:
    assert (LOOK_EVERY, PUBLISH_AHEAD) == (1, 10 * SECOND)
