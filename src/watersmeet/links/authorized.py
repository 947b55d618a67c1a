"""What a user has authorized: the applications that can act for them, and taking that back."""

from __future__ import annotations

from watersmeet.clock import Instant
from watersmeet.database import audit, authorizations, clients, consents, tokens
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.oauth2.family import Revocation
from watersmeet.users.personal_token import revoke_all_tokens
from watersmeet.users.session import EVERYWHERE_ELSE, Session, end_elsewhere


def revoke_access(tx: Transaction, user: User, client_id: str, now: Instant, origin: Origin = INTERNAL) -> int:
    """End everything a user gave an application, at once; how many grants ended (S070)."""
    client = clients.find(tx, client_id)
    if client is None:
        return 0
    # Whoever is about to get a code without asking holds what is remembered: it goes first, then codes, then grants.
    consents.forget(tx, user_id=user.id, client=client.id)
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
    remembered = [each.client_id for each in consents.list_of(tx, user.id, now)]
    consents.forget(tx, user_id=user.id)
    authorizations.withdraw_codes(tx, user_id=user.id)
    granted = [grant.client_id for grant in tokens.list_grants(tx, user.id, now)]
    return sum(revoke_access(tx, user, client_id, now, origin) for client_id in dict.fromkeys(granted + remembered))


def ask_again(tx: Transaction, user: User, client_id: str, now: Instant, origin: Origin = INTERNAL) -> bool:
    """Forget what an application need not ask a user; what it was given stays. ``False``: nothing was remembered."""
    client = clients.find(tx, client_id)
    forgotten = consents.forget(tx, user_id=user.id, client=client.id) if client else 0
    if forgotten:
        audit.record(tx, Event.CONSENT_FORGOTTEN, origin, now, user_id=user.id, client_id=client_id)
    return bool(forgotten)


def revoke_everything(tx: Transaction, session: Session, now: Instant, origin: Origin = INTERNAL) -> int:
    """End all that can act for a user but the browser they sit at: applications, their own tokens, other browsers.

    How much ended.
    """
    ended = revoke_all_access(tx, session.user, now, origin) + revoke_all_tokens(tx, session.user, now, origin)
    return ended + end_elsewhere(tx, session, EVERYWHERE_ELSE, now, origin)
