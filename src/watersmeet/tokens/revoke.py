"""Revocation (RFC 7009): a client gives back what it was given."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.database import audit, authorizations, clients, consents, legacy, personal_tokens, tokens, users
from watersmeet.database.audit import INTERNAL, Event, Origin
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
    origin: Origin = INTERNAL,
) -> bool:
    """End the family of an access or refresh token; ``False`` when there was nothing of this client's to end.

    Either token takes the other with it (S133). The answer to the client is the same in every case
    (RFC 7009 §2.2). Raises ``InvalidClient``.
    """
    client = (
        authenticate(tx, credentials, keys, now, origin) if validate_secret else _identify(tx, credentials, now, origin)
    )
    digest = keys.digest(token)
    stored = tokens.find_by_refresh_token(tx, digest) or tokens.find_by_access_token(tx, digest)
    if stored is None or stored.family.client != client.id:
        return False
    family = stored.family
    ended = tokens.revoke(tx, family.id, Revocation.BY_CLIENT, now)
    if ended:
        audit.record(
            tx,
            Event.TOKENS_REVOKED,
            origin,
            now,
            user_id=family.user_id,
            client_id=client.client_id,
            family_id=family.id,
        )
    return ended


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended."""

    grants: int
    sessions: int
    personal_tokens: int


def end_everything(tx: Transaction, now: Instant, origin: Origin = INTERNAL) -> Ended:
    """End every grant, browser session and personal access token, as after a restored backup; how many of each.

    A backup knows nothing of what was spent or revoked after it was made. Remembered consent goes first, then codes
    (S070).
    """
    consents.forget_everybodys(tx)
    authorizations.withdraw_all(tx)
    grants, sessions = tokens.revoke_everybody(tx, Revocation.BY_ADMINISTRATOR, now), users.end_every_session(tx)
    personal = personal_tokens.remove_everybodys(tx)
    detail = {"grants_ended": grants, "sessions_ended": sessions}
    detail |= {"personal_tokens_ended": personal} if personal else {}
    audit.record(tx, Event.ACCESS_REMOVED, origin, now, detail=detail)
    return Ended(grants, sessions, personal)


def _identify(tx: Transaction, credentials: ClientCredentials, now: Instant, origin: Origin) -> Client:
    # The property validate.client.secret=false: knowing the token and the client's identifier is enough.
    client = clients.find(tx, credentials.client_id)
    if client is None:
        raise InvalidClient(detail="unknown client")
    client.refuse_unaccepted(credentials.legacy)
    legacy.record(tx, client, credentials.legacy, now, origin)
    return client
