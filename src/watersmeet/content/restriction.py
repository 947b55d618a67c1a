"""Restrictions of contents: reading and changing whom a content is kept to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watersmeet.clock import Instant
from watersmeet.confluence.content import TITLED, Content, ContentStatus
from watersmeet.confluence.errors import BadBody, ContentNotFound, LocksOut
from watersmeet.confluence.expansion import NOTHING
from watersmeet.confluence.permission import SpacePermission
from watersmeet.confluence.restriction import Restricted, Restriction
from watersmeet.content import read
from watersmeet.content.hold import hold
from watersmeet.content.right import may_change, require, require_change
from watersmeet.database import audit, copies, groups, restrictions, users
from watersmeet.database.audit import Event, Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_STATUSES = (ContentStatus.CURRENT, ContentStatus.DRAFT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a content is to be kept to, for one operation: names of users or their keys, and names of groups."""

    operation: Restricted
    usernames: tuple[str, ...] = ()
    user_keys: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def list_restrictions(tx: Transaction, caller: User, content_id: int) -> dict[str, Restriction]:
    """A content's own restrictions by operation. Raises ``ContentNotFound``."""
    found = read.find(tx, caller, content_id, _STATUSES, NOTHING)
    return restrictions.of_contents(tx, [found.id])[found.id]


def list_relevant(tx: Transaction, caller: User, content_id: int) -> list[Restriction]:
    """All that restricts the reading of a content, its own and what it inherits. Raises ``ContentNotFound``."""
    found = read.find(tx, caller, content_id, _STATUSES, NOTHING)
    guards = restrictions.guards_of(tx, found.id)
    return [each[Restricted.READ] for each in restrictions.of_contents(tx, guards).values()]


def restrict(
    tx: Transaction,
    caller: User,
    content_id: int,
    wanted: Sequence[Wanted],
    now: Instant,
    origin: Origin,
    *,
    anew: bool,
) -> dict[str, Restriction]:
    """Keep a page or blog post to some; ``anew`` lets go of whom it was kept to before.

    Raises ``ContentNotFound``, ``Forbidden``, ``BadBody`` or ``LocksOut``.
    """
    found = hold(tx, caller, content_id, _STATUSES)  # nobody else restricts or moves it
    require(tx, caller, found.space, SpacePermission.RESTRICT)
    require_change(tx, caller, found)
    if found.type not in TITLED:
        raise BadBody("Only pages and blog posts can be restricted; what is in them follows.")
    before = restrictions.of_contents(tx, [found.id])[found.id]
    if anew:
        restrictions.forget_all(tx, found.id)
    for each in wanted:
        _keep_to(tx, found.id, each)
    restrictions.work_out_guards(tx, found.id)
    require_not_locked_out(tx, caller, found)
    after = restrictions.of_contents(tx, [found.id])[found.id]
    if after != before:
        detail = {"content": found.id, "before": _in_words(before), "after": _in_words(after)}
        audit.record(tx, Event.RESTRICTIONS_CHANGED, origin, now, detail=detail)
    return after


def copy_restrictions(tx: Transaction, source_id: int, copy_id: int, now: Instant, origin: Origin) -> None:
    """Keep a content to whom another one is kept, and to nobody else. Hold the space's lock."""
    before = restrictions.of_contents(tx, [copy_id])[copy_id]
    restrictions.forget_all(tx, copy_id)
    copies.copy_restrictions(tx, source_id, copy_id)
    after = restrictions.of_contents(tx, [copy_id])[copy_id]
    if after != before:
        detail = {"content": copy_id, "before": _in_words(before), "after": _in_words(after)}
        audit.record(tx, Event.RESTRICTIONS_CHANGED, origin, now, detail=detail)


def _in_words(found: Mapping[str, Restriction]) -> dict[str, list[str]]:
    """Whom a content is kept to, by operation, as the log keeps it: names of users and of groups."""
    return {
        operation: [f"user {person.username}" for person in each.people] + [f"group {name}" for name in each.groups]
        for operation, each in found.items()
    }


def _keep_to(tx: Transaction, content_id: int, wanted: Wanted) -> None:
    people = [(users.find_by_name(tx, name), name) for name in wanted.usernames]
    people += [(users.find_by_key(tx, key), key) for key in wanted.user_keys]
    for user, name in people:
        if not user:
            raise BadBody(f"There is no user {name!r}.")
        restrictions.keep_to(tx, content_id, wanted.operation, user_id=user.id)
    for name in wanted.groups:
        group_id = groups.find_id(tx, name)
        if group_id is None:
            raise BadBody(f"There is no group {name!r}.")
        restrictions.keep_to(tx, content_id, wanted.operation, group_id=group_id)


def require_not_locked_out(tx: Transaction, caller: User, content: Content) -> None:
    """Raises ``LocksOut`` if the caller could no longer change a content, once its guards are worked out."""
    try:
        found = read.find(tx, caller, content.id, _STATUSES, NOTHING)
    except ContentNotFound:
        raise LocksOut from None
    if not may_change(tx, caller, found):
        raise LocksOut
