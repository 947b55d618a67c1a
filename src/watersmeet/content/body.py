"""Request bodies: the JSON that clients send, as types. What a type does not name is ignored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from watersmeet.confluence.content import CommentLocation, ContentStatus, Resolution
from watersmeet.confluence.errors import BadBody
from watersmeet.content.body_metadata import Metadata, SentLabel
from watersmeet.content.comment import CommentDraft
from watersmeet.content.custom import CustomDraft
from watersmeet.content.inline import MAX_SELECTION, Selection
from watersmeet.content.label import Word
from watersmeet.content.property import SentAlong
from watersmeet.content.space import SpaceChange
from watersmeet.content.text import check_text
from watersmeet.content.write import Draft, Revision

T = TypeVar("T")

# Clients send attachment numbers with the prefix the newer web interface gives them.
_VERSION_DIGITS = 10  # no version has so many

_CONTENT_NUMBER = re.compile(r"(?:att)?([0-9]{1,18})")


class BodyValue(Struct):
    """A body in one representation."""

    value: str | None = None
    representation: str | None = None


class Body(Struct):
    """The body of a content: storage format, or for custom content whatever its plug-in keeps (``raw``).

    Of several, the first of these counts: clients send back what they read.
    """

    storage: BodyValue | None = None
    raw: BodyValue | None = None
    wiki: BodyValue | None = None
    editor: BodyValue | None = None
    view: BodyValue | None = None
    editor2: BodyValue | None = None

    def convertible(self) -> BodyValue | None:
        """What is to become storage format before it is kept, where that is what counts. Raises ``BadBody``."""
        if self.storage:
            return self.storage if self.storage.representation == "wiki" else None
        name, sent = ("wiki", self.wiki) if self.wiki else ("editor", self.editor)
        if self.raw or not sent or sent.value is None:
            return None
        _check_representation(name, sent)
        return BodyValue(sent.value, name)


class SpaceReference(Struct):
    """The space of a content."""

    key: str | None = None


class Ancestor(Struct):
    """A content above another one."""

    id: int | str | None = None


class VersionFields(Struct):
    """The version that a write makes; a new content's is the first whatever its number."""

    number: int | None = None
    message: str | None = None
    minorEdit: bool | None = None  # noqa: N815 - the name on the wire


class ContentFields(Struct):
    """What creating and updating have in common."""

    type: str | None = None
    title: str | None = None
    status: str | None = None
    space: SpaceReference | None = None
    ancestors: list[Ancestor] | None = None
    body: Body | None = None
    version: VersionFields | None = None
    metadata: Metadata | None = None

    @property
    def properties(self) -> dict[str, SentAlong]:
        """The properties that were sent along. Raises ``BadBody`` or ``PropertyTooLong``."""
        return self.metadata.values() if self.metadata else {}


class ContainerReference(Struct):
    """What a comment is made on, or a custom content is part of: a content, or a space."""

    id: int | str | None = None
    type: str | None = None
    key: str | None = None


class InlineProperties(Struct):
    """What of a text a comment is about. The original answers 400 where one of them is missing."""

    originalSelection: str | None = None  # noqa: N815 - the name on the wire
    numMatches: int | None = None  # noqa: N815
    matchIndex: int | None = None  # noqa: N815
    lastFetchTime: Any = None  # noqa: N815
    serializedHighlights: Any = None  # noqa: N815

    def selection(self) -> Selection:
        """What is meant. Raises ``BadBody``."""
        names = InlineProperties.__struct_fields__
        if missing := [name for name in names if getattr(self, name) is None]:
            raise BadBody(f"An inline comment needs extensions.inlineProperties with {', '.join(missing)}.")
        text, index, count = self.originalSelection or "", self.matchIndex or 0, self.numMatches or 0
        if not text.strip() or len(text) > MAX_SELECTION:
            raise BadBody(f"What a comment is about has 1 to {MAX_SELECTION} characters.")
        if not 0 <= index < count:
            raise BadBody("matchIndex counts the occurrences of the selection from 0, and there are numMatches.")
        return Selection(check_text(text), index)


class SentInlineComment(InlineProperties):
    """``POST /rest/inlinecomments/1.0/comments``: what a comment is about, and its body in storage format."""

    containerId: int | str | None = None  # noqa: N815
    body: str | None = None

    def comment(self) -> CommentDraft:
        """The comment that is asked for. Raises ``BadBody``."""
        page_id = content_number(str(self.containerId))
        if page_id is None or not self.body:
            raise BadBody("An inline comment names its page, 'containerId', and says something: 'body'.")
        return CommentDraft(page_id, self.body, selection=self.selection())


class SentResolution(Struct):
    """What became of a comment on a part of a text."""

    status: str | None = None


class Extensions(Struct):
    """What only some types of content have; of them, where a comment is."""

    location: str | None = None
    inlineProperties: InlineProperties | None = None  # noqa: N815
    resolution: SentResolution | None = None


class NewContent(ContentFields):
    """``POST /rest/api/content``."""

    container: ContainerReference | None = None
    extensions: Extensions | None = None

    def comment(self) -> CommentDraft:
        """The comment that is asked for. Raises ``BadBody`` or ``NotServed``."""
        number = content_number(str(self.container.id)) if self.container else None
        if number is None:
            raise BadBody("A comment must name what it is made on: 'container': {'id': …, 'type': 'page'}.")
        message = (self.version.message if self.version else None) or ""
        parent_id = parent_id_of(self.ancestors)
        selection = None if parent_id is not None else self._selection()
        return CommentDraft(number, storage_of(self.body) or "", parent_id, message, selection)

    def _selection(self) -> Selection | None:
        """What of a text a comment is about; ``None`` in the footer. Raises ``BadBody``."""
        location = self.extensions.location if self.extensions else None
        if location in (None, CommentLocation.FOOTER):
            return None
        if location != CommentLocation.INLINE:
            raise BadBody(f"A comment is made in the 'footer' or 'inline', not {location!r}.")
        return ((self.extensions and self.extensions.inlineProperties) or InlineProperties()).selection()

    def custom(self) -> CustomDraft:
        """The custom content that is asked for. Raises ``BadBody``."""
        holder, container_id = self.container, None
        space_key = self.space.key if self.space else None
        if holder and (holder.type == "space" or holder.id is None):
            space_key = holder.key or space_key
        elif holder:
            container_id = content_number(str(holder.id))
            if container_id is None:
                raise BadBody(f"A container is named by its number: 'container': {{'id': …}}, not {holder.id!r}.")
        if container_id is None and not space_key:
            raise BadBody(
                "Custom content must name what it is part of, 'container', or its space: 'space': {'key': …}."
            )
        written = _written(self.body)
        return CustomDraft(
            self.type or "",
            self.title or "",
            container_id=container_id,
            space_key=space_key,
            storage=written.value if written else "",
            representation=written.representation if written else "storage",
            message=(self.version.message if self.version else None) or "",
            properties=self.properties,
        )

    def draft(self) -> Draft:
        """The content that is asked for. Raises ``BadBody``."""
        if not self.type:
            raise BadBody("The body must name the 'type' of the content.")
        if not self.space or not self.space.key:
            raise BadBody("The body must name the space: 'space': {'key': …}.")
        if self.status not in (None, ContentStatus.CURRENT, ContentStatus.DRAFT):
            raise BadBody(f"Content is created with the status 'current' or 'draft', not {self.status!r}.")
        storage = storage_of(self.body) or ""
        message = (self.version.message if self.version else None) or ""
        return Draft(
            self.type,
            self.space.key,
            self.title or "",
            storage,
            parent_id_of(self.ancestors),
            message=message,
            properties=self.properties,
            status=self.status or ContentStatus.CURRENT,
        )


class ContentUpdate(ContentFields):
    """``PUT /rest/api/content/{id}``."""

    extensions: Extensions | None = None

    def resolution(self) -> Resolution | None:
        """What became of a comment on a part of a text, where that is said. Raises ``BadBody``."""
        status = self.extensions.resolution.status if self.extensions and self.extensions.resolution else None
        if status is not None and status not in list(Resolution):
            raise BadBody(f"The status of a resolution is one of {', '.join(Resolution)}, not {status!r}.")
        return None if status is None else Resolution(status)

    def publication(self) -> Revision:
        """The change that publishes a draft, whose version may be left out. Raises ``BadBody``."""
        self.status = ContentStatus.CURRENT
        self.version = self.version or VersionFields()
        self.version.number = 1 if self.version.number is None else self.version.number
        return self.revision()

    def revision(self) -> Revision:
        """The change that is asked for. Raises ``BadBody``."""
        if not self.version or self.version.number is None:
            raise BadBody("The body must carry the number of the new version: 'version': {'number': …}.")
        written = _written(self.body)
        return Revision(
            version=self.version.number,
            type=self.type,
            space_key=self.space.key if self.space else None,
            title=self.title,
            storage=written.value if written else None,
            representation=written.representation if written else None,
            parent_id=parent_id_of(self.ancestors),
            status=self.status,
            message=self.version.message or "",
            minor_edit=bool(self.version.minorEdit),
            properties=self.properties,
        )


class Description(Struct):
    """The description of a space."""

    plain: BodyValue | None = None


class NewSpace(Struct):
    """``POST /rest/api/space``."""

    key: str = ""
    name: str = ""
    description: Description | None = None

    @property
    def plain_description(self) -> str:
        """The description, empty where none was sent."""
        plain = self.description.plain if self.description else None
        return (plain.value if plain else None) or ""


class SpaceUpdate(Struct):
    """``PUT /rest/api/space/{key}``."""

    name: str | None = None
    description: Description | None = None
    homepage: Ancestor | None = None

    def change(self) -> SpaceChange:
        """What is asked for. Raises ``BadBody``."""
        plain = self.description.plain if self.description else None
        return SpaceChange(
            name=None if self.name is None else self.name.strip(),
            description=plain.value if plain else None,
            homepage_id=parent_id_of([self.homepage]) if self.homepage and self.homepage.id is not None else None,
        )


def decode(data: bytes, into: type[T]) -> T:
    """The body of a request. Raises ``BadBody`` with what is wrong and where."""
    try:
        # Not strict: some clients send numbers as strings.
        return msgspec.json.decode(data, type=into, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadBody(f"The body of the request could not be read: {error}") from error


def sent_words(data: bytes) -> list[Word]:
    """The labels of a body: a list of them, or one. Raises ``BadBody``."""
    sent = decode(data, list[SentLabel]) if data.lstrip().startswith(b"[") else [decode(data, SentLabel)]
    return [each.word() for each in sent]


def content_number(text: str) -> int | None:
    """The number that a client calls a content by; ``None`` if it is no such number."""
    found = _CONTENT_NUMBER.fullmatch(text)
    return int(found[1]) if found else None


def version_number(text: str) -> int | None:
    """The number that a client calls a version by; ``None`` if it is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _VERSION_DIGITS else None


@dataclass(frozen=True, slots=True)
class _Written:
    """A body that was sent, and how it is to be kept."""

    value: str
    representation: str


def storage_of(body: Body | None) -> str | None:
    """The body of what has one in storage format, where one was sent. Raises ``BadBody``."""
    written = _written(body)
    if written and written.representation != "storage":
        raise BadBody("Only custom content has a body.raw; write body.storage.")
    return written.value if written else None


def _written(body: Body | None) -> _Written | None:
    if not body:
        return None
    for name, sent in (("storage", body.storage), ("raw", body.raw)):
        if sent:
            _check_representation(name, sent)
            return None if sent.value is None else _Written(sent.value, name)
    if body.view or body.editor2:
        raise BadBody("Bodies are written as body.storage, body.wiki or body.editor.")
    return None


def _check_representation(name: str, sent: BodyValue) -> None:
    if sent.representation not in (None, name):
        raise BadBody(f"body.{name} must have the representation {name!r}.")


def parent_id_of(ancestors: list[Ancestor] | None) -> int | None:
    """The number of the parent that is meant, if there is to be one. Raises ``BadBody``."""
    # Clients send the parent alone or the whole line from the root down: either way it comes last.
    if not ancestors:
        return None
    text = str(ancestors[-1].id)
    number = content_number(text)
    if number is None:
        raise BadBody(f"An ancestor is named by its number: 'ancestors': [{{'id': …}}], not {text!r}.")
    return number
