"""Grants that nobody uses, on both engines: they end, and nothing shows them any more (S115)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.grants import ENTROPY, KEYS, LIFETIMES, NOW, Grants, register_client
from watersmeet.clock import SECOND, Instant
from watersmeet.database import tokens
from watersmeet.database.engine import Database
from watersmeet.database.schema import clients
from watersmeet.database.tokens import Usage
from watersmeet.database.transaction import Transaction
from watersmeet.links.authorized import revoke_all_access
from watersmeet.oauth2.errors import OAuthError, RefreshTokenExpired, RefreshTokenIdle, TokenInvalid
from watersmeet.oauth2.family import Lifetimes, RefreshReplay
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.batch import Asked
from watersmeet.tokens.refresh import RefreshRequest, refresh_all

DAY: Instant = 86_400 * SECOND
IDLE = replace(LIFETIMES, idle=30 * DAY, legacy=LIFETIMES)


@pytest.fixture
def grants(database: Database) -> Grants:
    """A strict client; the one it is prepared with would be a legacy one."""
    prepared = Grants.prepare(database)
    strict = database.write_now(lambda tx: register_client(tx, "Strict", profile=Profile.STRICT))
    return replace(prepared, registered=strict)


def started(grants: Grants, *, now: Instant = NOW, lifetimes: Lifetimes = IDLE) -> IssuedTokens:
    issued = grants.exchange(grants.code(now=now), now=now, lifetimes=lifetimes)
    assert isinstance(issued, IssuedTokens)
    return issued


def refreshed(grants: Grants, token: str, now: Instant) -> IssuedTokens:
    issued = grants.refresh(token, now=now, lifetimes=IDLE)
    assert isinstance(issued, IssuedTokens)
    return issued


def test_s115_a_grant_that_nobody_uses_ends(grants: Grants) -> None:
    early, late = started(grants), started(grants)
    refreshed(grants, early.refresh_token, NOW + 30 * DAY - 1)
    for _ in range(2):
        with pytest.raises(RefreshTokenIdle):
            grants.refresh(late.refresh_token, now=NOW + 30 * DAY, lifetimes=IDLE)
    # The operator who takes the rule back takes it back for those too: nothing was written.
    assert isinstance(grants.refresh(late.refresh_token, now=NOW + 30 * DAY), IssuedTokens)


def test_s115_each_refresh_begins_the_wait_anew_and_none_moves_the_absolute_end(grants: Grants) -> None:
    issued, end = started(grants), NOW + LIFETIMES.refresh_token
    for now in (NOW + 29 * DAY, NOW + 58 * DAY, NOW + 87 * DAY, end - 1):
        issued = refreshed(grants, issued.refresh_token, now)
    with pytest.raises(RefreshTokenExpired):
        grants.refresh(issued.refresh_token, now=end, lifetimes=IDLE)


def test_s115_of_a_legacy_client_it_is_as_the_operator_says(database: Database) -> None:
    grants, later = Grants.prepare(database), NOW + 89 * DAY
    issued = refreshed(grants, started(grants).refresh_token, later)
    asked = RefreshRequest(issued.refresh_token, None, None)

    def refused(now: Instant, lifetimes: Lifetimes = IDLE, *, legacy: bool = True) -> OAuthError:
        [outcome] = database.write_now(
            lambda tx: refresh_all(
                tx,
                [Asked(grants.credentials, asked, now)],
                lifetimes=lifetimes,
                keys=KEYS,
                entropy=ENTROPY,
                allows_legacy=lambda at: legacy and at == now,
            )
        )
        assert isinstance(outcome, OAuthError)
        return outcome

    long = replace(IDLE, idle=1)
    assert isinstance(refused(later + 1, long, legacy=False), RefreshTokenIdle), "held to strict"
    assert isinstance(refused(later + 2, replace(IDLE, legacy=replace(LIFETIMES, idle=2))), RefreshTokenIdle)
    assert isinstance(refused(NOW + LIFETIMES.refresh_token, long), RefreshTokenExpired), "not held to it"


def test_s115_an_access_token_ends_with_the_refresh_token_it_came_with(grants: Grants) -> None:
    issued = started(grants, lifetimes=replace(LIFETIMES, idle=60 * SECOND))
    assert issued.body()["expires_in"] == 60
    grants.verify(issued.access_token, now=NOW + 60 * SECOND - 1)
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token, now=NOW + 60 * SECOND)


def test_s115_the_operator_s_end_of_all_legacy_holds_for_the_first_pair_too(database: Database) -> None:
    grants = Grants.prepare(database)
    short = replace(LIFETIMES, access_token=60 * SECOND, legacy=LIFETIMES)
    assert started(grants, lifetimes=short).body()["expires_in"] == 3600
    strict = database.write_now(lambda tx: register_client(tx, "Strict", profile=Profile.STRICT))
    assert started(replace(grants, registered=strict), lifetimes=short).body()["expires_in"] == 60


def test_s115_a_spent_token_of_a_grant_that_rests_is_still_a_replay(grants: Grants) -> None:
    first = started(grants)
    refreshed(grants, first.refresh_token, NOW + 1)
    assert isinstance(grants.refresh(first.refresh_token, now=NOW + 60 * DAY, lifetimes=IDLE), RefreshReplay)


def test_s115_what_has_ended_is_no_longer_shown(grants: Grants) -> None:
    database, user, client = grants.database, grants.session.user, grants.client
    used = started(grants)
    started(grants)
    refreshed(grants, used.refresh_token, NOW + 10 * DAY)

    def shown(now: Instant, lifetimes: Lifetimes | None = IDLE) -> tuple[object, ...]:
        def look(tx: Transaction) -> tuple[object, ...]:
            usage = tokens.usage_by_client(tx, now, lifetimes).get(client, Usage())
            people = tokens.list_users_of(tx, client, now, lifetimes)
            count = tokens.count_users_of(tx, client, now, lifetimes)
            found = tokens.list_grants(tx, user.id, now, lifetimes)
            return usage, people == [user], count, [(each.families, each.ends_unused_at) for each in found]

        return database.read_now(look)

    end = NOW + LIFETIMES.refresh_token
    assert shown(NOW + 30 * DAY - 1) == (Usage(1, 2, 2), True, 1, [(2, NOW + 40 * DAY)])
    assert shown(NOW + 30 * DAY) == (Usage(1, 1, 1), True, 1, [(1, NOW + 40 * DAY)])
    assert shown(NOW + 40 * DAY) == (Usage(), False, 0, [])
    assert shown(NOW + 40 * DAY, LIFETIMES) == (Usage(1, 2, 2), True, 1, [(2, end)])
    assert shown(NOW + 40 * DAY, None) == (Usage(1, 2, 2), True, 1, [(2, end)])
    assert shown(NOW + 40 * DAY, replace(LIFETIMES, legacy=IDLE)) == (Usage(1, 2, 2), True, 1, [(2, end)])
    # Of a legacy client the other rule holds; with none of its own, this one.
    database.write_now(lambda tx: tx.execute(clients.update().values(profile=Profile.ATLASSIAN_DC.value)))
    assert shown(NOW + 40 * DAY) == (Usage(1, 2, 2), True, 1, [(2, end)])
    assert shown(NOW + 40 * DAY, replace(IDLE, legacy=None)) == (Usage(), False, 0, [])
    # Taken back is everything all the same, should the rule change.
    assert database.write_now(lambda tx: revoke_all_access(tx, user, NOW + 40 * DAY)) == 2
