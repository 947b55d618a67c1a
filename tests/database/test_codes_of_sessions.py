"""Codes end with the browser session in which they were given, on both engines (S077)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import insert

from tests.database.test_ended_sessions import PATIENCE, wait_until_it_waits
from tests.support.grants import ENTROPY, KEYS, LIFETIMES, NOW, REDIRECT_URI, VERIFIER, Grants, answering
from watersmeet.authorize.decide import approve
from watersmeet.database import users
from watersmeet.database.engine import Database
from watersmeet.database.schema import sessions
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.authorization import CodeReplay
from watersmeet.oauth2.errors import CodeUnknown
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.tokens.exchange import ExchangeRequest, exchange
from watersmeet.users.session import EVERYWHERE_ELSE, end_elsewhere
from watersmeet.users.signin import change_password, disable_user, end_access

T = TypeVar("T")


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def _signed_out(tx: Transaction, grants: Grants) -> None:
    users.end_session(tx, grants.session.digest)


def _signed_out_from_elsewhere(tx: Transaction, grants: Grants) -> None:
    users.end_session_of(tx, grants.session.user.id, grants.session.digest[: users.SESSION_NAME_LENGTH])


def _new_password(tx: Transaction, grants: Grants) -> None:
    change_password(tx, grants.session.user.username, "another hash", NOW)


def _disabled(tx: Transaction, grants: Grants) -> None:
    disable_user(tx, grants.session.user.username, NOW)


def _access_ended(tx: Transaction, grants: Grants) -> None:
    end_access(tx, grants.session.user.username, NOW)


@pytest.mark.parametrize("end", [_signed_out, _signed_out_from_elsewhere, _new_password, _disabled, _access_ended])
def test_s077_an_unspent_code_ends_with_its_session(grants: Grants, end: Callable[[Transaction, Grants], None]) -> None:
    code = grants.code()
    grants.database.write_now(lambda tx: end(tx, grants))
    with pytest.raises(CodeUnknown):
        grants.exchange(code)


def test_s077_a_code_of_another_session_and_what_was_exchanged_stay(grants: Grants) -> None:
    spent, elsewhere = grants.code(), grants.signed_in_again(NOW)
    issued, other = grants.exchange(spent), elsewhere.code()
    assert isinstance(issued, IssuedTokens)
    grants.database.write_now(lambda tx: _signed_out(tx, grants))
    grants.verify(issued.access_token)
    assert isinstance(elsewhere.exchange(other), IssuedTokens)
    assert isinstance(grants.exchange(spent), CodeReplay), "recognised all the same"


def test_s077_signing_out_everywhere_else_spares_the_code_of_this_browser(grants: Grants) -> None:
    here, elsewhere = grants.code(), grants.signed_in_again(NOW)
    there = elsewhere.code()
    assert grants.database.write_now(lambda tx: end_elsewhere(tx, grants.session, EVERYWHERE_ELSE, NOW)) == 1
    with pytest.raises(CodeUnknown):
        elsewhere.exchange(there)
    assert isinstance(grants.exchange(here), IssuedTokens)


def test_s067_nobody_is_signed_in_too_often_to_be_disabled(grants: Grants) -> None:
    """Both engines bind so many parameters to a statement, and no more: PostgreSQL 65,535."""
    code, user = grants.code(), grants.session.user
    often = [
        {"digest": f"{number:064x}", "user_id": user.id, "created_at": NOW, "expires_at": NOW + 1}
        for number in range(65_536)
    ]
    grants.database.write_now(lambda tx: tx.execute(insert(sessions), often))
    grants.database.write_now(lambda tx: _disabled(tx, grants))
    assert grants.database.read_now(lambda tx: users.list_sessions(tx, user.id, NOW)) == []
    with pytest.raises(CodeUnknown):
        grants.exchange(code)


def test_s077_a_code_that_is_given_while_its_session_ends_is_withdrawn(grants: Grants) -> None:
    question = grants.ask()

    def allow(tx: Transaction) -> str:
        return approve(tx, question.id, answering(grants.session))

    url = _while(grants, allow)
    with pytest.raises(CodeUnknown):
        grants.exchange(url.partition("code=")[2].partition("&")[0])


def test_s077_an_exchange_that_is_under_way_when_the_session_ends_comes_before_it(grants: Grants) -> None:
    code = grants.code()
    request = ExchangeRequest(code, REDIRECT_URI, VERIFIER)

    def take(tx: Transaction) -> IssuedTokens | CodeReplay:
        return exchange(tx, grants.credentials, request, now=NOW, lifetimes=LIFETIMES, keys=KEYS, entropy=ENTROPY)

    issued = _while(grants, take)
    assert isinstance(issued, IssuedTokens)
    grants.verify(issued.access_token)
    assert isinstance(grants.exchange(code), CodeReplay)


def _while(grants: Grants, operation: Callable[[Transaction], T]) -> T:
    """The value of an operation, before whose end somebody began to sign out."""
    with ThreadPoolExecutor(1) as other:
        ending: list[Future[object]] = []

        def and_meanwhile(tx: Transaction) -> T:
            value = operation(tx)
            ending.append(other.submit(grants.database.write_now, lambda tx: _signed_out(tx, grants)))
            wait_until_it_waits(tx, ending[0])
            return value

        value = grants.database.write_now(and_meanwhile)
        ending[0].result(PATIENCE)
    return value
