"""Request bodies of copies: ``POST /rest/api/content/{id}/copy`` and ``…/pagehierarchy/copy``."""

from __future__ import annotations

from msgspec import Struct

from watersmeet.confluence.content import MAX_TITLE
from watersmeet.confluence.errors import BadBody
from watersmeet.content.body import Body, content_number, storage_of
from watersmeet.content.copy import Along, Destination, Titles


class SentAlongWith(Struct):
    """What is to be copied along with a page."""

    copyAttachments: bool = False  # noqa: N815 - the name on the wire
    copyPermissions: bool = False  # noqa: N815
    copyProperties: bool = False  # noqa: N815
    copyLabels: bool = False  # noqa: N815
    copyCustomContents: bool = False  # noqa: N815

    def along(self) -> Along:
        """What is meant."""
        return Along(
            attachments=self.copyAttachments,
            permissions=self.copyPermissions,
            properties=self.copyProperties,
            labels=self.copyLabels,
            custom_contents=self.copyCustomContents,
        )


class SentDestination(Struct):
    """Where a copy is to go."""

    type: str = ""
    value: int | str = ""


class PageCopy(SentAlongWith):
    """A copy of one page."""

    destination: SentDestination | None = None
    pageTitle: str | None = None  # noqa: N815
    body: Body | None = None

    def to(self) -> Destination:
        """Where the copy goes. Raises ``BadBody``."""
        sent = self.destination or SentDestination()
        if sent.type == "space":
            return Destination(space_key=str(sent.value))
        if sent.type == "existing_page":
            return Destination(page_id=_page_number(sent.value))
        if sent.type not in ("parent_page", "parent_content"):
            raise BadBody("The type of a destination is 'parent_page', 'existing_page' or 'space'.")
        return Destination(_page_number(sent.value))

    def storage(self) -> str | None:
        """The body of the copy, where it is to be another one. Raises ``BadBody``."""
        return storage_of(self.body)


class SentTitles(Struct):
    """How the pages of a copied tree are to be called."""

    prefix: str = ""
    search: str = ""
    replace: str = ""


class TreeCopy(SentAlongWith):
    """A copy of a page and of what is below it."""

    copyDescendants: bool = True  # noqa: N815
    destinationPageId: int | str | None = None  # noqa: N815
    titleOptions: SentTitles | None = None  # noqa: N815

    def parent_id(self) -> int:
        """The page that the copy goes under. Raises ``BadBody``."""
        return _page_number(self.destinationPageId)

    def titles(self) -> Titles:
        """How the copies are called; the titles are measured once they are made. Raises ``BadBody``."""
        sent = self.titleOptions or SentTitles()
        if max(len(sent.prefix), len(sent.search), len(sent.replace)) > MAX_TITLE:
            raise BadBody(f"prefix, search and replace of titleOptions may have at most {MAX_TITLE} characters each.")
        return Titles(sent.prefix, sent.search, sent.replace)


def _page_number(value: int | str | None) -> int:
    number = content_number(str(value))
    if number is None:
        raise BadBody(f"A page is named by its number, not {value!r}.")
    return number
