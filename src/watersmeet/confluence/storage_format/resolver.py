"""Resolver: what rendering must know of the rest of the site.

What the reader may not see is answered like what does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, quote_plus

from watersmeet.confluence.storage_format.text import AttachmentReference, PageReference, UserReference


@dataclass(frozen=True, slots=True)
class Target:
    """Something of this site that a body links to: ``path`` is relative to the base address.

    ``id`` is ``None`` where nobody looked whether it exists.
    """

    id: int | None
    type: str
    path: str


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Somebody a body mentions."""

    username: str
    display_name: str


class Resolver(Protocol):
    """Looks up what a body names; ``None`` where there is nothing the reader may see."""

    def page(self, reference: PageReference) -> Target | None:
        """The page or blog post of that title."""
        ...

    def attachment(self, reference: AttachmentReference) -> Target | None:
        """The file of that name; its path is where its bytes are."""
        ...

    def person(self, reference: UserReference) -> NamedPerson | None:
        """The user of that key or name."""
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


@dataclass(frozen=True, slots=True)
class Unchecked:
    """The resolver of a body whose targets nobody looked up: everything is where its name says it would be.

    It tells nothing about what exists, so it can show nothing that the reader may not see.
    """

    space_key: str
    content_id: int

    def page(self, reference: PageReference) -> Target | None:
        """Its address by space and title."""
        key = quote(reference.space_key or self.space_key, safe="~")
        return Target(None, reference.type, f"/display/{key}/{quote_plus(reference.title)}")

    def attachment(self, reference: AttachmentReference) -> Target | None:
        """Its address, if it is one of the content itself."""
        if reference.page:
            return None
        return Target(None, "attachment", f"/download/attachments/{self.content_id}/{quote(reference.filename)}")

    def person(self, reference: UserReference) -> NamedPerson | None:
        """Called by the name that the body has; a key alone names nobody."""
        return NamedPerson(reference.username, reference.username) if reference.username else None
