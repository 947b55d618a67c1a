"""Schedule: cron lines of five fields, or six beginning with seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.clock import SECOND, Instant
from watersmeet.errors import SettingsError
from watersmeet.settings import ProviderSettings, Settings
from watersmeet.tokens.sweep import CODE_RETENTION, Schedule, sweeps


def at(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * SECOND)


@pytest.mark.parametrize(
    ("line", "now", "following"),
    [
        ("* * * * * ?", "2026-01-01T00:00:00", "2026-01-01T00:00:01"),
        ("* * * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:01"),
        ("* * * * * ?", "2026-01-01T00:00:00.500", "2026-01-01T00:00:01"),
        ("* * * * * ?", "2025-12-31T23:59:59.999", "2026-01-01T00:00:00"),
        ("*/15 * * * * ?", "2026-01-01T00:00:15", "2026-01-01T00:00:30"),
        ("0 0 3 * * ?", "2026-01-01T04:00:00", "2026-01-02T03:00:00"),
        ("* * * * *", "2026-01-01T00:00:00", "2026-01-01T00:01:00"),
        ("*/5 * * * *", "2026-01-01T00:03:10", "2026-01-01T00:05:00"),
        ("0 3 * * *", "2026-01-01T02:59:59", "2026-01-01T03:00:00"),
        ("0 3 ? * ?", "2026-01-01T02:59:59", "2026-01-01T03:00:00"),
        ("0 0 1 1 *", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_the_next_moment_is_the_one_the_line_names(line: str, now: str, following: str) -> None:
    assert Schedule(line).next_after(at(now)) == at(following)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["* * * * * ?", "*/7 * * * * ?", "* * * * *", "3 4 * * *"]))
def test_the_next_moment_is_always_later(now: Instant, line: str) -> None:
    following = Schedule(line).next_after(now)
    assert following > now
    assert following % SECOND == 0


@pytest.mark.parametrize(
    "line", ["", "* * *", "* * * *", "* * * * * * * *", "61 * * * *", "x", "* * 30 2 *", "@daily!", "* * * * * MOO"]
)
def test_what_is_not_a_cron_line_is_refused_with_its_words(line: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Schedule(line)
    assert repr(line) in refusal.value.description


def test_s079_used_codes_are_kept_for_a_day_and_families_end_with_their_tokens() -> None:
    codes, families, sessions, *_ = sweeps(Settings())
    assert (codes.retention, families.retention, sessions.retention) == (CODE_RETENTION, 0, 0)
    assert CODE_RETENTION == 86_400 * SECOND


@pytest.mark.parametrize("name", ["prune_expired_authorizations_schedule", "prune_expired_tokens_schedule"])
def test_either_schedule_is_checked(name: str) -> None:
    with pytest.raises(SettingsError):
        sweeps(Settings(provider=ProviderSettings(**{name: "never"})))  # type: ignore[arg-type]
