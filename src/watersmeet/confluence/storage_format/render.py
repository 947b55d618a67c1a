"""Render: storage format as the HTML that people and converters read (S6.3).

The representations differ in three things: ``export_view`` and ``anonymous_export_view`` have absolute addresses and a
real table of contents; ``page``, which only our own pages show, has what needs no other server and no script.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from watersmeet.confluence.errors import MalformedStorage
from watersmeet.confluence.storage_format.budget import Budget
from watersmeet.confluence.storage_format.construct import CONSTRUCTS
from watersmeet.confluence.storage_format.document import MAX_DEPTH, Element, Node, parse
from watersmeet.confluence.storage_format.macro import anchor_id, anchor_name, headings_of
from watersmeet.confluence.storage_format.markup import (
    ELEMENTS,
    HEADINGS,
    UNREADABLE,
    UNSHOWN,
    VOID,
    element,
    safe_attributes,
    tag,
    text,
)
from watersmeet.confluence.storage_format.naming import NOWHERE, Place
from watersmeet.confluence.storage_format.resolver import Included, NothingKnown, Resolver, Target
from watersmeet.confluence.storage_format.text import AttachmentReference


@dataclass(frozen=True, slots=True)
class _Form:
    """What a representation is like."""

    absolute: bool = False
    complete: bool = False
    """Whether there is in it what the original leaves to a script."""
    is_page: bool = False
    """Whether it is shown by this server alone: nothing from elsewhere, and no way to an editor that is not there."""


_FORMS = {
    "export_view": _Form(absolute=True, complete=True),
    "anonymous_export_view": _Form(absolute=True, complete=True),
    "page": _Form(complete=True, is_page=True),
}


def render(
    storage: str,
    representation: str = "view",
    resolver: Resolver | None = None,
    base_url: str = "",
    place: Place = NOWHERE,
    context_path: str = "",
) -> str:
    """The HTML of a body.

    ``base_url`` goes in front of paths where the representation wants absolute addresses, ``context_path`` elsewhere.
    """
    try:
        root = parse(storage)
    except MalformedStorage:
        # Kept before bodies were validated: shown as a sanitizer leaves it.
        import nh3  # loads a megabyte of Rust that only such bodies need

        return nh3.clean(storage)
    form = _FORMS.get(representation, _Form())
    prefix = base_url if form.absolute else context_path
    return Rendering(root, resolver or NothingKnown(), form, prefix, place, Budget.of(storage)).html()


class Rendering:
    """One rendering of one body; what is included in it has renderings of its own."""

    def __init__(
        self,
        root: Element,
        resolver: Resolver,
        form: _Form,
        prefix: str,
        place: Place,
        budget: Budget,
        above: Rendering | None = None,
    ) -> None:
        self.root, self.resolver, self.form, self.prefix = root, resolver, form, prefix
        self.place, self.budget, self.above = place, budget, above
        self.depth: int = above.depth if above else 0
        # The ids of what is included are told apart from those of the whole.
        self.id_prefix: str = f"{above.id_prefix}i{len(budget.inclusions)}-" if above else ""
        self.outline: dict[range, str] = {}
        """The entries of tables of contents by the levels they show."""

    @cached_property
    def headings(self) -> dict[int, tuple[int, str]]:
        """The level and the words of each heading in their order, by the identity of its element."""
        return {id(one): (HEADINGS[one.name], " ".join(one.text().split())) for one in headings_of(self.root)}

    @cached_property
    def _places(self) -> dict[int, int]:
        """The place of each heading among them, from 1, by the identity of its element."""
        return {number: place for place, number in enumerate(self.headings, 1)}

    @cached_property
    def _named(self) -> dict[str, int]:
        """The place of the first heading of each text."""
        found: dict[str, int] = {}
        for place, (_, title) in enumerate(self.headings.values(), 1):
            found.setdefault(title, place)
        return found

    @cached_property
    def _anchors(self) -> frozenset[str]:
        """The names of all anchors."""
        return frozenset(anchor_name(one) for one in self.root.walk() if one.get("ac:name") == "anchor")

    def html(self) -> str:
        """The whole."""
        return self.inside(self.root)

    def inside(self, parent: Element | None) -> str:
        """What an element holds."""
        return "".join(map(self.node, parent.children)) if parent else ""

    def node(self, node: Node) -> str:
        """A node of the body."""
        if isinstance(node, str):
            return text(node)
        self.depth += 1
        try:
            return self._element(node)
        finally:
            self.depth -= 1

    def _element(self, node: Element) -> str:
        name = node.name
        if name in UNREADABLE or name in UNSHOWN:
            return ""
        if (special := CONSTRUCTS.get(name)) is not None:
            return special(self, node)
        if name not in ELEMENTS:
            return self.inside(node)
        attributes = safe_attributes(name, node.attributes)
        if name in HEADINGS and (place := self._places.get(id(node))):
            attributes["id"] = f"{self.id_prefix}h-{place}"
        if name == "img":
            return self.picture(attributes, node.get("alt"))
        if name in VOID:
            return tag(name, attributes)
        return element(name, self.inside(node), attributes)

    def included(self, included: Included, part: Element | None = None) -> str | None:
        """The HTML of a content within this one, or of a part of it.

        ``None`` where it is in itself already, too deep, or one too many.
        """
        if self.shows(included.page.id) or not self.budget.includes(len(included.storage)):
            return None
        root = part
        if root is None:
            try:
                root = parse(included.storage)
            except MalformedStorage:
                return None
        if self.depth + depth_of(root) > MAX_DEPTH:
            return None
        place = Place(included.page.space_key, included.page.id)
        return Rendering(root, included.resolver, self.form, self.prefix, place, self.budget, self).html()

    def excerpts_of(self, included: Included) -> dict[str, Element | None] | None:
        """The excerpts of a content by name; ``None`` where it is not to be shown here anyway."""
        if self.shows(included.page.id) or not self.budget.has_room(len(included.storage)):
            return None
        return self.budget.excerpts_of(included)

    def shows(self, number: int) -> bool:
        """Whether this is within a content of that number."""
        return self.place.content_id == number or (self.above is not None and self.above.shows(number))

    # ---- links, images, people --------------------------------------------------------------------------

    def fragment(self, anchor: str) -> str:
        """The way to an anchor of this body, or else to its heading of that text."""
        if not anchor:
            return ""
        if anchor not in self._anchors and (place := self._named.get(" ".join(anchor.split()))):
            return f"#{self.id_prefix}h-{place}"
        return f"#{quote(self.id_prefix + anchor_id(anchor))}"

    def file(self, reference: AttachmentReference, shown: str = "") -> str:
        """A link to a file, or its name where there is none."""
        found = self.resolver.attachment(reference)
        name = shown or text(reference.filename)
        return element("a", name, self.linked(found)) if found else element("span", name, {"class": "createlink"})

    def outside(self, address: str, shown: str) -> str:
        """A link to somewhere else."""
        rel = "nofollow noopener noreferrer"
        return element("a", shown, {"href": address, "class": "external-link", "rel": rel})

    def linked(self, found: Target, fragment: str = "") -> dict[str, str]:
        """The attributes of what leads to something of this site: converters look for its number."""
        return {
            "href": self.prefix + found.path + fragment,
            "data-linked-resource-type": found.type,
            "data-linked-resource-id": str(found.id),
        }

    def picture(self, attributes: dict[str, str], alternative: str) -> str:
        """An image, or its text where it has no source; in our own pages only those of this server are loaded."""
        source = attributes.get("src")
        if source is None:
            return text(alternative)
        if self.form.is_page and "data-linked-resource-id" not in attributes:
            return self.outside(source, text(alternative or source))
        return tag("img", attributes)

    def body(self, macro: Element) -> str:
        """What a macro holds."""
        plain = macro.child("ac:plain-text-body")
        return text(plain.text()) if plain else self.inside(macro.child("ac:rich-text-body"))


def depth_of(root: Element) -> int:
    """How many levels of elements there are below one."""
    depth, level = 0, list(root.elements())
    while level:
        depth += 1
        level = [below for one in level for below in one.elements()]
    return depth
