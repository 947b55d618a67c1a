"""Token families and their pairs, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import clients, token_families, token_pairs, users
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User, as_user
from watersmeet.oauth2.family import Lifetimes, PairState, Revocation, TokenFamily, TokenPair
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.scope import ScopeSet


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A pair as it was found, with the family it belongs to and whether its user may still act."""

    id: int
    pair: TokenPair
    family: TokenFamily
    user_enabled: bool


@dataclass(frozen=True, slots=True)
class NewPair:
    """A pair that is about to be remembered, with what will be known of its tokens."""

    family_id: str
    pair: TokenPair
    access_digest: str
    refresh_digest: str


@dataclass(frozen=True, slots=True)
class LiveAccess:
    """What an access token of a living family amounts to until it expires, before the user's rights cap it."""

    user: User
    scope: ScopeSet
    client_scope: ScopeSet
    issued_at: Instant
    expires_at: Instant
    family_id: str
    client_id: str


_PAIR = (
    select(
        token_pairs.c.id,
        token_pairs.c.generation,
        token_pairs.c.scope,
        token_pairs.c.state,
        token_pairs.c.created_at,
        token_pairs.c.access_expires_at,
        token_families.c.id,
        token_families.c.client,
        token_families.c.user_id,
        token_families.c.scope,
        token_families.c.authorized_at,
        token_families.c.expires_at,
        token_families.c.revoked_at,
        users.c.enabled,
    )
    .join(token_families, token_families.c.id == token_pairs.c.family_id)
    .join(users, users.c.id == token_families.c.user_id)
)
_BY_REFRESH = _PAIR.where(token_pairs.c.refresh_digest == bindparam("digest"))
_BY_ACCESS = _PAIR.where(token_pairs.c.access_digest == bindparam("digest"))
_BY_GENERATION = _PAIR.where(
    token_pairs.c.family_id == bindparam("of_family"), token_pairs.c.generation == bindparam("of_generation")
)
_REVOKE = (
    update(token_families)
    .where(token_families.c.id == bindparam("family_id"), token_families.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), revoked_because=bindparam("because"))
)


def _select_by_refresh_tokens(rows: FromClause) -> Select[Any]:
    # The family is locked, as `revoke` locks it, so that on PostgreSQL the two wait for each other instead of
    # passing (S120); always in one order, so that they never wait in a circle.
    return (
        _PAIR.add_columns(token_pairs.c.refresh_digest)
        .where(token_pairs.c.refresh_digest.in_(select(rows.c.refresh_digest)))
        .order_by(token_families.c.id)
        .with_for_update(of=token_families)
    )


def _select_live_access(rows: FromClause) -> Select[Any]:
    return (
        select(
            token_pairs.c.access_digest,
            token_pairs.c.created_at,
            token_pairs.c.access_expires_at,
            token_pairs.c.scope,
            clients.c.client_id,
            clients.c.scope,
            clients.c.expires_at,
            token_families.c.id,
            users.c.id,
            users.c.username,
            users.c.user_key,
            users.c.display_name,
            users.c.email,
            users.c.role,
            users.c.password_hash,
            users.c.enabled,
        )
        .select_from(token_pairs)
        .join(token_families, token_families.c.id == token_pairs.c.family_id)
        .join(users, users.c.id == token_families.c.user_id)
        .join(clients, clients.c.id == token_families.c.client)
        .where(
            token_pairs.c.access_digest.in_(select(rows.c.access_digest)),
            token_pairs.c.state == PairState.ACTIVE.value,
            token_families.c.revoked_at.is_(None),
            users.c.enabled,
            clients.c.disabled_at.is_(None),
        )
    )


def _select_told(rows: FromClause) -> Select[Any]:
    # What may not be told is not fetched either: to read a row takes time that somebody could measure (S134).
    now, asking, of_everybody = (bindparam(name, type_=BigInteger) for name in ("now", "asking", "of_everybody"))
    return _select_live_access(rows).where(
        token_pairs.c.access_expires_at > now,
        or_(clients.c.expires_at.is_(None), clients.c.expires_at > now),
        or_(clients.c.id == asking, literal(1) == of_everybody),
    )


def _spend_active(rows: FromClause) -> ReturningUpdate[Any]:
    # The guard of single use: of any number of racing refreshes exactly one spends the pair.
    return (
        update(token_pairs)
        .where(token_pairs.c.id == rows.c.id, token_pairs.c.state == PairState.ACTIVE.value)
        .values(state=PairState.SPENT.value)
        .returning(token_pairs.c.id)
    )


def _insert_all(table: Table, names: Sequence[str]) -> RowsStatement:
    columns = [table.c[name] for name in names]
    return RowsStatement(columns, lambda rows: insert(table).from_select(columns, select(*rows.c)))


_ALL_BY_REFRESH = RowsStatement([token_pairs.c.refresh_digest], _select_by_refresh_tokens)
_LIVE_ACCESS = RowsStatement([token_pairs.c.access_digest], _select_live_access)
_TOLD = RowsStatement([token_pairs.c.access_digest], _select_told)
_SPEND = RowsStatement([token_pairs.c.id], _spend_active)
_ADD_FAMILIES = _insert_all(token_families, ["id", "client", "user_id", "scope", "authorized_at", "expires_at"])
_ADD_PAIRS = _insert_all(
    token_pairs,
    [
        "family_id",
        "generation",
        "access_digest",
        "refresh_digest",
        "scope",
        "state",
        "created_at",
        "access_expires_at",
    ],
)


def _as_stored_pair(row: Sequence[Any]) -> StoredPair:
    number, generation, pair_scope, state, created_at, access_expires_at, *about_family, user_enabled = row
    family_id, client, user_id, scope, authorized_at, expires_at, revoked_at = about_family
    pair = TokenPair(generation, parse_scope(pair_scope), PairState(state), created_at, access_expires_at)
    family = TokenFamily(family_id, client, user_id, parse_scope(scope), authorized_at, expires_at, revoked_at)
    return StoredPair(number, pair, family, user_enabled)


def add_families(tx: Transaction, families: Iterable[TokenFamily]) -> None:
    """Remember new families, still without a pair."""
    _ADD_FAMILIES.execute(
        tx,
        [
            (family.id, family.client, family.user_id, str(family.scope), family.authorized_at, family.expires_at)
            for family in families
        ],
    )


def add_pairs(tx: Transaction, pairs: Iterable[NewPair]) -> None:
    """Remember the next generations of families."""
    _ADD_PAIRS.execute(
        tx,
        [
            (
                new.family_id,
                new.pair.generation,
                new.access_digest,
                new.refresh_digest,
                str(new.pair.scope),
                new.pair.state.value,
                new.pair.created_at,
                new.pair.access_expires_at,
            )
            for new in pairs
        ],
    )


def find_by_refresh_tokens(tx: Transaction, digests: Iterable[str]) -> dict[str, StoredPair]:
    """The pairs whose refresh tokens have those digests, spent or not, by digest.

    Nobody else ends their families before this transaction does.
    """
    rows = _ALL_BY_REFRESH.execute(tx, [(digest,) for digest in digests])
    return {digest: _as_stored_pair(row) for *row, digest in rows}


def find_by_refresh_token(tx: Transaction, digest: str) -> StoredPair | None:
    """The pair whose refresh token has that digest, spent or not."""
    row = tx.execute(_BY_REFRESH, {"digest": digest}).first()
    return _as_stored_pair(row) if row else None


def find_by_access_token(tx: Transaction, digest: str) -> StoredPair | None:
    """The pair whose access token has that digest, spent or not."""
    row = tx.execute(_BY_ACCESS, {"digest": digest}).first()
    return _as_stored_pair(row) if row else None


def find_generation(tx: Transaction, family_id: str, generation: int) -> StoredPair | None:
    """That generation of a family, spent or not."""
    row = tx.execute(_BY_GENERATION, {"of_family": family_id, "of_generation": generation}).first()
    return _as_stored_pair(row) if row else None


def find_live_access(tx: Transaction, digests: Sequence[str]) -> list[LiveAccess | None]:
    """What the access tokens with those digests amount to, in order: the Bearer check's only statement."""
    live = {row[0]: _as_live(row) for row in _LIVE_ACCESS.execute(tx, [(digest,) for digest in digests])}
    return [live.get(digest) for digest in digests]


def find_access_told_to(
    tx: Transaction, asking: int, digest: str, now: Instant, *, of_everybody: bool
) -> LiveAccess | None:
    """What the access token with that digest amounts to now, if it is the asking client's, or ``of_everybody``."""
    for row in _TOLD.execute(tx, [(digest,)], {"now": now, "asking": asking, "of_everybody": int(of_everybody)}):
        return _as_live(row)
    return None


def _as_live(row: Sequence[Any]) -> LiveAccess:
    _, begins, ends, scope, client_id, client_scope, client_ends, family_id, *person = row
    ends = ends if client_ends is None else min(ends, client_ends)
    scopes = parse_scope(scope), parse_scope(client_scope)
    return LiveAccess(as_user(person), *scopes, begins, ends, family_id, client_id)


def spend(tx: Transaction, pairs: Iterable[StoredPair]) -> set[int]:
    """Spend pairs; the numbers of those that nobody else had spent first."""
    return {number for (number,) in _SPEND.execute(tx, [(stored.id,) for stored in pairs])}


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
    ends_unused_at: Instant  # no later than ``expires_at``
    families: int
    last_used_at: Instant | None
    last_used_from: str | None  # a network


_OF_CLIENTS = token_families.join(clients, clients.c.id == token_families.c.client)
# When the newest refresh token of a family was issued: a point read on the index of generations.
_NEWEST_AT = (
    select(token_pairs.c.created_at)
    .where(token_pairs.c.family_id == token_families.c.id)
    .order_by(token_pairs.c.generation.desc())
    .limit(1)
    .correlate(token_families)
    .scalar_subquery()
)


def _live(now: Instant, lifetimes: Lifetimes | None = None) -> Any:
    """Families that have not ended, joined with their clients.

    That a family was not used for too long happens in no transaction, so it is worked out by whoever looks; without
    ``lifetimes`` it does not count.
    """
    live = [token_families.c.revoked_at.is_(None), token_families.c.expires_at > now]
    for profile, idle in _idle_by_profile(lifetimes).items():
        since = now - idle
        unused = and_(since >= token_families.c.authorized_at, since >= _NEWEST_AT)
        live.append(or_(clients.c.profile != profile.value, not_(unused)))
    return and_(*live)


def _idle_by_profile(lifetimes: Lifetimes | None) -> dict[Profile, Instant]:
    if lifetimes is None:
        return {}
    of = {Profile.STRICT: lifetimes.idle, Profile.ATLASSIAN_DC: (lifetimes.legacy or lifetimes).idle}
    return {profile: idle for profile, idle in of.items() if idle is not None}


def list_grants(tx: Transaction, user_id: int, now: Instant, lifetimes: Lifetimes | None = None) -> list[Grant]:
    """The applications that can act for a user now, by name. ``lifetimes``: see ``_live``."""
    rows = tx.execute(
        select(
            clients.c.client_id,
            clients.c.name,
            token_families.c.scope,
            token_families.c.authorized_at,
            token_families.c.expires_at,
            clients.c.profile,
            _NEWEST_AT,
            token_families.c.last_used_at,
            token_families.c.last_used_from,
        )
        .join(clients, clients.c.id == token_families.c.client)
        .where(token_families.c.user_id == user_id, _live(now, lifetimes))
        .order_by(clients.c.name_key, token_families.c.authorized_at)
    )
    idle = _idle_by_profile(lifetimes)
    grants: dict[str, Grant] = {}
    for client_id, name, text, authorized_at, expires_at, profile, newest_at, *last_use in rows:
        scope = parse_scope(text)
        known = grants.get(client_id)
        ends_unused_at = min(expires_at, newest_at + idle[profile]) if profile in idle else expires_at
        if known is None:
            grants[client_id] = Grant(client_id, name, scope, authorized_at, expires_at, ends_unused_at, 1, *last_use)
        else:
            both = scope.vocabulary.strongest(known.scope.implied | scope.implied)
            grants[client_id] = Grant(
                client_id,
                name,
                both,
                known.first_authorized_at,
                max(known.expires_at, expires_at),
                max(known.ends_unused_at, ends_unused_at),
                known.families + 1,
                *max((known.last_used_at, known.last_used_from), tuple(last_use), key=lambda use: use[0] or 0),
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


def count_users_of(tx: Transaction, client: int, now: Instant, lifetimes: Lifetimes | None = None) -> int:
    """How many people have given a client access that still holds. ``lifetimes``: see ``_live``."""
    distinct = select(func.count(token_families.c.user_id.distinct())).select_from(_OF_CLIENTS)
    return tx.execute(distinct.where(token_families.c.client == client, _live(now, lifetimes))).scalar_one()


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a client is in use: people who gave it access that still holds, grants, and tokens that work."""

    users: int = 0
    grants: int = 0
    tokens: int = 0


def usage_by_client(tx: Transaction, now: Instant, lifetimes: Lifetimes | None = None) -> dict[int, Usage]:
    """The usage of every client that is in use, by the number of its row. ``lifetimes``: see ``_live``."""
    return {client: Usage(*counts) for client, *counts in tx.execute(_usage(now, lifetimes))}


def usage_of(tx: Transaction, client: int, now: Instant, lifetimes: Lifetimes | None = None) -> Usage:
    """The usage of one client. ``lifetimes``: see ``_live``."""
    found = tx.execute(_usage(now, lifetimes).where(token_families.c.client == client)).first()
    return Usage(*found[1:]) if found else Usage()


def _usage(now: Instant, lifetimes: Lifetimes | None) -> Select[Any]:
    """A row for each client that is in use: its number, and what ``Usage`` holds."""
    # The pair that is not spent: its refresh token works as long as the grant holds, its access token until it expires.
    access = case((token_pairs.c.access_expires_at > now, 1), else_=0)
    counted = select(
        token_families.c.client,
        func.count(token_families.c.user_id.distinct()),
        func.count(token_families.c.id.distinct()),
        func.count(token_pairs.c.id) + func.coalesce(func.sum(access), 0),
    )
    active = and_(token_pairs.c.family_id == token_families.c.id, token_pairs.c.state == PairState.ACTIVE.value)
    found = counted.select_from(_OF_CLIENTS.outerjoin(token_pairs, active)).where(_live(now, lifetimes))
    return found.group_by(token_families.c.client)


def list_users_of(tx: Transaction, client: int, now: Instant, lifetimes: Lifetimes | None = None) -> list[User]:
    """The people who have given a client access that still holds, by name. ``lifetimes``: see ``_live``."""
    columns = [users.c[name] for name in User.__slots__]
    mine = select(token_families.c.user_id).select_from(_OF_CLIENTS)
    mine = mine.where(token_families.c.client == client, _live(now, lifetimes))
    return [as_user(row) for row in tx.execute(select(*columns).where(users.c.id.in_(mine)).order_by(users.c.username))]


# ---- pruning ----------------------------------------------------------------------------------------------

_EXPIRED = ended(token_families.c.id, token_families.c.expires_at)
_ANY_EXPIRED = any_ended(token_families.c.expires_at)
_PAIRS_OF_A_FAMILY = 10  # so many times the families of a batch may go with it


def _delete_some_pairs(rows: FromClause) -> ReturningDelete[Any]:
    theirs = select(token_pairs.c.id).where(token_pairs.c.family_id.in_(select(rows.c.family_id)))
    some = theirs.limit(bindparam("at_most", type_=BigInteger)).scalar_subquery()
    return delete(token_pairs).where(token_pairs.c.id.in_(some)).returning(token_pairs.c.id)


_DELETE_PAIRS = RowsStatement([token_pairs.c.family_id], _delete_some_pairs)
_DELETE_FAMILIES = RowsStatement(
    [token_families.c.id], lambda rows: delete(token_families).where(token_families.c.id.in_(select(rows.c.id)))
)


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index of expiries."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete families that ended before an instant, with all their pairs; how many went.

    Bounded in families and in pairs: what has been refreshed every minute for months goes a part at a time, and a
    part counts as one.
    """
    expired = [(family_id,) for (family_id,) in tx.execute(_EXPIRED, {"before": before, "at_most": at_most})]
    most = at_most * _PAIRS_OF_A_FAMILY
    if len(_DELETE_PAIRS.execute(tx, expired, {"at_most": most})) == most:
        return 1
    _DELETE_FAMILIES.execute(tx, expired)
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
