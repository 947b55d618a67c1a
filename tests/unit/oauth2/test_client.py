"""Clients and their credentials (RFC 6749 §2)."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.client import Client, ClientCredentials, ClientSecret
from watersmeet.oauth2.errors import InvalidClient, MissingParameter, RepeatedParameter, TwoClientAuthentications
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import Legacy
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


def test_s089_a_public_client_must_not_send_a_secret() -> None:
    client = a_client(confidential=False)
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
    with pytest.raises(MissingParameter, match="client_id"):
        ClientCredentials.parse(None, Parameters.parse(query))


@pytest.mark.parametrize("query", [b"client_secret=s", b"client_id=abc&client_secret=t", b"client_id=other"])
def test_s091_two_ways_of_authentication_are_refused(query: bytes) -> None:
    with pytest.raises(TwoClientAuthentications):
        ClientCredentials.parse(basic("abc:s"), Parameters.parse(query))


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
