"""Token families and their pairs, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, insert, select, update

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.schema import clients, token_families, token_pairs, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User, as_user
from watersmeet.oauth2.family import PairState, Revocation, TokenFamily, TokenPair
from watersmeet.oauth2.scope import ScopeSet


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A pair as it was found, with the family it belongs to and whether its user may still act."""

    id: int
    pair: TokenPair
    family: TokenFamily
    user_enabled: bool


@dataclass(frozen=True, slots=True)
class LiveAccess:
    """What a working access token amounts to before it is capped by the user's rights."""

    user: User
    scope: ScopeSet
    client_scope: ScopeSet
    family_id: str


_PAIR = (
    select(
        token_pairs.c.id.label("pair_id"),
        token_pairs.c.generation,
        token_pairs.c.scope.label("pair_scope"),
        token_pairs.c.state,
        token_pairs.c.created_at,
        token_pairs.c.access_expires_at,
        token_families,
        users.c.enabled,
    )
    .join(token_families, token_families.c.id == token_pairs.c.family_id)
    .join(users, users.c.id == token_families.c.user_id)
)
_BY_REFRESH = _PAIR.where(token_pairs.c.refresh_digest == bindparam("digest"))
_BY_ACCESS = _PAIR.where(token_pairs.c.access_digest == bindparam("digest"))
_LIVE_ACCESS = (
    select(
        users.c.id,
        users.c.username,
        users.c.user_key,
        users.c.display_name,
        users.c.email,
        users.c.role,
        users.c.password_hash,
        users.c.enabled,
        token_pairs.c.scope,
        clients.c.scope,
        token_families.c.id,
    )
    .select_from(token_pairs)
    .join(token_families, token_families.c.id == token_pairs.c.family_id)
    .join(users, users.c.id == token_families.c.user_id)
    .join(clients, clients.c.id == token_families.c.client)
    .where(
        token_pairs.c.access_digest == bindparam("digest"),
        token_pairs.c.state == PairState.ACTIVE.value,
        token_pairs.c.access_expires_at > bindparam("now"),
        token_families.c.revoked_at.is_(None),
        users.c.enabled,
        clients.c.disabled_at.is_(None),
    )
)
# The guard of single use: of any number of racing refreshes exactly one spends the pair. The family is looked
# at again in the same statement, so that a revocation that came between reading and writing wins (S120).
_SPEND = (
    update(token_pairs)
    .where(
        token_pairs.c.id == bindparam("pair_id"),
        token_pairs.c.state == PairState.ACTIVE.value,
    )
    .values(state=PairState.SPENT.value)
)
_TOUCH_LIVE = (
    update(token_families)
    .where(token_families.c.id == bindparam("family_id"), token_families.c.revoked_at.is_(None))
    .values(revoked_at=None)
)
_REVOKE = (
    update(token_families)
    .where(token_families.c.id == bindparam("family_id"), token_families.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), revoked_because=bindparam("because"))
)


def _as_stored_pair(row: Row[Any]) -> StoredPair:
    family = TokenFamily(
        id=row.id,
        client=row.client,
        user_id=row.user_id,
        scope=parse_scope(row.scope),
        authorized_at=row.authorized_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
    pair = TokenPair(
        generation=row.generation,
        scope=parse_scope(row.pair_scope),
        state=PairState(row.state),
        created_at=row.created_at,
        access_expires_at=row.access_expires_at,
    )
    return StoredPair(row.pair_id, pair, family, row.enabled)


def add_family(tx: Transaction, family: TokenFamily) -> None:
    """Remember a new family, still without a pair."""
    tx.execute(
        insert(token_families),
        {
            "id": family.id,
            "client": family.client,
            "user_id": family.user_id,
            "scope": str(family.scope),
            "authorized_at": family.authorized_at,
            "expires_at": family.expires_at,
            "revoked_at": family.revoked_at,
            "revoked_because": None,
        },
    )


def add_pair(tx: Transaction, family_id: str, pair: TokenPair, *, access_digest: str, refresh_digest: str) -> None:
    """Remember the next generation of a family."""
    tx.execute(
        insert(token_pairs),
        {
            "family_id": family_id,
            "generation": pair.generation,
            "access_digest": access_digest,
            "refresh_digest": refresh_digest,
            "scope": str(pair.scope),
            "state": pair.state.value,
            "created_at": pair.created_at,
            "access_expires_at": pair.access_expires_at,
        },
    )


def find_by_refresh_token(tx: Transaction, digest: str) -> StoredPair | None:
    """The pair whose refresh token has that digest, spent or not."""
    row = tx.execute(_BY_REFRESH, {"digest": digest}).first()
    return _as_stored_pair(row) if row else None


def find_by_access_token(tx: Transaction, digest: str) -> StoredPair | None:
    """The pair whose access token has that digest, spent or not."""
    row = tx.execute(_BY_ACCESS, {"digest": digest}).first()
    return _as_stored_pair(row) if row else None


def find_live_access(tx: Transaction, digest: str, now: Instant) -> LiveAccess | None:
    """What the access token with that digest may do now: one point read, the Bearer check's whole cost."""
    row = tx.execute(_LIVE_ACCESS, {"digest": digest, "now": now}).first()
    if row is None:
        return None
    *person, scope, client_scope, family_id = row
    return LiveAccess(as_user(person), parse_scope(scope), parse_scope(client_scope), family_id)


def spend(tx: Transaction, stored: StoredPair) -> bool:
    """Spend a pair of a living family; ``False`` when somebody else was quicker or the family ended.

    The family's row is locked first, as `revoke` does, so that on PostgreSQL the two wait for each other
    instead of passing (S120).
    """
    alive = tx.execute(_TOUCH_LIVE, {"family_id": stored.family.id}).rowcount == 1
    return alive and tx.execute(_SPEND, {"pair_id": stored.id}).rowcount == 1


def revoke(tx: Transaction, family_id: str, because: Revocation, now: Instant) -> bool:
    """End a family; ``False`` when it had ended before."""
    result = tx.execute(_REVOKE, {"family_id": family_id, "because": because.value, "now": now})
    return result.rowcount == 1


# ---- what people see --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grant:
    """What one user gave one client, all live families taken together."""

    client_id: str
    client_name: str
    scope: ScopeSet
    first_authorized_at: Instant
    expires_at: Instant
    families: int
    last_used_at: Instant | None


def _live(now: Instant) -> Any:
    return and_(token_families.c.revoked_at.is_(None), token_families.c.expires_at > now)


def list_grants(tx: Transaction, user_id: int, now: Instant) -> list[Grant]:
    """The applications that can act for a user now, by name."""
    rows = tx.execute(
        select(
            clients.c.client_id,
            clients.c.name,
            token_families.c.scope,
            token_families.c.authorized_at,
            token_families.c.expires_at,
            token_families.c.last_used_at,
        )
        .join(clients, clients.c.id == token_families.c.client)
        .where(token_families.c.user_id == user_id, _live(now))
        .order_by(clients.c.name_key, token_families.c.authorized_at)
    )
    grants: dict[str, Grant] = {}
    for client_id, name, text, authorized_at, expires_at, last_used_at in rows:
        scope = parse_scope(text)
        known = grants.get(client_id)
        if known is None:
            grants[client_id] = Grant(client_id, name, scope, authorized_at, expires_at, 1, last_used_at)
        else:
            both = scope.vocabulary.strongest(known.scope.implied | scope.implied)
            grants[client_id] = Grant(
                client_id,
                name,
                both,
                known.first_authorized_at,
                max(known.expires_at, expires_at),
                known.families + 1,
                max(known.last_used_at or 0, last_used_at or 0) or None,
            )
    return list(grants.values())


def revoke_all(
    tx: Transaction,
    *,
    client: int | None = None,
    user_id: int | None = None,
    because: Revocation,
    now: Instant,
) -> int:
    """End every family of a client, of a user, or of both together; how many ended.

    Raises ``ValueError`` when neither is named: nobody means everybody.
    """
    if client is None and user_id is None:
        raise ValueError("name a client, a user or both")
    whose = []
    if client is not None:
        whose.append(token_families.c.client == client)
    if user_id is not None:
        whose.append(token_families.c.user_id == user_id)
    result = tx.execute(
        update(token_families)
        .where(token_families.c.revoked_at.is_(None), *whose)
        .values(revoked_at=now, revoked_because=because.value)
    )
    return result.rowcount


def revoke_everybody(tx: Transaction, because: Revocation, now: Instant) -> int:
    """End every family there is; how many ended."""
    values = {"revoked_at": now, "revoked_because": because.value}
    return tx.execute(update(token_families).where(token_families.c.revoked_at.is_(None)).values(values)).rowcount


def has_been_given(tx: Transaction, client: int, user_id: int) -> bool:
    """Whether a user has given a client access before, as far back as is remembered."""
    known = select(token_families.c.id).where(token_families.c.client == client, token_families.c.user_id == user_id)
    return tx.execute(known.limit(1)).first() is not None


def count_users_of(tx: Transaction, client: int, now: Instant) -> int:
    """How many people have given a client access that still holds."""
    distinct = select(func.count(token_families.c.user_id.distinct()))
    return tx.execute(distinct.where(token_families.c.client == client, _live(now))).scalar_one()


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a client is in use: people who gave it access that still holds, and how many grants that is."""

    users: int = 0
    grants: int = 0


def usage_by_client(tx: Transaction, now: Instant) -> dict[int, Usage]:
    """The usage of every client that is in use, by the number of its row."""
    counted = select(
        token_families.c.client, func.count(token_families.c.user_id.distinct()), func.count(token_families.c.id)
    )
    rows = tx.execute(counted.where(_live(now)).group_by(token_families.c.client))
    return {client: Usage(people, grants) for client, people, grants in rows}


def list_users_of(tx: Transaction, client: int, now: Instant) -> list[User]:
    """The people who have given a client access that still holds, by name."""
    columns = [users.c[name] for name in User.__slots__]
    mine = select(token_families.c.user_id).where(token_families.c.client == client, _live(now))
    return [as_user(row) for row in tx.execute(select(*columns).where(users.c.id.in_(mine)).order_by(users.c.username))]


# ---- pruning ----------------------------------------------------------------------------------------------

_EXPIRED = ended(token_families.c.id, token_families.c.expires_at)
_ANY_EXPIRED = any_ended(token_families.c.expires_at)
_PAIRS_OF_A_FAMILY = 10  # so many times the families of a batch may go with it


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index of expiries."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete families that ended before an instant, with all their pairs; how many went.

    Bounded in families and in pairs: what has been refreshed every minute for months goes a part at a time, and a
    part counts as one.
    """
    expired = [row.id for row in tx.execute(_EXPIRED, {"before": before, "at_most": at_most})]
    theirs = token_pairs.c.family_id.in_(expired)
    most = at_most * _PAIRS_OF_A_FAMILY
    some = select(token_pairs.c.id).where(theirs).limit(most).scalar_subquery()
    if tx.execute(delete(token_pairs).where(token_pairs.c.id.in_(some))).rowcount == most:
        return 1
    tx.execute(delete(token_families).where(token_families.c.id.in_(expired)))
    return len(expired)


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    families = expiry.backlog(tx, token_families.c.expires_at, before)
    pairs = select(func.count()).select_from(token_pairs)
    waiting = pairs.join(token_families).where(token_families.c.expires_at < before)
    return {
        token_families.name: families,
        token_pairs.name: Backlog(tx.execute(pairs).scalar_one(), tx.execute(waiting).scalar_one(), families.oldest),
    }
