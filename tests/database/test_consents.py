"""Consent that is remembered, and taken back while it is being used, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.database.test_ended_sessions import PATIENCE, wait_until_it_waits
from tests.support.grants import NOW, Grants, answering
from watersmeet.authorize.decide import approve, approve_again
from watersmeet.database import consents
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.links.authorized import ask_again, revoke_access, revoke_all_access
from watersmeet.links.credentials import delete_link, disable_link
from watersmeet.links.register import Registration, edit
from watersmeet.oauth2.authorization import Authorization
from watersmeet.oauth2.errors import CodeUnknown, InvalidClient
from watersmeet.users.signin import change_password, disable_user

DAY = 86_400_000


@pytest.fixture
def grants(database: Database) -> Grants:
    found = Grants.prepare(database)
    question = found.ask()
    database.write_now(
        lambda tx: approve(tx, question.id, answering(found.session), remember=DAY),
    )
    return found


def again(tx: Transaction, grants: Grants, question: Authorization, now: int = NOW) -> str | None:
    return approve_again(tx, question.id, answering(grants.session, now), longest=DAY)


def _removed(tx: Transaction, grants: Grants) -> object:
    return revoke_access(tx, grants.session.user, grants.registered.client.client_id, NOW)


def _all_removed(tx: Transaction, grants: Grants) -> object:
    return revoke_all_access(tx, grants.session.user, NOW)


def _new_password(tx: Transaction, grants: Grants) -> object:
    return change_password(tx, grants.session.user.username, "another hash", NOW)


def _disabled(tx: Transaction, grants: Grants) -> object:
    return disable_user(tx, grants.session.user.username, NOW)


def _link_disabled(tx: Transaction, grants: Grants) -> object:
    return disable_link(tx, grants.registered.client, NOW)


def _link_deleted(tx: Transaction, grants: Grants) -> None:
    delete_link(tx, grants.registered.client, NOW)


@pytest.mark.parametrize("end", [_removed, _all_removed, _new_password, _disabled, _link_disabled, _link_deleted])
def test_s070_a_code_given_without_asking_while_it_ends_is_withdrawn(
    grants: Grants, end: Callable[[Transaction, Grants], object]
) -> None:
    question = grants.ask()
    with ThreadPoolExecutor(1) as other:
        ending: list[Future[object]] = []

        def approve_while_it_ends(tx: Transaction) -> str | None:
            url = again(tx, grants, question)
            ending.append(other.submit(grants.database.write_now, lambda tx: end(tx, grants)))
            wait_until_it_waits(tx, ending[0])
            return url

        url = grants.database.write_now(approve_while_it_ends)
        ending[0].result(PATIENCE)
    assert url
    with pytest.raises((CodeUnknown, InvalidClient)):
        grants.exchange(url.partition("code=")[2].partition("&")[0])
    assert grants.database.read_now(lambda tx: consents.list_of(tx, grants.session.user.id, NOW)) == []


def test_once_it_is_taken_back_it_answers_nothing(grants: Grants) -> None:
    question = grants.ask()
    user, client_id = grants.session.user, grants.registered.client.client_id
    assert grants.database.write_now(lambda tx: ask_again(tx, user, client_id, NOW))
    assert grants.database.write_now(lambda tx: again(tx, grants, question)) is None
    assert not grants.database.write_now(lambda tx: ask_again(tx, user, client_id, NOW))
    assert not grants.database.write_now(lambda tx: ask_again(tx, user, "unknown", NOW))


def test_a_later_answer_replaces_an_earlier_one(grants: Grants) -> None:
    [first] = grants.database.read_now(lambda tx: consents.list_of(tx, grants.session.user.id, NOW))
    later = replace(first.consent, created_at=NOW + 1, expires_at=NOW + 1 + DAY)
    grants.database.write_now(lambda tx: consents.add(tx, later))
    other = replace(first.consent, redirect_uri="https://app.example/other")
    grants.database.write_now(lambda tx: consents.add(tx, other))
    listed = grants.database.read_now(lambda tx: consents.list_of(tx, grants.session.user.id, NOW))
    assert [each.consent for each in listed] == [other, later]
    assert {each.client_name for each in listed} == {grants.registered.client.name}


def test_an_address_as_long_as_any_can_be_remembered(grants: Grants) -> None:
    [first] = grants.database.read_now(lambda tx: consents.list_of(tx, grants.session.user.id, NOW))
    long = replace(first.consent, redirect_uri="https://app.example/" + "x" * 2028)
    grants.database.write_now(lambda tx: consents.add(tx, long))
    held = grants.database.write_now(lambda tx: consents.hold(tx, long.client, long.user_id, long.redirect_uri))
    assert held == [long]


def test_nobody_means_everybody_is_refused(grants: Grants) -> None:
    with pytest.raises(ValueError, match="name a user"):
        grants.database.write_now(consents.forget)


def test_s057_what_was_allowed_while_the_link_was_edited_counts_for_nothing(grants: Grants) -> None:
    """Whoever had the old name before their eyes did not allow the new one, even if their answer was written later."""
    client, question = grants.registered.client, grants.ask()
    [old] = grants.database.read_now(lambda tx: consents.list_of(tx, grants.session.user.id, NOW))
    registration = Registration("Another name", client.redirect_uris, client.scope, client.profile)
    grants.database.write_now(lambda tx: edit(tx, client.client_id, registration, NOW))
    grants.database.write_now(lambda tx: consents.add(tx, old.consent))
    assert grants.database.write_now(lambda tx: again(tx, grants, question)) is None
