"""Consent that is remembered, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.schema import clients, consents
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.consent import Consent

_FIELDS = Consent.__slots__
# Whoever takes consent back deletes the rows: they wait for us, or we find nothing.
_HOLD = (
    select(*(consents.c[name] for name in _FIELDS))
    .where(
        consents.c.client == bindparam("client"),
        consents.c.user_id == bindparam("user_id"),
        consents.c.redirect_uri == bindparam("redirect_uri"),
    )
    .with_for_update(read=True)
)


def hold(tx: Transaction, client: int, user_id: int, redirect_uri: str) -> list[Consent]:
    """What is remembered of a user, a client and an address; nobody takes it back before the transaction ends."""
    rows = tx.execute(_HOLD, {"client": client, "user_id": user_id, "redirect_uri": redirect_uri})
    return [_as_consent(row) for row in rows]


def add(tx: Transaction, consent: Consent) -> None:
    """Remember an answer, instead of an earlier one to the same client and address."""
    mine = (consents.c.client == consent.client, consents.c.user_id == consent.user_id)
    tx.execute(delete(consents).where(*mine, consents.c.redirect_uri == consent.redirect_uri))
    values = {name: getattr(consent, name) for name in _FIELDS}
    tx.execute(insert(consents), {**values, "scope": str(consent.scope)})


@dataclass(frozen=True, slots=True)
class RememberedClient:
    """An application that need not ask a user for a while: what it may have, and until when."""

    client_id: str
    client_name: str
    consent: Consent


def list_of(tx: Transaction, user_id: int, now: Instant) -> list[RememberedClient]:
    """What a user need not be asked again, by name of the application."""
    mine = (
        select(clients.c.client_id, clients.c.name, *(consents.c[name] for name in _FIELDS))
        .join(clients, clients.c.id == consents.c.client)
        .where(consents.c.user_id == user_id, consents.c.expires_at > now)
        .order_by(clients.c.name_key, consents.c.created_at)
    )
    return [RememberedClient(row[0], row[1], _as_consent(row[2:])) for row in tx.execute(mine)]


def forget(tx: Transaction, *, user_id: int | None = None, client: int | None = None) -> int:
    """Forget what is remembered of a user, of a client, or of both together; how much.

    Raises ``ValueError`` when neither is named: nobody means everybody.
    """
    if user_id is None and client is None:
        raise ValueError("name a user, a client or both")
    whose = []
    if user_id is not None:
        whose.append(consents.c.user_id == user_id)
    if client is not None:
        whose.append(consents.c.client == client)
    return tx.execute(delete(consents).where(*whose)).rowcount


def forget_everybodys(tx: Transaction) -> int:
    """Forget all that is remembered; how much."""
    return tx.execute(delete(consents)).rowcount


def _as_consent(row: Any) -> Consent:
    client, user_id, redirect_uri, scope, *rest = row
    return Consent(client, user_id, redirect_uri, parse_scope(scope), *rest)


# ---- pruning ----------------------------------------------------------------------------------------------

_EXPIRED = ended(consents.c.id, consents.c.expires_at)
_ANY_EXPIRED = any_ended(consents.c.expires_at)


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index of expiries."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete what ended before an instant, a bounded number; how much went."""
    found = list(tx.execute(_EXPIRED, {"before": before, "at_most": at_most}).scalars())
    tx.execute(delete(consents).where(consents.c.id.in_(found)))
    return len(found)


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {consents.name: expiry.backlog(tx, consents.c.expires_at, before)}
