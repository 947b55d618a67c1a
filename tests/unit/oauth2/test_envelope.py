"""The envelope: tokens as the seed shows them, checked with somebody else's JWT library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from watersmeet.oauth2.envelope import TOKEN_LENGTHS, is_genuine, seal, seals
from watersmeet.oauth2.keys import Generation, Keys
from watersmeet.oauth2.vocabulary import TokenKind

KEYS = Keys.derive("a secret of these tests that is long enough")
OTHER_KEYS = Keys.derive("another secret of these tests, as long as that")
ID = "0123456789abcdef" * 2
LONG_ID = ID * 2

kinds = pytest.mark.parametrize("kind", list(TokenKind))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: bytes, payload: bytes, key: bytes = KEYS.access) -> str:
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), hashlib.sha256))}"


_DIGITS = "0123456789abcdef"


@kinds
@given(token_id=st.text(_DIGITS, min_size=32, max_size=32) | st.text(_DIGITS, min_size=64, max_size=64))
def test_a_token_is_the_jwt_of_the_seed(kind: TokenKind, token_id: str) -> None:
    token = seal(token_id, kind, KEYS)
    assert (len(token_id), len(token)) in ((32, 120), (64, 163))
    assert len(token) in TOKEN_LENGTHS
    assert is_genuine(token, kind, KEYS)
    read = jws.deserialize_compact(token, OctKey.import_key(KEYS.signing(kind)), algorithms=["HS256"])
    assert read.protected == {"alg": "HS256"}
    assert json.loads(read.payload) == {"id": token_id}
    header, payload, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert header == b'{"alg":"HS256"}'
    assert payload == f'{{"id":"{token_id}"}}'.encode()


def test_s118_an_access_token_is_no_refresh_token_and_the_other_way_round() -> None:
    assert not is_genuine(seal(ID, TokenKind.ACCESS, KEYS), TokenKind.REFRESH, KEYS)
    assert not is_genuine(seal(ID, TokenKind.REFRESH, KEYS), TokenKind.ACCESS, KEYS)
    assert seal(ID, TokenKind.ACCESS, KEYS) != seal(ID, TokenKind.REFRESH, KEYS)


@kinds
def test_s149_after_a_rotation_a_token_may_have_been_given_with_either_key_the_present_one_first(
    kind: TokenKind,
) -> None:
    rotated = Keys.derive("a secret of these tests that is long enough")
    rotated.adopt([Generation("old", "", 0, 0, 2_000), Generation("new", "5a17", 900, 1_000, None)], 1_500)
    assert seals(ID, kind, KEYS) == [seal(ID, kind, KEYS)]
    assert seals(ID, kind, rotated) == [seal(ID, kind, rotated), seal(ID, kind, KEYS)]
    assert len(set(seals(ID, kind, rotated))) == 2


@kinds
def test_a_token_of_another_secret_is_refused(kind: TokenKind) -> None:
    assert not is_genuine(seal(ID, kind, OTHER_KEYS), kind, KEYS)


@kinds
@pytest.mark.parametrize(
    ("token_id", "position"),
    [(each, at) for each in (ID, LONG_ID) for at in range(len(seal(each, TokenKind.ACCESS, KEYS)))],
)
def test_s123_any_other_character_at_any_position_is_refused(kind: TokenKind, token_id: str, position: int) -> None:
    token = seal(token_id, kind, KEYS)
    for character in map(chr, range(0x20, 0x7F)):
        if character != token[position]:
            mutated = token[:position] + character + token[position + 1 :]
            assert not is_genuine(mutated, kind, KEYS), mutated
    for character in "\x00\n\x80é🦆":
        assert not is_genuine(token[:position] + character + token[position + 1 :], kind, KEYS)


@kinds
@pytest.mark.parametrize("token_id", [ID, LONG_ID])
def test_s123_truncated_lengthened_and_re_encoded_tokens_are_refused(kind: TokenKind, token_id: str) -> None:
    token = seal(token_id, kind, KEYS)
    header, payload, signature = token.split(".")
    variants = [token[:end] for end in range(len(token))]
    variants += [token[start:] for start in range(1, len(token))]
    variants += [token + tail for tail in ("=", "==", " ", "\n", ".", "A", "\x00")]
    variants += [" " + token, token.upper(), token.lower(), token.swapcase(), token + "." + token]
    variants += [
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f".{payload}.{signature}",
        f"{payload}.{header}.{signature}",
    ]
    for variant in variants:
        assert not is_genuine(variant, kind, KEYS), variant


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"none"}', f'{{"id":"{ID}"}}'.encode()),
        (b'{"alg":"HS512"}', f'{{"id":"{ID}"}}'.encode()),
        (b'{"alg":"hs256"}', f'{{"id":"{ID}"}}'.encode()),
        (b'{"alg":"HS256"} ', f'{{"id":"{ID}"}}'.encode()),
        (b'{"typ":"JWT","alg":"HS256"}', f'{{"id":"{ID}"}}'.encode()),
        (b'{"alg":"HS256"}', f'{{"id": "{ID}"}}'.encode()),
        (b'{"alg":"HS256"}', f'{{"id":"{ID.upper()}"}}'.encode()),
        (b'{"alg":"HS256"}', f'{{"ID":"{ID}"}}'.encode()),
        (b'{"alg":"HS256"}', f'{{"id":"{ID[:-1]}g"}}'.encode()),
        (b'{"alg":"HS256"}', f'{{"id":"{ID}","a":1}}'.encode()),
        (b'{"alg":"HS256"}', b'{"id":"' + b"\xff" * 32 + b'"}'),
        (b'{"alg":"HS256"}', f'{{"id":"{ID}{ID[:-1]}"}}'.encode()),
        (b'{"alg":"HS256"}', f'{{"id":"{ID}{ID[:-1]}g"}}'.encode()),
        (b'{"alg":"HS256"}', b'{"id":"' + b"\xff" * 64 + b'"}'),
    ],
)
def test_s123_other_headers_and_payloads_are_refused_however_well_signed(header: bytes, payload: bytes) -> None:
    assert signed(b'{"alg":"HS256"}', f'{{"id":"{ID}"}}'.encode()) == seal(ID, TokenKind.ACCESS, KEYS)
    assert not is_genuine(signed(header, payload), TokenKind.ACCESS, KEYS)


@given(st.text())
def test_no_text_is_genuine_by_accident_or_breaks_the_reader(text: str) -> None:
    assert not is_genuine(text, TokenKind.ACCESS, KEYS)


@pytest.mark.parametrize("length", TOKEN_LENGTHS)
@given(data=st.data())
def test_no_text_of_the_right_length_breaks_the_reader(data: st.DataObject, length: int) -> None:
    text = data.draw(st.text(min_size=length, max_size=length) | st.text("aA0-_.", min_size=length, max_size=length))
    assert not is_genuine(text, TokenKind.REFRESH, KEYS)
