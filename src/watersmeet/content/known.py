"""What bodies name, looked up for whoever reads them: a constant count of queries, however much they name.

What the reader may not see is not found, so it is shown like what does not exist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from watersmeet.confluence.content import Content, ContentType, Person
from watersmeet.confluence.site import file_path, page_path, space_page
from watersmeet.confluence.storage_format.naming import Holder, Named, PageName, Place
from watersmeet.confluence.storage_format.resolver import Branch, Known, ListedFile, NamedPerson, Resolver, Target
from watersmeet.confluence.storage_format.text import UserReference
from watersmeet.database import references
from watersmeet.database.transaction import Transaction, leave_the_loop
from watersmeet.database.users import User

INCLUDE_DEPTH = 4
"""How deep contents may be included in one another."""

_LONG = 64_000
"""How many characters may be read through where others wait for it."""


def place_of(content: Content) -> Place:
    """Where the body of a content stands. The files that a comment names are those of what it is made on."""
    holder = content.container_id if content.type == ContentType.COMMENT else None
    return Place(content.space.key, holder or content.id)


def resolvers(tx: Transaction, reader: User, items: Sequence[Content]) -> list[Resolver | None]:
    """The resolver of the body of each content; ``None`` where there is no body."""
    bodies = [(item.storage, place_of(item)) for item in items if item.storage is not None]
    known = look_up(tx, reader, bodies)
    return [known.at(place_of(item)) if item.storage is not None else None for item in items]


def look_up(tx: Transaction, reader: User, bodies: Iterable[tuple[str, Place]]) -> Known:
    """What the reader may see of all that these bodies name, and of what the contents included in them name."""
    named, known = Named(), Known()
    length = 0
    for storage, place in bodies:
        length += len(storage)
        if length > _LONG:
            leave_the_loop()
        named.read(storage, place)
    for depth in range(INCLUDE_DEPTH + 1):
        _add_pages(tx, reader, named.pages - known.pages.keys(), known)
        wanted = {known.pages[name].id: known.pages[name] for name in named.included & known.pages.keys()}
        fresh = wanted.keys() - known.bodies.keys()
        if not fresh or depth == INCLUDE_DEPTH:
            break
        found = references.bodies_of(tx, fresh)
        known.bodies |= found
        if (length := length + sum(map(len, found.values()))) > _LONG:
            leave_the_loop()
        for number, storage in found.items():
            named.read(storage, Place(wanted[number].space_key, number))
    _add_files(tx, reader, named, known)
    _add_people(tx, reader, named.people, known)
    own = {f"~{person.username}" for person in known.people.values()}  # where somebody's name leads to
    for number, key, name in references.find_spaces(tx, (named.spaces | own) - {""}, reader):
        known.spaces[key.lower()] = Target(number, "space", space_page(key), name, key)
    for row in references.find_contents(tx, named.contents, reader):
        known.contents[row[0]] = _target(row)
    _add_trees(tx, reader, named.roots, known)
    return known


def _target(row: Sequence[Any]) -> Target:
    number, content_type, title, key, created_at = row
    return Target(number, content_type, page_path(number, content_type, title, key, created_at), title, key)


def _file(holder: int, row: Sequence[Any]) -> Target:
    number, content_type, title, *_ = row
    return Target(number, content_type, file_path(holder, title), title)


def _add_pages(tx: Transaction, reader: User, names: Collection[PageName], known: Known) -> None:
    wanted = [(name.space_key, name.type, name.title) for name in names if name.space_key and name.title]
    for key, content_type, title, *row in references.find_titled(tx, wanted, reader):
        known.pages[PageName(key, content_type, title)] = _target(row)


def _add_files(tx: Transaction, reader: User, named: Named, known: Known) -> None:
    wanted = {(number, name) for holder, name in named.attachments if (number := known.number_of(holder)) if name}
    for holder, *row in references.find_files(tx, wanted, reader):
        known.attachments[holder, row[2]] = _file(holder, row)
    known.lists |= files_of(tx, reader, {n for holder in named.holders if (n := known.number_of(holder))})


def files_of(tx: Transaction, reader: User, ids: Collection[int]) -> dict[int, list[ListedFile]]:
    """The files of contents by the number of what they are part of, each list by name."""
    lists: defaultdict[int, list[ListedFile]] = defaultdict(list)
    for holder, *row in references.list_files(tx, ids, reader):
        *target, size, username, key, display_name, when, comment = row
        person = Person(username, key, display_name)
        lists[holder].append(ListedFile(_file(holder, target), size, person, when, comment))
    return lists


def _add_people(tx: Transaction, reader: User, people: Collection[UserReference], known: Known) -> None:
    if reader.is_anonymous:  # who is here is told to people who are signed in
        return
    by_name: defaultdict[str, list[UserReference]] = defaultdict(list)
    for reference in people:
        by_name[reference.username.lower()].append(reference)
    keys = {reference.key for reference in people if reference.key}
    for username, key, display_name in references.find_people(tx, keys, by_name.keys() - {""}):
        person = NamedPerson(username, display_name)
        known.people[UserReference(key=key)] = person
        known.people |= dict.fromkeys(by_name.get(username, ()), person)


def _add_trees(tx: Transaction, reader: User, roots: dict[Holder, int], known: Known) -> None:
    """One query for each level of pages, as deep as the deepest list goes."""
    depths: defaultdict[int, int] = defaultdict(int)
    for holder, depth in roots.items():
        if number := known.number_of(holder):
            depths[number] = max(depths[number], depth)
    below: defaultdict[int, list[Target]] = defaultdict(list)
    level, asked = set(depths), set[int]()
    for _ in range(max(depths.values(), default=0)):
        rows = references.find_children(tx, level, reader)
        asked |= level
        for parent, *row in rows:
            below[parent].append(_target(row))
        level = {row[1] for row in rows} - asked
    known.trees |= {root: _branches(root, below, depth) for root, depth in depths.items()}


def _branches(root: int, below: dict[int, list[Target]], depth: int) -> list[Branch]:
    if depth == 0:
        return []
    return [Branch(page, _branches(page.id, below, depth - 1)) for page in below.get(root, ())]
