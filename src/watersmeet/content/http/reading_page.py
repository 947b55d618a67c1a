"""The pages on which people read: what each template shows, and the HTML of bodies that it may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from watersmeet.clock import Instant
from watersmeet.confluence.content import UNRESOLVED, Content, ContentType
from watersmeet.confluence.site import content_page, space_page, tiny_link
from watersmeet.confluence.storage_format import render
from watersmeet.confluence.storage_format.gate import admitted
from watersmeet.confluence.storage_format.resolver import ListedFile
from watersmeet.content.known import place_of
from watersmeet.content.reading import Reading, Remark, SpaceReading
from watersmeet.web.templates import Page, Visitor

if TYPE_CHECKING:
    from markupsafe import Markup

_MAX_INDENT = 4
_UNITS = ("kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Way:
    """A link: its words, and its path without the context path."""

    name: str
    path: str

    @classmethod
    def to(cls, content: Content) -> Way:
        """The link to the page of a content."""
        return cls(content.title, content_page(content))


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as it is shown."""

    id: int
    author: str
    when: Instant
    body: Markup
    indent: int
    answers: str | None
    selection: str | None
    """The part of the text that it is about; none where it is about the whole, or an answer."""
    is_resolved: bool
    """Whether it is resolved, or the part of the text is gone."""

    @classmethod
    def of(cls, remark: Remark, context_path: str) -> Said:
        """A comment in its thread."""
        comment, place = remark.comment, remark.comment.place
        return cls(
            id=comment.id,
            author=comment.created_by.display_name,
            when=comment.created_at,
            body=shown(comment, context_path),
            indent=min(remark.level, _MAX_INDENT),
            answers=remark.answers.created_by.display_name if remark.answers else None,
            selection=place.original_selection if place else None,
            is_resolved=bool(place and place.resolution and place.resolution not in UNRESOLVED),
        )


@dataclass(frozen=True, slots=True)
class File:
    """An attachment in the list of them."""

    way: Way
    size: str
    author: str
    when: Instant
    comment: str

    @classmethod
    def of(cls, listed: ListedFile) -> File:
        """A file as it is listed."""
        size = "" if listed.size is None else size_text(listed.size)
        return cls(Way(listed.file.title, listed.file.path), size, listed.by.display_name, listed.when, listed.comment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPage(Page):
    """A page, a blog post or a custom content."""

    template: ClassVar[str] = "reading.html"
    trail: Sequence[Way]
    title: str
    author: str
    changed_by: str
    created_at: Instant
    changed_at: Instant
    number: int
    is_old: bool
    is_post: bool
    canonical: str
    tiny: str
    history: str
    body: Markup
    labels: Sequence[str]
    files: Sequence[File]
    comments: Sequence[Said]
    has_more_comments: bool
    children: Sequence[Way]
    has_more_children: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """A version in the list of them."""

    number: int
    path: str
    author: str
    when: Instant
    message: str
    is_minor: bool
    is_present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage(Page):
    """The versions of a content."""

    template: ClassVar[str] = "reading-history.html"
    title: str
    back: str
    edits: Sequence[Edit]
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page in the list of a space."""

    way: Way
    is_home: bool
    changed_at: Instant


@dataclass(frozen=True, slots=True)
class Post:
    """A blog post in the list of a space."""

    way: Way
    author: str
    when: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacePage(Page):
    """A space."""

    template: ClassVar[str] = "reading-space.html"
    key: str
    name: str
    description: str
    is_archived: bool
    pages: Sequence[Leaf]
    posts: Sequence[Post]
    previous: str | None
    following: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """A space in the list of them."""

    way: Way
    key: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacesPage(Page):
    """The spaces that there are for the reader."""

    template: ClassVar[str] = "reading-spaces.html"
    spaces: Sequence[Door]
    previous: str | None
    following: str | None


def reading_page(found: Reading, context_path: str, visitor: Visitor | None) -> ReadingPage:
    """The page of a content."""
    content, present = found.content, found.present
    space = present.space
    return ReadingPage(
        context_path=context_path,
        visitor=visitor,
        trail=[Way(space.name, space_page(space.key)), *map(Way.to, present.ancestors or ())],
        title=content.title,
        author=content.created_by.display_name,
        changed_by=content.version.by.display_name,
        created_at=content.created_at,
        changed_at=content.version.when,
        number=content.version.number,
        is_old=not content.latest,
        is_post=present.type == ContentType.BLOGPOST,
        canonical=content_page(present),
        tiny=tiny_link(present.id),
        history=f"/pages/viewpreviousversions.action?pageId={present.id}",
        body=shown(content, context_path),
        labels=[label.name for label in present.labels or () if label.prefix == "global"],
        files=[File.of(listed) for listed in found.files],
        comments=[Said.of(remark, context_path) for remark in found.remarks],
        has_more_comments=found.has_more_remarks,
        children=[Way.to(child) for child in found.children],
        has_more_children=found.has_more_children,
    )


def edit_of(version: Content, present: Content) -> Edit:
    """A version in the list of them."""
    path = content_page(present)
    return Edit(
        number=version.version.number,
        path=path if version.latest else f"{path}?version={version.version.number}",
        author=version.version.by.display_name,
        when=version.version.when,
        message=version.version.message,
        is_minor=version.version.minor_edit,
        is_present=version.latest,
    )


def space_lists(found: SpaceReading) -> tuple[list[Leaf], list[Post]]:
    """The pages and blog posts on the page of a space."""
    leaves = [Leaf(Way.to(one), one.id == found.space.homepage_id, one.version.when) for one in found.roots.items]
    posts = [Post(Way.to(one), one.created_by.display_name, one.created_at) for one in found.posts]
    return leaves, posts


def shown(content: Content, context_path: str) -> Markup:
    """The body of a content, as one of our own pages may hold it."""
    from markupsafe import Markup

    storage = content.storage or ""
    if content.representation != "storage":  # what a plug-in keeps in its custom content
        return Markup("<pre>{}</pre>").format(storage)
    html = render(storage, "page", content.named, place=place_of(content), context_path=context_path)
    return Markup(admitted(html))  # noqa: S704 - what the gate admits is safe


def size_text(size: int) -> str:
    """A size in bytes in words: ``4.3 kB``."""
    if size < 1000:
        return f"{size} B"
    power = min((len(str(size)) - 1) // 3, len(_UNITS))
    return f"{size / 1000**power:.1f} {_UNITS[power - 1]}"
