"""Registering and editing an incoming link: checks that the pages and the command line share (S035, S100)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal, TypedDict, Unpack

from watersmeet.clock import DAY, SECOND, Instant, as_datetime, epoch_seconds
from watersmeet.confluence.scopes import Scope
from watersmeet.database import audit, clients, consents
from watersmeet.database.audit import INTERNAL, Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.links.credentials import new_secret
from watersmeet.names import has_deceptive_characters
from watersmeet.oauth2.client import AuthenticationMethod, Client
from watersmeet.oauth2.keys import Keys
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.oauth2.scope import ScopeSet

MAX_NAME_LENGTH = 80
MAX_REDIRECT_URIS = 20
MAX_REFRESH_GRACE = 2  # seconds (S111)


class UnacceptableLink(WatersmeetError):
    """An incoming link that may not be registered; the description says what to change."""


def end_of_day(text: str) -> Instant | None:
    """When a link ends whose last day, in UTC, is ``text`` (``2027-12-31``); ``None`` for an empty one.

    Raises ``UnacceptableLink``.
    """
    if not text:
        return None
    try:
        midnight = datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        raise UnacceptableLink("Write the last day like 2027-12-31.") from error
    return int(midnight.timestamp()) * SECOND + DAY


def last_day(expires_at: Instant | None) -> str:
    """The day that ``end_of_day`` makes that end of."""
    return f"{as_datetime(expires_at - 1):%Y-%m-%d}" if expires_at else ""


def refuse_past(expires_at: Instant | None, now: Instant) -> None:
    """Raises ``UnacceptableLink`` for an end that has come already."""
    if expires_at is not None and expires_at <= now:
        raise UnacceptableLink("The last day must not be over yet.")


def refuse_bad_name(name: str) -> None:
    """Raises ``UnacceptableLink`` for a name that people could not read, or could misread (S035)."""
    if not name or len(name) > MAX_NAME_LENGTH:
        raise UnacceptableLink("The name must have 1 to {maximum} characters.", maximum=MAX_NAME_LENGTH)
    if has_deceptive_characters(name):
        raise UnacceptableLink("The name contains invisible or direction-changing characters.")


def refuse_bad_number(redirect_uris: list[str]) -> None:
    """Raises ``UnacceptableLink`` for too few redirection URIs, or too many."""
    if not redirect_uris:
        raise UnacceptableLink("Give at least one redirect URL.")
    if len(redirect_uris) > MAX_REDIRECT_URIS:
        raise UnacceptableLink("Give at most {maximum} redirect URLs.", maximum=MAX_REDIRECT_URIS)


class UnknownLink(WatersmeetError):
    """There is no incoming link with that client ID."""

    status = 404
    description = "There is no incoming link with this client ID."


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person decides about an incoming link."""

    name: str
    redirect_uris: tuple[RedirectUri, ...]
    scope: ScopeSet
    profile: Profile = Profile.STRICT
    expires_at: Instant | None = None

    @classmethod
    def check(
        cls,
        *,
        name: str,
        redirect_uris: list[str],
        scope: Scope,
        allow_http: bool,
        profile: Profile = Profile.STRICT,
        last_day: str = "",
    ) -> Registration:
        """Checked values. Raises ``UnacceptableLink`` or ``InvalidRedirectUri``."""
        refuse_bad_name(name)
        refuse_bad_number(redirect_uris)
        unique = dict.fromkeys(redirect_uris)
        uris = tuple(RedirectUri.register(uri, allow_http=allow_http) for uri in unique)
        return cls(name, uris, scope.as_set, profile, end_of_day(last_day))


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
    viewable: bool = False,
) -> Registered:
    """A new incoming link, its secret ``viewable`` later or not. Raises ``ClientNameTaken`` or ``UnacceptableLink``."""
    refuse_past(registration.expires_at, now)
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
        profile=registration.profile,
        expires_at=registration.expires_at,
    )
    secret = None
    if confidential:
        secret = new_secret(tx, number, keys=keys, entropy=entropy, now=now, viewable=viewable)
    client = require_link(tx, client_id)
    audit.record(tx, Event.LINK_CREATED, origin, now, client_id=client_id, detail={"after": _described(client)})
    return Registered(client, secret)


def edit(
    tx: Transaction, client_id: str, registration: Registration, now: Instant, origin: Origin = INTERNAL
) -> Client:
    """Change an incoming link. Raises ``UnknownLink``, ``ClientNameTaken`` or ``UnacceptableLink``.

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
    _write_rules(tx, before, now, profile=registration.profile, expires_at=registration.expires_at or "never")
    return _changed(tx, before, now, origin)


def _changed(tx: Transaction, before: Client, now: Instant, origin: Origin) -> Client:
    """A link after a change, which is written down; whatever changed, its users are asked again (S056, S057)."""
    after = require_link(tx, before.client_id)
    difference = _difference(before, after)
    if difference["after"]:
        consents.forget(tx, client=before.id)
    audit.record(tx, Event.LINK_CHANGED, origin, now, client_id=before.client_id, detail=difference)
    return after


def _described(client: Client) -> dict[str, object]:
    """What an administrator decided about a link, for the audit log."""
    decided = link_as_json(client)
    # In the event itself, or in events of their own.
    elsewhere = ("client_id", "created_at", "created_by", "enabled", "secrets")
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


class Rules(TypedDict, total=False):
    """What a client is held to; what is left out stays as it is.

    ``refuse`` and ``accept`` turn the ratchet of a legacy client, one thing at a time.
    """

    profile: Profile | None
    refuse: Iterable[Legacy]
    accept: Iterable[Legacy]
    may_introspect: bool | None
    authentication: AuthenticationMethod | Literal["either"] | None
    plain_answers: bool | None
    refresh_grace_seconds: int | Literal["default"] | None
    expires_at: Instant | Literal["never"] | None


def change_rules(
    tx: Transaction, client: Client, now: Instant, origin: Origin = INTERNAL, **rules: Unpack[Rules]
) -> Client:
    """Change the rules a client is held to. Raises ``UnacceptableLink``."""
    _write_rules(tx, client, now, **rules)
    return _changed(tx, client, now, origin)


def _write_rules(
    tx: Transaction,
    client: Client,
    now: Instant,
    *,
    profile: Profile | None = None,
    refuse: Iterable[Legacy] = (),
    accept: Iterable[Legacy] = (),
    may_introspect: bool | None = None,
    authentication: AuthenticationMethod | Literal["either"] | None = None,
    plain_answers: bool | None = None,
    refresh_grace_seconds: int | Literal["default"] | None = None,
    expires_at: Instant | Literal["never"] | None = None,
) -> None:
    introspects = client.may_introspect if may_introspect is None else may_introspect
    method = client.authentication if authentication is None else _method(authentication)
    if not client.confidential and (introspects or method):
        raise UnacceptableLink(
            "A public client has no secret, so it can neither introspect nor prefer a way to send it."
        )
    end = client.expires_at if expires_at is None else None if expires_at == "never" else expires_at
    if end != client.expires_at:
        refuse_past(end, now)
    grace = client.refresh_grace_seconds if refresh_grace_seconds is None else _grace(refresh_grace_seconds)
    clients.change_rules(
        tx,
        client.id,
        profile=profile or client.profile,
        refuses=(client.refuses | set(refuse)) - set(accept),
        authentication=method,
        may_introspect=introspects,
        plain_answers=client.plain_answers if plain_answers is None else plain_answers,
        refresh_grace_seconds=grace,
        expires_at=end,
    )


def _method(chosen: AuthenticationMethod | Literal["either"]) -> AuthenticationMethod | None:
    return None if chosen == "either" else AuthenticationMethod(chosen)


def _grace(chosen: int | Literal["default"]) -> int | None:
    if chosen == "default":
        return None
    if not 0 <= chosen <= MAX_REFRESH_GRACE:
        raise UnacceptableLink("The grace must be 0 to {maximum} seconds.", maximum=MAX_REFRESH_GRACE)
    return chosen


def link_as_json(client: Client) -> dict[str, object]:
    """An incoming link for machines; of its secrets, which are not here, when each was made, ends and was used."""
    return {
        "name": client.name,
        "client_id": client.client_id,
        "type": "confidential" if client.confidential else "public",
        "redirect_uris": [uri.value for uri in client.redirect_uris],
        "scope": str(client.scope),
        "profile": client.profile.value,
        "refuses": sorted(client.refuses),
        "authentication": client.authentication.value if client.authentication else "either",
        "may_introspect": client.may_introspect,
        "plain_answers": client.plain_answers,
        "refresh_grace_seconds": client.refresh_grace_seconds,
        "expires_at": epoch_seconds(client.expires_at) if client.expires_at else None,
        "created_at": epoch_seconds(client.created_at),
        "created_by": client.created_by,
        "enabled": client.is_enabled,
        "secrets": [
            {
                "created_at": epoch_seconds(secret.created_at),
                "expires_at": epoch_seconds(secret.expires_at) if secret.expires_at else None,
                "last_used_at": epoch_seconds(secret.last_used_at) if secret.last_used_at else None,
            }
            for secret in client.secrets
        ],
    }
