"""Client authentication: one rule after another, and nobody learns of a later one who fails an earlier one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watersmeet.confluence.scopes import Scope
from watersmeet.oauth2.client import AuthenticationMethod, Client, ClientCredentials, ClientSecret
from watersmeet.oauth2.errors import (
    CredentialInQuery,
    InvalidClient,
    OAuthError,
    OtherClientAuthentication,
    TwoClientAuthentications,
)
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.tokens.authenticate import prove

KEYS = Keys.derive("the secret of these tests, long enough to be one")
NOW = 1_000

CLIENT = Client(
    id=1,
    client_id="abc",
    name="App",
    confidential=True,
    scope=Scope.READ.as_set,
    redirect_uris=(),
    secrets=(ClientSecret(KEYS.digest("old"), 0, NOW), ClientSecret(KEYS.digest("hush"), 0, NOW + 1)),
    created_at=0,
    created_by="admin",
)
PUBLIC = replace(CLIENT, confidential=False, secrets=())
OLD = replace(CLIENT, profile=Profile.ATLASSIAN_DC)
IN_QUERY = frozenset({Legacy.CREDENTIAL_IN_QUERY})


def with_secret(
    secret: str | None, *, from_basic: bool = False, legacy: frozenset[Legacy] = frozenset()
) -> ClientCredentials:
    return ClientCredentials("abc", secret, from_basic=from_basic, legacy=legacy)


@pytest.mark.parametrize(
    ("client", "credentials"),
    [
        (CLIENT, with_secret("hush")),
        (CLIENT, with_secret("hush", from_basic=True)),
        (PUBLIC, with_secret(None)),
        (replace(CLIENT, expires_at=NOW + 1), with_secret("hush")),
        (replace(CLIENT, authentication=AuthenticationMethod.BASIC), with_secret("hush", from_basic=True)),
        (replace(CLIENT, authentication=AuthenticationMethod.POST), with_secret("hush")),
        (replace(PUBLIC, authentication=AuthenticationMethod.BASIC), with_secret(None)),
        (OLD, with_secret("hush", legacy=IN_QUERY)),
    ],
)
def test_s089_s092_a_client_that_proves_itself_is_the_one_that_was_found(
    client: Client, credentials: ClientCredentials
) -> None:
    assert prove(client, credentials, KEYS, NOW) is client


DISABLED = replace(CLIENT, disabled_at=0)
EXPIRED = replace(CLIENT, expires_at=NOW)
BASIC_ONLY = replace(CLIENT, authentication=AuthenticationMethod.BASIC)
UNKNOWN: tuple[type[OAuthError], str] = (InvalidClient, "unknown client")
WRONG: tuple[type[OAuthError], str] = (InvalidClient, "client abc: wrong or missing secret")


@pytest.mark.parametrize(
    ("client", "credentials", "refusal"),
    [
        (None, with_secret("hush"), UNKNOWN),
        (None, with_secret(None, legacy=IN_QUERY), UNKNOWN),
        (CLIENT, with_secret("wrong"), WRONG),
        (CLIENT, with_secret(None), WRONG),
        (CLIENT, with_secret(""), WRONG),
        (CLIENT, with_secret("old"), WRONG),  # its time is over
        (CLIENT, with_secret(KEYS.digest("hush")), WRONG),
        (PUBLIC, with_secret("hush"), WRONG),
        (PUBLIC, with_secret(""), WRONG),
        (DISABLED, with_secret("wrong"), WRONG),
        (DISABLED, with_secret("hush"), (InvalidClient, "client abc: disabled")),
        (EXPIRED, with_secret("wrong"), WRONG),
        (EXPIRED, with_secret("hush"), (InvalidClient, "client abc: expired")),
        (BASIC_ONLY, with_secret("wrong"), WRONG),
        (BASIC_ONLY, with_secret("hush"), (OtherClientAuthentication, "client abc: client_secret_post")),
        (CLIENT, with_secret("wrong", legacy=IN_QUERY), WRONG),
        (CLIENT, with_secret("hush", legacy=IN_QUERY), (CredentialInQuery, "")),
        (OLD, with_secret("wrong", legacy=IN_QUERY), WRONG),
        (
            replace(OLD, refuses=frozenset({Legacy.TWO_AUTHENTICATIONS})),
            with_secret("hush", legacy=frozenset({Legacy.TWO_AUTHENTICATIONS})),
            (TwoClientAuthentications, ""),
        ),
    ],
)
def test_s089_s095_whoever_fails_is_refused_and_the_log_alone_knows_why(
    client: Client | None, credentials: ClientCredentials, refusal: tuple[type[OAuthError], str]
) -> None:
    with pytest.raises(OAuthError) as refused:
        prove(client, credentials, KEYS, NOW)
    assert (type(refused.value), refused.value.detail) == refusal
    if isinstance(refused.value, InvalidClient):
        assert refused.value.description == "Client authentication failed."
