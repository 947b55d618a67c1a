"""Sessions that end while their browser's request is under way, on both engines: it opens nothing any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.grants import CODE_LIFETIME, ENTROPY, KEYS, NOW, Grants, answering
from watersmeet.authorize.decide import NoOpenQuestion, approve, deny
from watersmeet.database import users
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.oauth2.authorization import Authorization
from watersmeet.oauth2.errors import CodeUnknown
from watersmeet.users import session as sessions
from watersmeet.users.signin import NoLongerProven, change_own_password, change_password, disable_user

PATIENCE = 60  # seconds


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def _new_password(tx: Transaction, grants: Grants) -> User:
    return change_password(tx, grants.session.user.username, "another hash", NOW)


def _disabled(tx: Transaction, grants: Grants) -> User:
    return disable_user(tx, grants.session.user.username, NOW)


def _signed_out(tx: Transaction, grants: Grants) -> None:
    users.end_session(tx, grants.session.digest)


def _allow(tx: Transaction, question: Authorization, grants: Grants) -> str:
    return approve(tx, question.id, answering(grants.session))


@pytest.mark.parametrize("end", [_new_password, _disabled, _signed_out])
def test_s067_s117_a_session_that_ended_answers_nothing(
    grants: Grants, end: Callable[[Transaction, Grants], object]
) -> None:
    question = grants.ask()
    grants.database.write_now(lambda tx: end(tx, grants))
    with pytest.raises(NoOpenQuestion):
        grants.database.write_now(lambda tx: _allow(tx, question, grants))
    with pytest.raises(NoOpenQuestion):
        grants.database.write_now(lambda tx: deny(tx, question.id, answering(grants.session)))


@pytest.mark.parametrize("end", [_new_password, _disabled])
def test_s067_s117_a_code_given_meanwhile_is_withdrawn(
    grants: Grants, end: Callable[[Transaction, Grants], object]
) -> None:
    question = grants.ask()
    with ThreadPoolExecutor(1) as other:
        ending: list[Future[object]] = []

        def allow_while_it_ends(tx: Transaction) -> str:
            url = _allow(tx, question, grants)
            ending.append(other.submit(grants.database.write_now, lambda tx: end(tx, grants)))
            wait_until_it_waits(tx, ending[0])
            return url

        url = grants.database.write_now(allow_while_it_ends)
        ending[0].result(PATIENCE)
    with pytest.raises(CodeUnknown):
        grants.exchange(url.partition("code=")[2].partition("&")[0])


@pytest.mark.parametrize("end", [_new_password, _disabled])
def test_s067_s117_who_proved_it_before_is_not_let_in_after(
    grants: Grants, end: Callable[[Transaction, Grants], User]
) -> None:
    def start(user: User) -> str | None:
        return grants.database.write_now(lambda tx: sessions.start(tx, user, KEYS, ENTROPY, NOW, CODE_LIFETIME))

    verified = grants.session.user
    assert start(verified)
    after = grants.database.write_now(lambda tx: end(tx, grants))
    assert start(verified) is None
    assert (start(after) is None) == (end is _disabled)
    remaining = grants.database.read_now(lambda tx: users.list_sessions(tx, verified.id, NOW))
    assert len(remaining) == (end is _new_password)


@pytest.mark.parametrize("end", [_new_password, _disabled])
def test_s067_s117_a_session_that_begins_meanwhile_ends(
    grants: Grants, end: Callable[[Transaction, Grants], object]
) -> None:
    with ThreadPoolExecutor(1) as other:
        ending: list[Future[object]] = []

        def start_while_it_ends(tx: Transaction) -> str | None:
            identifier = sessions.start(tx, grants.session.user, KEYS, ENTROPY, NOW, CODE_LIFETIME)
            ending.append(other.submit(grants.database.write_now, lambda tx: end(tx, grants)))
            wait_until_it_waits(tx, ending[0])
            return identifier

        identifier = grants.database.write_now(start_while_it_ends)
        ending[0].result(PATIENCE)
    assert identifier
    assert grants.database.read_now(lambda tx: sessions.find(tx, identifier, KEYS, NOW)) is None
    assert grants.database.read_now(lambda tx: users.list_sessions(tx, grants.session.user.id, NOW)) == []


def wait_until_it_waits(tx: Transaction, other: Future[Any]) -> None:
    """Until PostgreSQL says that the other transaction waits for this one, or it ends; SQLite has one writer."""
    if tx.dialect.name != "postgresql":
        return
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid")
    end = time.monotonic() + PATIENCE
    while not other.done() and tx.execute(waiting).scalar_one() == 0:
        assert time.monotonic() < end, "the other transaction neither waits nor ends"


def _change_own(tx: Transaction, grants: Grants, password_hash: str = "typed hash") -> User:
    return change_own_password(tx, grants.session, grants.session.user, password_hash, NOW)


def _password_of(grants: Grants) -> str:
    user = grants.database.read_now(lambda tx: users.find_by_id(tx, grants.session.user.id))
    assert user is not None
    return user.password_hash


@pytest.mark.parametrize("end", [_new_password, _disabled, _signed_out])
def test_s117_who_proved_it_before_does_not_overwrite_what_came_after(
    grants: Grants, end: Callable[[Transaction, Grants], object]
) -> None:
    grants.database.write_now(lambda tx: end(tx, grants))
    after = _password_of(grants)
    with pytest.raises(NoLongerProven):
        grants.database.write_now(lambda tx: _change_own(tx, grants))
    assert _password_of(grants) == after


def test_s117_another_password_is_another_proof_although_the_session_lives(grants: Grants) -> None:
    grants.database.write_now(lambda tx: users.set_password(tx, grants.session.user.id, "another hash"))
    again = grants.signed_in_again(NOW)
    with pytest.raises(NoLongerProven):
        grants.database.write_now(
            lambda tx: change_own_password(tx, again.session, grants.session.user, "typed hash", NOW)
        )
    assert _password_of(grants) == "another hash"


def test_s117_a_reset_that_meets_the_change_is_the_last_word(grants: Grants) -> None:
    """Whoever comes second waits; a reset that waited replaces what was typed, and never the other way round."""
    with ThreadPoolExecutor(1) as other:
        resetting: list[Future[object]] = []

        def change_while_it_is_reset(tx: Transaction) -> None:
            _change_own(tx, grants)
            resetting.append(other.submit(grants.database.write_now, lambda tx: _new_password(tx, grants)))
            wait_until_it_waits(tx, resetting[0])

        grants.database.write_now(change_while_it_is_reset)
        resetting[0].result(PATIENCE)
    assert _password_of(grants) == "another hash"
