"""Naming: everything that a body names, found in one reading, so that it can be looked up together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from watersmeet.confluence.content import ContentType, title_key
from watersmeet.confluence.errors import MalformedStorage
from watersmeet.confluence.storage_format.document import Element, parse
from watersmeet.confluence.storage_format.text import (
    PageReference,
    UserReference,
    attachment_reference,
    page_reference,
    parameter,
    user_reference,
)

T = TypeVar("T")

MAX_NAMES = 2000
"""How many different things of one kind a body may name; what comes after them is not looked up."""
MAX_INCLUDED = 200
"""How many different contents bodies that are looked up together may include."""
TREE_DEPTH = 5
"""How many levels of pages a macro shows at most."""

MACROS = frozenset(("ac:structured-macro", "ac:macro"))
_PAGES = frozenset(("ri:page", "ri:blog-post"))
INCLUDING = frozenset(("include", "excerpt-include"))
_TREES = {"children": "page", "pagetree": "root"}
"""Macros that show a tree of pages, and the parameter that names its root."""
_MAX_NUMBER = 18  # digits


@dataclass(frozen=True, slots=True)
class PageName:
    """What a page or a blog post is found by: keys and titles are compared without regard to letter case."""

    space_key: str
    type: str
    title: str


Holder: TypeAlias = PageName | int
"""A content that has something: by its name, or by its number."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body stands, which names in it are relative to. Nothing has the number 0 or an empty key."""

    space_key: str
    content_id: int

    def name_of(self, reference: PageReference) -> PageName:
        """The full name of what a reference means here."""
        key = reference.space_key or self.space_key
        return PageName(key.lower(), reference.type, title_key(reference.title.strip()))

    def holder_of(self, reference: PageReference | None) -> Holder:
        """What a reference means here, the content itself where there is none."""
        return self.name_of(reference) if reference else self.content_id


NOWHERE = Place("", 0)
"""Where a body stands that is no content's."""


@dataclass(slots=True)
class Named:
    """What bodies name. Sets without an order that matters; the same thing is looked up once."""

    pages: set[PageName] = field(default_factory=set)
    included: set[PageName] = field(default_factory=set)
    """Those of the pages whose bodies are needed too."""
    attachments: set[tuple[Holder, str]] = field(default_factory=set)
    people: set[UserReference] = field(default_factory=set)
    spaces: set[str] = field(default_factory=set)
    contents: set[int] = field(default_factory=set)
    roots: dict[Holder, int] = field(default_factory=dict)
    """Whose children are listed, and down to which depth."""
    holders: set[Holder] = field(default_factory=set)
    """Whose files are listed."""

    def read(self, storage: str, place: Place) -> None:
        """Add what a body names that stands there; a malformed one names nothing."""
        for element in _elements(storage):
            if element.name in MACROS:
                self._read_macro(element, place)
            else:
                self._read_target(element, place)

    def _read_target(self, element: Element, place: Place) -> None:
        match element.name:
            case "ri:page" | "ri:blog-post":
                _add(self.pages, place.name_of(page_reference(element)))
            case "ri:attachment":
                reference = attachment_reference(element)
                _add(self.attachments, (place.holder_of(reference.page), reference.filename))
            case "ri:user":
                _add(self.people, user_reference(element))
            case "ri:space":
                _add(self.spaces, element.get("ri:space-key").lower())
            case "ri:content-entity":
                if (number := content_number(element)) is not None:
                    _add(self.contents, number)
            case _:
                pass

    def _read_macro(self, macro: Element, place: Place) -> None:
        name = macro.get("ac:name")
        if name in INCLUDING and (reference := included_page(macro)):
            _add(self.pages, place.name_of(reference))
            if len(self.included) < MAX_INCLUDED:
                self.included.add(place.name_of(reference))
        elif name in _TREES and len(self.roots) < MAX_NAMES:
            root = place.holder_of(tree_root(macro))
            if isinstance(root, PageName):
                _add(self.pages, root)
            self.roots[root] = max(self.roots.get(root, 0), tree_depth(macro))
        elif name == "attachments":
            holder = place.holder_of(named_page(macro, "page"))
            if isinstance(holder, PageName):
                _add(self.pages, holder)
            _add(self.holders, holder)


def included_page(macro: Element) -> PageReference | None:
    """The content that an ``include`` or an ``excerpt-include`` shows."""
    return named_page(macro, "") or named_page(macro, "pageTitle") or named_page(macro, "default-parameter")


def tree_root(macro: Element) -> PageReference | None:
    """The page whose children a macro shows; ``None`` for the content itself."""
    reference = named_page(macro, _TREES[macro.get("ac:name")])
    return None if reference and reference.title in ("@self", "") else reference


def tree_depth(macro: Element) -> int:
    """How many levels of children a macro shows."""
    if macro.get("ac:name") == "pagetree" or parameter(macro, "all") == "true":
        return TREE_DEPTH
    text = parameter(macro, "depth").strip()
    return min(max(int(text), 1), TREE_DEPTH) if text.isascii() and text.isdigit() and len(text) <= 3 else 1


def named_page(macro: Element, name: str) -> PageReference | None:
    """The page that a parameter names: as a link, or as ``Title`` or ``KEY:Title`` in words."""
    found = next((one for one in macro.elements() if one.name == "ac:parameter" and one.get("ac:name") == name), None)
    if found is None:
        return None
    target = next((one for one in found.walk() if one.name in _PAGES), None)
    if target is not None:
        return page_reference(target)
    text = found.text().strip()
    key, colon, title = text.partition(":")
    if colon and key.replace("~", "", 1).isalnum() and title.strip():
        return PageReference(title.strip(), key, ContentType.PAGE)
    return PageReference(text, "", ContentType.PAGE) if text else None


def content_number(element: Element) -> int | None:
    """The number that an ``ri:content-entity`` names."""
    text = element.get("ri:content-id").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_NUMBER else None


def _elements(storage: str) -> Iterator[Element]:
    # Most bodies name nothing, and finding that out need not cost a parse.
    if "ri:" not in storage and "ac:name" not in storage:
        return iter(())
    try:
        return parse(storage).walk()
    except MalformedStorage:
        return iter(())


def _add(names: set[T], name: T) -> None:
    if len(names) < MAX_NAMES:
        names.add(name)
