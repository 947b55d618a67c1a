"""Clients and their credentials (RFC 6749 §2)."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.client import AuthenticationMethod, Client, ClientCredentials, ClientSecret
from watersmeet.oauth2.errors import (
    CodeChallengeRequired,
    CredentialInQuery,
    InvalidClient,
    MissingParameter,
    NeitherStateNorChallenge,
    OAuthError,
    RepeatedParameter,
    ScopeRequired,
    TwoClientAuthentications,
    WeakCodeChallenge,
)
from watersmeet.oauth2.family import Lifetimes, RotationPolicy
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.redirect import RedirectUri

NONE = Parameters(())
DIGEST, OTHER = "d" * 64, "e" * 64


def a_client(*secrets: ClientSecret, confidential: bool = True) -> Client:
    return Client(
        id=1,
        client_id="abc",
        name="App",
        confidential=confidential,
        scope=Scope.READ.as_set,
        redirect_uris=(RedirectUri("https://app.example/cb"),),
        secrets=secrets,
        created_at=0,
        created_by="admin",
    )


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def test_a_confidential_client_is_proven_by_its_live_secret_alone() -> None:
    client = a_client(ClientSecret(DIGEST, 0, None))
    assert client.is_proven_by(DIGEST, 5)
    for wrong in (OTHER, "", DIGEST[:-1], DIGEST + "d", None):
        assert not client.is_proven_by(wrong, 5)


def test_s089_a_confidential_client_without_secrets_is_never_proven() -> None:
    for nothing in (None, "", DIGEST):
        assert not a_client().is_proven_by(nothing, 5)


def test_s089_nothing_stored_and_nothing_sent_are_no_match() -> None:
    assert not a_client(ClientSecret("", 0, None)).is_proven_by(None, 5)


@pytest.mark.parametrize("secrets", [(), (ClientSecret(DIGEST, 0, None),)])
def test_s089_a_public_client_must_not_send_a_secret(secrets: tuple[ClientSecret, ...]) -> None:
    client = a_client(*secrets, confidential=False)
    assert client.is_proven_by(None, 5)
    assert not client.is_proven_by(DIGEST, 5)
    assert not client.is_proven_by("", 5)


def test_s097_two_secrets_work_until_each_ends() -> None:
    client = a_client(ClientSecret(DIGEST, 0, 10), ClientSecret(OTHER, 5, None))
    assert client.is_proven_by(DIGEST, 9)
    assert not client.is_proven_by(DIGEST, 10)
    assert client.is_proven_by(OTHER, 10)


def test_digests_and_secrets_are_not_shown() -> None:
    assert DIGEST not in repr(a_client(ClientSecret(DIGEST, 0, None)))
    assert "hush" not in repr(ClientCredentials("abc", "hush", from_basic=False))


@given(
    st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1),
    st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1),
)
def test_s090_basic_credentials_are_form_decoded(client_id: str, secret: str) -> None:
    header = basic(f"{quote_plus(client_id)}:{quote_plus(secret)}")
    assert ClientCredentials.parse(header, NONE) == ClientCredentials(client_id, secret, from_basic=True)


@pytest.mark.parametrize(
    ("joined", "client_id", "secret"),
    [
        ("abc:s", "abc", "s"),
        ("abc:s:t:", "abc", "s:t:"),
        ("abc:a+b", "abc", "a b"),
        ("abc:a%2Bb%3A%25", "abc", "a+b:%"),
        ("abc:100%", "abc", "100%"),
        ("a%3Ab:s", "a:b", "s"),
        ("abc:", "abc", None),
        ("abc:ü", "abc", "ü"),
    ],
)
def test_s090_colons_percents_and_pluses_in_basic_credentials(joined: str, client_id: str, secret: str) -> None:
    assert ClientCredentials.parse(basic(joined), NONE) == ClientCredentials(client_id, secret, from_basic=True)


@pytest.mark.parametrize("scheme", ["Basic ", "basic ", "BASIC ", "Basic  "])
def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    header = scheme + basic("abc:s").partition(" ")[2]
    assert ClientCredentials.parse(header, NONE).client_id == "abc"


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWJj",  # abc: no colon
        "Basic YWJjOnM",  # padding missing
        "Basic YWJj OnM=",
        "Basic x YWJjOnM=",
        "Basic ÄÖÜ=",
        basic(":secret"),
        basic(b"\xff\xfe:secret"),
        basic("abc"),
        basic(""),
    ],
)
def test_s090_malformed_basic_credentials_are_an_invalid_client(header: str) -> None:
    with pytest.raises(InvalidClient):
        ClientCredentials.parse(header, NONE)


@pytest.mark.parametrize(
    "joined", ["a%00:s", "a\x00:s", "a:s%00", "a:s%0a", "a%0D%0Ab:s", "a%7f:s", "a%FF:s", "a:%c0%af"]
)
def test_s024_control_characters_and_bad_utf_8_in_basic_credentials_are_an_invalid_client(joined: str) -> None:
    with pytest.raises(InvalidClient):
        ClientCredentials.parse(basic(joined), NONE)


def test_credentials_from_parameters() -> None:
    parameters = Parameters.parse(b"client_id=abc&client_secret=s%3At")
    assert ClientCredentials.parse(None, parameters) == ClientCredentials("abc", "s:t", from_basic=False)
    assert ClientCredentials.parse("Bearer xyz", parameters) == ClientCredentials("abc", "s:t", from_basic=False)


def test_s020_an_empty_secret_is_no_secret() -> None:
    assert ClientCredentials.parse(None, Parameters.parse(b"client_id=abc&client_secret=")).client_secret is None


@pytest.mark.parametrize("query", [b"", b"client_id=", b"client_secret=s"])
def test_without_a_client_id_there_are_no_credentials(query: bytes) -> None:
    with pytest.raises(MissingParameter, match="The parameter client_id is required"):
        ClientCredentials.parse(None, Parameters.parse(query))


@pytest.mark.parametrize("query", [b"client_secret=s", b"client_id=abc&client_secret=t", b"client_id=other"])
def test_s091_two_ways_of_authentication_are_refused(query: bytes) -> None:
    with pytest.raises(TwoClientAuthentications):
        ClientCredentials.parse(basic("abc:s"), Parameters.parse(query))


def test_s091_a_secret_beside_a_header_without_one_is_a_second_way() -> None:
    with pytest.raises(TwoClientAuthentications):
        ClientCredentials.parse(basic("abc:"), Parameters.parse(b"client_id=abc&client_secret=s"))


@pytest.mark.parametrize("name", ["client_assertion", "client_assertion_type"])
def test_s091_s098_an_assertion_authenticates_nobody(name: str) -> None:
    for authorization, secret in ((basic("abc:s"), ""), (None, "&client_secret=s")):
        with pytest.raises(TwoClientAuthentications):
            ClientCredentials.parse(authorization, Parameters.parse(f"client_id=abc&{name}=x{secret}".encode()))
    with pytest.raises(InvalidClient):
        ClientCredentials.parse(None, Parameters.parse(f"client_id=abc&{name}=x".encode()))


def test_n11_the_same_credentials_twice_are_one_and_noted_as_legacy() -> None:
    both = ClientCredentials.parse(basic("abc:s"), Parameters.parse(b"client_id=abc&client_secret=s"))
    assert both == ClientCredentials("abc", "s", from_basic=True, legacy=frozenset({Legacy.TWO_AUTHENTICATIONS}))


def test_s091_naming_the_same_client_again_is_not_a_second_way() -> None:
    parameters = Parameters.parse(b"client_id=abc")
    assert ClientCredentials.parse(basic("abc:s"), parameters).client_secret == "s"


def test_s018_a_repeated_client_id_is_refused() -> None:
    with pytest.raises(RepeatedParameter):
        ClientCredentials.parse(None, Parameters.parse(b"client_id=a&client_id=a"))


def test_a_client_cannot_be_changed_in_place() -> None:
    client = a_client()
    with pytest.raises(AttributeError):
        client.confidential = False  # type: ignore[misc]
    assert replace(client, name="Other").name == "Other"


# ---- profiles (section 2.19) --------------------------------------------------------------------------------

REFUSALS: list[tuple[Legacy, type[OAuthError]]] = [
    (Legacy.CREDENTIAL_IN_QUERY, CredentialInQuery),
    (Legacy.TWO_AUTHENTICATIONS, TwoClientAuthentications),
    (Legacy.NO_PKCE, CodeChallengeRequired),
    (Legacy.NEITHER_STATE_NOR_PKCE, NeitherStateNorChallenge),
    (Legacy.PLAIN_CHALLENGE, WeakCodeChallenge),
    (Legacy.METHOD_SPELLING, WeakCodeChallenge),
    (Legacy.NO_SCOPE, ScopeRequired),
]
OLD = replace(a_client(), profile=Profile.ATLASSIAN_DC)


def test_the_table_of_refusals_is_complete() -> None:
    assert [legacy for legacy, _ in REFUSALS] == list(Legacy)


@pytest.mark.parametrize(("legacy", "refusal"), REFUSALS)
def test_n1_to_n16_a_strict_client_is_refused_what_an_atlassian_dc_client_may_do(
    legacy: Legacy, refusal: type[OAuthError]
) -> None:
    strict = a_client()
    assert not strict.accepts(legacy)
    with pytest.raises(OAuthError) as refused:
        strict.refuse_unaccepted({legacy})
    assert type(refused.value) is refusal
    assert OLD.accepts(legacy)
    OLD.refuse_unaccepted({legacy})


@pytest.mark.parametrize(("legacy", "refusal"), REFUSALS)
def test_the_ratchet_takes_one_thing_from_an_atlassian_dc_client_and_no_other(
    legacy: Legacy, refusal: type[OAuthError]
) -> None:
    held = replace(OLD, refuses=frozenset({legacy}))
    assert [each for each in Legacy if not held.accepts(each)] == [legacy]
    with pytest.raises(refusal):
        held.refuse_unaccepted(set(Legacy))
    held.refuse_unaccepted(set(Legacy) - {legacy})


def test_s080_a_public_client_never_goes_without_pkce_whatever_its_profile() -> None:
    public = replace(OLD, confidential=False)
    assert [each for each in Legacy if not public.accepts(each)] == [Legacy.NO_PKCE]


def test_the_first_of_several_things_is_what_is_refused() -> None:
    with pytest.raises(CredentialInQuery):
        a_client().refuse_unaccepted(list(reversed(Legacy)))
    with pytest.raises(CodeChallengeRequired):
        a_client().refuse_unaccepted({Legacy.NO_SCOPE, Legacy.NEITHER_STATE_NOR_PKCE, Legacy.NO_PKCE})
    a_client().refuse_unaccepted(frozenset())


def test_n1_where_the_operator_allows_no_legacy_every_client_is_strict_and_stays_itself_otherwise() -> None:
    assert OLD.held_to(legacy_allowed=True) is OLD
    assert OLD.held_to(legacy_allowed=False) == replace(OLD, profile=Profile.STRICT)
    assert a_client().held_to(legacy_allowed=True) == a_client()


def test_n7_strict_clients_get_tokens_of_32_bytes_and_the_others_the_seeds_16() -> None:
    assert (a_client().token_id_length, OLD.token_id_length) == (32, 16)


@pytest.mark.parametrize(("own", "grace"), [(None, 500), (0, 0), (2, 2_000)])
def test_n10_a_client_s_own_grace_goes_before_the_server_s(own: int | None, grace: int) -> None:
    client = replace(a_client(), refresh_grace_seconds=own)
    assert client.rotation(RotationPolicy(500)) == RotationPolicy(grace)


def test_n9_what_ends_sooner_than_with_the_original_is_for_strict_clients() -> None:
    legacy = Lifetimes(100, 1000)
    usual = Lifetimes(100, 1000, idle=300, administrative=15, legacy=legacy)
    assert a_client().lifetimes(usual) is usual
    assert OLD.lifetimes(usual) is legacy
    assert OLD.held_to(legacy_allowed=False).lifetimes(usual) is usual
    assert OLD.lifetimes(legacy) is legacy, "where nothing differs for it"


ANSWER = {"code": "c d", "state": None, "error": "e"}


@pytest.mark.parametrize(
    ("client", "url"),
    [
        (a_client(), "https://app.example/cb?code=c+d&error=e&iss=https%3A%2F%2Fwiki.example#_"),
        (OLD, "https://app.example/cb?code=c+d&error=e&iss=https%3A%2F%2Fwiki.example"),
        (replace(OLD, plain_answers=True), "https://app.example/cb?code=c+d&error=e"),
        (replace(a_client(), plain_answers=True), "https://app.example/cb?code=c+d&error=e"),
    ],
)
def test_n12_an_answer_says_who_answers_and_ends_in_an_empty_fragment(client: Client, url: str) -> None:
    assert client.answer_url(RedirectUri("https://app.example/cb"), ANSWER, "https://wiki.example") == url


def test_an_answer_without_an_issuer_does_not_invent_one() -> None:
    assert OLD.answer_url(RedirectUri("https://app.example/cb"), {"code": "c"}, None) == "https://app.example/cb?code=c"


def test_a_client_is_served_until_it_is_disabled_or_its_time_is_over() -> None:
    client = a_client()
    assert client.is_enabled
    assert not client.has_expired(10**15)
    assert not replace(client, disabled_at=0).is_enabled
    temporary = replace(client, expires_at=100)
    assert [temporary.has_expired(now) for now in (99, 100, 101)] == [False, True, True]


@pytest.mark.parametrize(
    ("credentials", "method"),
    [
        (ClientCredentials("abc", None, from_basic=True), None),
        (ClientCredentials("abc", None, from_basic=False), None),
        (ClientCredentials("abc", "s", from_basic=True), AuthenticationMethod.BASIC),
        (ClientCredentials("abc", "s", from_basic=False), AuthenticationMethod.POST),
    ],
)
def test_s092_the_method_is_how_the_secret_came(
    credentials: ClientCredentials, method: AuthenticationMethod | None
) -> None:
    assert credentials.method is method
