"""Resolver: what rendering must know of the rest of the site.

What the reader may not see is answered like what does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from watersmeet.confluence.content import Person
from watersmeet.confluence.storage_format.naming import Holder, PageName, Place
from watersmeet.confluence.storage_format.text import AttachmentReference, PageReference, UserReference


@dataclass(frozen=True, slots=True)
class Target:
    """Something of this site that a body names: ``path`` is relative to the base address.

    ``space_key`` is that of a page or a blog post: what names in its own body are relative to.
    """

    id: int
    type: str
    path: str
    title: str = ""
    space_key: str = ""


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Somebody a body mentions."""

    username: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A page in a tree of pages, and those below it."""

    page: Target
    children: Sequence[Branch] = ()


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file in a list of files. ``size`` is in bytes, ``None`` where nobody knows it; ``when`` in milliseconds."""

    file: Target
    size: int | None
    by: Person
    when: int
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Included:
    """A content that is shown within another; ``resolver`` is that of its own body."""

    page: Target
    storage: str
    resolver: Resolver


class Resolver(Protocol):
    """Looks up what a body names; ``None`` or nothing where there is nothing the reader may see.

    Without a reference, a list is that of the content itself.
    """

    def page(self, reference: PageReference) -> Target | None:
        """The page or blog post of that title."""
        ...

    def attachment(self, reference: AttachmentReference) -> Target | None:
        """The file of that name; its path is where its bytes are."""
        ...

    def person(self, reference: UserReference) -> NamedPerson | None:
        """The user of that key or name."""
        ...

    def space(self, key: str) -> Target | None:
        """The space of that key."""
        ...

    def content(self, number: int) -> Target | None:
        """The content of that number."""
        ...

    def included(self, reference: PageReference) -> Included | None:
        """The page or blog post of that title with its body, if a macro includes it."""
        ...

    def children(self, reference: PageReference | None) -> Sequence[Branch]:
        """The pages below a page, if a macro lists them."""
        ...

    def files(self, reference: PageReference | None) -> Sequence[ListedFile]:
        """The files of a page, if a macro lists them."""
        ...


class NothingKnown:
    """The resolver of a body that is read without its site: every target is missing."""

    def page(self, reference: PageReference) -> Target | None:
        """No page."""
        return None

    def attachment(self, reference: AttachmentReference) -> Target | None:
        """No file."""
        return None

    def person(self, reference: UserReference) -> NamedPerson | None:
        """Nobody."""
        return None

    def space(self, key: str) -> Target | None:
        """No space."""
        return None

    def content(self, number: int) -> Target | None:
        """No content."""
        return None

    def included(self, reference: PageReference) -> Included | None:
        """No page."""
        return None

    def children(self, reference: PageReference | None) -> Sequence[Branch]:
        """No page."""
        return ()

    def files(self, reference: PageReference | None) -> Sequence[ListedFile]:
        """No file."""
        return ()


@dataclass(slots=True)
class Known:
    """What one reader may see of all that some bodies name. ``at`` makes it the resolver of one of them."""

    pages: dict[PageName, Target] = field(default_factory=dict)
    bodies: dict[int, str] = field(default_factory=dict)
    """Storage format of the contents that are included, by their numbers."""
    attachments: dict[tuple[int, str], Target] = field(default_factory=dict)
    """By the number of the content that has them, and their names."""
    people: dict[UserReference, NamedPerson] = field(default_factory=dict)
    spaces: dict[str, Target] = field(default_factory=dict)
    """By their keys in lower case."""
    contents: dict[int, Target] = field(default_factory=dict)
    trees: dict[int, Sequence[Branch]] = field(default_factory=dict)
    """The pages below a page, by its number."""
    lists: dict[int, Sequence[ListedFile]] = field(default_factory=dict)
    """The files of a content, by its number."""

    def at(self, place: Place) -> Resolver:
        """The resolver of the body that stands there."""
        return _KnownAt(self, place)

    def number_of(self, holder: Holder) -> int | None:
        """The content that is meant by its number or its name; ``None`` for one of a name that is not known."""
        if isinstance(holder, int):
            return holder
        found = self.pages.get(holder)
        return found.id if found else None


@dataclass(frozen=True, slots=True)
class _KnownAt:
    """What is known, seen from where a body stands."""

    known: Known
    place: Place

    def page(self, reference: PageReference) -> Target | None:
        return self.known.pages.get(self.place.name_of(reference))

    def attachment(self, reference: AttachmentReference) -> Target | None:
        holder = self.known.number_of(self.place.holder_of(reference.page))
        return None if holder is None else self.known.attachments.get((holder, reference.filename))

    def person(self, reference: UserReference) -> NamedPerson | None:
        return self.known.people.get(reference)

    def space(self, key: str) -> Target | None:
        return self.known.spaces.get(key.lower())

    def content(self, number: int) -> Target | None:
        return self.known.contents.get(number)

    def included(self, reference: PageReference) -> Included | None:
        page = self.page(reference)
        storage = self.known.bodies.get(page.id) if page else None
        if page is None or storage is None:
            return None
        return Included(page, storage, self.known.at(Place(page.space_key, page.id)))

    def children(self, reference: PageReference | None) -> Sequence[Branch]:
        return self.known.trees.get(self.known.number_of(self.place.holder_of(reference)) or 0, ())

    def files(self, reference: PageReference | None) -> Sequence[ListedFile]:
        return self.known.lists.get(self.known.number_of(self.place.holder_of(reference)) or 0, ())
