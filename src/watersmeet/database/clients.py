"""Clients with their redirection URIs and secrets, as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database.prepared import Rows
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import client_secrets, clients, redirect_uris
from watersmeet.database.transaction import Transaction
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.client import AuthenticationMethod, Client, ClientSecret
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.oauth2.scope import ScopeSet


class ClientNameTaken(WatersmeetError):
    """There is an incoming link of that name already."""


_COLUMNS = (
    clients.c.id,
    clients.c.client_id,
    clients.c.name,
    clients.c.confidential,
    clients.c.scope,
    clients.c.created_at,
    clients.c.created_by,
    clients.c.expires_at,
    clients.c.disabled_at,
    clients.c.last_used_at,
    clients.c.profile,
    clients.c.refuses,
    clients.c.pkce_seen_at,
    clients.c.authentication,
    clients.c.may_introspect,
    clients.c.plain_answers,
    clients.c.refresh_grace_seconds,
)
_BY_CLIENT_IDS = RowsStatement(
    [clients.c.client_id],
    lambda rows: select(*_COLUMNS).where(clients.c.client_id.in_(select(rows.c.client_id))),
)
_BY_ID = select(*_COLUMNS).where(clients.c.id == bindparam("id"))
_ALL = select(*_COLUMNS).order_by(clients.c.name_key)
_URIS = RowsStatement(
    [redirect_uris.c.client],
    lambda rows: (
        select(redirect_uris.c.client, redirect_uris.c.uri)
        .where(redirect_uris.c.client.in_(select(rows.c.client)))
        .order_by(redirect_uris.c.client, redirect_uris.c.position)
    ),
)
_SECRETS = RowsStatement(
    [client_secrets.c.client],
    lambda rows: (
        select(
            client_secrets.c.client,
            client_secrets.c.digest,
            client_secrets.c.created_at,
            client_secrets.c.expires_at,
            client_secrets.c.salt,
            client_secrets.c.last_used_at,
        )
        .where(client_secrets.c.client.in_(select(rows.c.client)))
        .order_by(client_secrets.c.created_at)
    ),
)


def find(tx: Transaction, client_id: str) -> Client | None:
    """The client with that public identifier."""
    return find_all(tx, {client_id}).get(client_id)


def find_all(tx: Transaction, client_ids: Set[str]) -> dict[str, Client]:
    """The clients with those public identifiers, by identifier."""
    rows = _BY_CLIENT_IDS.execute(tx, [(client_id,) for client_id in client_ids])
    return {client.client_id: client for client in _assemble(tx, rows)}


def find_by_id(tx: Transaction, number: int) -> Client | None:
    """The client in that row."""
    found = _assemble(tx, tx.execute(_BY_ID, {"id": number}).all())
    return found[0] if found else None


def rename_creator(tx: Transaction, before: str, after: str) -> None:
    """Call whoever registered links by another name."""
    tx.execute(update(clients).where(clients.c.created_by == before).values(created_by=after))


def list_all(tx: Transaction) -> list[Client]:
    """Every client, by name."""
    return _assemble(tx, tx.execute(_ALL).all())


_DUE = select(*_COLUMNS).where(clients.c.expires_at <= bindparam("now"), clients.c.disabled_at.is_(None))


def list_expired(tx: Transaction, now: Instant, at_most: int) -> list[Client]:
    """Clients whose time is over and that are still enabled, a bounded number."""
    return _assemble(tx, tx.execute(_DUE.order_by(clients.c.id).limit(at_most), {"now": now}).all())


def is_public_origin(tx: Transaction, origin: str) -> bool:
    """Whether a public client registered a redirection URI of that origin (S107)."""
    public = select(redirect_uris.c.uri).join(clients, clients.c.id == redirect_uris.c.client)
    uris = tx.execute(public.where(~clients.c.confidential)).scalars()
    return any(RedirectUri(uri).origin == origin for uri in uris)


def _assemble(tx: Transaction, rows: Rows) -> list[Client]:
    # Asked for nobody, too: an unknown client is not refused sooner than a wrong secret (S095).
    ids = [(row[0],) for row in rows] or [(0,)]
    uris: dict[int, list[RedirectUri]] = defaultdict(list)
    for owner, uri in _URIS.execute(tx, ids):
        uris[owner].append(RedirectUri(uri))
    secrets: dict[int, list[ClientSecret]] = defaultdict(list)
    for owner, *secret in _SECRETS.execute(tx, ids):
        secrets[owner].append(ClientSecret(*secret))
    return [_as_client(row, uris[row[0]], secrets[row[0]]) for row in rows]


def _as_client(row: Sequence[Any], uris: Sequence[RedirectUri], secrets: Sequence[ClientSecret]) -> Client:
    number, client_id, name, confidential, scope, created_at, created_by, expires_at, disabled_at, *rest = row
    last_used_at, profile, refuses, pkce_seen_at, authentication, may_introspect, plain_answers, grace = rest
    return Client(
        id=number,
        client_id=client_id,
        name=name,
        confidential=confidential,
        scope=parse_scope(scope),
        redirect_uris=tuple(uris),
        secrets=tuple(secrets),
        created_at=created_at,
        created_by=created_by,
        expires_at=expires_at,
        disabled_at=disabled_at,
        last_used_at=last_used_at,
        profile=Profile(profile),
        refuses=frozenset(Legacy(kind) for kind in refuses.split()),
        pkce_seen_at=pkce_seen_at,
        authentication=AuthenticationMethod(authentication) if authentication else None,
        may_introspect=may_introspect,
        plain_answers=plain_answers,
        refresh_grace_seconds=grace,
    )


def refuse_taken_name(tx: Transaction, name: str, but: int | None = None) -> None:
    """Raises ``ClientNameTaken`` if another client than the one in the row ``but`` has that name."""
    owner = tx.execute(select(clients.c.id).where(clients.c.name_key == name.casefold())).scalar()
    if owner not in (None, but):
        raise ClientNameTaken("There is already an incoming link named {name}.", name=name)


def add(
    tx: Transaction,
    *,
    client_id: str,
    name: str,
    confidential: bool,
    scope: ScopeSet,
    uris: Iterable[RedirectUri],
    now: Instant,
    created_by: str,
    profile: Profile = Profile.STRICT,
    expires_at: Instant | None = None,
) -> int:
    """A new client, still without a secret; the number of its row. Raises ``ClientNameTaken``."""
    refuse_taken_name(tx, name)
    number: int = tx.execute(
        insert(clients).returning(clients.c.id),
        {
            "client_id": client_id,
            "name": name,
            "name_key": name.casefold(),
            "confidential": confidential,
            "scope": str(scope),
            "created_at": now,
            "created_by": created_by,
            "profile": profile.value,
            "expires_at": expires_at,
        },
    ).scalar_one()
    _set_uris(tx, number, uris)
    return number


def change(tx: Transaction, number: int, *, name: str, scope: ScopeSet, uris: Iterable[RedirectUri]) -> None:
    """Replace what can be edited of a client. Raises ``ClientNameTaken``."""
    refuse_taken_name(tx, name, but=number)
    tx.execute(
        update(clients).where(clients.c.id == number).values(name=name, name_key=name.casefold(), scope=str(scope))
    )
    tx.execute(delete(redirect_uris).where(redirect_uris.c.client == number))
    _set_uris(tx, number, uris)


def change_rules(
    tx: Transaction,
    number: int,
    *,
    profile: Profile,
    refuses: Iterable[Legacy],
    authentication: AuthenticationMethod | None,
    may_introspect: bool,
    plain_answers: bool,
    refresh_grace_seconds: int | None,
    expires_at: Instant | None,
) -> None:
    """Replace the rules a client is held to."""
    tx.execute(
        update(clients)
        .where(clients.c.id == number)
        .values(
            profile=profile.value,
            refuses=" ".join(sorted(refuses)),
            authentication=authentication.value if authentication else None,
            may_introspect=may_introspect,
            plain_answers=plain_answers,
            refresh_grace_seconds=refresh_grace_seconds,
            expires_at=expires_at,
        )
    )


def note_pkce(tx: Transaction, number: int, now: Instant) -> None:
    """Remember when a client was first seen using PKCE."""
    first = update(clients).where(clients.c.id == number, clients.c.pkce_seen_at.is_(None))
    tx.execute(first.values(pkce_seen_at=now))


def _set_uris(tx: Transaction, number: int, uris: Iterable[RedirectUri]) -> None:
    rows = [{"client": number, "position": position, "uri": uri.value} for position, uri in enumerate(uris)]
    tx.execute(insert(redirect_uris), rows)


def set_disabled(tx: Transaction, number: int, disabled_at: Instant | None) -> None:
    """Refuse a client from now on, or (``None``) serve it again."""
    tx.execute(update(clients).where(clients.c.id == number).values(disabled_at=disabled_at))


def add_secret(tx: Transaction, number: int, digest: str, now: Instant, salt: str | None = None) -> None:
    """One more secret that works from now on; with its ``salt`` it can be made again."""
    row = {"digest": digest, "client": number, "created_at": now, "expires_at": None, "salt": salt}
    tx.execute(insert(client_secrets), row)


def end_secrets(tx: Transaction, number: int, *, now: Instant, expires_at: Instant) -> None:
    """Let the present secrets end at ``expires_at`` at the latest, and forget those that have ended."""
    mine = client_secrets.c.client == number
    tx.execute(delete(client_secrets).where(mine, client_secrets.c.expires_at <= now))
    later = client_secrets.c.expires_at.is_(None) | (client_secrets.c.expires_at > expires_at)
    tx.execute(update(client_secrets).where(mine, later).values(expires_at=expires_at))


def remove_old_secrets(tx: Transaction, number: int, now: Instant) -> int:
    """Forget every secret but the newest, which alone has no end; how many of them still worked."""
    old = delete(client_secrets).where(client_secrets.c.client == number, client_secrets.c.expires_at.is_not(None))
    return sum(end > now for end in tx.execute(old.returning(client_secrets.c.expires_at)).scalars())


def remove(tx: Transaction, number: int) -> None:
    """Delete a client; its codes, grants and tokens go with it (foreign keys cascade, S099)."""
    tx.execute(delete(clients).where(clients.c.id == number))
