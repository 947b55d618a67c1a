"""Content and its old versions, as rows.

Every reading function takes the user it reads for and shows nothing they may not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)

from watersmeet.clock import Instant
from watersmeet.confluence.content import (
    MAX_TITLE,
    Content,
    ContentStatus,
    ContentType,
    ContentVersion,
    Person,
    Space,
    title_key,
)
from watersmeet.confluence.page import Slice, Window
from watersmeet.database.attachments import of_media_type
from watersmeet.database.comments import is_located
from watersmeet.database.permissions import SEES_CONTENT, SEES_SPACE, is_no_other_ones_draft, passes_guards, viewer
from watersmeet.database.prepared import Prepared, Rows
from watersmeet.database.restrictions import BELOW, work_out_guards
from watersmeet.database.schema import content, content_guards, content_versions, spaces, users
from watersmeet.database.search_text import index
from watersmeet.database.spaces import COLUMNS as SPACE_COLUMNS
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User

_WORD = re.compile(r"[^\W_]+")

_creator = users.alias("creator")
_updater = users.alias("updater")
_SPACE_WIDTH = len(SPACE_COLUMNS)


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """Which contents a list shows; an empty criterion admits all."""

    ids: Sequence[int] = ()
    types: Sequence[str] = ()
    statuses: Sequence[str] = ()
    space_id: int | None = None
    title: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None
    parent_id: int | None = None
    container_id: int | None = None
    is_reply: bool | None = None
    """Whether it has a parent."""
    below: int | None = None
    """Everything below that content or in it, whatever its depth."""
    name: str | None = None
    """The title to the letter, as names of files are compared."""
    media_type: str | None = None
    after: int | None = None
    """Only what was made after the content with that number."""
    locations: Sequence[str] = ()
    """Of comments: ``footer``, ``inline`` (unresolved) and ``resolved``."""
    in_order: bool = False
    """As people ordered them by hand, and then by age; otherwise by age alone."""


# ---- reading ----------------------------------------------------------------------------------------------


def _present(*, body: bool) -> Select[Any]:
    """Contents as they are now: the columns that ``_as_content`` takes, in its order."""
    return (
        select(
            *SPACE_COLUMNS,
            content.c.id,
            content.c.type,
            content.c.status,
            content.c.title,
            content.c.parent_id,
            content.c.container_id,
            content.c.position,
            content.c.version,
            content.c.version_message,
            content.c.minor_edit,
            _updater.c.username,
            _updater.c.user_key,
            _updater.c.display_name,
            content.c.updated_at,
            _creator.c.username,
            _creator.c.user_key,
            _creator.c.display_name,
            content.c.created_at,
            content.c.storage if body else null(),
            content.c.representation,
        )
        .select_from(content)
        .join(spaces, spaces.c.id == content.c.space_id)
        .join(_updater, _updater.c.id == content.c.updated_by)
        .join(_creator, _creator.c.id == content.c.created_by)
    )


def _past(*, body: bool = True) -> Select[Any]:
    """Old versions of current contents: the columns that ``_as_content`` takes, in its order."""
    return (
        select(
            *SPACE_COLUMNS,
            content.c.id,
            content.c.type,
            literal(ContentStatus.HISTORICAL.value),
            content_versions.c.title,
            content.c.parent_id,
            content.c.container_id,
            content.c.position,
            content_versions.c.number,
            content_versions.c.message,
            content_versions.c.minor_edit,
            _updater.c.username,
            _updater.c.user_key,
            _updater.c.display_name,
            content_versions.c.updated_at,
            _creator.c.username,
            _creator.c.user_key,
            _creator.c.display_name,
            content.c.created_at,
            content_versions.c.storage if body else null(),
            content_versions.c.representation,
        )
        .select_from(content_versions)
        .join(content, content.c.id == content_versions.c.content_id)
        .join(spaces, spaces.c.id == content.c.space_id)
        .join(_updater, _updater.c.id == content_versions.c.updated_by)
        .join(_creator, _creator.c.id == content.c.created_by)
        .where(SEES_CONTENT, content.c.status == ContentStatus.CURRENT.value)
    )


_SHOWN = {body: _present(body=body) for body in (False, True)}
_PRESENT = {body: query.where(SEES_CONTENT) for body, query in _SHOWN.items()}
_SEEN = select(content.c.id).join(spaces, spaces.c.id == content.c.space_id).where(SEES_CONTENT)
_SEEN_IN_SPACE = select(content.c.id).where(
    # The space once, not for each content anew: that would be SEES_CONTENT.
    content.c.space_id.in_(select(spaces.c.id).where(spaces.c.id == bindparam("space_id"), SEES_SPACE)),
    passes_guards(content),
    is_no_other_ones_draft(content),
)
_BY_ID = {body: query.where(content.c.id == bindparam("content_id")) for body, query in _PRESENT.items()}
_BY_NUMBER = _past().where(
    content_versions.c.content_id == bindparam("content_id"),
    content_versions.c.number == bindparam("number"),
)

_PAST_OF = (
    _past(body=False)
    .where(content_versions.c.content_id == bindparam("content_id"))
    .order_by(content_versions.c.number.desc())
)
_OLDER = _PAST_OF.where(content_versions.c.number < bindparam("number")).limit(1)
_NEWER = (
    _PAST_OF.where(content_versions.c.number > bindparam("number"))
    .order_by(None)
    .order_by(content_versions.c.number)
    .limit(1)
)
_AUTHORS = (
    select(content_versions.c.content_id, users.c.username, users.c.user_key, users.c.display_name)
    .join(content_versions, content_versions.c.updated_by == users.c.id)
    .where(content_versions.c.content_id.in_(bindparam("ids", expanding=True)))
    .group_by(content_versions.c.content_id, users.c.id, users.c.username, users.c.user_key, users.c.display_name)
    .order_by(content_versions.c.content_id, func.min(content_versions.c.number))
)
_newer = content_versions.alias("newer")
_NEWEST_PAST = _past(body=False).where(
    content_versions.c.content_id.in_(bindparam("ids", expanding=True)),
    content_versions.c.number
    == select(func.max(_newer.c.number)).where(_newer.c.content_id == content_versions.c.content_id).scalar_subquery(),
)


_PREPARED: dict[tuple[Select[Any], str], Prepared] = {}


def _select(tx: Transaction, statement: Select[Any], parameters: Mapping[str, Any]) -> Rows:
    """What one of the statements for a single content selects; each is put into an engine's words once."""
    key = (statement, tx.dialect.name)
    prepared = _PREPARED.get(key)
    if prepared is None:
        prepared = _PREPARED[key] = Prepared(statement, tx.dialect)
    return prepared.execute(tx, parameters)


def _as_content(row: Sequence[Any]) -> Content:
    (
        content_id, content_type, status, title, parent_id, container_id, position,
        number, message, minor_edit, by_name, by_key, by_display_name, when,
        creator_name, creator_key, creator_display_name, created_at, storage, representation,
    ) = row[_SPACE_WIDTH:]  # fmt: skip
    return Content(
        id=content_id,
        type=content_type,
        status=status,
        title=title,
        space=Space(*row[:_SPACE_WIDTH]),
        parent_id=parent_id,
        container_id=container_id,
        position=position,
        version=ContentVersion(number, message, minor_edit, Person(by_name, by_key, by_display_name), when),
        created_by=Person(creator_name, creator_key, creator_display_name),
        created_at=created_at,
        storage=storage,
        representation=representation,
    )


def find_visible(
    tx: Transaction, content_id: int, user: User, statuses: Iterable[str], *, body: bool = False
) -> Content | None:
    """The content with that number, if it has one of these statuses and the user may see it."""
    rows = _select(tx, _BY_ID[body], {"content_id": content_id, **viewer(user)})
    found = _as_content(rows[0]) if rows else None
    return found if found and found.status in statuses else None


def find_version(tx: Transaction, content_id: int, number: int, user: User) -> Content | None:
    """What a current content was in one of its old versions, body included."""
    row = tx.execute(_BY_NUMBER, {"content_id": content_id, "number": number, **viewer(user)}).first()
    return _as_content(row) if row else None


def find_neighbour(tx: Transaction, content_id: int, number: int, user: User, *, older: bool) -> Content | None:
    """The nearest old version before or after one, without its body."""
    query = _OLDER if older else _NEWER
    row = tx.execute(query, {"content_id": content_id, "number": number, **viewer(user)}).first()
    return _as_content(row) if row else None


def list_past(tx: Transaction, content_id: int, user: User, window: Window) -> list[Content]:
    """The old versions of a current content without their bodies, newest first, as many as the window reaches."""
    page = _PAST_OF.limit(window.reach).offset(window.start)
    return [_as_content(row) for row in tx.execute(page, {"content_id": content_id, **viewer(user)})]


def newest_past(tx: Transaction, ids: Sequence[int], user: User) -> dict[int, Content]:
    """Of each of these contents, the newest old version without its body, from one query for all."""
    rows = tx.execute(_NEWEST_PAST, {"ids": ids, **viewer(user)})
    return {found.id: found for found in map(_as_content, rows)}


def contributors(tx: Transaction, ids: Sequence[int]) -> dict[int, tuple[Person, ...]]:
    """Everybody who wrote an old version of these contents, in the order of their first, from one query for all."""
    rows = tx.execute(_AUTHORS, {"ids": ids})
    by_content = groupby(rows, lambda row: int(row[0]))
    return {content_id: tuple(Person(*row[1:]) for row in some) for content_id, some in by_content}


def delete_version(tx: Transaction, content_id: int, number: int) -> bool:
    """Forget an old version; ``False`` if there is none of that number. The others keep theirs."""
    old = (content_versions.c.content_id == content_id, content_versions.c.number == number)
    return tx.execute(delete(content_versions).where(*old)).rowcount == 1


def list_visible(
    tx: Transaction, wanted: ContentFilter, window: Window, user: User, *, body: bool = False
) -> Slice[Content]:
    """The contents the user may see, oldest first."""
    by_hand = (content.c.position.is_(None), content.c.position) if wanted.in_order else ()
    order = (*by_hand, content.c.id)
    # Numbers first: what the window passes over is not joined with anybody's name.
    seen = _SEEN if wanted.space_id is None else _SEEN_IN_SPACE
    chosen = seen.where(*_criteria(wanted)).order_by(*order).limit(window.reach).offset(window.start)
    query = _SHOWN[body].where(content.c.id.in_(chosen.scalar_subquery())).order_by(*order)
    rows = tx.execute(query, {**viewer(user), "space_id": wanted.space_id})
    return Slice.of([_as_content(row) for row in rows], window)


def _criteria(wanted: ContentFilter) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.ids:
        criteria.append(content.c.id.in_(wanted.ids))
    if wanted.types:
        criteria.append(content.c.type.in_(wanted.types))
    if wanted.statuses:
        criteria.append(content.c.status.in_(wanted.statuses))
    if wanted.space_id is not None:
        criteria.append(content.c.space_id == wanted.space_id)
    if wanted.title is not None:
        criteria.append(content.c.title_key == title_key(wanted.title))
    if wanted.created_from is not None:
        criteria.append(content.c.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        criteria.append(content.c.created_at < wanted.created_before)
    if wanted.after is not None:
        criteria.append(content.c.id > wanted.after)
    return criteria + _criteria_of_files(wanted) + _criteria_of_the_tree(wanted)


def _criteria_of_files(wanted: ContentFilter) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.name is not None:
        criteria.append(content.c.title == wanted.name)
    if wanted.media_type is not None:
        criteria.append(content.c.id.in_(of_media_type(wanted.media_type)))
    return criteria


def _criteria_of_the_tree(wanted: ContentFilter) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.parent_id is not None:
        criteria.append(content.c.parent_id == wanted.parent_id)
    if wanted.container_id is not None:
        criteria.append(content.c.container_id == wanted.container_id)
    if wanted.is_reply is not None:
        criteria.append(content.c.parent_id.is_not(None) if wanted.is_reply else content.c.parent_id.is_(None))
    if wanted.below is not None:
        criteria += [content.c.id != wanted.below, content.c.id.in_(BELOW.params(root=wanted.below))]
    if wanted.locations:
        criteria.append(is_located(wanted.locations))
    return criteria


# ---- the tree ---------------------------------------------------------------------------------------------


# Every content above the given ones, each once however many of them it is above. UNION, not UNION ALL, so a
# circle (there is none: see spaces.lock) would end the walk instead of going round for ever.
def _line_above(are_below: ColumnElement[bool]) -> CTE:
    line = select(content.c.parent_id.label("id")).where(are_below, content.c.parent_id.is_not(None))
    walk = line.cte("line", recursive=True)
    up = select(content.c.parent_id).join(walk, walk.c.id == content.c.id).where(content.c.parent_id.is_not(None))
    return walk.union(up)


_line = _line_above(content.c.id.in_(bindparam("ids", expanding=True)))
_ABOVE = _PRESENT[False].where(content.c.id.in_(select(_line.c.id)))
_ABOVE_ONE = _PRESENT[False].where(content.c.id.in_(select(_line_above(content.c.id == bindparam("below")).c.id)))
_IDS_ABOVE = select(_line.c.id)


def with_ancestors(tx: Transaction, contents: Sequence[Content], user: User) -> list[Content]:
    """The same contents with their ancestors, from one query for all of them."""
    ids = [item.id for item in contents if item.parent_id is not None]
    rows: Iterable[Sequence[Any]] = ()
    if len(ids) == 1:
        rows = _select(tx, _ABOVE_ONE, {"below": ids[0], **viewer(user)})
    elif ids:
        rows = tx.execute(_ABOVE, {"ids": ids, **viewer(user)})
    above = {found.id: found for found in map(_as_content, rows)}
    return [replace(item, ancestors=_ancestors(item, above)) for item in contents]


def _ancestors(item: Content, above: dict[int, Content]) -> tuple[Content, ...]:
    line: list[Content] = []
    parent_id = item.parent_id
    while parent_id is not None and (parent := above.get(parent_id)) and len(line) < len(above):
        line.append(parent)
        parent_id = parent.parent_id
    return tuple(reversed(line))


def is_within(tx: Transaction, content_id: int, ancestor_id: int) -> bool:
    """Whether a content is ``ancestor_id`` itself or somewhere below it."""
    ids_above = tx.execute(_IDS_ABOVE, {"ids": [content_id]}).scalars()
    return content_id == ancestor_id or ancestor_id in ids_above


# Everything that is part of a content, and of its parts, but not its children.
_parts = select(content.c.id).where(content.c.container_id == bindparam("whole")).cte("parts", recursive=True)
_parts = _parts.union(select(content.c.id).join(_parts, content.c.container_id == _parts.c.id))
_PARTS = select(_parts.c.id)


# ---- writing ----------------------------------------------------------------------------------------------

_TITLE = select(content.c.id).where(
    content.c.space_id == bindparam("space_id"),
    content.c.type == bindparam("type"),
    content.c.title_key == bindparam("key"),
    content.c.status == ContentStatus.CURRENT.value,
)
_STATE = select(content.c.version, content.c.status).where(content.c.id == bindparam("content_id"))
# The lock keeps the loser of a race from archiving too: it waits, and then finds another version.
_ARCHIVE = insert(content_versions).from_select(
    ["content_id", "number", "title", "storage", "representation", "message", "minor_edit", "updated_by", "updated_at"],
    select(
        content.c.id,
        content.c.version,
        content.c.title,
        content.c.storage,
        content.c.representation,
        content.c.version_message,
        content.c.minor_edit,
        content.c.updated_by,
        content.c.updated_at,
    )
    .where(
        content.c.id == bindparam("content_id"),
        content.c.version == bindparam("expected_version"),
        content.c.status == bindparam("expected_status"),
    )
    .with_for_update(),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a content becomes in its next version."""

    title: str
    message: str
    minor_edit: bool
    storage: str | None = None  # None: the body stays as it is
    moved: bool = False  # where not, the parent is left alone: somebody else may have changed it
    parent_id: int | None = None


def title_holder(tx: Transaction, space_id: int, content_type: str, title: str) -> int | None:
    """The current content of that type and title in a space. Hold the space's lock to rely on "none"."""
    parameters = {"space_id": space_id, "type": content_type, "key": title_key(title)}
    return tx.execute(_TITLE, parameters).scalar()


def add(
    tx: Transaction,
    *,
    content_type: str,
    space_id: int,
    parent_id: int | None,
    title: str,
    storage: str,
    creator: User,
    now: Instant,
    message: str = "",
    minor_edit: bool = False,
    container_id: int | None = None,
    status: str = ContentStatus.CURRENT,
    representation: str = "storage",
) -> int:
    """The number of a new content in its first version, guarded by what is above it.

    Its title must be free. Hold the space's lock.
    """
    values = {
        "type": content_type,
        "status": status,
        "space_id": space_id,
        "parent_id": parent_id,
        "container_id": container_id,
        "position": None,
        "title": title,
        "title_key": title_key(title),
        "storage": storage,
        "representation": representation,
        "version": 1,
        "version_message": message,
        "minor_edit": minor_edit,
        "created_by": creator.id,
        "created_at": now,
        "updated_by": creator.id,
        "updated_at": now,
    }
    content_id: int = tx.execute(insert(content).returning(content.c.id), values).scalar_one()
    work_out_guards(tx, content_id)
    index(tx, content_id, _said_by(content_type, title), storage, representation)
    return content_id


def change(tx: Transaction, present: Content, into: Change, updater: User, now: Instant) -> bool:
    """Make the next version and keep the present one as an old one; ``False`` if another came first."""
    version, status = present.version.number, present.status
    tx.execute(_ARCHIVE, {"content_id": present.id, "expected_version": version, "expected_status": status})
    values: dict[str, Any] = {
        "title": into.title,
        "title_key": title_key(into.title),
        "status": ContentStatus.CURRENT.value,
        "version": version + 1,
        "version_message": into.message,
        "minor_edit": into.minor_edit,
        "updated_by": updater.id,
        "updated_at": now,
    }
    if into.storage is not None:
        values["storage"] = into.storage
    if into.moved:
        values |= {"parent_id": into.parent_id, "position": None}
    # The status is guarded too: trashing makes no new version.
    guard = (content.c.id == present.id, content.c.version == version, content.c.status == status)
    changed = tx.execute(update(content).where(*guard).values(values)).rowcount == 1
    if changed and status == ContentStatus.TRASHED:
        _set_status_of_parts(tx, present.id, ContentStatus.WITHDRAWN, ContentStatus.CURRENT)
    if changed and into.moved:
        work_out_guards(tx, present.id)
    if changed and (into.storage is not None or into.title != present.title):
        _index_anew(tx, present.id)
    return changed


def write_draft(tx: Transaction, present: Content, into: Change, status: ContentStatus, by: User, now: Instant) -> bool:
    """Change a draft, or publish it: its one version stays the first; ``False`` if it is none any more."""
    values: dict[str, Any] = {
        "title": into.title,
        "title_key": title_key(into.title),
        "status": status.value,
        "version_message": into.message,
        "updated_by": by.id,
        "updated_at": now,
    }
    if status is ContentStatus.CURRENT:
        values["created_at"] = now
    if into.storage is not None:
        values["storage"] = into.storage
    if into.moved:
        values["parent_id"] = into.parent_id
    guard = (content.c.id == present.id, content.c.status == ContentStatus.DRAFT.value)
    changed = tx.execute(update(content).where(*guard).values(values)).rowcount == 1
    if changed:
        work_out_guards(tx, present.id)
        _index_anew(tx, present.id)
    return changed


def replace_storage(tx: Transaction, present: Content, storage: str) -> bool:
    """Change the body of a version that stays what it is; ``False`` if another version came first.

    What it says must stay the same. Hold the space's lock.
    """
    guard = (content.c.id == present.id, content.c.version == present.version.number)
    return tx.execute(update(content).where(*guard).values(storage=storage)).rowcount == 1


def _index_anew(tx: Transaction, content_id: int) -> None:
    """Let a content be found by what it says after a change that may have left its body alone."""
    columns = (content.c.type, content.c.title, content.c.storage, content.c.representation)
    row = tx.execute(select(*columns).where(content.c.id == content_id)).one()
    index(tx, content_id, _said_by(row.type, row.title), row.storage, row.representation)


def _said_by(content_type: str, title: str) -> str:
    """What a title is found by: PostgreSQL takes the name of a file for one word, so its words stand beside it."""
    if content_type != ContentType.ATTACHMENT:
        return title
    return f"{title} {' '.join(_WORD.findall(title))}"[:MAX_TITLE]


def present_state(tx: Transaction, content_id: int) -> tuple[int, str] | None:
    """The version and the status of a content now."""
    row = tx.execute(_STATE, {"content_id": content_id}).first()
    return (row[0], row[1]) if row else None


def trash(tx: Transaction, content_id: int) -> bool:
    """Take a content and its parts out of sight; ``False`` if it was not current. Its title becomes free."""
    guard = (content.c.id == content_id, content.c.status == ContentStatus.CURRENT.value)
    trashed = tx.execute(update(content).where(*guard).values(status=ContentStatus.TRASHED.value)).rowcount == 1
    if trashed:
        _set_status_of_parts(tx, content_id, ContentStatus.CURRENT, ContentStatus.WITHDRAWN)
    return trashed


def _set_status_of_parts(tx: Transaction, content_id: int, before: ContentStatus, after: ContentStatus) -> None:
    chosen = update(content).where(content.c.id.in_(_PARTS), content.c.status == before.value)
    tx.execute(chosen.values(status=after.value), {"whole": content_id})


def lift_children(tx: Transaction, content_id: int, parent_id: int | None) -> None:
    """Hang whatever is below a content, trashed or not, under its parent."""
    children = tx.execute(select(content.c.id).where(content.c.parent_id == content_id)).scalars().all()
    tx.execute(update(content).where(content.c.parent_id == content_id).values(parent_id=parent_id))
    work_out_guards(tx, *children)


def purge(tx: Transaction, content_id: int, status: ContentStatus = ContentStatus.TRASHED) -> bool:
    """Forget a trashed content or a draft, its versions and its parts; ``False`` if it does not have that status."""
    guard = (content.c.id == content_id, content.c.status == status.value)
    return tx.execute(delete(content).where(*guard)).rowcount == 1


# ---- all of a space ---------------------------------------------------------------------------------------

_COUNT = select(func.count()).select_from(content).where(content.c.space_id == bindparam("space_id"))
# What was made last first: parts are younger than what they are part of, so that nothing big goes with it.
_SOME = select(content.c.id).where(content.c.space_id == bindparam("space_id")).order_by(content.c.id.desc())
# What keeps readers from another content stays until that is gone: a deletion may be given up on the way.
_SOME_FREE = _SOME.where(
    ~exists(
        select(content_guards.c.content_id).where(
            content_guards.c.guard_id == content.c.id, content_guards.c.content_id != content.c.id
        )
    )
)
_SOME_TRASHED = _SOME.where(content.c.status == ContentStatus.TRASHED.value)


def count_in_space(tx: Transaction, space_id: int) -> int:
    """How many contents there are in a space, of every type and status."""
    return tx.execute(_COUNT, {"space_id": space_id}).scalar_one()


def delete_some(tx: Transaction, space_id: int, at_most: int) -> None:
    """Forget some contents of a space, whatever their status, with their versions and parts. Hold the space's lock.

    What has read restrictions goes after all that they keep: what is left is never open to more people than before.
    """
    chosen = tx.execute(_SOME_FREE.limit(at_most), {"space_id": space_id}).scalars().all()
    tx.execute(update(content).where(content.c.parent_id.in_(chosen)).values(parent_id=None))
    tx.execute(delete(content).where(content.c.id.in_(chosen)))


def purge_some(tx: Transaction, space_id: int, at_most: int) -> int:
    """Forget some trashed contents of a space, with their versions and parts; how many. Hold the space's lock."""
    chosen = tx.execute(_SOME_TRASHED.limit(at_most), {"space_id": space_id}).scalars().all()
    tx.execute(delete(content).where(content.c.id.in_(chosen)))
    return len(chosen)
