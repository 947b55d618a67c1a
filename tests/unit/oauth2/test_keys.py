"""Keys: HKDF (RFC 5869), one key for each purpose."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.oauth2.keys import Keys, derive_key
from watersmeet.oauth2.vocabulary import TokenKind

SECRET = "a secret of these tests that is long enough"


@given(st.binary(min_size=1, max_size=200), st.text(st.characters(codec="utf-8"), max_size=50))
def test_keys_are_derived_by_hkdf(secret: bytes, purpose: str) -> None:
    independent = HKDF(algorithm=SHA256(), length=32, salt=b"watersmeet", info=purpose.encode())
    assert derive_key(secret, purpose) == independent.derive(secret)


def test_all_keys_of_a_secret_differ() -> None:
    keys = Keys.derive(SECRET)
    derived = [keys.access, keys.refresh, keys.lookup, keys.form, bytes.fromhex(keys.fingerprint)]
    assert len(set(derived)) == 5
    assert {len(key) for key in derived} == {32}


def test_another_secret_gives_other_keys_and_the_same_secret_the_same() -> None:
    keys, same, other = Keys.derive(SECRET), Keys.derive(SECRET), Keys.derive(SECRET + "x")
    assert keys == same
    for name in ("access", "refresh", "lookup", "form", "fingerprint"):
        assert getattr(keys, name) != getattr(other, name)


def test_s118_each_kind_of_token_has_its_own_signing_key() -> None:
    keys = Keys.derive(SECRET)
    assert keys.signing(TokenKind.ACCESS) == keys.access
    assert keys.signing(TokenKind.REFRESH) == keys.refresh


def test_s094_what_is_stored_of_a_credential_is_a_keyed_digest() -> None:
    keys = Keys.derive(SECRET)
    assert keys.digest("credential") == hmac.new(keys.lookup, b"credential", hashlib.sha256).hexdigest()
    assert keys.digest("credential") != hashlib.sha256(b"credential").hexdigest()
    assert keys.digest(keys.digest("credential")) != keys.digest("credential")


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
