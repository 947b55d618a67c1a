"""When grants, clients and browser sessions were last used, as columns: written by a process in one go."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import bindparam, or_, select, update

from watersmeet.clock import Instant
from watersmeet.database.schema import clients, personal_tokens, sessions, token_families
from watersmeet.database.transaction import Transaction

# Processes write in any order, so an earlier instant never replaces a later one.
_FAMILY = (
    update(token_families)
    .where(
        token_families.c.id == bindparam("of"),
        or_(token_families.c.last_used_at.is_(None), token_families.c.last_used_at < bindparam("at")),
    )
    .values(last_used_at=bindparam("at"), last_used_from=bindparam("network"))
)
_CLIENT = (
    update(clients)
    .where(
        clients.c.id.in_(select(token_families.c.client).where(token_families.c.id == bindparam("of"))),
        or_(clients.c.last_used_at.is_(None), clients.c.last_used_at < bindparam("at")),
    )
    .values(last_used_at=bindparam("at"))
)
_PERSONAL_TOKEN = (
    update(personal_tokens)
    .where(
        personal_tokens.c.id == bindparam("of"),
        or_(personal_tokens.c.last_used_at.is_(None), personal_tokens.c.last_used_at < bindparam("at")),
    )
    .values(last_used_at=bindparam("at"), last_used_from=bindparam("network"))
)
_SESSION = (
    update(sessions)
    .where(
        sessions.c.digest == bindparam("of"),
        or_(sessions.c.last_seen_at.is_(None), sessions.c.last_seen_at < bindparam("at")),
    )
    .values(last_seen_at=bindparam("at"))
)


def write(
    tx: Transaction,
    *,
    families: Mapping[str, Instant],
    networks: Mapping[str, str | None] = MappingProxyType({}),
    personal: Mapping[int, tuple[Instant, str | None]] = MappingProxyType({}),
    session_digests: Mapping[str, Instant],
) -> None:
    """Remember the latest use of each token family (from which network, and of its client) and of each session.

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
