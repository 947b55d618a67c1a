"""Authorizations, as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Delete, FromClause, Select, bindparam, delete, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import parse_scope
from watersmeet.database import expiry
from watersmeet.database.expiry import Backlog, any_ended, ended
from watersmeet.database.rows import RowsStatement
from watersmeet.database.schema import authorizations, users
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.authorization import Authorization, AuthorizationStatus
from watersmeet.oauth2.pkce import CodeChallenge, CodeChallengeMethod
from watersmeet.oauth2.profile import Legacy
from watersmeet.oauth2.redirect import RedirectUri

_COLUMNS = [
    authorizations.c[name]
    for name in (
        "id",
        "client",
        "user_id",
        "session_digest",
        "request_digest",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "status",
        "created_at",
        "expires_at",
        "code_digest",
        "family_id",
        "legacy",
    )
]
_BY_ID = select(*_COLUMNS).where(authorizations.c.id == bindparam("id"))
_BY_CODE = select(*_COLUMNS).where(authorizations.c.code_digest == bindparam("code_digest"))
_BY_REQUEST = (
    select(*_COLUMNS)
    .where(
        authorizations.c.session_digest == bindparam("session_digest"),
        authorizations.c.request_digest == bindparam("request_digest"),
        authorizations.c.status == AuthorizationStatus.PENDING.value,
    )
    .order_by(authorizations.c.created_at.desc())
    .limit(1)
)
# The guard of single use: of any number of racing answers or exchanges exactly one changes the row.
_MOVE = (
    update(authorizations)
    .where(authorizations.c.id == bindparam("of_id"), authorizations.c.status == bindparam("from_status"))
    .values(
        status=bindparam("status"),
        scope=bindparam("scope"),
        code_digest=bindparam("code_digest"),
        expires_at=bindparam("expires_at"),
        family_id=bindparam("family_id"),
    )
)


@dataclass(frozen=True, slots=True)
class AnsweredAuthorization:
    """An answer with a code, as it was found, and whether its user may still act."""

    authorization: Authorization
    user_enabled: bool


def _select_by_codes(rows: FromClause) -> Select[Any]:
    # Locked in one order, so that transactions that meet wait for each other and never in a circle; SQLite's
    # writers wait for each other anyway.
    return (
        select(*_COLUMNS, users.c.enabled)
        .join(users, users.c.id == authorizations.c.user_id)
        .where(authorizations.c.code_digest.in_(select(rows.c.code_digest)))
        .order_by(authorizations.c.id)
        .with_for_update(of=authorizations)
    )


def _exchange_approved(rows: FromClause) -> ReturningUpdate[Any]:
    # The same guard as _MOVE's, for each row.
    return (
        update(authorizations)
        .where(authorizations.c.id == rows.c.id, authorizations.c.status == AuthorizationStatus.APPROVED.value)
        .values(status=AuthorizationStatus.EXCHANGED.value, family_id=rows.c.family_id)
        .returning(authorizations.c.id)
    )


def _delete_given_in(rows: FromClause) -> Delete:
    # One parameter for however many sessions there are: an engine takes only so many, and nobody must be able to sign
    # in so often that they cannot be signed out.
    return delete(authorizations).where(
        authorizations.c.session_digest.in_(select(rows.c.session_digest)),
        authorizations.c.status == AuthorizationStatus.APPROVED.value,
    )


_BY_CODES = RowsStatement([authorizations.c.code_digest], _select_by_codes)
_EXCHANGE = RowsStatement([authorizations.c.id, authorizations.c.family_id], _exchange_approved)
_WITHDRAW_OF_SESSIONS = RowsStatement([authorizations.c.session_digest], _delete_given_in)


def _as_authorization(row: Sequence[Any]) -> Authorization:
    authorization_id, client, user_id, session_digest, request_digest, redirect_uri, scope, state, *rest = row
    challenge, method, status, created_at, expires_at, code_digest, family_id, legacy = rest
    return Authorization(
        id=authorization_id,
        client=client,
        user_id=user_id,
        session_digest=session_digest,
        request_digest=request_digest,
        redirect_uri=RedirectUri(redirect_uri),
        scope=parse_scope(scope),
        state=state,
        challenge=CodeChallenge(challenge, CodeChallengeMethod(method)) if challenge is not None else None,
        status=AuthorizationStatus(status),
        created_at=created_at,
        expires_at=expires_at,
        code_digest=code_digest,
        family_id=family_id,
        legacy=frozenset([Legacy(kind) for kind in legacy.split()]),
    )


def add(tx: Transaction, authorization: Authorization) -> None:
    """Remember a question that is about to be asked."""
    challenge = authorization.challenge
    tx.execute(
        insert(authorizations),
        {
            "id": authorization.id,
            "client": authorization.client,
            "user_id": authorization.user_id,
            "session_digest": authorization.session_digest,
            "request_digest": authorization.request_digest,
            "redirect_uri": authorization.redirect_uri.value,
            "scope": str(authorization.scope),
            "state": authorization.state,
            "code_challenge": challenge.value if challenge else None,
            "code_challenge_method": challenge.method.value if challenge else None,
            "status": authorization.status.value,
            "code_digest": authorization.code_digest,
            "created_at": authorization.created_at,
            "expires_at": authorization.expires_at,
            "family_id": authorization.family_id,
            "legacy": " ".join(sorted(authorization.legacy)),
        },
    )


def find(tx: Transaction, authorization_id: str) -> Authorization | None:
    """The question with that identifier."""
    row = tx.execute(_BY_ID, {"id": authorization_id}).first()
    return _as_authorization(row) if row else None


def find_by_code(tx: Transaction, code_digest: str) -> Authorization | None:
    """The answer whose code has that digest, spent or not."""
    row = tx.execute(_BY_CODE, {"code_digest": code_digest}).first()
    return _as_authorization(row) if row else None


def find_by_codes(tx: Transaction, code_digests: Iterable[str]) -> dict[str, AnsweredAuthorization]:
    """The answers whose codes have those digests, spent or not, by digest; nobody else changes them meanwhile."""
    rows = _BY_CODES.execute(tx, [(digest,) for digest in code_digests])
    answers = [AnsweredAuthorization(_as_authorization(row), enabled) for *row, enabled in rows]
    return {str(answer.authorization.code_digest): answer for answer in answers}


def exchange(tx: Transaction, exchanged: Sequence[Authorization]) -> set[str]:
    """Write that codes were exchanged; the identifiers of those that nobody else had exchanged first."""
    rows = _EXCHANGE.execute(tx, [(authorization.id, authorization.family_id) for authorization in exchanged])
    return {authorization_id for (authorization_id,) in rows}


def find_by_request(tx: Transaction, session_digest: str, request_digest: str) -> Authorization | None:
    """The newest unanswered question of this browser session with exactly these parameters."""
    row = tx.execute(_BY_REQUEST, {"session_digest": session_digest, "request_digest": request_digest}).first()
    return _as_authorization(row) if row else None


def move(tx: Transaction, before: Authorization, after: Authorization) -> bool:
    """Write a transition; ``False`` when somebody else moved the authorization first."""
    result = tx.execute(
        _MOVE,
        {
            "of_id": before.id,
            "from_status": before.status.value,
            "status": after.status.value,
            "scope": str(after.scope),
            "code_digest": after.code_digest,
            "expires_at": after.expires_at,
            "family_id": after.family_id,
        },
    )
    return result.rowcount == 1


_UNUSED = (AuthorizationStatus.PENDING.value, AuthorizationStatus.APPROVED.value)


def withdraw_all_of(tx: Transaction, client: int) -> None:
    """Forget a client's open questions and the codes it did not exchange (S099)."""
    tx.execute(delete(authorizations).where(authorizations.c.client == client, authorizations.c.status.in_(_UNUSED)))


def withdraw_codes(tx: Transaction, *, user_id: int, client: int | None = None) -> None:
    """Forget the codes that a user gave, to one client or to all, and that were not exchanged yet.

    Waits for an exchange that is under way, so whoever ends a user's families does it after this (S070).
    """
    whose = [authorizations.c.user_id == user_id, authorizations.c.status == AuthorizationStatus.APPROVED.value]
    if client is not None:
        whose.append(authorizations.c.client == client)
    tx.execute(delete(authorizations).where(*whose))


def withdraw_codes_of_sessions(tx: Transaction, session_digests: Collection[str]) -> None:
    """Forget the codes that were given in those browser sessions and not exchanged yet (S077)."""
    _WITHDRAW_OF_SESSIONS.execute(tx, [(digest,) for digest in session_digests])


def withdraw_all(tx: Transaction) -> None:
    """Forget every question that is open and every code that was not exchanged yet."""
    tx.execute(delete(authorizations).where(authorizations.c.status.in_(_UNUSED)))


_EXPIRED = ended(authorizations.c.id, authorizations.c.expires_at)
_ANY_EXPIRED = any_ended(authorizations.c.expires_at)


def any_expired(tx: Transaction, before: Instant) -> bool:
    """Whether there is anything to prune: a point read on the index of expiries."""
    return tx.execute(_ANY_EXPIRED, {"before": before}).first() is not None


def prune(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete authorizations that ended before an instant, a bounded number; how many went."""
    expired = [row.id for row in tx.execute(_EXPIRED, {"before": before, "at_most": at_most})]
    tx.execute(delete(authorizations).where(authorizations.c.id.in_(expired)))
    return len(expired)


def backlog(tx: Transaction, before: Instant) -> dict[str, Backlog]:
    """What waits to be pruned, by table."""
    return {authorizations.name: expiry.backlog(tx, authorizations.c.expires_at, before)}
