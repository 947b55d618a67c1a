"""Clients on both engines: names, secrets, and what dies with a client."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tests.support.grants import ENTROPY, KEYS, NOW, Grants, register_client, together
from watersmeet.confluence.scopes import Scope
from watersmeet.database import clients
from watersmeet.database.clients import ClientNameTaken
from watersmeet.database.engine import Database
from watersmeet.database.schema import authorizations, client_secrets, redirect_uris, token_families, token_pairs
from watersmeet.links.credentials import HOUR, NoSecret, delete_link, rotate_secret
from watersmeet.links.register import Registered, Registration, edit
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.errors import InvalidClient, InvalidGrant, TokenInvalid

URIS = [f"https://app.example/{number}" for number in (3, 1, 2)]


def registration(name: str, *uris: str) -> Registration:
    return Registration.check(name=name, redirect_uris=list(uris or URIS), scope=Scope.READ, allow_http=False)


def test_a_client_is_read_back_as_it_was_registered(database: Database) -> None:
    made = database.write_now(lambda tx: register_client(tx, "App", scope=Scope.ADMIN))
    for found in (
        database.read_now(lambda tx: clients.find(tx, made.client.client_id)),
        database.read_now(lambda tx: clients.find_by_id(tx, made.client.id)),
    ):
        assert found == made.client
    assert made.client.scope == Scope.ADMIN.as_set
    assert made.client_secret is not None
    assert made.client.is_proven_by(KEYS.digest(made.client_secret), NOW)
    assert database.read_now(lambda tx: clients.find(tx, "nobody")) is None


def test_redirect_uris_keep_their_order_and_are_replaced_as_a_whole(database: Database) -> None:
    made = database.write_now(lambda tx: register_client(tx, "App"))
    changed = database.write_now(lambda tx: edit(tx, made.client.client_id, registration("Renamed"), NOW))
    assert [uri.value for uri in changed.redirect_uris] == URIS
    assert (changed.name, changed.scope) == ("Renamed", Scope.READ.as_set)
    assert changed.secrets == made.client.secrets


def test_names_are_unique_in_any_letter_case(database: Database) -> None:
    made = database.write_now(lambda tx: register_client(tx, "Straße"))
    other = database.write_now(lambda tx: register_client(tx, "Other"))
    with pytest.raises(ClientNameTaken):
        database.write_now(lambda tx: register_client(tx, "STRASSE"))
    with pytest.raises(ClientNameTaken):
        database.write_now(lambda tx: edit(tx, other.client.client_id, registration("strasse"), NOW))
    database.write_now(lambda tx: edit(tx, made.client.client_id, registration("STRASSE"), NOW))
    assert [client.name for client in database.read_now(clients.list_all)] == ["Other", "STRASSE"]


def test_of_20_registrations_of_one_name_exactly_one_succeeds(database: Database) -> None:
    outcomes = together(20, lambda _: database.write_now(lambda tx: register_client(tx, "App")))
    assert sum(isinstance(outcome, Registered) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ClientNameTaken) for outcome in outcomes) == 19


def test_s097_an_old_secret_works_until_the_overlap_ends(database: Database) -> None:
    grants = Grants.prepare(database)
    client = grants.registered.client
    new = database.write_now(lambda tx: rotate_secret(tx, client, overlap=HOUR, now=NOW, keys=KEYS, entropy=ENTROPY))
    renewed = replace(grants.credentials, client_secret=new)
    for credentials, now in ((grants.credentials, NOW + HOUR - 1), (renewed, NOW), (renewed, NOW + HOUR)):
        grants.revoke("anything", credentials=credentials, now=now)
    with pytest.raises(InvalidClient):
        grants.revoke("anything", now=NOW + HOUR)


def test_s097_rotating_again_does_not_prolong_the_oldest_secret_and_forgets_ended_ones(database: Database) -> None:
    grants = Grants.prepare(database)

    def rotate(client: Client, now: int, overlap: int) -> Client:
        database.write_now(lambda tx: rotate_secret(tx, client, overlap=overlap, now=now, keys=KEYS, entropy=ENTROPY))
        found = database.read_now(lambda tx: clients.find_by_id(tx, client.id))
        assert found is not None
        return found

    once = rotate(grants.registered.client, NOW, HOUR)
    twice = rotate(once, NOW + 1, 5 * HOUR)
    assert [secret.expires_at for secret in twice.secrets] == [NOW + HOUR, NOW + 1 + 5 * HOUR, None]
    thrice = rotate(twice, NOW + HOUR, 0)
    assert [secret.expires_at for secret in thrice.secrets] == [NOW + HOUR, NOW + HOUR, None]
    assert [secret.is_live(NOW + HOUR) for secret in thrice.secrets] == [False, False, True]
    assert twice.secrets[0].digest not in {secret.digest for secret in thrice.secrets}


def test_s089_a_public_client_has_no_secret_to_rotate(database: Database) -> None:
    made = database.write_now(lambda tx: register_client(tx, "App", confidential=False))
    assert (made.client_secret, made.client.secrets) == (None, ())
    with pytest.raises(NoSecret):
        database.write_now(lambda tx: rotate_secret(tx, made.client, overlap=0, now=NOW, keys=KEYS, entropy=ENTROPY))


def test_s099_everything_of_a_client_dies_with_it(database: Database) -> None:
    grants, other = Grants.prepare(database), Grants.prepare(database, "Other")
    issued, kept, code = grants.tokens(), other.tokens(), grants.code()
    grants.ask(state="still open")
    database.write_now(lambda tx: delete_link(tx, grants.registered.client, NOW))
    with pytest.raises(TokenInvalid):
        grants.verify(issued.access_token)
    for attempt in (
        lambda: grants.refresh(issued.refresh_token),
        lambda: grants.exchange(code),
        lambda: grants.revoke(issued.refresh_token),
    ):
        with pytest.raises(InvalidClient):
            attempt()
    with pytest.raises(InvalidGrant):
        grants.refresh(issued.refresh_token, credentials=other.credentials)
    for table in (redirect_uris, client_secrets, authorizations, token_families, token_pairs):
        left = database.read_now(lambda tx, t=table: tx.execute(select(func.count()).select_from(t)).scalar())  # type: ignore[misc]
        assert left == 1, table.name
    other.verify(kept.access_token)
