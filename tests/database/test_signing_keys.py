"""Rotation of the signing keys on both engines (S149)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from tests.support.grants import ENTROPY, LIFETIMES, NOW, Grants
from watersmeet.clock import SECOND
from watersmeet.database import signing_keys
from watersmeet.database.audit import COMMAND_LINE, Query, search
from watersmeet.database.engine import Database
from watersmeet.database.schema import metadata
from watersmeet.oauth2.envelope import is_genuine, seal
from watersmeet.oauth2.keys import ORIGINAL, Generation, Keys
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens import keys
from watersmeet.tokens.keys import LOOK_EVERY, PUBLISH_AHEAD

NINETY_DAYS = LIFETIMES.refresh_token


def rotate(database: Database, now: int = NOW) -> Generation:
    return database.write_now(
        lambda tx: keys.rotate(tx, now=now, lifetimes=LIFETIMES, entropy=ENTROPY, origin=COMMAND_LINE)
    )


def generations(database: Database) -> list[Generation]:
    return database.read_now(signing_keys.list_all)


def test_before_the_first_rotation_there_is_the_original_generation(database: Database) -> None:
    assert generations(database) == [ORIGINAL]


def test_s149_a_rotation_publishes_first_and_keeps_the_old_as_long_as_any_of_its_tokens(database: Database) -> None:
    newest = rotate(database)
    old, new = generations(database)
    assert new == newest
    assert (new.signs_from, new.retires_at) == (NOW + PUBLISH_AHEAD, None)
    assert (old.id, old.retires_at) == ("original", NOW + PUBLISH_AHEAD + NINETY_DAYS)
    assert PUBLISH_AHEAD >= 5 * LOOK_EVERY * SECOND, "every process has looked several times before it matters"


def test_s149_tokens_that_were_issued_under_longer_lives_count_too(database: Database) -> None:
    grants = Grants.prepare(database)
    longer = type(LIFETIMES)(LIFETIMES.access_token, 400 * 86_400 * SECOND)
    assert isinstance(grants.exchange(grants.code(), lifetimes=longer), IssuedTokens)
    rotate(database)
    assert generations(database)[0].retires_at == NOW + 400 * 86_400 * SECOND


def test_s149_in_an_emergency_nothing_old_is_accepted(database: Database) -> None:
    rotate(database)
    newest = database.write_now(lambda tx: keys.replace(tx, now=NOW + 60 * SECOND, entropy=ENTROPY))
    assert [each.id for each in generations(database) if each.is_accepted(NOW + 60 * SECOND)] == [newest.id]
    assert newest.signs_from == NOW + 60 * SECOND


def test_s149_a_retired_generation_is_forgotten_and_the_original_does_not_come_back(database: Database) -> None:
    newest = rotate(database)
    end = NOW + PUBLISH_AHEAD + NINETY_DAYS
    assert not database.read_now(lambda tx: signing_keys.any_expired(tx, end))
    assert database.read_now(lambda tx: signing_keys.any_expired(tx, end + 1))
    assert database.write_now(lambda tx: signing_keys.prune(tx, end + 1, 200)) == 1
    assert generations(database) == [newest]


def test_s150_a_rotation_is_in_the_audit_log_without_its_salt(database: Database) -> None:
    newest = rotate(database)
    [entry] = database.read_now(lambda tx: search(tx, Query(event="key.rotated")))
    assert (entry.at, entry.actor) == (NOW, "the command line")
    assert entry.detail == {
        "key": newest.id,
        "signs_from": NOW + PUBLISH_AHEAD,
        "others_retire_at": NOW + PUBLISH_AHEAD + NINETY_DAYS,
    }
    assert newest.salt not in repr(entry)


def test_s149_a_generation_has_a_name_of_4_bytes_and_a_salt_of_32_that_follow_from_nothing(database: Database) -> None:
    newest, other = rotate(database), rotate(database)
    assert (len(newest.id), len(newest.salt), newest.created_at) == (8, 64, NOW)
    assert (newest.id, newest.salt) != (other.id, other.salt)


def test_s149_whoever_rotates_may_choose_how_long_it_is_published_ahead(database: Database) -> None:
    newest = database.write_now(
        lambda tx: keys.rotate(tx, now=NOW, lifetimes=LIFETIMES, entropy=ENTROPY, ahead=3 * SECOND)
    )
    assert newest.signs_from == NOW + 3 * SECOND
    [entry] = database.read_now(lambda tx: search(tx, Query(event="key.rotated")))
    assert (entry.actor, entry.address, entry.request_id) == (None, None, None)


@pytest.mark.parametrize("delay", [0, 1, 5, 9])
def test_s149_no_process_meets_a_token_it_cannot_check(database: Database, delay: int) -> None:
    """One process looks every second, the other ``delay`` seconds late: through the whole overlap both agree."""
    prompt, late = Keys.derive("s" * 40), Keys.derive("s" * 40)
    first = seal("00" * 16, TokenKind.REFRESH, prompt)
    rotate(database)
    known = generations(database)
    for second in range(25):
        now = NOW + second * SECOND
        prompt.adopt(known, now)
        if second >= delay:
            late.adopt(known, now - delay * SECOND)
        for signer in (prompt, late):
            for reader in (prompt, late):
                assert is_genuine(seal(f"{second:032x}", TokenKind.ACCESS, signer), TokenKind.ACCESS, reader)
                assert is_genuine(first, TokenKind.REFRESH, reader)
    assert prompt.access != Keys.derive("s" * 40).access


def test_no_key_is_in_the_database(database: Database) -> None:
    rotate(database)
    held = Keys.derive("s" * 40)
    asyncio.run(keys.adopt(database, held, _At(NOW + 11 * SECOND)))
    secrets = [held.access, held.refresh, held.lookup, held.form]
    dump = database.read_now(lambda tx: [list(tx.execute(select(table))) for table in metadata.sorted_tables])
    assert not any(secret.hex() in repr(dump) for secret in secrets)
    assert held.access != Keys.derive("s" * 40).access


class _At:
    def __init__(self, instant: int) -> None:
        self._instant = instant

    def now(self) -> int:
        return self._instant
