"""Counting what is accepted for compatibility, and clients from before there were profiles, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from tests.support.grants import KEYS, NOW, Grants, answering, register_client, together
from watersmeet.authorize.decide import NoOpenQuestion, approve, approve_again, deny
from watersmeet.clock import Instant
from watersmeet.database import clients, legacy, schema
from watersmeet.database.engine import Database
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import AuthenticationMethod, ClientCredentials
from watersmeet.oauth2.errors import CredentialInQuery, InvalidClient, OtherClientAuthentication
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.tokens.authenticate import authenticate

DAY = 86_400_000
BOTH = [Legacy.CREDENTIAL_IN_QUERY, Legacy.TWO_AUTHENTICATIONS]


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants.prepare(database)


def test_no_acceptance_is_lost_when_many_count_at_once(grants: Grants) -> None:
    def count(number: int) -> None:
        kinds = BOTH if number % 2 else list(reversed(BOTH))
        grants.database.write_now(lambda tx: legacy.record(tx, grants.registered.client, kinds, NOW + number))

    assert together(20, count) == [None] * 20
    found = grants.database.read_now(lambda tx: legacy.of_client(tx, grants.client))
    assert {kind: of.count for kind, of in found.items()} == dict.fromkeys(BOTH, 20)
    assert all(NOW <= at <= NOW + 19 for of in found.values() for at in (of.first_at, of.last_at))


def test_counts_go_with_their_client(grants: Grants) -> None:
    other = grants.database.write_now(lambda tx: register_client(tx, "Other")).client

    def run(tx: Transaction) -> list[int]:
        legacy.record(tx, other, BOTH, NOW)
        clients.remove(tx, other.id)
        return [of.count for of in legacy.of_client(tx, other.id).values()]

    assert grants.database.write_now(run) == []


def test_a_client_from_before_there_were_profiles_is_a_legacy_client(database: Database) -> None:
    old = {"client_id": "old", "name": "Old", "name_key": "old", "confidential": True, "scope": "READ"}

    def add(tx: Transaction) -> None:
        tx.execute(insert(schema.clients), old | {"created_at": NOW, "created_by": "admin"})

    database.write_now(add)
    found = database.read_now(lambda tx: clients.find(tx, "old"))
    assert found is not None
    assert (found.profile, found.refuses, found.authentication) == (Profile.ATLASSIAN_DC, frozenset(), None)
    assert (found.may_introspect, found.plain_answers, found.pkce_seen_at) == (False, False, None)


def test_rules_are_kept(grants: Grants) -> None:
    def change(tx: Transaction) -> None:
        clients.change_rules(
            tx,
            grants.client,
            profile=Profile.ATLASSIAN_DC,
            refuses=BOTH,
            authentication=AuthenticationMethod.BASIC,
            may_introspect=True,
            plain_answers=True,
            refresh_grace_seconds=2,
            expires_at=None,
        )

    grants.database.write_now(change)
    found = grants.database.read_now(lambda tx: clients.find_by_id(tx, grants.client))
    assert found is not None
    assert (found.refuses, found.authentication) == (frozenset(BOTH), AuthenticationMethod.BASIC)
    assert (found.may_introspect, found.plain_answers, found.refresh_grace_seconds) == (True, True, 2)


def test_pkce_is_first_seen_once(grants: Grants) -> None:
    def seen() -> Instant | None:
        found = grants.database.read_now(lambda tx: clients.find_by_id(tx, grants.client))
        assert found is not None
        return found.pkce_seen_at

    grants.ask(now=NOW + 1)
    grants.code(now=NOW + 2, pkce=False)
    assert seen() is None, "a question is no use of it, whoever made it up"
    for now in (NOW + 3, NOW + 4):
        grants.code(now=now)
    assert seen() == NOW + 3


def test_n1_what_a_request_lacks_is_counted_once_it_is_allowed(grants: Grants) -> None:
    def counted() -> dict[Legacy, int]:
        found = grants.database.read_now(lambda tx: legacy.of_client(tx, grants.client))
        return {kind: of.count for kind, of in found.items()}

    asked = [grants.ask(pkce=False, state="seen again and again") for _ in range(3)]
    grants.database.write_now(lambda tx: deny(tx, asked[0].id, answering(grants.session)))
    assert counted() == {}, "asked and refused: nothing was accepted"
    allow = [lambda tx, each=each: approve(tx, each.id, answering(grants.session), remember=DAY) for each in asked[1:]]
    grants.database.write_now(allow[0])
    with pytest.raises(NoOpenQuestion):
        grants.database.write_now(allow[0])
    assert counted() == {Legacy.NO_PKCE: 1}
    unasked = grants.ask(pkce=False, state="seen again and again")
    assert grants.database.write_now(lambda tx: approve_again(tx, unasked.id, answering(grants.session), longest=DAY))
    assert counted() == {Legacy.NO_PKCE: 2}, "remembered consent is consent"


def test_only_a_client_that_proved_itself_learns_what_it_may_not_do(grants: Grants) -> None:
    strict = grants.database.write_now(lambda tx: register_client(tx, "Strict", profile=Profile.STRICT))
    kinds = frozenset({Legacy.CREDENTIAL_IN_QUERY})
    for secret, refusal in ((strict.client_secret, CredentialInQuery), ("wrong", InvalidClient)):
        sent = ClientCredentials(strict.client.client_id, secret, from_basic=False, legacy=kinds)
        with pytest.raises(refusal):
            grants.database.write_now(lambda tx: authenticate(tx, sent, KEYS, NOW))  # noqa: B023 - run at once
    assert grants.database.read_now(lambda tx: legacy.of_client(tx, strict.client.id)) == {}


def test_s092_the_other_method_is_refused_like_a_wrong_secret(grants: Grants) -> None:
    assert OtherClientAuthentication().description == InvalidClient().description
