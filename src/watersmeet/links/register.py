"""Registering and editing an incoming link: checks that the pages and the command line share (S035, S100)."""

from __future__ import annotations

from dataclasses import dataclass

from watersmeet.clock import Instant, epoch_seconds
from watersmeet.confluence.scopes import Scope
from watersmeet.database import audit, clients
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.links.credentials import new_secret
from watersmeet.names import has_deceptive_characters
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.oauth2.scope import ScopeSet

MAX_NAME_LENGTH = 80
MAX_REDIRECT_URIS = 20


class UnacceptableLink(WatersmeetError):
    """An incoming link that may not be registered; the description says what to change."""


class UnknownLink(WatersmeetError):
    """There is no incoming link with that client ID."""

    description = "There is no incoming link with this client ID."


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person decides about an incoming link."""

    name: str
    redirect_uris: tuple[RedirectUri, ...]
    scope: ScopeSet

    @classmethod
    def check(cls, *, name: str, redirect_uris: list[str], scope: Scope, allow_http: bool) -> Registration:
        """Checked values. Raises ``UnacceptableLink`` or ``InvalidRedirectUri``."""
        if not name or len(name) > MAX_NAME_LENGTH:
            raise UnacceptableLink("The name must have 1 to {maximum} characters.", maximum=MAX_NAME_LENGTH)
        if has_deceptive_characters(name):
            raise UnacceptableLink("The name contains invisible or direction-changing characters.")
        if not redirect_uris:
            raise UnacceptableLink("Give at least one redirect URL.")
        if len(redirect_uris) > MAX_REDIRECT_URIS:
            raise UnacceptableLink("Give at most {maximum} redirect URLs.", maximum=MAX_REDIRECT_URIS)
        unique = dict.fromkeys(redirect_uris)
        uris = tuple(RedirectUri.register(uri, allow_http=allow_http) for uri in unique)
        return cls(name, uris, scope.as_set)


@dataclass(frozen=True, slots=True)
class Registered:
    """A new incoming link and its secret, which is shown this once; a public client has none."""

    client: Client
    client_secret: str | None


def register(
    tx: Transaction,
    registration: Registration,
    *,
    confidential: bool,
    created_by: str,
    now: Instant,
    keys: Keys,
    entropy: Entropy,
    origin: Origin = INTERNAL,
) -> Registered:
    """A new incoming link. Raises ``ClientNameTaken``."""
    client_id = entropy.hex(16)
    number = clients.add(
        tx,
        client_id=client_id,
        name=registration.name,
        confidential=confidential,
        scope=registration.scope,
        uris=registration.redirect_uris,
        now=now,
        created_by=created_by,
    )
    secret = new_secret(tx, number, keys=keys, entropy=entropy, now=now) if confidential else None
    client = require_link(tx, client_id)
    audit.record(tx, Event.LINK_CREATED, origin, now, client_id=client_id, detail={"after": _described(client)})
    return Registered(client, secret)


def edit(
    tx: Transaction, client_id: str, registration: Registration, now: Instant, origin: Origin = INTERNAL
) -> Client:
    """Change an incoming link. Raises ``UnknownLink`` or ``ClientNameTaken``.

    Tokens already given are capped by the new scope from their next use on; whether a client is public is
    fixed when it is registered (S089).
    """
    before = require_link(tx, client_id)
    clients.change(
        tx,
        before.id,
        name=registration.name,
        scope=registration.scope,
        uris=registration.redirect_uris,
    )
    after = require_link(tx, client_id)
    audit.record(tx, Event.LINK_CHANGED, origin, now, client_id=client_id, detail=_difference(before, after))
    return after


def _described(client: Client) -> dict[str, object]:
    """What an administrator decided about a link, for the audit log."""
    decided = link_as_json(client)
    elsewhere = ("client_id", "created_at", "created_by", "enabled")  # in the event itself, or in events of their own
    return {name: decided[name] for name in decided if name not in elsewhere}


def _difference(before: Client, after: Client) -> dict[str, dict[str, object]]:
    old, new = _described(before), _described(after)
    changed = [name for name in new if old[name] != new[name]]
    return {"before": {name: old[name] for name in changed}, "after": {name: new[name] for name in changed}}


def require_link(tx: Transaction, client_id: str) -> Client:
    """The incoming link with that client ID. Raises ``UnknownLink``."""
    client = clients.find(tx, client_id)
    if client is None:
        raise UnknownLink
    return client


def link_as_json(client: Client) -> dict[str, object]:
    """An incoming link for machines, without its secret."""
    return {
        "name": client.name,
        "client_id": client.client_id,
        "type": "confidential" if client.confidential else "public",
        "redirect_uris": [uri.value for uri in client.redirect_uris],
        "scope": str(client.scope),
        "created_at": epoch_seconds(client.created_at),
        "created_by": client.created_by,
        "enabled": client.is_enabled,
    }
