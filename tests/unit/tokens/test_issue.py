"""Issuing: identifiers, strings, and what is kept of them."""

from __future__ import annotations

from watersmeet.confluence.scopes import Scope
from watersmeet.database.tokens import NewPair
from watersmeet.oauth2.envelope import seal
from watersmeet.oauth2.family import PairState, TokenPair
from watersmeet.oauth2.keys import Generation, Keys
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens.issue import TokenIds, issue

SECRET = "the secret of these tests, long enough to be one"
KEYS = Keys.derive(SECRET)
PAIR = TokenPair(3, Scope.WRITE.as_set, PairState.ACTIVE, 0, 1000)
IDS = TokenIds("aa" * 16, "bb" * 16)


class Counting:
    """Entropy that can be told apart: the first draw is all 1, the next all 2."""

    def __init__(self) -> None:
        self.draws = 0

    def hex(self, size: int) -> str:
        self.draws += 1
        return f"{self.draws:02x}" * size


def test_s121_random_identifiers_are_two_draws_of_the_length_that_is_asked_for() -> None:
    assert TokenIds.random(Counting(), 16) == TokenIds("01" * 16, "02" * 16)
    assert TokenIds.random(Counting(), 32) == TokenIds("01" * 32, "02" * 32)


def test_s111_following_identifiers_follow_from_the_token_its_generation_and_the_kind() -> None:
    following = TokenIds.following("a token", 4, KEYS, 16)
    assert following == TokenIds(
        KEYS.successor_id("a token", 4, TokenKind.ACCESS, 16), KEYS.successor_id("a token", 4, TokenKind.REFRESH, 16)
    )
    assert following.access != following.refresh
    for other in (TokenIds.following("another", 4, KEYS, 16), TokenIds.following("a token", 5, KEYS, 16)):
        assert {other.access, other.refresh}.isdisjoint({following.access, following.refresh})
    assert len(TokenIds.following("a token", 4, KEYS, 32).refresh) == 64


def test_s118_each_identifier_is_sealed_as_its_own_kind() -> None:
    access, refresh = seal(IDS.access, TokenKind.ACCESS, KEYS), seal(IDS.refresh, TokenKind.REFRESH, KEYS)
    assert IDS.seal(PAIR, KEYS) == IssuedTokens(PAIR, access, refresh)


def test_s149_after_a_rotation_what_was_sealed_before_is_made_again_with_each_accepted_key() -> None:
    rotated = Keys.derive(SECRET)
    rotated.adopt([Generation("old", "", 0, 0, 2_000), Generation("new", "5a17", 900, 1_000, None)], 1_500)
    assert IDS.sealed_before(PAIR, rotated) == [IDS.seal(PAIR, rotated), IDS.seal(PAIR, KEYS)]


def test_s094_only_digests_of_the_two_strings_are_kept() -> None:
    kept, told = issue("f" * 32, PAIR, KEYS, IDS)
    assert told == IDS.seal(PAIR, KEYS)
    assert kept == NewPair("f" * 32, PAIR, KEYS.digest(told.access_token), KEYS.digest(told.refresh_token))


def test_identifiers_are_not_shown() -> None:
    assert IDS.access not in repr(IDS)
    assert IDS.refresh not in repr(IDS)
