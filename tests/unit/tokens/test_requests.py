"""What is read of a token request, and what introspection says of a token that works."""

from __future__ import annotations

import pytest

from watersmeet.confluence.scopes import Role, Scope
from watersmeet.database.users import User
from watersmeet.oauth2.errors import InvalidScope, MissingParameter, RepeatedParameter
from watersmeet.oauth2.parameters import Parameters
from watersmeet.tokens.exchange import ExchangeRequest
from watersmeet.tokens.introspect import INACTIVE, ActiveToken
from watersmeet.tokens.refresh import RefreshRequest
from watersmeet.web.bearer import Caller


def read(query: str) -> Parameters:
    return Parameters.parse(query.encode())


def test_an_exchange_needs_code_and_redirect_uri_and_has_a_verifier_with_pkce() -> None:
    code_and_uri = "code=c&redirect_uri=https://app.example/cb"
    assert ExchangeRequest.parse(read(f"{code_and_uri}&code_verifier=v")) == ExchangeRequest(
        "c", "https://app.example/cb", "v"
    )
    assert ExchangeRequest.parse(read(code_and_uri)).code_verifier is None
    assert ExchangeRequest.parse(read(f"{code_and_uri}&code_verifier=")).code_verifier is None


@pytest.mark.parametrize(
    ("query", "missing"),
    [("redirect_uri=u", "code"), ("code=&redirect_uri=u", "code"), ("code=c", "redirect_uri"), ("", "code")],
)
def test_the_client_is_told_what_an_exchange_lacks(query: str, missing: str) -> None:
    with pytest.raises(MissingParameter) as refusal:
        ExchangeRequest.parse(read(query))
    assert refusal.value.description == f"The parameter {missing} is required."


def test_a_refresh_needs_its_token_alone() -> None:
    assert RefreshRequest.parse(read("refresh_token=t")) == RefreshRequest("t", None, None)
    assert RefreshRequest.parse(read("refresh_token=t&scope=&redirect_uri=")) == RefreshRequest("t", None, None)
    everything = "refresh_token=t&scope=READ&redirect_uri=https://app.example/cb"
    assert RefreshRequest.parse(read(everything)) == RefreshRequest("t", Scope.READ.as_set, "https://app.example/cb")


def test_the_client_is_told_what_is_wrong_with_a_refresh() -> None:
    with pytest.raises(MissingParameter, match="The parameter refresh_token is required"):
        RefreshRequest.parse(read("scope=READ"))
    with pytest.raises(InvalidScope):
        RefreshRequest.parse(read("refresh_token=t&scope=EVERYTHING"))
    with pytest.raises(RepeatedParameter):
        RefreshRequest.parse(read("refresh_token=t&redirect_uri=a&redirect_uri=a"))


def test_s016_credentials_are_not_shown() -> None:
    shown = repr(ExchangeRequest("the-code", "u", "the-verifier")) + repr(RefreshRequest("the-token", None, None))
    for credential in ("the-code", "the-verifier", "the-token"):
        assert credential not in shown


def test_s148_what_introspection_says_of_a_token_that_works_implied_scopes_included() -> None:
    user = User(7, "ada", "the-key", "Ada", "ada@example.com", Role.USER, "", enabled=True)
    active = ActiveToken(Caller(user, Scope.WRITE.as_set, "f" * 32), "abc", 1_607_635_748_999, 1_607_642_948_999)
    assert active.body("https://wiki.example") == {
        "active": True,
        "scope": "READ WRITE",
        "client_id": "abc",
        "username": "ada",
        "sub": "the-key",
        "token_type": "bearer",
        "iat": 1_607_635_748,
        "exp": 1_607_642_948,
        "iss": "https://wiki.example",
    }


def test_s134_of_one_that_does_not_work_nothing_is_said() -> None:
    assert INACTIVE == {"active": False}
