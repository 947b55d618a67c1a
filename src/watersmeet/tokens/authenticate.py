"""Client authentication, shared by every grant and by revocation, so that none can forget it."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import clients
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.errors import InvalidClient
from watersmeet.oauth2.keys import Keys


def authenticate(tx: Transaction, credentials: ClientCredentials, keys: Keys, now: Instant) -> Client:
    """The client that proved itself. Raises ``InvalidClient``, the same for every cause (S095)."""
    return prove(clients.find(tx, credentials.client_id), credentials, keys, now)


def prove(client: Client | None, credentials: ClientCredentials, keys: Keys, now: Instant) -> Client:
    """The client that was found by its identifier, if it proved itself too. Raises ``InvalidClient``."""
    secret = credentials.client_secret
    digest = keys.digest(secret) if secret is not None else None
    if client is None:
        raise InvalidClient(detail="unknown client")
    if not client.is_proven_by(digest, now):
        raise InvalidClient(detail=f"client {client.client_id}: wrong or missing secret")
    if not client.is_enabled:
        raise InvalidClient(detail=f"client {client.client_id}: disabled")
    return client
