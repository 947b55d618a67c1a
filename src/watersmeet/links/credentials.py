"""Credentials of an incoming link: new secrets, rotation with overlap, and the end of it all."""

from __future__ import annotations

from watersmeet.clock import SECOND, Instant
from watersmeet.database import audit, authorizations, clients, consents, tokens
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.client import Client, ClientSecret
from watersmeet.oauth2.family import Revocation
from watersmeet.oauth2.keys import Keys

HOUR: Instant = 3600 * SECOND
DEFAULT_OVERLAP_HOURS = 24


class NoSecret(WatersmeetError):
    """A public client has no secret to rotate."""

    description = "This is a public client: it has no secret."


class TimeOver(WatersmeetError):
    """A link whose time is over needs another end before it can be enabled."""

    description = "The link has expired. Give it a later last day, or none, and then enable it."


class NotViewable(WatersmeetError):
    """A secret of which only a digest is kept, or that may not be shown again."""

    description = "The secret cannot be shown again. Make a new one: the old one works on for the hours you choose."


def new_secret(
    tx: Transaction, number: int, *, keys: Keys, entropy: Entropy, now: Instant, viewable: bool = False
) -> str:
    """One more secret of 256 random bits; kept is its digest (S093, S094), and if ``viewable`` what makes it again."""
    salt = entropy.hex(16) if viewable else None
    secret = keys.client_secret(salt) if salt else entropy.hex(32)
    clients.add_secret(tx, number, keys.digest(secret), now, salt)
    return secret


def viewable_secret(client: Client, now: Instant) -> ClientSecret | None:
    """The newest secret of a client, if it works and can be made again."""
    newest = client.secrets[-1] if client.secrets else None
    return newest if newest and newest.salt and newest.is_live(now) else None


def view_secret(tx: Transaction, client: Client, *, now: Instant, keys: Keys, origin: Origin = INTERNAL) -> str:
    """The secret of a client once more, and that somebody saw it. Raises ``NotViewable``."""
    found = viewable_secret(client, now)
    if found is None or found.salt is None:
        raise NotViewable
    audit.record(tx, Event.SECRET_VIEWED, origin, now, client_id=client.client_id)
    return keys.client_secret(found.salt)


def rotate_secret(
    tx: Transaction,
    client: Client,
    *,
    overlap: Instant,
    now: Instant,
    keys: Keys,
    entropy: Entropy,
    origin: Origin = INTERNAL,
    viewable: bool = False,
) -> str:
    """A new secret; the old ones work for ``overlap`` milliseconds more (S097). Raises ``NoSecret``."""
    if not client.confidential:
        raise NoSecret
    clients.end_secrets(tx, client.id, now=now, expires_at=now + overlap)
    detail = {"old_secrets_end_at": now + overlap}
    audit.record(tx, Event.SECRET_ROTATED, origin, now, client_id=client.client_id, detail=detail)
    return new_secret(tx, client.id, keys=keys, entropy=entropy, now=now, viewable=viewable)


def end_old_secrets(tx: Transaction, client: Client, now: Instant, origin: Origin = INTERNAL) -> int:
    """End the secrets that a rotation left working for a while; how many worked (S097)."""
    ended = clients.remove_old_secrets(tx, client.id, now)
    if ended:
        detail = {"secrets_ended": ended}
        audit.record(tx, Event.SECRET_ENDED, origin, now, client_id=client.client_id, detail=detail)
    return ended


def disable_link(
    tx: Transaction, client: Client, now: Instant, origin: Origin = INTERNAL, event: Event = Event.LINK_DISABLED
) -> int:
    """Refuse a client everywhere; its questions, codes, grants and tokens die at once (S099). How many grants ended."""
    clients.set_disabled(tx, client.id, now)
    consents.forget(tx, client=client.id)
    authorizations.withdraw_all_of(tx, client.id)
    ended = tokens.revoke_all(tx, client=client.id, because=Revocation.BY_ADMINISTRATOR, now=now)
    detail = {"grants_ended": ended}
    audit.record(tx, event, origin, now, client_id=client.client_id, detail=detail)
    return ended


def enable_link(tx: Transaction, client: Client, now: Instant, origin: Origin = INTERNAL) -> None:
    """Serve a disabled client again; people must authorize it anew. Raises ``TimeOver``."""
    if client.has_expired(now):
        raise TimeOver
    clients.set_disabled(tx, client.id, None)
    audit.record(tx, Event.LINK_ENABLED, origin, now, client_id=client.client_id)


def any_expired(tx: Transaction, now: Instant) -> bool:
    """Whether a link's time is over and nobody has ended it yet."""
    return bool(clients.list_expired(tx, now, 1))


def end_expired(tx: Transaction, now: Instant, at_most: int) -> int:
    """Disable links whose time is over, a bounded number; how many."""
    expired = clients.list_expired(tx, now, at_most)
    for client in expired:
        disable_link(tx, client, now, event=Event.LINK_EXPIRED)
    return len(expired)


def delete_link(tx: Transaction, client: Client, now: Instant, origin: Origin = INTERNAL) -> None:
    """Delete an incoming link; its codes, grants and tokens die with it (S099)."""
    clients.remove(tx, client.id)
    audit.record(tx, Event.LINK_DELETED, origin, now, client_id=client.client_id, detail={"name": client.name})
