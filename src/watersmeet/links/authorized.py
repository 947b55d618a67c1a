"""What a user has authorized: the applications that can act for them, and taking that back."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import authorizations, clients, tokens
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.oauth2.family import Revocation


def revoke_access(tx: Transaction, user: User, client_id: str, now: Instant) -> int:
    """End everything a user gave an application, at once; how many grants ended (S070)."""
    client = clients.find(tx, client_id)
    if client is None:
        return 0
    authorizations.withdraw_codes(tx, user_id=user.id, client=client.id)
    return tokens.revoke_all(tx, client=client.id, user_id=user.id, because=Revocation.BY_USER, now=now)


def revoke_all_access(tx: Transaction, user: User, now: Instant) -> int:
    """End everything a user gave any application, at once; how many grants ended."""
    authorizations.withdraw_codes(tx, user_id=user.id)
    return tokens.revoke_all(tx, user_id=user.id, because=Revocation.BY_USER, now=now)
