"""Keys: HKDF (RFC 5869), one key for each purpose."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.oauth2.envelope import is_genuine, seal
from watersmeet.oauth2.keys import Generation, Keys, derive_key
from watersmeet.oauth2.vocabulary import TokenKind

SECRET = "a secret of these tests that is long enough"


@given(st.binary(min_size=1, max_size=200), st.text(st.characters(codec="utf-8"), max_size=50))
def test_keys_are_derived_by_hkdf(secret: bytes, purpose: str) -> None:
    independent = HKDF(algorithm=SHA256(), length=32, salt=b"watersmeet", info=purpose.encode())
    assert derive_key(secret, purpose) == independent.derive(secret)


def test_all_keys_of_a_secret_differ() -> None:
    keys = Keys.derive(SECRET)
    derived = [
        keys.access, keys.refresh, keys.lookup, keys.form, keys.successor, bytes.fromhex(keys.fingerprint)
    ]  # fmt: skip
    assert len(set(derived)) == 6
    assert {len(key) for key in derived} == {32}


def test_another_secret_gives_other_keys_and_the_same_secret_the_same() -> None:
    keys, same, other = Keys.derive(SECRET), Keys.derive(SECRET), Keys.derive(SECRET + "x")
    assert keys == same
    for name in ("access", "refresh", "lookup", "form", "fingerprint"):
        assert getattr(keys, name) != getattr(other, name)


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("lookup", "lookup of stored credentials"),
        ("form", "form tokens"),
        ("successor", "successors of refresh tokens"),
        ("access", "access token signature"),
        ("refresh", "refresh token signature"),
    ],
)
def test_the_purposes_never_change_or_what_is_stored_could_not_be_read_any_more(name: str, purpose: str) -> None:
    assert getattr(Keys.derive(SECRET), name) == derive_key(SECRET.encode(), purpose)


def test_a_database_recognises_its_secret_by_the_fingerprint() -> None:
    assert Keys.derive(SECRET).fingerprint == derive_key(SECRET.encode(), "fingerprint").hex()


@pytest.mark.parametrize("kind", list(TokenKind))
@pytest.mark.parametrize("presented", ["a token", "\ud800"])
def test_s111_a_successor_follows_from_token_generation_and_kind_by_a_key_of_its_own(
    kind: TokenKind, presented: str
) -> None:
    keys = Keys.derive(SECRET)
    seed = b"%s\x007\x00%s" % (kind.value.encode(), presented.encode("utf-8", "surrogatepass"))
    expected = hmac.new(keys.successor, seed, hashlib.sha256).hexdigest()
    assert keys.successor_id(presented, 7, kind, 32) == expected
    assert keys.successor_id(presented, 7, kind, 16) == expected[:32]


def test_s118_each_kind_of_token_has_its_own_signing_key() -> None:
    keys = Keys.derive(SECRET)
    assert keys.signing(TokenKind.ACCESS) == keys.access
    assert keys.signing(TokenKind.REFRESH) == keys.refresh


def test_s094_what_is_stored_of_a_credential_is_a_keyed_digest() -> None:
    keys = Keys.derive(SECRET)
    assert keys.digest("credential") == hmac.new(keys.lookup, b"credential", hashlib.sha256).hexdigest()
    assert keys.digest("credential") != hashlib.sha256(b"credential").hexdigest()
    assert keys.digest(keys.digest("credential")) != keys.digest("credential")


def test_a_client_secret_follows_from_the_servers_secret_and_its_salt() -> None:
    keys, other = Keys.derive(SECRET), Keys.derive(SECRET + "x")
    assert keys.client_secret("salt") == derive_key(SECRET.encode(), "client secret salt").hex()
    assert len({keys.client_secret("salt"), keys.client_secret("tlas"), other.client_secret("salt")}) == 3


@pytest.mark.parametrize("credential", ["", "\x00", "ü🦆", "\ud800", "x" * 100_000])
def test_any_text_has_a_digest_of_64_characters(credential: str) -> None:
    assert len(Keys.derive(SECRET).digest(credential)) == 64


def test_keys_do_not_show_themselves() -> None:
    keys = Keys.derive(SECRET)
    shown = repr(keys)
    assert SECRET not in shown
    for key in (keys.access, keys.refresh, keys.lookup, keys.form):
        assert repr(key) not in shown
        assert key.hex() not in shown


# ---- rotation (S149) --------------------------------------------------------------------------------------

OLD = Generation("old", "", 0, 0, 2_000)
NEW = Generation("new", "5a17", 900, 1_000, None)


def test_the_original_keys_are_those_the_secret_alone_gives() -> None:
    keys = Keys.derive(SECRET)
    assert keys.access == derive_key(SECRET.encode(), "access token signature")
    assert keys.refresh == derive_key(SECRET.encode(), "refresh token signature")


@pytest.mark.parametrize(
    ("now", "signer", "accepted"),
    [(999, "old", 2), (1_000, "new", 2), (1_999, "new", 2), (2_000, "new", 1)],
)
def test_s149_published_then_signing_then_alone(now: int, signer: str, accepted: int) -> None:
    keys, original = Keys.derive(SECRET), Keys.derive(SECRET)
    keys.adopt([OLD, NEW], now)
    for kind in TokenKind:
        assert (keys.signing(kind) == original.signing(kind)) == (signer == "old")
        assert len(keys.accepted(kind)) == accepted
        assert keys.accepted(kind)[0] == keys.signing(kind)
    token = seal("ab" * 16, TokenKind.ACCESS, original)
    assert is_genuine(token, TokenKind.ACCESS, keys) == (accepted == 2)


def test_s149_of_several_generations_the_newest_that_may_sign_signs_and_the_others_follow_by_age() -> None:
    def key(generation: Generation) -> bytes:
        return derive_key(SECRET.encode(), f"refresh token signature {generation.salt}".rstrip())

    first, second, third = (Generation(salt, salt, 0, from_, None) for salt, from_ in (("aa", 0), ("bb", 5), ("cc", 9)))
    keys = Keys.derive(SECRET)
    for order in ([first, second, third], [third, first, second]):
        keys.adopt(order, 7)
        assert keys.accepted(TokenKind.REFRESH) == (key(second), key(first), key(third))
        keys.adopt(order, 9)
        assert keys.accepted(TokenKind.REFRESH) == (key(third), key(second), key(first))


def test_s149_every_generation_and_kind_has_a_key_of_its_own_and_the_rest_stays() -> None:
    keys, original = Keys.derive(SECRET), Keys.derive(SECRET)
    keys.adopt([OLD, NEW], 1_500)
    everything = [*keys.accepted(TokenKind.ACCESS), *keys.accepted(TokenKind.REFRESH)]
    assert len(set(everything)) == 4
    assert (keys.lookup, keys.form, keys.fingerprint) == (original.lookup, original.form, original.fingerprint)
    assert keys.digest("x") == original.digest("x")


def test_s149_the_salt_without_the_secret_gives_other_keys() -> None:
    keys, thief = Keys.derive(SECRET), Keys.derive("what somebody guesses who has the database alone")
    for each in (keys, thief):
        each.adopt([OLD, NEW], 1_500)
    assert not is_genuine(seal("ab" * 16, TokenKind.ACCESS, thief), TokenKind.ACCESS, keys)


@pytest.mark.parametrize("generations", [[], [Generation("later", "aa", 0, 9_000, None)], [OLD]])
def test_a_server_is_never_without_a_key(generations: list[Generation]) -> None:
    keys = Keys.derive(SECRET)
    before = keys.access
    keys.adopt(generations, 5_000)
    assert keys.access == before
