"""When grants, clients, secrets and browser sessions were last used, and contents looked at: written in one go."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    Update,
    and_,
    bindparam,
    case,
    insert,
    or_,
    select,
    update,
)

from watersmeet.clock import Instant
from watersmeet.database.schema import (
    client_secrets,
    clients,
    content,
    content_views,
    personal_tokens,
    sessions,
    token_families,
    users,
)
from watersmeet.database.transaction import Transaction


# Processes write in any order, so an earlier instant never replaces a later one.
def _latest(table: Table, whose: ColumnElement[bool], at: str = "last_used_at", **more: Any) -> Update:
    """Writes the instant of a use into the column ``at`` of some rows, and ``more`` with it."""
    is_later = or_(table.c[at].is_(None), table.c[at] < bindparam("at"))
    return update(table).where(whose, is_later).values({at: bindparam("at"), **more})


_FAMILY = _latest(
    token_families,
    and_(token_families.c.id == bindparam("of"), token_families.c.revoked_at.is_(None)),
    last_used_from=bindparam("network"),
)
_CLIENT = _latest(
    clients, clients.c.id.in_(select(token_families.c.client).where(token_families.c.id == bindparam("of")))
)
_SECRET = _latest(client_secrets, client_secrets.c.digest == bindparam("of"))
_PERSONAL_TOKEN = _latest(personal_tokens, personal_tokens.c.id == bindparam("of"), last_used_from=bindparam("network"))
_SESSION = _latest(sessions, sessions.c.digest == bindparam("of"), at="last_seen_at")
_VIEW = (
    update(content_views)
    .where(content_views.c.user_id == bindparam("who"), content_views.c.content_id == bindparam("of"))
    .values(
        viewed_at=case((content_views.c.viewed_at < bindparam("at"), bindparam("at")), else_=content_views.c.viewed_at)
    )
)
# What was deleted meanwhile is not written down.
_FIRST_VIEW = insert(content_views).from_select(
    ["user_id", "content_id", "viewed_at"],
    select(users.c.id, content.c.id, bindparam("at", type_=BigInteger))
    .join(content, content.c.id == bindparam("of"))
    .where(users.c.id == bindparam("who"), users.c.deleted_at.is_(None)),
)


def write_views(tx: Transaction, views: Mapping[tuple[int, int], Instant]) -> None:
    """Remember when users last looked at contents, by the numbers of both."""
    for (user_id, content_id), at in sorted(views.items()):
        view = {"who": user_id, "of": content_id, "at": at}
        if tx.execute(_VIEW, view).rowcount == 0:
            tx.execute(_FIRST_VIEW, view)


def write(
    tx: Transaction,
    *,
    families: Mapping[str, Instant],
    networks: Mapping[str, str | None] = MappingProxyType({}),
    personal: Mapping[int, tuple[Instant, str | None]] = MappingProxyType({}),
    session_digests: Mapping[str, Instant],
    secret_digests: Mapping[str, Instant] = MappingProxyType({}),
) -> None:
    """Remember the latest use of each token family (from which network, and of its client), session and client secret.

    ``personal`` are the latest uses of personal access tokens, by number: when, and from which network.
    """
    # In one order everywhere, so that two processes on PostgreSQL never wait for each other in a circle.
    if families:
        used = [{"of": of, "at": at, "network": networks.get(of)} for of, at in sorted(families.items())]
        tx.execute(_FAMILY, used)
        tx.execute(_CLIENT, [{"of": each["of"], "at": each["at"]} for each in used])
    if personal:
        rows = [{"of": of, "at": at, "network": network} for of, (at, network) in sorted(personal.items())]
        tx.execute(_PERSONAL_TOKEN, rows)
    if session_digests:
        tx.execute(_SESSION, [{"of": of, "at": at} for of, at in sorted(session_digests.items())])
    if secret_digests:
        tx.execute(_SECRET, [{"of": of, "at": at} for of, at in sorted(secret_digests.items())])
