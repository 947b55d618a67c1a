"""Parts of contents: what an expansion asks for beyond their rows, each part from a few queries for all of a list.

Whatever is nested, a list costs a number of queries that depends on what was asked and not on how much there is. What
a content stands in (its space, its container, what is above it) does not show what is below it again: an answer would
grow with every level that names both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from watersmeet.confluence.content import Content, ContentStatus, ContentType, Past, Person, Space
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.representation import PUBLIC, RENDERED
from watersmeet.confluence.representation_tree import kinds_of
from watersmeet.content import right
from watersmeet.content.known import resolvers
from watersmeet.database import attachments, comments, labels, regards, relatives, restrictions
from watersmeet.database import content as contents
from watersmeet.database.application_properties import OF_CONTENT
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import ANONYMOUS, User

CURRENT = (ContentStatus.CURRENT,)
ANY = (ContentStatus.CURRENT, ContentStatus.TRASHED)

RELATIVES_OF_EACH = 25
RELATIVES_IN_ALL = 5_000
"""Of one type and level of an answer: lists of more contents show fewer of each, and say so in their ``limit``."""
MOST_TREES = 50
"""A tree may be the whole instance: of more contents than that, the descendants are not shown along."""

_BELOW = ("children", "descendants")


def load(tx: Transaction, caller: User, wanted: ContentFilter, window: Window, expansion: Expansion) -> Slice[Content]:
    """The contents the caller sees; whatever their number, a constant count of queries."""
    part = contents.list_visible(tx, wanted, window, caller, body="body" in expansion)
    return replace(part, items=complete(tx, caller, part.items, expansion))


def complete(tx: Transaction, caller: User, items: Sequence[Content], expansion: Expansion) -> list[Content]:
    """The same contents with the parts that are asked for."""
    completed = attachments.with_files(tx, items)
    if any(item.type == ContentType.COMMENT for item in completed):
        completed = _with_places(tx, completed)
    for name, fill in _PARTS.items():
        if name in expansion and completed:
            completed = fill(tx, caller, completed, expansion.within(name))
    return completed


def with_homepages(tx: Transaction, caller: User, found: Sequence[Space], expansion: Expansion) -> list[Space]:
    """The same spaces with their homepages, where those are asked for."""
    ids = sorted({space.homepage_id for space in found if space.homepage_id is not None})
    if "homepage" not in expansion or not ids:
        return list(found)
    homepages = _by_id(tx, caller, ids, CURRENT, expansion.within("homepage"))
    return [replace(space, homepage=homepages.get(space.homepage_id or 0)) for space in found]


def _by_id(
    tx: Transaction, caller: User, ids: Sequence[int], statuses: Sequence[str], expansion: Expansion
) -> dict[int, Content]:
    wanted = ContentFilter(ids=ids, statuses=statuses)
    return {item.id: item for item in load(tx, caller, wanted, Window(0, len(ids)), expansion).items}


# ---- what a content stands in -----------------------------------------------------------------------------


def _with_spaces(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    if "homepage" not in inner:
        return items
    shown = Expansion({"homepage": inner.within("homepage").without(*_BELOW).names})
    spaces = {item.space.id: item.space for item in items}
    completed = {space.id: space for space in with_homepages(tx, caller, list(spaces.values()), shown)}
    return [replace(item, space=completed[item.space.id]) for item in items]


def _with_ancestors(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    found = contents.with_ancestors(tx, items, caller)
    above = {ancestor.id: ancestor for item in found for ancestor in item.ancestors or ()}
    # They are in line anyway, and bodies would be repeated for everything below.
    inner = inner.without(*_BELOW, "ancestors", "body")
    completed = {each.id: each for each in complete(tx, caller, list(above.values()), inner)}
    return [replace(item, ancestors=tuple(completed[each.id] for each in item.ancestors or ())) for item in found]


def _with_containers(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    ids = sorted({item.container_id for item in items if item.container_id is not None})
    holders = _by_id(tx, caller, ids, ANY, inner.without(*_BELOW)) if ids else {}
    return [replace(item, container=holders.get(item.container_id or 0)) for item in items]


# ---- what is below it and in it ---------------------------------------------------------------------------

_Find: TypeAlias = Callable[[Transaction, Sequence[int], str, int, User], dict[int, list[int]]]


def _with_children(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    limit = min(RELATIVES_OF_EACH, RELATIVES_IN_ALL // len(items))
    if not limit:
        return items
    found = _relatives(tx, caller, items, inner, Window(0, limit), relatives.children_of)
    return [replace(item, children=found[item.id]) for item in items]


def _with_descendants(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    if len(items) > MOST_TREES:
        return items
    window = Window(0, RELATIVES_OF_EACH)
    found = _relatives(tx, caller, items, inner, window, relatives.descendants_of)
    return [replace(item, descendants=found[item.id]) for item in items]


def _relatives(
    tx: Transaction, caller: User, items: list[Content], inner: Expansion, window: Window, find: _Find
) -> dict[int, Mapping[str, Slice[Content]]]:
    """For each content, by type, the window of what ``find`` says of it."""
    found: dict[int, Mapping[str, Slice[Content]]] = {item.id: {} for item in items}
    for kind, within in kinds_of(inner).items():
        ids_of = find(tx, sorted(found), kind, window.reach, caller)
        shown = sorted({number for ids in ids_of.values() for number in ids[: window.limit]})
        loaded = _by_id(tx, caller, shown, CURRENT, within) if shown else {}
        for item_id, lists in found.items():
            ids = ids_of.get(item_id, [])
            some = [loaded[number] for number in ids[: window.limit] if number in loaded]
            found[item_id] = {**lists, kind: Slice(some, window, more=len(ids) > window.limit)}
    return found


# ---- what it says -----------------------------------------------------------------------------------------


# ---- what is said of it -----------------------------------------------------------------------------------


def _with_places(tx: Transaction, items: list[Content]) -> list[Content]:
    """Comments with where they are, which they always show."""
    found = comments.places_of(tx, [item.id for item in items if item.type == ContentType.COMMENT])
    return [replace(item, place=found.get(item.id, item.place)) for item in items]


def _with_named(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    """Bodies are shown as HTML with what they name looked up for whoever reads them."""
    bodies = [item for item in items if item.representation == "storage"]
    if any(name in inner for name in RENDERED if name != PUBLIC):
        named = dict(zip((item.id for item in bodies), resolvers(tx, caller, bodies), strict=True))
        items = [replace(item, named=named.get(item.id)) for item in items]
    if PUBLIC in inner:
        named = dict(zip((item.id for item in bodies), resolvers(tx, ANONYMOUS, bodies), strict=True))
        items = [replace(item, named_publicly=named.get(item.id)) for item in items]
    return items


def _with_history(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    """The past of what is shown as it is now; an old version's own is that of ``version.with_past``."""
    ids = [item.id for item in items if item.latest]
    if not ids or not ("previousVersion" in inner or "contributors" in inner):
        return items
    before = contents.newest_past(tx, ids, caller) if "previousVersion" in inner else {}
    authors = contents.contributors(tx, ids) if "contributors" in inner else {}
    return [
        replace(item, past=Past(before.get(item.id), None, item, authors_of(authors, item))) if item.latest else item
        for item in items
    ]


def authors_of(before: Mapping[int, tuple[Person, ...]], item: Content) -> tuple[Person, ...]:
    """Who wrote a content: those of its old versions, by its number, and whoever wrote the latest."""
    earlier, latest = before.get(item.id, ()), item.version.by
    return earlier if latest in earlier else (*earlier, latest)


def _with_metadata(tx: Transaction, caller: User, items: list[Content], inner: Expansion) -> list[Content]:
    ids = [item.id for item in items]
    if "labels" in inner:
        found = labels.of_contents(tx, ids, caller)
        items = [replace(item, labels=found.get(item.id, ())) for item in items]
    if "properties" in inner:
        kept = OF_CONTENT.of_owners(tx, ids, inner.within("properties").names)
        items = [replace(item, properties=kept.get(item.id, {})) for item in items]
    if "currentuser" in inner:
        regard = regards.of_reader(tx, ids, caller)
        items = [replace(item, regard=regard[item.id]) for item in items]
    return items


def _with_restrictions(tx: Transaction, _caller: User, items: list[Content], _inner: Expansion) -> list[Content]:
    found = restrictions.of_contents(tx, [item.id for item in items])
    return [replace(item, restrictions=found[item.id]) for item in items]


def _with_operations(tx: Transaction, caller: User, items: list[Content], _inner: Expansion) -> list[Content]:
    return [
        replace(item, operations=operations)
        for item, operations in zip(items, right.operations_on(tx, caller, items), strict=True)
    ]


_Fill: TypeAlias = Callable[[Transaction, User, list[Content], Expansion], list[Content]]

# By the name in ``expand``: what reads that part for a list of contents. What is not here is always at hand.
_PARTS: dict[str, _Fill] = {
    "space": _with_spaces,
    "ancestors": _with_ancestors,
    "container": _with_containers,
    "body": _with_named,
    "children": _with_children,
    "descendants": _with_descendants,
    "history": _with_history,
    "metadata": _with_metadata,
    "restrictions": _with_restrictions,
    "operations": _with_operations,
}
