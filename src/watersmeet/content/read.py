"""Reading content: one by its number, old versions, lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from watersmeet.confluence.content import Content, ContentStatus, ContentType
from watersmeet.confluence.errors import ContentNotFound
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.representation import PUBLIC, RENDERED
from watersmeet.content.known import resolvers
from watersmeet.database import attachments, labels, restrictions
from watersmeet.database import content as contents
from watersmeet.database.application_properties import OF_CONTENT
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import ANONYMOUS, User

CURRENT = (ContentStatus.CURRENT,)
ANY = (ContentStatus.CURRENT, ContentStatus.TRASHED)


def find(tx: Transaction, caller: User, content_id: int, statuses: tuple[str, ...], expansion: Expansion) -> Content:
    """A content as it is now. Raises ``ContentNotFound``."""
    found = contents.find_visible(tx, content_id, caller, statuses, body="body" in expansion)
    if not found:
        raise ContentNotFound(content_id)
    return _complete(tx, caller, found, expansion)


def find_version(tx: Transaction, caller: User, content_id: int, number: int, expansion: Expansion) -> Content:
    """What a current content was in that version, or is. Raises ``ContentNotFound``."""
    found = contents.find_version(tx, content_id, number, caller)
    if found:
        return _complete(tx, caller, found, expansion)
    present = find(tx, caller, content_id, CURRENT, expansion)
    if present.version.number != number:
        raise ContentNotFound(content_id)
    return present


def load(tx: Transaction, caller: User, wanted: ContentFilter, window: Window, expansion: Expansion) -> Slice[Content]:
    """The contents the caller sees; whatever their number, a constant count of queries."""
    part = contents.list_visible(tx, wanted, window, caller, body="body" in expansion)
    return replace(part, items=complete(tx, caller, part.items, expansion))


def complete(tx: Transaction, caller: User, items: Sequence[Content], expansion: Expansion) -> list[Content]:
    """The same contents with the parts that are asked for, each part from one query for all of them."""
    completed = attachments.with_files(tx, items)
    for name, fill in _PARTS.items():
        if name in expansion and completed:
            completed = fill(tx, caller, completed, expansion.within(name))
    return completed


def _complete(tx: Transaction, caller: User, found: Content, expansion: Expansion) -> Content:
    return complete(tx, caller, [found], expansion)[0]


def _with_ancestors(tx: Transaction, caller: User, items: list[Content], _inner: Expansion) -> list[Content]:
    return contents.with_ancestors(tx, items, caller)


def _with_containers(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    ids = sorted({item.container_id for item in items if item.container_id is not None})
    if not ids:
        return items
    wanted = ContentFilter(ids=ids, statuses=ANY)
    holders = {holder.id: holder for holder in load(tx, caller, wanted, Window(0, len(ids)), inner).items}
    return [replace(item, container=holders.get(item.container_id or 0)) for item in items]


def _with_named(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    """Bodies are shown as HTML with what they name looked up for whoever reads them."""
    if any(name in inner for name in RENDERED if name != PUBLIC):
        found = resolvers(tx, caller, items)
        items = [replace(item, named=named) for item, named in zip(items, found, strict=True)]
    if PUBLIC in inner:
        found = resolvers(tx, ANONYMOUS, items)
        items = [replace(item, named_publicly=named) for item, named in zip(items, found, strict=True)]
    return items


def _with_metadata(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    ids = [item.id for item in items]
    if "labels" in inner:
        found = labels.of_contents(tx, ids, caller)
        items = [replace(item, labels=found.get(item.id, ())) for item in items]
    if "properties" in inner:
        kept = OF_CONTENT.of_owners(tx, ids, inner.within("properties").names)
        items = [replace(item, properties=kept.get(item.id, {})) for item in items]
    return items


def _with_children(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    """With the first of what is in each of them; of the types, only attachments so far."""
    if ContentType.ATTACHMENT not in inner:
        return [replace(item, children={}) for item in items]
    window = Window()
    ids = contents.first_parts(tx, [item.id for item in items], ContentType.ATTACHMENT, caller, window.reach)
    found = load(tx, caller, ContentFilter(ids=ids or [0]), Window(0, len(ids)), inner.within(ContentType.ATTACHMENT))
    in_each: dict[int | None, list[Content]] = {}
    for part in found.items:
        in_each.setdefault(part.container_id, []).append(part)
    return [
        replace(item, children={ContentType.ATTACHMENT: Slice.of(in_each.get(item.id, []), window)}) for item in items
    ]


def _with_restrictions(tx: Transaction, _caller: User, items: list[Content], _inner: Expansion) -> list[Content]:
    found = restrictions.of_contents(tx, [item.id for item in items])
    return [replace(item, restrictions=found[item.id]) for item in items]


_Fill: TypeAlias = Callable[[Transaction, User, list[Content], Expansion], list[Content]]

# By the name in ``expand``: what reads that part for a list of contents. What is not here is always at hand.
_PARTS: dict[str, _Fill] = {
    "ancestors": _with_ancestors,
    "body": _with_named,
    "children": _with_children,
    "container": _with_containers,
    "metadata": _with_metadata,
    "restrictions": _with_restrictions,
}
