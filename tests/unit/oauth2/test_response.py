"""Answers: JSON bodies and Bearer challenges."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2 import errors
from watersmeet.oauth2.errors import (
    InsufficientScope,
    InvalidGrant,
    MissingParameter,
    OAuthError,
    TokenInvalid,
    TokenMissing,
)
from watersmeet.oauth2.family import PairState, TokenPair
from watersmeet.oauth2.response import IssuedTokens, bearer_challenge, error_body


def test_s028_the_body_of_issued_tokens_is_the_seeds_with_scope() -> None:
    pair = TokenPair(0, Scope.WRITE.as_set, PairState.ACTIVE, 1_607_635_748_999, 1_607_642_948_999)
    assert IssuedTokens(pair, "AT", "RT").body() == {
        "access_token": "AT",
        "token_type": "bearer",
        "expires_in": 7200,
        "refresh_token": "RT",
        "created_at": 1_607_635_748,
        "scope": "WRITE",
    }


def test_token_strings_are_not_shown() -> None:
    pair = TokenPair(0, Scope.WRITE.as_set, PairState.ACTIVE, 0, 1000)
    shown = repr(IssuedTokens(pair, "access-secret", "refresh-secret"))
    assert "access-secret" not in shown
    assert "refresh-secret" not in shown


def test_an_error_body_names_code_and_description() -> None:
    assert error_body(InvalidGrant(detail="private")) == {
        "error": "invalid_grant",
        "error_description": "The code or token is invalid, expired or already used.",
    }


def test_s126_without_a_token_the_challenge_names_no_error() -> None:
    assert bearer_challenge(TokenMissing()) == 'Bearer realm="watersmeet"'


def test_s126_a_bad_token_is_named_and_a_missing_scope_too() -> None:
    assert bearer_challenge(TokenInvalid()) == (
        'Bearer realm="watersmeet", error="invalid_token", '
        'error_description="The access token is invalid, expired or revoked."'
    )
    challenge = bearer_challenge(InsufficientScope("WRITE", "READ"))
    assert 'error="insufficient_scope"' in challenge
    assert challenge.endswith(', scope="WRITE"')


def test_s126_s138_a_challenge_says_where_to_learn_whose_tokens_are_needed() -> None:
    metadata = "https://wiki.example/.well-known/oauth-protected-resource"
    assert bearer_challenge(TokenMissing(), metadata) == f'Bearer realm="watersmeet", resource_metadata="{metadata}"'
    assert bearer_challenge(InsufficientScope("WRITE", "READ"), metadata) == (
        'Bearer realm="watersmeet", error="insufficient_scope", '
        'error_description="This needs the scope WRITE; the access token has READ.", '
        f'scope="WRITE", resource_metadata="{metadata}"'
    )


def _leaves(kind: type[OAuthError] = OAuthError) -> Iterator[type[OAuthError]]:
    for child in kind.__subclasses__():
        if hasattr(child, "code"):
            yield child
        yield from _leaves(child)


@pytest.mark.parametrize("kind", sorted(set(_leaves()), key=str))
def test_s027_every_error_has_a_code_and_says_it_in_the_characters_of_rfc_6749(kind: type[OAuthError]) -> None:
    if issubclass(kind, InsufficientScope):
        error: OAuthError = kind("WRITE", "READ")
    elif kind is MissingParameter or kind is errors.RepeatedParameter:
        error = kind("state")
    else:
        error = kind()
    body = error_body(error)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
    assert re.fullmatch(r"[a-z_]+", body["error"])
