"""Which secret was used when is noted in memory, and nowhere else before the minute is over (S097)."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site, SiteFactory
from watersmeet import demo
from watersmeet.database import clients

PROOF = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET}


def _digest(site: Site) -> str:
    client = site.environment.database.read_now(lambda tx: clients.find(tx, demo.CLIENT_ID))
    assert client is not None
    [secret] = client.secrets
    return secret.digest


def test_s097_getting_tokens_is_a_use(site: Site) -> None:
    tokens, exchanged_at = site.tokens(), site.clock.now()
    assert site.environment.uses.secrets == {_digest(site): exchanged_at}
    site.clock.advance(60)
    assert site.refresh(tokens["refresh_token"]).status_code == 200
    assert site.environment.uses.secrets == {_digest(site): exchanged_at + 60_000}


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
@pytest.mark.parametrize("validated", [True, False])
def test_s097_revoking_and_introspecting_are_uses_of_a_secret_that_was_looked_at(
    site_under: SiteFactory, endpoint: str, validated: bool
) -> None:
    site = site_under(validate_client_secret=validated)
    answer = site.client.post(f"/rest/oauth2/latest/{endpoint}", data=PROOF | {"token": "nonsense"})
    assert answer.status_code == 200
    is_use = validated or endpoint != "revoke"
    assert site.environment.uses.secrets == ({_digest(site): site.clock.now()} if is_use else {})
