"""Authorization requests, and the states an authorization goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from watersmeet.confluence.scopes import VOCABULARY, Scope
from watersmeet.oauth2.authorization import (
    AlreadyAnswered,
    Authorization,
    AuthorizationRequest,
    AuthorizationStatus,
    CodeReplay,
    requested_client_id,
    trusted_redirect_uri,
)
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.errors import (
    CodeChallengeRequired,
    CodeExpired,
    CodeUnknown,
    InvalidCodeChallenge,
    InvalidScope,
    MissingParameter,
    OAuthError,
    RedirectUriMismatch,
    RepeatedParameter,
    RequestObjectNotSupported,
    RequestUriNotSupported,
    ScopeAboveClient,
    ScopeAboveGrant,
    UnregisteredRedirectUri,
    UnsupportedResponseType,
    UntrustedRequest,
    UnusableClientId,
    UnusableRedirectUri,
    VerifierMismatch,
    VerifierWithoutChallenge,
)
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.pkce import CodeChallenge, CodeChallengeMethod, s256
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.redirect import RedirectUri

URI = "https://app.example/cb"
VERIFIER = "v" * 43
CHALLENGE = f"&code_challenge={s256(VERIFIER)}&code_challenge_method=S256"

CLIENT = Client(
    id=1,
    client_id="abc",
    name="App",
    confidential=True,
    scope=Scope.WRITE.as_set,
    redirect_uris=(RedirectUri(URI), RedirectUri("http://127.0.0.1/cb")),
    secrets=(),
    created_at=0,
    created_by="admin",
    profile=Profile.ATLASSIAN_DC,
)
PUBLIC = replace(CLIENT, confidential=False)

PENDING = Authorization(
    id="a" * 32,
    client=1,
    user_id=2,
    session_digest="s" * 64,
    request_digest="r" * 64,
    redirect_uri=RedirectUri(URI),
    scope=Scope.READ.as_set,
    state="xyz",
    challenge=CodeChallenge(s256(VERIFIER), CodeChallengeMethod.S256),
    status=AuthorizationStatus.PENDING,
    created_at=0,
    expires_at=100,
)
APPROVED = PENDING.approve(50, "c" * 64, 200)


def parse(query: str, client: Client = CLIENT) -> AuthorizationRequest:
    return AuthorizationRequest.parse(Parameters.parse(query.encode()), client, RedirectUri(URI), VOCABULARY)


# ---- whom and where -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [b"", b"client_id=", b"client_id=a&client_id=a"])
def test_s037_without_one_client_id_the_request_cannot_be_trusted(query: bytes) -> None:
    with pytest.raises(UnusableClientId) as refusal:
        requested_client_id(Parameters.parse(query))
    assert isinstance(refusal.value, UntrustedRequest)


@pytest.mark.parametrize(
    "query", [b"", b"redirect_uri=", b"redirect_uri=https://app.example/cb&redirect_uri=https://evil.test/"]
)
def test_s037_s038_without_one_redirect_uri_the_request_cannot_be_trusted(query: bytes) -> None:
    with pytest.raises(UnusableRedirectUri):
        trusted_redirect_uri(Parameters.parse(query), CLIENT)


def test_s040_an_unregistered_redirect_uri_is_never_learnt() -> None:
    evil = Parameters.parse(b"redirect_uri=https://evil.test/")
    with pytest.raises(UnregisteredRedirectUri):
        trusted_redirect_uri(evil, CLIENT)
    with pytest.raises(UnregisteredRedirectUri):
        trusted_redirect_uri(evil, replace(CLIENT, redirect_uris=()))


def test_the_trusted_redirect_uri_is_the_one_presented() -> None:
    presented = Parameters.parse(b"redirect_uri=http://127.0.0.1:4711/cb")
    assert trusted_redirect_uri(presented, CLIENT) == RedirectUri("http://127.0.0.1:4711/cb")


# ---- the request --------------------------------------------------------------------------------------------


def test_a_request_as_the_seed_sends_it() -> None:
    request = parse("client_id=abc&redirect_uri=x&response_type=code&state=s&scope=WRITE" + CHALLENGE)
    assert request.scope == Scope.WRITE.as_set
    assert request.state == "s"
    assert request.challenge == CodeChallenge(s256(VERIFIER), CodeChallengeMethod.S256)
    assert request.redirect_uri == RedirectUri(URI)


def test_s020_s147_without_scope_the_weakest_is_asked_for() -> None:
    assert parse("response_type=code").scope == Scope.READ.as_set
    assert parse("response_type=code&scope=&state=&code_challenge=").scope == Scope.READ.as_set


def test_s019_s020_unknown_and_empty_parameters_change_nothing() -> None:
    assert parse("response_type=code&foo=bar&prompt=none&request=&request_uri=") == parse("response_type=code")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", MissingParameter),
        ("response_type=", MissingParameter),
        ("response_type=token", UnsupportedResponseType),
        ("response_type=code+token", UnsupportedResponseType),
        ("response_type=CODE", UnsupportedResponseType),
        ("response_type=code&response_type=code", RepeatedParameter),
        ("response_type=code&foo=1&foo=2", RepeatedParameter),
        ("response_type=code&request=x", RequestObjectNotSupported),
        ("response_type=code&request_uri=https://x", RequestUriNotSupported),
        ("response_type=code&scope=read", InvalidScope),
        ("response_type=code&scope=ADMIN", ScopeAboveClient),
        ("response_type=code&scope=READ+SYSTEM_ADMIN", ScopeAboveClient),
        ("response_type=code&code_challenge=short", InvalidCodeChallenge),
        ("response_type=code&code_challenge_method=S256", InvalidCodeChallenge),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_by_its_name(query: str, error: type[OAuthError]) -> None:
    with pytest.raises(error) as refusal:
        parse(query)
    assert not isinstance(refusal.value, UntrustedRequest)


def test_s080_a_public_client_must_use_pkce() -> None:
    with pytest.raises(CodeChallengeRequired):
        parse("response_type=code", PUBLIC)
    assert parse("response_type=code" + CHALLENGE, PUBLIC).challenge is not None


# ---- the states ---------------------------------------------------------------------------------------------


def test_an_open_question_can_be_approved_or_denied() -> None:
    assert PENDING.is_open(99)
    assert APPROVED.status is AuthorizationStatus.APPROVED
    assert (APPROVED.code_digest, APPROVED.expires_at) == ("c" * 64, 200)
    assert PENDING.approve(99, "d" * 64, 300) == replace(
        PENDING, status=AuthorizationStatus.APPROVED, code_digest="d" * 64, expires_at=300
    )
    assert PENDING.deny(99).status is AuthorizationStatus.DENIED


@pytest.mark.parametrize("answer", [lambda it, now: it.approve(now, "c" * 64, now + 1), lambda it, now: it.deny(now)])
def test_s049_a_question_is_answered_once_and_in_time(answer: Callable[[Authorization, int], object]) -> None:
    for answered in (APPROVED, PENDING.deny(50), replace(APPROVED, status=AuthorizationStatus.EXCHANGED)):
        with pytest.raises(AlreadyAnswered):
            answer(answered, 60)
    with pytest.raises(AlreadyAnswered):
        answer(PENDING, 100)


def test_s072_a_code_works_until_its_end() -> None:
    exchanged = APPROVED.exchange(199, URI, VERIFIER, "f" * 32)
    assert isinstance(exchanged, Authorization)
    assert exchanged.status is AuthorizationStatus.EXCHANGED
    assert exchanged.family_id == "f" * 32
    with pytest.raises(CodeExpired):
        APPROVED.exchange(200, URI, VERIFIER, "f" * 32)


def test_s073_s079_a_valid_replay_is_recognised_even_after_the_codes_lifetime() -> None:
    exchanged = APPROVED.exchange(100, URI, VERIFIER, "f" * 32)
    assert isinstance(exchanged, Authorization)
    assert exchanged.exchange(101, URI, VERIFIER, "g" * 32) == CodeReplay("f" * 32)
    assert exchanged.exchange(10_000, URI, VERIFIER, "g" * 32) == CodeReplay("f" * 32)


@pytest.mark.parametrize(
    ("uri", "verifier", "error"),
    [
        (URI + "/", VERIFIER, RedirectUriMismatch),
        ("http://127.0.0.1/cb", VERIFIER, RedirectUriMismatch),
        ("", VERIFIER, RedirectUriMismatch),
        (URI, None, VerifierMismatch),
        (URI, "", VerifierMismatch),
        (URI, "w" * 43, VerifierMismatch),
        (URI, s256(VERIFIER), VerifierMismatch),
    ],
)
def test_s074_wrong_proofs_are_refused_before_a_replay_is_seen(
    uri: str, verifier: str | None, error: type[OAuthError]
) -> None:
    exchanged = APPROVED.exchange(100, URI, VERIFIER, "f" * 32)
    assert isinstance(exchanged, Authorization)
    for authorization in (APPROVED, exchanged):
        with pytest.raises(error):
            authorization.exchange(100, uri, verifier, "g" * 32)


def test_s033_s039_the_exchange_names_the_very_port_of_the_request() -> None:
    loopback = replace(APPROVED, redirect_uri=RedirectUri("http://127.0.0.1:5/cb"))
    with pytest.raises(RedirectUriMismatch):
        loopback.exchange(100, "http://127.0.0.1:6/cb", VERIFIER, "f" * 32)


def test_s086_a_verifier_without_a_challenge_is_refused() -> None:
    without = replace(APPROVED, challenge=None)
    with pytest.raises(VerifierWithoutChallenge):
        without.exchange(100, URI, VERIFIER, "f" * 32)
    assert isinstance(without.exchange(100, URI, None, "f" * 32), Authorization)


@pytest.mark.parametrize("other", [PENDING, PENDING.deny(50)])
def test_what_was_not_approved_cannot_be_exchanged(other: Authorization) -> None:
    with pytest.raises(CodeUnknown):
        other.exchange(60, URI, VERIFIER, "f" * 32)


def test_the_codes_digest_is_not_shown() -> None:
    assert "c" * 64 not in repr(APPROVED)


def test_s060_a_scope_can_be_narrowed_and_never_widened() -> None:
    asked = replace(PENDING, scope=VOCABULARY.parse("WRITE READ"))
    assert str(asked.narrowed_to(Scope.READ.as_set).scope) == "READ"
    assert asked.narrowed_to(Scope.WRITE.as_set) is asked  # all of it, in the client's own words
    with pytest.raises(ScopeAboveGrant):
        asked.narrowed_to(Scope.ADMIN.as_set)
