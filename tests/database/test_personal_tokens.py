"""Personal access tokens that are made while something else happens to their user, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.database.test_ended_sessions import PATIENCE, wait_until_it_waits
from tests.support.grants import ENTROPY, KEYS, NOW, Grants
from watersmeet.clock import SECOND
from watersmeet.confluence.scopes import Scope
from watersmeet.database import personal_tokens, uses
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.users.personal_token import (
    MAX_TOKENS,
    NewToken,
    UnacceptableToken,
    Wanted,
    create_token,
    revoke_all_tokens,
    revoke_token,
)
from watersmeet.users.signin import NoLongerProven, change_password, disable_user

WANTED = Wanted("A script", Scope.WRITE, 1)
DAY = 86_400 * SECOND


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def create(tx: Transaction, grants: Grants, maker: int | None = None, wanted: Wanted = WANTED) -> NewToken:
    return create_token(tx, grants.session.user, wanted, maker=maker, now=NOW, keys=KEYS, entropy=ENTROPY)


def made(grants: Grants, maker: int | None = None, wanted: Wanted = WANTED) -> NewToken:
    return grants.database.write_now(lambda tx: create(tx, grants, maker, wanted))


def works(grants: Grants, new: NewToken, now: int = NOW) -> bool:
    [live] = grants.database.read_now(lambda tx: personal_tokens.find_live(tx, [KEYS.digest(new.raw)]))
    return live is not None and live.expires_at > now


def _new_password(tx: Transaction, grants: Grants) -> object:
    return change_password(tx, grants.session.user.username, "another hash", NOW)


def _disabled(tx: Transaction, grants: Grants) -> object:
    return disable_user(tx, grants.session.user.username, NOW)


def _all_revoked(tx: Transaction, grants: Grants) -> object:
    return revoke_all_tokens(tx, grants.session.user, NOW)


ENDINGS = [_new_password, _disabled, _all_revoked]


@pytest.mark.parametrize("end", ENDINGS)
def test_what_is_made_while_everything_ends_ends_too(
    grants: Grants, end: Callable[[Transaction, Grants], object]
) -> None:
    first = made(grants)
    with ThreadPoolExecutor(1) as other:
        ending: list[Future[object]] = []

        def make_while_it_ends(tx: Transaction) -> NewToken:
            new = create(tx, grants, first.token.id)
            ending.append(other.submit(grants.database.write_now, lambda tx: end(tx, grants)))
            wait_until_it_waits(tx, ending[0])
            return new

        second = grants.database.write_now(make_while_it_ends)
        ending[0].result(PATIENCE)
    assert not works(grants, first)
    assert not works(grants, second)


@pytest.mark.parametrize("end", ENDINGS)
def test_who_proved_it_before_makes_none_after(grants: Grants, end: Callable[[Transaction, Grants], object]) -> None:
    maker = made(grants).token.id
    grants.database.write_now(lambda tx: end(tx, grants))
    with pytest.raises(NoLongerProven):
        made(grants, maker)
    if end is not _all_revoked:
        with pytest.raises(NoLongerProven):
            made(grants)


def test_a_revoked_token_makes_none(grants: Grants) -> None:
    maker = made(grants).token.id
    assert grants.database.write_now(lambda tx: revoke_token(tx, grants.session.user, maker, NOW))
    with pytest.raises(NoLongerProven):
        made(grants, maker)


def test_of_two_at_the_same_time_only_one_gets_the_last_place(grants: Grants) -> None:
    for _ in range(MAX_TOKENS - 1):
        made(grants)
    with ThreadPoolExecutor(1) as other:
        rival: list[Future[NewToken]] = []

        def make_while_another_is_made(tx: Transaction) -> NewToken:
            new = create(tx, grants)
            rival.append(other.submit(made, grants))
            wait_until_it_waits(tx, rival[0])
            return new

        assert works(grants, grants.database.write_now(make_while_another_is_made))
        with pytest.raises(UnacceptableToken):
            rival[0].result(PATIENCE)
    user = grants.session.user.id
    assert grants.database.read_now(lambda tx: personal_tokens.count_of(tx, user, NOW)) == MAX_TOKENS


def test_what_it_makes_ends_with_it(grants: Grants) -> None:
    maker = made(grants)
    child = made(grants, maker.token.id, Wanted("For longer", Scope.SYSTEM_ADMIN, 100))
    assert child.token.expires_at == maker.token.expires_at == NOW + DAY
    assert str(child.token.scope) == "WRITE"
    assert works(grants, child, NOW + DAY - 1)
    assert not works(grants, child, NOW + DAY)
    grandchild, other = made(grants, child.token.id), made(grants)
    grants.database.write_now(lambda tx: revoke_token(tx, grants.session.user, maker.token.id, NOW))
    assert [works(grants, each) for each in (maker, child, grandchild, other)] == [False, False, False, True]


def test_what_is_being_made_with_a_token_while_it_is_revoked_ends_too(grants: Grants) -> None:
    maker = made(grants).token.id
    with ThreadPoolExecutor(1) as other:
        revoking: list[Future[bool]] = []

        def make_while_it_is_revoked(tx: Transaction) -> NewToken:
            new = create(tx, grants, maker)
            revoke = partial(revoke_token, user=grants.session.user, number=maker, now=NOW)
            revoking.append(other.submit(grants.database.write_now, revoke))
            wait_until_it_waits(tx, revoking[0])
            return new

        child = grants.database.write_now(make_while_it_is_revoked)
        assert revoking[0].result(PATIENCE)
    assert not works(grants, child)


def test_the_latest_use_counts_whoever_writes_first(grants: Grants) -> None:
    number, user = made(grants).token.id, grants.session.user.id

    def used(at: int, network: str) -> Any:
        def write(tx: Transaction) -> None:
            uses.write(tx, families={}, personal={number: (at, network)}, session_digests={})

        grants.database.write_now(write)
        [token] = grants.database.read_now(lambda tx: personal_tokens.list_of(tx, user, NOW))
        return token.last_used_at, token.last_used_from

    assert used(NOW + 5, "192.0.2.0/24") == (NOW + 5, "192.0.2.0/24")
    assert used(NOW + 2, "198.51.100.0/24") == (NOW + 5, "192.0.2.0/24")
    grants.database.write_now(lambda tx: revoke_token(tx, grants.session.user, number, NOW))
    grants.database.write_now(
        lambda tx: uses.write(tx, families={}, personal={number: (NOW + 9, None)}, session_digests={})
    )
