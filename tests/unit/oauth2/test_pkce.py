"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.oauth2.errors import InvalidCodeChallenge
from watersmeet.oauth2.pkce import CodeChallenge, CodeChallengeMethod, is_well_formed_verifier, s256

# RFC 7636 Appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
verifiers = st.text(UNRESERVED, min_size=43, max_size=128)


def test_s082_the_example_of_appendix_b() -> None:
    assert s256(VERIFIER) == CHALLENGE
    challenge = CodeChallenge.parse(CHALLENGE, "S256")
    assert challenge == CodeChallenge(CHALLENGE, CodeChallengeMethod.S256)
    assert challenge is not None
    assert challenge.is_met_by(VERIFIER)


@given(verifiers)
def test_a_verifier_meets_its_own_challenges(verifier: str) -> None:
    for challenge in (CodeChallenge.parse(s256(verifier), "S256"), CodeChallenge.parse(verifier, "plain")):
        assert challenge is not None
        assert challenge.is_met_by(verifier)


@given(verifiers, verifiers)
def test_s085_no_other_verifier_meets_a_challenge(verifier: str, other: str) -> None:
    if verifier != other:
        assert not CodeChallenge(s256(verifier), CodeChallengeMethod.S256).is_met_by(other)
        assert not CodeChallenge(verifier, CodeChallengeMethod.PLAIN).is_met_by(other)


@pytest.mark.parametrize(
    "wrong",
    ["", VERIFIER[:-1], VERIFIER + "=", VERIFIER + " ", VERIFIER + "\x00", VERIFIER.lower(), VERIFIER.swapcase(),
     VERIFIER + "x", VERIFIER + "\n", VERIFIER[:-1] + "ü", VERIFIER * 3],
)  # fmt: skip
def test_s085_near_misses_do_not_meet_a_challenge(wrong: str) -> None:
    assert not CodeChallenge(CHALLENGE, CodeChallengeMethod.S256).is_met_by(wrong)
    assert not CodeChallenge(VERIFIER, CodeChallengeMethod.PLAIN).is_met_by(wrong)


def test_s087_the_method_cannot_be_switched() -> None:
    assert not CodeChallenge(CHALLENGE, CodeChallengeMethod.S256).is_met_by(CHALLENGE)
    assert not CodeChallenge(VERIFIER, CodeChallengeMethod.S256).is_met_by(VERIFIER)
    assert not CodeChallenge(CHALLENGE, CodeChallengeMethod.PLAIN).is_met_by(VERIFIER)


@pytest.mark.parametrize("spelling", ["S256", "s256", "sha256", "SHA256", "Sha256"])
def test_s256_in_the_spellings_of_the_field(spelling: str) -> None:
    assert CodeChallenge.parse(CHALLENGE, spelling) == CodeChallenge(CHALLENGE, CodeChallengeMethod.S256)


@pytest.mark.parametrize("spelling", ["plain", "PLAIN", "Plain", None])
def test_plain_in_every_case_and_when_no_method_is_named(spelling: str | None) -> None:
    assert CodeChallenge.parse(VERIFIER, spelling) == CodeChallenge(VERIFIER, CodeChallengeMethod.PLAIN)


@pytest.mark.parametrize("method", ["S512", "sha-256", "none", "S256 ", " plain", "ſ256", "null"])
def test_s084_unknown_methods_are_refused(method: str) -> None:
    with pytest.raises(InvalidCodeChallenge, match="must be S256 or plain"):
        CodeChallenge.parse(CHALLENGE, method)


def test_without_pkce_there_is_no_challenge_and_a_lone_method_is_refused() -> None:
    assert CodeChallenge.parse(None, None) is None
    with pytest.raises(InvalidCodeChallenge, match="without code_challenge"):
        CodeChallenge.parse(None, "S256")


@pytest.mark.parametrize(
    ("verifier", "well_formed"),
    [
        ("abc", False),
        ("a" * 42, False),
        ("a" * 43, True),
        ("a" * 127, True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("-._~" * 11, True),
        ("a" * 42 + "+", False),
        ("a" * 42 + "/", False),
        ("a" * 42 + "=", False),
        ("a" * 42 + "é", False),
        ("a" * 43 + "\n", False),
        ("٣" * 43, False),
    ],
)
def test_s088_a_verifier_has_43_to_128_unreserved_characters(verifier: str, well_formed: bool) -> None:
    assert is_well_formed_verifier(verifier) is well_formed
    if well_formed:
        assert CodeChallenge.parse(verifier, "plain") is not None
    else:
        with pytest.raises(InvalidCodeChallenge):
            CodeChallenge.parse(verifier, "plain")


@pytest.mark.parametrize(
    ("value", "method", "description"),
    [
        (None, "S256", "code_challenge_method was sent without code_challenge."),
        (CHALLENGE, "S512", "code_challenge_method must be S256 or plain."),
        (CHALLENGE + "=", "S256", "An S256 code_challenge has 43 base64url characters without padding."),
        ("a" * 42, "plain", "A plain code_challenge has 43 to 128 unreserved characters."),
    ],
)
def test_the_client_is_told_what_is_wrong_with_its_challenge(value: str | None, method: str, description: str) -> None:
    with pytest.raises(InvalidCodeChallenge) as refusal:
        CodeChallenge.parse(value, method)
    assert refusal.value.description == description


@pytest.mark.parametrize(
    "challenge",
    ["a" * 42, "a" * 44, CHALLENGE + "=", CHALLENGE[:-1] + "+", CHALLENGE[:-1] + "/", CHALLENGE[:-1] + ".",
     CHALLENGE + "\n", CHALLENGE[:-1] + "é"],
)  # fmt: skip
def test_s088_an_s256_challenge_has_43_base64url_characters(challenge: str) -> None:
    with pytest.raises(InvalidCodeChallenge):
        CodeChallenge.parse(challenge, "S256")
