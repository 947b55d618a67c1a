"""Revocation (RFC 7009): a client gives back what it was given."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import clients, legacy, tokens
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.errors import InvalidClient
from watersmeet.oauth2.family import Revocation
from watersmeet.oauth2.keys import Keys
from watersmeet.tokens.authenticate import authenticate


def revoke(
    tx: Transaction,
    credentials: ClientCredentials,
    token: str,
    *,
    validate_secret: bool,
    now: Instant,
    keys: Keys,
) -> bool:
    """End the family of an access or refresh token; ``False`` when there was nothing of this client's to end.

    Either token takes the other with it (S133). The answer to the client is the same in every case
    (RFC 7009 §2.2). Raises ``InvalidClient``.
    """
    client = authenticate(tx, credentials, keys, now) if validate_secret else _identify(tx, credentials, now)
    digest = keys.digest(token)
    stored = tokens.find_by_refresh_token(tx, digest) or tokens.find_by_access_token(tx, digest)
    if stored is None or stored.family.client != client.id:
        return False
    return tokens.revoke(tx, stored.family.id, Revocation.BY_CLIENT, now)


def _identify(tx: Transaction, credentials: ClientCredentials, now: Instant) -> Client:
    # The property validate.client.secret=false: knowing the token and the client's identifier is enough.
    client = clients.find(tx, credentials.client_id)
    if client is None:
        raise InvalidClient(detail="unknown client")
    client.refuse_unaccepted(credentials.legacy)
    legacy.record(tx, client.id, credentials.legacy, now)
    return client
