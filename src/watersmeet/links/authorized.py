"""What a user has authorized: the applications that can act for them, and taking that back."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import audit, authorizations, clients, tokens
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.oauth2.family import Revocation


def revoke_access(tx: Transaction, user: User, client_id: str, now: Instant, origin: Origin = INTERNAL) -> int:
    """End everything a user gave an application, at once; how many grants ended (S070)."""
    client = clients.find(tx, client_id)
    if client is None:
        return 0
    authorizations.withdraw_codes(tx, user_id=user.id, client=client.id)
    ended = tokens.revoke_all(tx, client=client.id, user_id=user.id, because=Revocation.BY_USER, now=now)
    audit.record(
        tx,
        Event.ACCESS_REMOVED,
        origin,
        now,
        user_id=user.id,
        client_id=client.client_id,
        detail={"grants_ended": ended},
    )
    return ended


def revoke_all_access(tx: Transaction, user: User, now: Instant, origin: Origin = INTERNAL) -> int:
    """End everything a user gave any application, at once; how many grants ended."""
    authorizations.withdraw_codes(tx, user_id=user.id)
    applications = [grant.client_id for grant in tokens.list_grants(tx, user.id, now)]
    return sum(revoke_access(tx, user, client_id, now, origin) for client_id in applications)
