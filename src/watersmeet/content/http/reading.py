"""The HTTP side of reading: the addresses that links of this site have, for people and for programs with a token.

A token needs READ, as everywhere. Whoever has neither token nor session sees what everybody may see; a browser
is led to the sign-in for anything else, whether it exists or not, and a program is told that it needs a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from urllib.parse import unquote_plus, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.confluence.content import Content, ContentType, SpaceStatus
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.site import content_page, space_page, tiny_number
from watersmeet.content import reading
from watersmeet.content.body import content_number, version_number
from watersmeet.content.http.api import Api
from watersmeet.content.http.reading_page import (
    Door,
    HistoryPage,
    SpacePage,
    SpacesPage,
    Way,
    edit_of,
    reading_page,
    space_lists,
)
from watersmeet.content.http.rendering import built
from watersmeet.content.reading import NothingToRead, Reading
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.users.http import SignInRequired, path_and_query, visitor
from watersmeet.web.bearer import Caller
from watersmeet.web.route import Route
from watersmeet.web.templates import Visitor, render

T = TypeVar("T")

_WINDOW = 100  # pages of a space, and versions of a content, on one of our pages
_VIEW = "/pages/viewpage.action"
_SPACES = "/spacedirectory/view.action"
_VERSIONS = "/pages/viewpreviousversions.action"


def routes(api: Api) -> list[Route]:
    """The routes of reading. A program needs READ for each."""
    pages = _Pages(api)
    by_number = "/spaces/{key}/pages/{content_id}"
    by_day = "/spaces/{key}/blog/{year}/{month}/{day}/{content_id}"
    return [
        api.shown_route(path, handler)
        for path, handler in (
            (_SPACES, pages.spaces),
            ("/display/{key}", pages.space),
            ("/display/{key}/{title:path}", pages.titled),
            ("/spaces/{key}", pages.space),
            ("/spaces/{key}/overview", pages.space),
            (by_number, pages.numbered),
            (by_number + "/{title:path}", pages.numbered),
            (by_day, pages.numbered),
            (by_day + "/{title:path}", pages.numbered),
            (_VIEW, pages.view),
            (_VERSIONS, pages.versions),
            ("/x/{tiny}", pages.tiny),
        )
    ]


@dataclass(frozen=True, slots=True)
class _Pages:
    """The handlers."""

    api: Api

    @property
    def _context_path(self) -> str:
        return self.api.site.context_path

    async def numbered(self, request: Request, caller: Caller) -> Response:
        """A content by its number; space and title in the address are for people."""
        number = content_number(request.path_params["content_id"])
        return await self._content(request, caller, lambda tx, user: _numbered(tx, user, number))

    async def titled(self, request: Request, caller: Caller) -> Response:
        """A page by its title, or a blog post by its day and title."""
        key, words = request.path_params["key"], _rest(request, 2)
        day, title = _posted(words)

        def find(tx: Transaction, user: User) -> Content:
            if day:
                return reading.find_posted(tx, user, key, day, title)
            return reading.find_titled(tx, user, key, words)

        return await self._content(request, caller, find)

    async def view(self, request: Request, caller: Caller) -> Response:
        """A content by its number, or by the key of its space and its title."""
        query = request.query_params
        number, key, title = query.get("pageId"), query.get("spaceKey"), query.get("title")

        def find(tx: Transaction, user: User) -> Content:
            if number is None and key and title:
                return reading.find_titled(tx, user, key, title)
            return _numbered(tx, user, content_number(number or ""))

        return await self._content(request, caller, find)

    async def tiny(self, request: Request, caller: Caller) -> Response:
        """The way from the short address of a content to its page."""
        number = tiny_number(request.path_params["tiny"])
        found = await self._read(request, caller, lambda tx, user: _numbered(tx, user, number))
        return RedirectResponse(self._context_path + content_page(found), 302)

    async def spaces(self, request: Request, caller: Caller) -> Response:
        """The spaces there are."""
        window = Window(_start(request), _WINDOW)
        part = await self._read(request, caller, lambda tx, user: reading.list_spaces(tx, user, window))
        previous, following = _neighbours(_SPACES, part)
        doors = [Door(Way(one.name, space_page(one.key)), one.key, one.description) for one in part.items]
        return render(
            SpacesPage(
                context_path=self._context_path,
                visitor=self._visitor(request),
                spaces=doors,
                previous=previous,
                following=following,
            )
        )

    async def space(self, request: Request, caller: Caller) -> Response:
        """A space: its pages and its newest blog posts."""
        key, start = request.path_params["key"], _start(request)
        now = self.api.environment.clock.now()
        window = Window(start, _WINDOW)
        found = await self._read(request, caller, lambda tx, user: reading.read_space(tx, user, key, now, window))
        pages, posts = space_lists(found)
        previous, following = _neighbours(space_page(found.space.key), found.roots)
        return render(
            SpacePage(
                context_path=self._context_path,
                visitor=self._visitor(request),
                key=found.space.key,
                name=found.space.name,
                description=found.space.description,
                is_archived=found.space.status == SpaceStatus.ARCHIVED,
                pages=pages,
                posts=posts,
                previous=previous,
                following=following,
            )
        )

    async def versions(self, request: Request, caller: Caller) -> Response:
        """The versions of a content."""
        number, start = content_number(request.query_params.get("pageId", "")), _start(request)

        def operation(tx: Transaction, user: User) -> tuple[Content, Slice[Content]]:
            present = _numbered(tx, user, number)
            return present, reading.read_versions(tx, user, present.id, Window(start, _WINDOW))

        present, part = await self._read(request, caller, operation)
        newer, older = _neighbours(f"{_VERSIONS}?pageId={present.id}", part)
        return render(
            HistoryPage(
                context_path=self._context_path,
                visitor=self._visitor(request),
                title=present.title,
                back=content_page(present),
                edits=[edit_of(version, present) for version in part.items],
                newer=newer,
                older=older,
            )
        )

    async def _content(
        self, request: Request, caller: Caller, find: Callable[[Transaction, User], Content]
    ) -> Response:
        """The page of a content. What is part of another is shown on the page of that."""
        number = _version(request)

        def operation(tx: Transaction, user: User) -> Content | Reading:
            found = find(tx, user)
            if found.type in (ContentType.COMMENT, ContentType.ATTACHMENT):
                return found
            return reading.read_content(tx, user, found.id, number)

        found = await self._read(request, caller, operation)
        if isinstance(found, Content):
            return RedirectResponse(self._context_path + content_page(found), 302)
        signed_in = self._visitor(request)
        if signed_in:  # a person looks; programs and strangers leave no trace
            self.api.environment.uses.views[caller.user.id, found.content.id] = self.api.environment.clock.now()
        bodies = [found.content, *(remark.comment for remark in found.remarks)]
        page = await built(lambda: reading_page(found, self._context_path, signed_in), bodies)
        return render(page)

    async def _read(self, request: Request, caller: Caller, operation: Callable[[Transaction, User], T]) -> T:
        """What the reader of a request sees. Raises ``NothingToRead``, or ``SignInRequired`` for strangers."""
        try:
            return await self.api.environment.database.read(lambda tx: operation(tx, caller.user))
        except NothingToRead:
            if caller.user.is_anonymous and self.api.is_shown(request):
                raise SignInRequired(path_and_query(request)) from None
            raise

    def _visitor(self, request: Request) -> Visitor | None:
        """Who is signed in, for the header of the page; nobody where a token reads."""
        session = getattr(request.state, "session", None)
        return visitor(self.api.environment, session) if session else None


def _numbered(tx: Transaction, user: User, number: int | None) -> Content:
    if number is None:
        raise NothingToRead
    return reading.find_numbered(tx, user, number)


# ---- what a request says ----------------------------------------------------------------------------------


def _rest(request: Request, segments: int) -> str:
    """What comes after so many segments of the path, as it was sent: there a plus is a space, and ``%2B`` a plus."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    before = 1 + segments + request.scope.get("root_path", "").count("/")
    return unquote_plus(b"/".join(raw.split(b"/")[before:]).decode("ascii", "replace").rstrip("/"))


def _posted(words: str) -> tuple[date | None, str]:
    """The day and the title of a blog post's address: ``2026/11/25/Title``; no day where it is no such address."""
    parts = words.split("/", 3)
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts[:3]):
        try:
            return date(*map(int, parts[:3])), parts[3]
        except (ValueError, OverflowError):
            return None, words
    return None, words


def _version(request: Request) -> int | None:
    text = request.query_params.get("version")
    if text is None:
        return None
    number = version_number(text)
    if number is None:
        raise NothingToRead
    return number


def _start(request: Request) -> int:
    return version_number(request.query_params.get("start", "0")) or 0


def _neighbours(path: str, part: Slice[Any]) -> tuple[str | None, str | None]:
    """The ways to what comes before and after a window."""
    window, joint = part.window, "&" if "?" in path else "?"

    def at(start: int) -> str:
        return path + joint + urlencode({"start": start})

    before = at(max(0, window.start - window.limit)) if window.start else None
    return before, at(window.start + window.limit) if part.more else None
