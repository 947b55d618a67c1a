"""The audit log, as rows: one structured event a security decision, in the transaction of what it describes (S150).

An operation calls ``record`` beside its own writes, so an event exists exactly if the thing happened. Events name
people, clients and families by identifiers; nothing that could be presented as a credential goes into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, or_, select, tuple_, update

from watersmeet.clock import Instant
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import audit_events, clients, properties, users
from watersmeet.database.transaction import Transaction


class Event(StrEnum):
    """Every kind of event there is. Documented one by one in docs/security-operations.md."""

    SIGNED_IN = "sign-in.succeeded"
    SIGN_IN_FAILED = "sign-in.failed"
    SIGN_IN_THROTTLED = "sign-in.throttled"
    SIGNED_OUT = "sign-out"
    SESSION_ENDED = "session.ended"  # by its user, from another browser

    CONSENT_ALLOWED = "consent.allowed"  # a code was issued
    CONSENT_DENIED = "consent.denied"
    CONSENT_REUSED = "consent.reused"  # a code was issued without asking, as the user had allowed
    CONSENT_FORGOTTEN = "consent.forgotten"  # the user wants to be asked again

    TOKENS_ISSUED = "tokens.issued"  # a code was exchanged
    TOKENS_REFRESHED = "tokens.refreshed"
    TOKENS_RESENT = "tokens.resent"  # the same successor again, within the grace period
    CODE_REPLAYED = "code.replayed"  # the family was revoked
    REFRESH_REPLAYED = "refresh.replayed"  # the family was revoked
    GRANT_REFUSED = "grant.refused"  # an exchange or refresh, for any reason but a replay
    CLIENT_REFUSED = "client.refused"  # it did not authenticate, or sent a credential where its profile forbids it
    CLIENT_THROTTLED = "client.throttled"
    TOKENS_REVOKED = "tokens.revoked"  # by the client
    ACCESS_REMOVED = "access.removed"  # by the user or an administrator, who may remove everybody's
    INTROSPECTION_REFUSED = "introspection.refused"
    LEGACY_ACCEPTED = "legacy.accepted"  # a rule of the profile "strict" was waived

    LINK_CREATED = "link.created"
    LINK_CHANGED = "link.changed"
    LINK_DELETED = "link.deleted"
    LINK_DISABLED = "link.disabled"
    LINK_ENABLED = "link.enabled"
    LINK_EXPIRED = "link.expired"  # its time was over: disabled by the sweep
    SECRET_ROTATED = "secret.rotated"  # noqa: S105 - the name of an event
    SECRET_VIEWED = "secret.viewed"  # noqa: S105 - the name of an event
    SECRET_ENDED = "secret.ended"  # noqa: S105 - the old ones, before their time

    PERSONAL_TOKEN_CREATED = "personal-token.created"  # noqa: S105 - the name of an event
    PERSONAL_TOKEN_REVOKED = "personal-token.revoked"  # noqa: S105 - the name of an event

    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_DELETED = "user.deleted"
    PASSWORD_REFUSED = "password.refused"  # noqa: S105 - somebody signed in typed a wrong one where it is asked again
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - the name of an event

    PERMISSION_GRANTED = "permission.granted"  # on the instance, or in a space
    PERMISSION_REVOKED = "permission.revoked"
    RESTRICTIONS_CHANGED = "restrictions.changed"  # whom a content is kept to
    GROUP_CREATED = "group.created"
    GROUP_DELETED = "group.deleted"
    GROUP_JOINED = "group.joined"
    GROUP_LEFT = "group.left"
    SPACE_DELETED = "space.deleted"

    KEY_ROTATED = "key.rotated"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_SUPPRESSED = "audit.suppressed"  # failed attempts beyond what is recorded one by one


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act came from: who did it, from which address, in which request.

    ``actor`` is a user name or says what else acted; ``None`` when the client of the event acted for itself.
    """

    actor: str | None = None
    address: str | None = None
    request_id: str | None = None


INTERNAL = Origin()
"""No request: a schedule, or a program that calls operations directly."""

COMMAND_LINE = Origin(actor="the command line")
"""Somebody with access to the settings and the database."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is read back."""

    id: int
    at: Instant
    event: str
    actor: str | None
    username: str | None
    client_id: str | None
    client_name: str | None
    family_id: str | None
    address: str | None
    request_id: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """An event that is about to be written.

    ``user_id`` is whom it concerns, ``client_id`` the public identifier of the application, ``detail`` what else
    is worth knowing (for changes: ``before`` and ``after``). Never a credential.
    """

    event: Event
    origin: Origin
    at: Instant
    user_id: int | None = None
    client_id: str | None = None
    family_id: str | None = None
    detail: Mapping[str, object] | None = None


_COLUMNS = [
    audit_events.c[name]
    for name in ("at", "event", "actor", "user_id", "client_id", "family_id", "address", "request_id", "detail")
]
_RECORD = RowsStatement(_COLUMNS, lambda rows: insert(audit_events).from_select(_COLUMNS, select(*rows.c)))
_encode = msgspec.json.Encoder().encode


def record(
    tx: Transaction,
    event: Event,
    origin: Origin,
    now: Instant,
    *,
    user_id: int | None = None,
    client_id: str | None = None,
    family_id: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write down what is being decided in this transaction: ``record_all`` for one event."""
    record_all(tx, [Record(event, origin, now, user_id, client_id, family_id, detail)])


def record_all(tx: Transaction, records: Sequence[Record]) -> None:
    """Write down what is being decided in this transaction: one insert, however many events."""
    _RECORD.execute(tx, [_as_row(each) for each in records])


def _as_row(record: Record) -> tuple[str | int | None, ...]:
    origin = record.origin
    return (
        record.at,
        record.event.value,
        origin.actor,
        record.user_id,
        record.client_id,
        record.family_id,
        origin.address,
        origin.request_id,
        _encode(record.detail).decode() if record.detail else None,
    )


# ---- reading ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """Which events to find: all that fit every criterion, the newest first.

    ``since`` is included, ``until`` is not. ``event`` may also be the beginning of a name with its dot, like
    ``tokens.``. ``user`` matches who acted and whom it concerned. ``before`` is the last entry of the page above.
    """

    since: Instant | None = None
    until: Instant | None = None
    event: str | None = None
    user: str | None = None
    client_id: str | None = None
    before: tuple[Instant, int] | None = None
    limit: int = field(default=100)


def search(tx: Transaction, query: Query) -> list[Entry]:
    """The events that fit. A long read: the filters are applied while the log is walked from its end."""
    log = audit_events.c
    rows = tx.execute(
        select(
            log.id, log.at, log.event, log.actor, users.c.username, log.client_id, clients.c.name, log.family_id,
            log.address, log.request_id, log.detail,
        )
        .outerjoin(users, users.c.id == log.user_id)
        .outerjoin(clients, clients.c.client_id == log.client_id)
        .where(*_criteria(query))
        .order_by(log.at.desc(), log.id.desc())
        .limit(query.limit)
    )  # fmt: skip
    return [Entry(*row[:10], msgspec.json.decode(row.detail) if row.detail else {}) for row in rows]


def _criteria(query: Query) -> list[Any]:
    log, found = audit_events.c, list[Any]()
    if query.since is not None:
        found.append(log.at >= query.since)
    if query.until is not None:
        found.append(log.at < query.until)
    if query.event is not None:
        found.append(log.event.startswith(query.event, autoescape=True) if query.event.endswith(".")
                     else log.event == query.event)  # fmt: skip
    if query.user is not None:
        name = query.user.lower()
        found.append(or_(log.actor == name, users.c.username == name))
    if query.client_id is not None:
        found.append(log.client_id == query.client_id)
    if query.before is not None:
        found.append(tuple_(log.at, log.id) < tuple_(*query.before))
    return found


# ---- pruning ----------------------------------------------------------------------------------------------

_HORIZON = "audit_kept_since"  # the property that the table's triggers look at
_EXPIRED = ended(audit_events.c.id, audit_events.c.at)
_ANY_EXPIRED = any_ended(audit_events.c.at)


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete events from before an instant, a bounded number; how many went."""
    _move_horizon(tx, before)
    found = list(tx.execute(_EXPIRED, {"before": before, "at_most": at_most}).scalars())
    tx.execute(delete(audit_events).where(audit_events.c.id.in_(found)))
    return len(found)


def forget_all(tx: Transaction) -> None:
    """Delete every event: for `dev`, which starts again from the beginning. Nothing else may call this."""
    newest = tx.execute(select(func.max(audit_events.c.at))).scalar_one()
    if newest is not None:
        _move_horizon(tx, newest + 1)
        tx.execute(delete(audit_events))


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {audit_events.name: expiry.backlog(tx, audit_events.c.at, before)}


def _move_horizon(tx: Transaction, before: Instant) -> None:
    known = properties.c.name == _HORIZON
    if tx.execute(update(properties).where(known).values(value=str(before))).rowcount == 0:
        tx.execute(insert(properties), {"name": _HORIZON, "value": str(before)})
