"""Content: the records of spaces, contents, their versions and the people named in them.

Instants are milliseconds since the epoch (``clock.Instant``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watersmeet.confluence.metadata import Label, Property, Regard
    from watersmeet.confluence.page import Slice
    from watersmeet.confluence.restriction import Restriction
    from watersmeet.confluence.storage_format.resolver import Resolver

MAX_TITLE = 255
MAX_BODY = 5 * 1024 * 1024
"""Bytes of a request that brings a body, and characters of one that is made here: the original's own limit."""


class ContentType(StrEnum):
    """The kinds of content with rules of their own. A record may carry others, custom content: ``plugin:module``."""

    PAGE = "page"
    BLOGPOST = "blogpost"
    COMMENT = "comment"
    ATTACHMENT = "attachment"


_CUSTOM = re.compile(r"[A-Za-z0-9._-]+:[A-Za-z0-9._-]+")
MAX_TYPE = 255


def is_custom(content_type: str) -> bool:
    """Whether that is the name of a type of custom content: ``plugin:module``."""
    return len(content_type) <= MAX_TYPE and _CUSTOM.fullmatch(content_type) is not None


TITLED = (ContentType.PAGE, ContentType.BLOGPOST)
"""What stands in its space under a title of its own. Other content is part of something and stays there."""


class ContentStatus(StrEnum):
    """Where a content is in its life.

    ``HISTORICAL`` is what an old version is shown with. ``WITHDRAWN`` is never shown: a part of something in the trash,
    which comes back with it.
    """

    CURRENT = "current"
    TRASHED = "trashed"
    DRAFT = "draft"
    HISTORICAL = "historical"
    WITHDRAWN = "withdrawn"


class SpaceType(StrEnum):
    """Whose a space is: everybody's, or one person's own, whose key begins with ``~``."""

    GLOBAL = "global"
    PERSONAL = "personal"


class SpaceStatus(StrEnum):
    """Whether a space is in use or put away. ``DELETED`` is never shown: what is in it is being deleted."""

    CURRENT = "current"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Person:
    """A user as others see them."""

    username: str
    user_key: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Space:
    """A container of content, the unit of permission."""

    id: int
    key: str
    name: str
    type: str
    status: str
    description: str
    homepage_id: int | None
    homepage: Content | None = None
    """Only where it was asked for."""
    categories: tuple[Label, ...] | None = None
    """The labels of the space itself; only where they were asked for."""


class CommentLocation(StrEnum):
    """What a comment is about: its page as a whole, or a part of its text."""

    FOOTER = "footer"
    INLINE = "inline"


class Resolution(StrEnum):
    """What became of a comment on a part of a text. ``DANGLING``: the part is no longer there."""

    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    DANGLING = "dangling"


UNRESOLVED = (Resolution.OPEN, Resolution.REOPENED)


@dataclass(frozen=True, slots=True)
class CommentPlace:
    """Where a comment is; a reply is where the comment is that it answers."""

    location: str
    marker_ref: str | None = None
    """What the marker in the page's body is called; a reply has none of its own."""
    original_selection: str | None = None
    resolution: str | None = None
    """``Resolution``; none in the footer."""
    resolved_by: Person | None = None
    resolved_at: int | None = None
    """Of the last change of the resolution."""


IN_FOOTER = CommentPlace(CommentLocation.FOOTER)


@dataclass(frozen=True, slots=True)
class ContentVersion:
    """Which edit of a content this is, and whose."""

    number: int
    message: str
    minor_edit: bool
    by: Person
    when: int


@dataclass(frozen=True, slots=True)
class File:
    """What an attachment holds: the SHA-256 of its bytes in hexadecimal, how many they are, and what they are."""

    digest: str
    size: int
    media_type: str
    hidden: bool = False
    pictorial: bool = True
    """Whether it begins as a picture does of which thumbnails are made."""


@dataclass(frozen=True, slots=True)
class Content:
    """A page, a blog post, a comment, an attachment or a custom content, as it is now or as an old version had it."""

    id: int
    type: str
    status: str
    title: str
    space: Space
    parent_id: int | None
    position: int | None
    version: ContentVersion
    created_by: Person
    created_at: int
    container_id: int | None = None
    """What a comment, an attachment or a custom content is part of."""
    storage: str | None = None
    """The body in storage format; only where it was asked for."""
    representation: str = "storage"
    """Of the body: ``storage``, or ``raw`` for what a plug-in keeps in its custom content."""
    ancestors: tuple[Content, ...] | None = None
    """From the root of the space down to the parent; only where it was asked for."""
    container: Content | None = None
    """Only where it was asked for, and there is one."""
    past: Past | None = None
    """Only where its history was asked for."""
    labels: tuple[Label, ...] | None = None
    """Those the reader sees, oldest first; only where they were asked for."""
    properties: Mapping[str, Property] | None = None
    """By their keys; only those that were asked for."""
    restrictions: Mapping[str, Restriction] | None = None
    """By operation; only where they were asked for."""
    named: Resolver | None = None
    """What its body names, as far as the reader sees it; only where the body was asked for as HTML."""
    named_publicly: Resolver | None = None
    """The same, as far as everybody sees it."""
    operations: tuple[tuple[str, str], ...] | None = None
    """What the reader may do to it, as operations and target types; only where it was asked for."""
    children: Mapping[str, Slice[Content]] | None = None
    """By type, what is directly below it or in it; only where and as far as it was asked for."""
    descendants: Mapping[str, Slice[Content]] | None = None
    """By type, what is below it or in it, whatever its depth; only where and as far as it was asked for."""
    place: CommentPlace | None = None
    """Of a comment."""
    file: File | None = None
    """Of an attachment, in this version."""
    regard: Regard | None = None
    """What the reader has to do with it; only where it was asked for."""

    @property
    def latest(self) -> bool:
        """Whether this is the content itself and not one of its old versions."""
        return self.status != ContentStatus.HISTORICAL


@dataclass(frozen=True, slots=True)
class Past:
    """What came before and after a version of a content; ``None`` where nothing did."""

    previous: Content | None
    following: Content | None
    latest: Content
    contributors: tuple[Person, ...]
    """Everybody who wrote a version, in the order of their first."""


def title_key(title: str) -> str:
    """What titles are compared by: without regard to letter case."""
    return title.casefold()
