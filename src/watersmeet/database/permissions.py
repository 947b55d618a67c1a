"""Who may see and do what, as conditions of SQL and as rows.

The conditions are part of every WHERE that reads spaces or what is in them, so that no page of a list ever has holes
and no count tells of what may not be seen. Their parameters are those of ``viewer``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from watersmeet.confluence.content import Person, SpaceStatus
from watersmeet.confluence.permission import (
    GlobalGrant,
    GlobalPermission,
    Permission,
    SpaceGrant,
    SpacePermission,
    bypasses_spaces,
)
from watersmeet.database.schema import (
    content,
    content_guards,
    content_restrictions,
    global_permissions,
    group_members,
    space_permissions,
    spaces,
    user_groups,
    users,
)
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import ANONYMOUS, User


def viewer(user: User) -> dict[str, Any]:
    """The parameters of ``SEES_SPACE`` and ``SEES_CONTENT``."""
    return {"viewer": user.id, "sees_all": bypasses_spaces(user.role)}


def granted_to_viewer(table: FromClause) -> ColumnElement[bool]:
    """Whether a row of a table of grants speaks of the viewer: by name, by a group of theirs, or of everybody."""
    return or_(
        table.c.user_id == bindparam("viewer"),
        table.c.group_id.in_(select(group_members.c.group_id).where(group_members.c.user_id == bindparam("viewer"))),
        and_(table.c.user_id.is_(None), table.c.group_id.is_(None)),
    )


def is_about(table: FromClause, values: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Whether a row of a table of grants has exactly these values: ``None`` where it names no user or no group."""
    return [table.c[name].is_not_distinct_from(value) for name, value in values.items()]


_SEES_ALL = bindparam("sees_all", type_=Boolean)

SEES_SPACE = and_(
    spaces.c.status != SpaceStatus.DELETED.value,
    or_(
        _SEES_ALL,
        exists(
            select(space_permissions.c.id).where(
                space_permissions.c.space_id == spaces.c.id,
                space_permissions.c.permission == SpacePermission.VIEW.value,
                granted_to_viewer(space_permissions),
            )
        ),
    ),
)
"""Whether the viewer sees the space of a row of ``spaces``."""


def passes_guards(table: FromClause) -> ColumnElement[bool]:
    """Whether nothing restricts the reading of a row of ``content``, or an alias of it, for the viewer."""
    return or_(
        _SEES_ALL,
        ~exists(
            select(content_guards.c.guard_id).where(
                content_guards.c.content_id == table.c.id,
                ~exists(
                    select(content_restrictions.c.id).where(
                        content_restrictions.c.content_id == content_guards.c.guard_id,
                        content_restrictions.c.operation == "read",
                        granted_to_viewer(content_restrictions),
                    )
                ),
            )
        ),
    )


def is_no_other_ones_draft(table: FromClause) -> ColumnElement[bool]:
    """Whether a row of ``content`` is not a draft, or one of the viewer's own."""
    return or_(table.c.status != "draft", table.c.created_by == bindparam("viewer"))


SEES_CONTENT = and_(SEES_SPACE, passes_guards(content), is_no_other_ones_draft(content))
"""Whether the viewer sees a row of ``content`` joined with its row of ``spaces``."""

_MAY_UPDATE = or_(
    _SEES_ALL,
    ~exists(
        select(content_restrictions.c.id).where(
            content_restrictions.c.content_id == bindparam("content_id"), content_restrictions.c.operation == "update"
        )
    ),
    exists(
        select(content_restrictions.c.id).where(
            content_restrictions.c.content_id == bindparam("content_id"),
            content_restrictions.c.operation == "update",
            granted_to_viewer(content_restrictions),
        )
    ),
)
_UPDATABLE = select(_MAY_UPDATE)
_IN_SPACE = (
    select(space_permissions.c.permission)
    .where(space_permissions.c.space_id == bindparam("space_id"), granted_to_viewer(space_permissions))
    .distinct()
)
_IN_SPACES = (
    select(space_permissions.c.space_id, space_permissions.c.permission)
    .where(
        space_permissions.c.space_id.in_(bindparam("space_ids", expanding=True)),
        granted_to_viewer(space_permissions),
    )
    .distinct()
)
_CLOSED = (
    select(content_restrictions.c.content_id)
    .where(
        content_restrictions.c.content_id.in_(bindparam("content_ids", expanding=True)),
        content_restrictions.c.operation == "update",
    )
    .group_by(content_restrictions.c.content_id)
    .having(func.max(case((granted_to_viewer(content_restrictions), 1), else_=0)) == 0)
)
_ON_INSTANCE = select(global_permissions.c.permission).where(granted_to_viewer(global_permissions)).distinct()


def permissions_of(tx: Transaction, space_id: int, user: User) -> frozenset[SpacePermission]:
    """What the user was granted in a space: by name, through groups, or together with everybody."""
    rows = tx.execute(_IN_SPACE, {"space_id": space_id, "viewer": user.id})
    return frozenset(SpacePermission(permission) for (permission,) in rows)


def permissions_in(tx: Transaction, space_ids: Collection[int], user: User) -> dict[int, frozenset[SpacePermission]]:
    """``permissions_of`` for several spaces, from one statement."""
    granted: dict[int, set[SpacePermission]] = {space_id: set() for space_id in space_ids}
    for space_id, permission in tx.execute(_IN_SPACES, {"space_ids": list(space_ids), "viewer": user.id}):
        granted[space_id].add(SpacePermission(permission))
    return {space_id: frozenset(some) for space_id, some in granted.items()}


def closed_to(tx: Transaction, content_ids: Collection[int], user: User) -> set[int]:
    """Which of these contents a restriction keeps the user from changing; ``may_update`` for several."""
    if bypasses_spaces(user.role):
        return set()
    return set(tx.execute(_CLOSED, {"content_ids": list(content_ids), "viewer": user.id}).scalars())


def global_permissions_of(tx: Transaction, user: User) -> frozenset[GlobalPermission]:
    """What the user was granted on the instance."""
    rows = tx.execute(_ON_INSTANCE, {"viewer": user.id})
    return frozenset(GlobalPermission(permission) for (permission,) in rows)


def strangers_may_use(tx: Transaction, asked: Sequence[None]) -> list[bool]:
    """Whether everybody may use the instance, to be asked together: every request without a token asks it."""
    may = GlobalPermission.USE in global_permissions_of(tx, ANONYMOUS)
    return [may] * len(asked)


_IS_USE = global_permissions.c.permission == GlobalPermission.USE.value
_of_group = group_members.join(global_permissions, global_permissions.c.group_id == group_members.c.group_id)
_MAY_USE = select(users.c.id).where(
    users.c.id.in_(bindparam("ids", expanding=True)),
    or_(
        exists().where(_IS_USE, global_permissions.c.user_id.is_(None), global_permissions.c.group_id.is_(None)),
        exists().where(_IS_USE, global_permissions.c.user_id == users.c.id).correlate(users),
        exists().select_from(_of_group).where(_IS_USE, group_members.c.user_id == users.c.id).correlate(users),
    ),
)


def may_use(tx: Transaction, asked: Sequence[int]) -> list[bool]:
    """Whether each of these users was granted the use of the instance, to be asked together: every request asks it."""
    found = set(tx.execute(_MAY_USE, {"ids": list(set(asked))}).scalars())
    return [number in found for number in asked]


def may_update(tx: Transaction, content_id: int, user: User) -> bool:
    """Whether no restriction keeps the user from changing that very content. They need the right in its space too."""
    return bool(tx.execute(_UPDATABLE, {"content_id": content_id, **viewer(user)}).scalar_one())


_ALL: tuple[Permission, ...] = (*GlobalPermission, *SpacePermission)


def grant(
    tx: Transaction,
    space_id: int | None,
    granted: Collection[Permission],
    *,
    user_id: int | None = None,
    group_id: int | None = None,
) -> list[Permission]:
    """Let a user or a group, or without either everybody, do these things besides what they may already.

    In a space, or without one on the instance. Returns what they could not do before.
    """
    table, subject = _whose(space_id, user_id, group_id)
    before = set(tx.execute(select(table.c.permission).where(*is_about(table, subject))).scalars())
    new = [each for each in _ALL if each in granted and each.value not in before]
    if new:
        tx.execute(insert(table), [{**subject, "permission": each.value} for each in new])
    return new


def revoke(
    tx: Transaction,
    space_id: int | None,
    revoked: Collection[Permission],
    *,
    user_id: int | None = None,
    group_id: int | None = None,
) -> list[Permission]:
    """Take these permissions from a user or a group, or without either from everybody; what they lack stays lacking.

    In a space, or without one on the instance. Returns what they could do before.
    """
    table, subject = _whose(space_id, user_id, group_id)
    chosen = table.c.permission.in_([each.value for each in revoked])
    gone = set(tx.execute(select(table.c.permission).where(*is_about(table, subject), chosen)).scalars())
    tx.execute(delete(table).where(*is_about(table, subject), chosen))
    return [each for each in _ALL if each.value in gone]


def _whose(space_id: int | None, user_id: int | None, group_id: int | None) -> tuple[Table, dict[str, int | None]]:
    subject = {"user_id": user_id, "group_id": group_id}
    if space_id is None:
        return global_permissions, subject
    return space_permissions, {"space_id": space_id, **subject}


def list_grants(tx: Transaction, space_id: int) -> list[SpaceGrant]:
    """Who may do what in a space, in the order in which it was granted."""
    rows = tx.execute(_grants(space_permissions).where(space_permissions.c.space_id == space_id))
    return [SpaceGrant(SpacePermission(row[0]), *_subject(*row[1:])) for row in rows]


def list_global_grants(tx: Transaction) -> list[GlobalGrant]:
    """Who may do what on the instance, in the order in which it was granted."""
    rows = tx.execute(_grants(global_permissions))
    return [GlobalGrant(GlobalPermission(row[0]), *_subject(*row[1:])) for row in rows]


def _grants(table: Table) -> Select[Any]:
    return (
        select(table.c.permission, users.c.username, users.c.user_key, users.c.display_name, user_groups.c.name)
        .select_from(table)
        .outerjoin(users, users.c.id == table.c.user_id)
        .outerjoin(user_groups, user_groups.c.id == table.c.group_id)
        .order_by(table.c.id)
    )


def _subject(
    name: str | None, key: str | None, display_name: str | None, group: str | None
) -> tuple[Person | None, str | None]:
    return Person(name, key or "", display_name or "") if name else None, group
