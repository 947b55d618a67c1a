"""What happens to a refresh token that comes again, on both engines (S111, note N10)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, func, select

from tests.support.grants import NOW, Grants, register_client, together
from watersmeet.clock import SECOND
from watersmeet.confluence.scopes import Scope
from watersmeet.database.engine import Database
from watersmeet.database.schema import token_families, token_pairs
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import GrantRevoked, RefreshTokenUnknown, TokenInvalid
from watersmeet.oauth2.family import RefreshReplay, RotationPolicy
from watersmeet.oauth2.response import IssuedTokens

GRACE = RotationPolicy(grace=2 * SECOND)


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def _refreshed(grants: Grants, token: str, *, now: int = NOW, policy: RotationPolicy = GRACE) -> IssuedTokens:
    issued = grants.refresh(token, now=now, policy=policy)
    assert isinstance(issued, IssuedTokens)
    return issued


def _reason(grants: Grants) -> str | None:
    reason: str | None = grants.database.read_now(
        lambda tx: tx.execute(select(token_families.c.revoked_because)).scalar_one()
    )
    return reason


def test_s111_a_repeated_request_gets_the_same_pair_for_a_while(grants: Grants) -> None:
    first = grants.tokens()
    second = _refreshed(grants, first.refresh_token)
    again = _refreshed(grants, first.refresh_token, now=NOW + 1900)
    assert again.body() == second.body()
    assert (second.resent, again.resent) == (False, True)
    grants.verify(again.access_token)
    with pytest.raises(TokenInvalid):
        grants.verify(first.access_token)
    assert isinstance(grants.refresh(first.refresh_token, now=NOW + 2100, policy=GRACE), RefreshReplay)
    assert _reason(grants) == "reuse after lost response?"
    with pytest.raises(GrantRevoked):
        grants.refresh(second.refresh_token, policy=GRACE)


def test_s111_sending_again_does_not_extend_the_grace(grants: Grants) -> None:
    first = grants.tokens()
    _refreshed(grants, first.refresh_token)
    for later in (900, 1900):
        _refreshed(grants, first.refresh_token, now=NOW + later)
    assert isinstance(grants.refresh(first.refresh_token, now=NOW + 2800, policy=GRACE), RefreshReplay)


def test_s111_only_the_last_but_one_token_has_a_grace(grants: Grants) -> None:
    first = grants.tokens()
    second = _refreshed(grants, first.refresh_token)
    _refreshed(grants, second.refresh_token)
    assert isinstance(grants.refresh(first.refresh_token, policy=GRACE), RefreshReplay)
    assert _reason(grants) == "replayed"


def test_s111_only_its_own_client_has_it(grants: Grants) -> None:
    first = grants.tokens()
    second = _refreshed(grants, first.refresh_token)
    other = grants.database.write_now(lambda tx: register_client(tx, "Other"))
    theirs = ClientCredentials(other.client.client_id, other.client_secret, from_basic=False)
    with pytest.raises(RefreshTokenUnknown):
        grants.refresh(first.refresh_token, credentials=theirs, policy=GRACE)
    grants.verify(second.access_token)


def test_s111_not_after_a_revocation(grants: Grants) -> None:
    first = grants.tokens()
    second = _refreshed(grants, first.refresh_token)
    assert grants.revoke(second.access_token)
    with pytest.raises(GrantRevoked):
        grants.refresh(first.refresh_token, policy=GRACE)


def test_s111_not_for_another_scope(grants: Grants) -> None:
    first = grants.tokens()
    _refreshed(grants, first.refresh_token)
    outcome = grants.refresh(first.refresh_token, scope=Scope.READ.as_set, policy=GRACE)
    assert isinstance(outcome, RefreshReplay)


def test_s111_20_parallel_requests_all_get_the_one_successor(grants: Grants) -> None:
    first = grants.tokens()
    outcomes = together(20, lambda _: grants.refresh(first.refresh_token, policy=GRACE))
    pairs = {(it.access_token, it.refresh_token) for it in outcomes if isinstance(it, IssuedTokens)}
    assert (len(pairs), [it for it in outcomes if not isinstance(it, IssuedTokens)]) == (1, [])
    stored = grants.database.read_now(lambda tx: tx.execute(select(func.count(token_pairs.c.id))).scalar_one())
    assert stored == 2


def test_a_successor_made_without_a_grace_cannot_be_sent_again(grants: Grants) -> None:
    """The operator switched the grace on between the two requests: the first answer followed from nothing."""
    first = grants.tokens()
    _refreshed(grants, first.refresh_token, policy=RotationPolicy())
    assert isinstance(grants.refresh(first.refresh_token, policy=GRACE), RefreshReplay)


def test_n10_a_probable_lost_response_is_named_also_without_a_grace(grants: Grants) -> None:
    first = grants.tokens()
    _refreshed(grants, first.refresh_token, policy=RotationPolicy())
    outcome = grants.refresh(first.refresh_token)
    assert isinstance(outcome, RefreshReplay)
    assert outcome.after_lost_response
    assert _reason(grants) == "reuse after lost response?"


def test_v19_the_end_of_a_family_costs_the_same_however_long_it_is(grants: Grants) -> None:
    """The same statements, over as many rows: whoever replays an old token buys no work with it."""

    def ended(generations: int) -> list[tuple[str, int]]:
        first = token = grants.tokens().refresh_token
        for _ in range(generations):
            token = _refreshed(grants, token).refresh_token
        done: list[tuple[str, int]] = []

        def note(_connection: object, cursor: Any, statement: str, *_: object) -> None:
            done.append((statement, cursor.rowcount))

        event.listen(grants.database.engine, "after_cursor_execute", note)
        try:
            assert isinstance(grants.refresh(first, now=NOW + 3000), RefreshReplay)
        finally:
            event.remove(grants.database.engine, "after_cursor_execute", note)
        with pytest.raises(GrantRevoked):
            grants.refresh(token)
        return done

    short, long = ended(2), ended(200)
    assert any(statement.startswith("UPDATE token_families") and rows == 1 for statement, rows in short)
    assert long == short
