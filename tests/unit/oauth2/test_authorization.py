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
    ClaimsNotSupported,
    CodeChallengeRequired,
    CodeExpired,
    CodeUnknown,
    InvalidCodeChallenge,
    InvalidScope,
    MissingParameter,
    NeitherStateNorChallenge,
    OAuthError,
    PlainHttpRedirectUri,
    RedirectUriMismatch,
    RepeatedParameter,
    RequestObjectNotSupported,
    RequestUriNotSupported,
    ScopeAboveClient,
    ScopeAboveGrant,
    ScopeRequired,
    UnregisteredRedirectUri,
    UnsupportedResponseMode,
    UnsupportedResponseType,
    UntrustedRequest,
    UnusableClientId,
    UnusableRedirectUri,
    VerifierMismatch,
    VerifierWithoutChallenge,
    WeakCodeChallenge,
)
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.pkce import CodeChallenge, CodeChallengeMethod, s256
from watersmeet.oauth2.profile import Legacy, Profile
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


@pytest.mark.parametrize(
    ("query", "client_id", "redirect_uri"),
    [
        (b"", "The parameter client_id is required.", "The parameter redirect_uri is required."),
        (
            b"client_id=a&client_id=a&redirect_uri=a&redirect_uri=b",
            "The parameter client_id was sent more than once.",
            "The parameter redirect_uri was sent more than once.",
        ),
    ],
)
def test_s037_the_user_is_told_what_is_wrong_in_a_sentence_that_can_be_translated(
    query: bytes, client_id: str, redirect_uri: str
) -> None:
    parameters = Parameters.parse(query)
    with pytest.raises(UnusableClientId) as client_refused:
        requested_client_id(parameters)
    with pytest.raises(UnusableRedirectUri) as uri_refused:
        trusted_redirect_uri(parameters, CLIENT)
    assert client_refused.value.description == client_id
    assert client_refused.value.message.format(name="client_id") == client_id
    assert client_refused.value.values == {"name": "client_id"}
    assert uri_refused.value.description == redirect_uri
    assert uri_refused.value.message.format(name="redirect_uri") == redirect_uri
    assert uri_refused.value.values == {"name": "redirect_uri"}


def test_the_client_that_asks_is_named_once() -> None:
    assert requested_client_id(Parameters.parse(b"client_id=abc&state=s")) == "abc"


def test_s030_a_plain_http_uri_is_trusted_only_where_the_rule_allows_it_now() -> None:
    client = replace(CLIENT, redirect_uris=(RedirectUri("http://app.example/cb"), RedirectUri("http://localhost/cb")))
    plain = Parameters.parse(b"redirect_uri=http://app.example/cb")
    with pytest.raises(PlainHttpRedirectUri):
        trusted_redirect_uri(plain, client)
    assert trusted_redirect_uri(plain, client, allow_http=True) == RedirectUri("http://app.example/cb")
    here = Parameters.parse(b"redirect_uri=http://localhost/cb")
    assert trusted_redirect_uri(here, client) == RedirectUri("http://localhost/cb")


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


def test_a_request_keeps_who_asks_and_where_the_answer_goes() -> None:
    request = parse("response_type=code&scope=WRITE&state=s&response_mode=query" + CHALLENGE)
    challenge = CodeChallenge(s256(VERIFIER), CodeChallengeMethod.S256)
    assert request == AuthorizationRequest(
        CLIENT, RedirectUri(URI), Scope.WRITE.as_set, "s", challenge, legacy=frozenset()
    )
    assert parse("response_type=code").state is None


# What a request does that only an atlassian-dc client may do, and what a strict one is told (N2, N3, N5, N14).
S256 = f"code_challenge={s256(VERIFIER)}&code_challenge_method=S256"
LEGACY: list[tuple[str, set[Legacy], type[OAuthError] | None]] = [
    (f"state=s&scope=READ&{S256}", set(), None),
    (f"scope=READ&{S256}", set(), None),
    ("state=s&scope=READ", {Legacy.NO_PKCE}, CodeChallengeRequired),
    ("scope=READ", {Legacy.NO_PKCE, Legacy.NEITHER_STATE_NOR_PKCE}, CodeChallengeRequired),
    ("state=&scope=READ", {Legacy.NO_PKCE, Legacy.NEITHER_STATE_NOR_PKCE}, CodeChallengeRequired),
    (f"scope=READ&code_challenge={VERIFIER}", {Legacy.PLAIN_CHALLENGE}, WeakCodeChallenge),
    (f"scope=READ&code_challenge={VERIFIER}&code_challenge_method=plain", {Legacy.PLAIN_CHALLENGE}, WeakCodeChallenge),
    (f"scope=READ&{S256.replace('=S256', '=s256')}", {Legacy.METHOD_SPELLING}, WeakCodeChallenge),
    (f"scope=READ&{S256.replace('=S256', '=sha256')}", {Legacy.METHOD_SPELLING}, WeakCodeChallenge),
    (f"state=s&{S256}", {Legacy.NO_SCOPE}, ScopeRequired),
    (f"state=s&scope=&{S256}", {Legacy.NO_SCOPE}, ScopeRequired),
    ("", {Legacy.NO_PKCE, Legacy.NEITHER_STATE_NOR_PKCE, Legacy.NO_SCOPE}, CodeChallengeRequired),
]


@pytest.mark.parametrize(("query", "legacy", "refusal"), LEGACY)
def test_s080_s147_what_only_old_clients_may_do_is_noted_of_them_and_refused_of_strict_ones(
    query: str, legacy: set[Legacy], refusal: type[OAuthError] | None
) -> None:
    asked = f"response_type=code&{query}"
    assert parse(asked).legacy == legacy
    strict = replace(CLIENT, profile=Profile.STRICT)
    if refusal is None:
        assert parse(asked, strict).legacy == frozenset()
    else:
        with pytest.raises(OAuthError) as refused:
            parse(asked, strict)
        assert type(refused.value) is refusal


def test_s047_a_client_that_may_go_without_pkce_still_needs_state_if_the_ratchet_says_so() -> None:
    held = replace(CLIENT, refuses=frozenset({Legacy.NEITHER_STATE_NOR_PKCE}))
    assert parse("response_type=code&state=s", held).challenge is None
    with pytest.raises(NeitherStateNorChallenge):
        parse("response_type=code", held)


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
        ("response_type=code&claims=x", ClaimsNotSupported),
        ("response_type=code&request=x&request_uri=x&claims=x", RequestObjectNotSupported),
        ("response_type=token&request=x", RequestObjectNotSupported),
        ("response_type=code&response_mode=fragment", UnsupportedResponseMode),
        ("response_type=code&response_mode=form_post", UnsupportedResponseMode),
        ("response_type=code&response_mode=QUERY", UnsupportedResponseMode),
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


def test_an_exchange_that_names_no_tokens_is_nothing_to_build_on() -> None:
    with pytest.raises(CodeUnknown):
        replace(APPROVED, status=AuthorizationStatus.EXCHANGED).exchange(60, URI, VERIFIER, "f" * 32)


def test_the_codes_digest_is_not_shown() -> None:
    assert "c" * 64 not in repr(APPROVED)


def test_s060_a_scope_can_be_narrowed_and_never_widened() -> None:
    asked = replace(PENDING, scope=VOCABULARY.parse("WRITE READ"))
    assert str(asked.narrowed_to(Scope.READ.as_set).scope) == "READ"
    assert asked.narrowed_to(Scope.WRITE.as_set) is asked  # all of it, in the client's own words
    with pytest.raises(ScopeAboveGrant):
        asked.narrowed_to(Scope.ADMIN.as_set)
