"""Client authentication, shared by every grant, revocation and introspection, so that none can forget it."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import clients, legacy
from watersmeet.database.audit import INTERNAL, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.client import Client, ClientCredentials
from watersmeet.oauth2.errors import InvalidClient, OtherClientAuthentication
from watersmeet.oauth2.keys import Keys


def authenticate(
    tx: Transaction, credentials: ClientCredentials, keys: Keys, now: Instant, origin: Origin = INTERNAL
) -> Client:
    """The client that proved itself, and that may do what its request did.

    What is accepted for compatibility is counted here, in the transaction of what it is accepted for. Raises as
    ``prove`` does.
    """
    client = prove(clients.find(tx, credentials.client_id), credentials, keys, now)
    legacy.record(tx, client, credentials.legacy, now, origin)
    return client


def prove(client: Client | None, credentials: ClientCredentials, keys: Keys, now: Instant) -> Client:
    """The client that was found by its identifier, if it proved itself too.

    Raises ``InvalidClient``, the same for every cause (S095), and after that, so that only the client itself
    learns of it, the refusal of what its profile does not allow.
    """
    secret = credentials.client_secret
    digest = keys.digest(secret) if secret is not None else None
    if client is None:
        raise InvalidClient(detail="unknown client")
    if not client.is_proven_by(digest, now):
        raise InvalidClient(detail=f"client {client.client_id}: wrong or missing secret")
    if not client.is_enabled:
        raise InvalidClient(detail=f"client {client.client_id}: disabled")
    if client.has_expired(now):
        raise InvalidClient(detail=f"client {client.client_id}: expired")
    if client.authentication is not None and credentials.method not in (None, client.authentication):
        raise OtherClientAuthentication(detail=f"client {client.client_id}: {credentials.method}")
    client.refuse_unaccepted(credentials.legacy)
    return client
