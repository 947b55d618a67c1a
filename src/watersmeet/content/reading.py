"""Reading: what people see of a content or a space, found by the addresses that links of this site have.

Whatever is not there, or not for the reader's eyes, is ``NothingToRead``, whichever part of an address was wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import TypeVar

from watersmeet.clock import Instant
from watersmeet.confluence import cql, cql_fields
from watersmeet.confluence.content import Content, ContentType, Space, SpaceStatus
from watersmeet.confluence.errors import NotFound
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.storage_format.resolver import ListedFile
from watersmeet.content import read, search, space, version
from watersmeet.content.known import files_of
from watersmeet.database import references
from watersmeet.database.content import ContentFilter
from watersmeet.database.question import Question
from watersmeet.database.spaces import SpaceFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.errors import WatersmeetError

T = TypeVar("T")

MAX_COMMENTS = 500
MAX_SAID = 1_000_000
"""How many characters of storage format the comments on a page have together."""
MAX_CHILDREN = 200
MAX_POSTS = 20
_WHOLE = Expansion.parse(["body.view,ancestors,metadata.labels"])
_SAID = Expansion.parse(["body.view"])


class NothingToRead(WatersmeetError):
    """There is no such page, or none that the reader may see."""

    status = 404
    description = "There is no page at this address, or none that you may see."


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment in the order in which threads are read: after what it answers, at its level below it."""

    comment: Content
    level: int
    answers: Content | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A content in one of its versions, and what stands around it on its page.

    The parts are those of the present, whichever version is read.
    """

    content: Content
    present: Content
    remarks: Sequence[Remark]
    files: Sequence[ListedFile]
    children: Sequence[Content]
    has_more_remarks: bool
    has_more_children: bool


@dataclass(frozen=True, slots=True)
class SpaceReading:
    """A space, its pages that are under no other, and its newest blog posts."""

    space: Space
    roots: Slice[Content]
    posts: Sequence[Content]


def attempt(find: Callable[[], T]) -> T:
    """What is found. Raises ``NothingToRead`` where that is nothing."""
    try:
        return find()
    except NotFound as error:
        raise NothingToRead from error


# ---- addresses --------------------------------------------------------------------------------------------


def find_numbered(tx: Transaction, reader: User, content_id: int) -> Content:
    """The content of that number. Raises ``NothingToRead``."""
    return attempt(lambda: read.find(tx, reader, content_id, read.CURRENT, NOTHING))


def find_titled(tx: Transaction, reader: User, key: str, title: str) -> Content:
    """The page of that title in a space, or else the blog post. Raises ``NothingToRead``."""
    space_id = attempt(lambda: space.find(tx, reader, key, NOTHING)).id
    types = [ContentType.PAGE, ContentType.BLOGPOST]
    wanted = ContentFilter(types=types, statuses=read.CURRENT, space_id=space_id, title=title.strip())
    found = read.load(tx, reader, wanted, Window(0, 2), NOTHING).items
    return _first(sorted(found, key=lambda content: content.type != ContentType.PAGE))


def find_posted(tx: Transaction, reader: User, key: str, day: date, title: str) -> Content:
    """The blog post of that title and day in a space. Raises ``NothingToRead``."""
    space_id = attempt(lambda: space.find(tx, reader, key, NOTHING)).id
    begin = datetime.combine(day, time(), UTC)
    wanted = ContentFilter(
        types=[ContentType.BLOGPOST],
        statuses=read.CURRENT,
        space_id=space_id,
        title=title.strip(),
        created_from=_instant(begin),
        created_before=_instant(begin + timedelta(days=1)),
    )
    return _first(read.load(tx, reader, wanted, Window(0, 1), NOTHING).items)


def _first(found: Sequence[Content]) -> Content:
    if not found:
        raise NothingToRead
    return found[0]


def _instant(moment: datetime) -> Instant:
    return round(moment.timestamp() * 1000)


# ---- what is shown ----------------------------------------------------------------------------------------


def read_content(tx: Transaction, reader: User, content_id: int, number: int | None) -> Reading:
    """What the page of a content shows, in one of its versions or the present one. Raises ``NothingToRead``."""
    present = attempt(lambda: read.find(tx, reader, content_id, read.CURRENT, _WHOLE))
    shown = present
    if number is not None:
        shown = attempt(lambda: read.find_version(tx, reader, content_id, number, _WHOLE))
    said = ContentFilter(types=[ContentType.COMMENT], statuses=read.CURRENT, container_id=content_id)
    comments = _comments(tx, reader, said)
    below = ContentFilter(types=[ContentType.PAGE], statuses=read.CURRENT, parent_id=content_id, in_order=True)
    children = read.load(tx, reader, below, Window(0, MAX_CHILDREN), NOTHING)
    files = files_of(tx, reader, [content_id]).get(content_id, [])
    return Reading(shown, present, _threads(comments.items), files, children.items, comments.more, children.more)


def _comments(tx: Transaction, reader: User, said: ContentFilter) -> Slice[Content]:
    """The first comments, as far as their bodies are not too long together: how long is found out before reading."""
    part = read.load(tx, reader, said, Window(0, MAX_COMMENTS), NOTHING)
    lengths = references.lengths_of(tx, [comment.id for comment in part.items])
    sums = accumulate(lengths.get(comment.id, 0) for comment in part.items)
    shown = [comment.id for comment, total in zip(part.items, sums, strict=True) if total <= MAX_SAID]
    if not shown:
        return replace(part, items=[], more=bool(part.items))
    whole = read.load(tx, reader, replace(said, ids=shown), Window(0, MAX_COMMENTS), _SAID)
    return replace(whole, more=part.more or len(shown) < len(part.items))


def _threads(comments: Sequence[Content]) -> list[Remark]:
    """Comments under what they answer. One whose parent is not shown stands by itself."""
    known = {comment.id: comment for comment in comments}
    replies: defaultdict[int | None, list[Content]] = defaultdict(list)
    for comment in comments:
        replies[comment.parent_id if comment.parent_id in known else None].append(comment)
    remarks: list[Remark] = []
    waiting = [(comment, 0) for comment in reversed(replies[None])]
    while waiting:
        comment, level = waiting.pop()
        remarks.append(Remark(comment, level, known.get(comment.parent_id or 0)))
        waiting += [(reply, level + 1) for reply in reversed(replies[comment.id])]
    return remarks


def read_versions(tx: Transaction, reader: User, content_id: int, window: Window) -> Slice[Content]:
    """The versions of a content, the newest first. Raises ``NothingToRead``."""
    return attempt(lambda: version.list_versions(tx, reader, content_id, window))


def list_spaces(tx: Transaction, reader: User, window: Window) -> Slice[Space]:
    """The spaces that the reader sees, by key."""
    return space.list_spaces(tx, reader, SpaceFilter(statuses=(SpaceStatus.CURRENT,)), window, NOTHING)


def read_space(tx: Transaction, reader: User, key: str, now: Instant, window: Window) -> SpaceReading:
    """What the page of a space shows. Raises ``NothingToRead``."""
    found = attempt(lambda: space.find(tx, reader, key, NOTHING))
    top = ContentFilter(
        types=[ContentType.PAGE], statuses=read.CURRENT, space_id=found.id, is_reply=False, in_order=True
    )
    query = f'space = "{found.key}" and type = blogpost order by created desc'
    parsed = cql.parse(query)
    cql_fields.check(query, parsed)
    newest = search.search_contents(tx, Question(query, parsed, reader, now), Window(0, MAX_POSTS), NOTHING)
    posts = [item for item in newest.part.items if isinstance(item, Content)]
    return SpaceReading(found, read.load(tx, reader, top, window, NOTHING), posts)
