"""The HTTP side of reading: the addresses that links of this site have, for people and for programs with a token.

A token needs READ, as everywhere. Whoever has neither token nor session sees what everybody may see, and is asked to
sign in for anything else, whether it exists or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from urllib.parse import unquote_plus, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.confluence.content import Content, ContentType, SpaceStatus
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import content_page, space_page, tiny_number
from watersmeet.content import reading
from watersmeet.content.body import content_number, version_number
from watersmeet.content.http.reading_page import HistoryPage, SpacePage, edit_of, reading_page, space_lists
from watersmeet.content.reading import NothingToRead, Reading
from watersmeet.database.permissions import strangers_may_use
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import ANONYMOUS, User
from watersmeet.users.http import SignInRequired, current_session, path_and_query, visitor
from watersmeet.web.bearer import authenticate
from watersmeet.web.environment import Environment
from watersmeet.web.nul import refuse_nul
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, Visitor, render

T = TypeVar("T")

_WINDOW = 100  # pages of a space, and versions of a content, on one of our pages
_VIEW = "/pages/viewpage.action"
_VERSIONS = "/pages/viewpreviousversions.action"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads, and what the header of the page says of them."""

    user: User
    visitor: Visitor | None


def routes(environment: Environment) -> list[Route]:
    """The routes of reading, for which no program needs a scope but READ."""
    pages = _Pages(environment)
    by_number = "/spaces/{key}/pages/{content_id}"
    by_day = "/spaces/{key}/blog/{year}/{month}/{day}/{content_id}"
    return [
        Route(path, endpoint, methods=["GET"])
        for path, endpoint in (
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

    environment: Environment

    @property
    def _context_path(self) -> str:
        return self.environment.settings.context_path

    async def numbered(self, request: Request) -> Response:
        """A content by its number; space and title in the address are for people."""
        number = content_number(request.path_params["content_id"])
        return await self._content(request, lambda tx, user: _numbered(tx, user, number))

    async def titled(self, request: Request) -> Response:
        """A page by its title, or a blog post by its day and title."""
        key, words = request.path_params["key"], _rest(request, 2)
        day, title = _posted(words)

        def find(tx: Transaction, user: User) -> Content:
            if day:
                return reading.find_posted(tx, user, key, day, title)
            return reading.find_titled(tx, user, key, words)

        return await self._content(request, find)

    async def view(self, request: Request) -> Response:
        """A content by its number, or by the key of its space and its title."""
        query = request.query_params
        number, key, title = query.get("pageId"), query.get("spaceKey"), query.get("title")

        def find(tx: Transaction, user: User) -> Content:
            if number is None and key and title:
                return reading.find_titled(tx, user, key, title)
            return _numbered(tx, user, content_number(number or ""))

        return await self._content(request, find)

    async def tiny(self, request: Request) -> Response:
        """The way from the short address of a content to its page."""
        number = tiny_number(request.path_params["tiny"])
        found = await self._read(request, lambda tx, user: _numbered(tx, user, number))
        return RedirectResponse(self._context_path + content_page(found[1]), 302)

    async def space(self, request: Request) -> Response:
        """A space: its pages and its newest blog posts."""
        key, start = request.path_params["key"], _start(request)
        now = self.environment.clock.now()
        window = Window(start, _WINDOW)
        reader, found = await self._read(request, lambda tx, user: reading.read_space(tx, user, key, now, window))
        pages, posts = space_lists(found)
        previous, following = _neighbours(space_page(found.space.key), found.roots)
        return self._page(
            SpacePage(
                context_path=self._context_path,
                visitor=reader.visitor,
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

    async def versions(self, request: Request) -> Response:
        """The versions of a content."""
        number, start = content_number(request.query_params.get("pageId", "")), _start(request)

        def operation(tx: Transaction, user: User) -> tuple[Content, Slice[Content]]:
            present = _numbered(tx, user, number)
            return present, reading.read_versions(tx, user, present.id, Window(start, _WINDOW))

        reader, (present, part) = await self._read(request, operation)
        newer, older = _neighbours(f"{_VERSIONS}?pageId={present.id}", part)
        return self._page(
            HistoryPage(
                context_path=self._context_path,
                visitor=reader.visitor,
                title=present.title,
                back=content_page(present),
                edits=[edit_of(version, present) for version in part.items],
                newer=newer,
                older=older,
            )
        )

    async def _content(self, request: Request, find: Callable[[Transaction, User], Content]) -> Response:
        """The page of a content. What is part of another is shown on the page of that."""
        number = _version(request)

        def operation(tx: Transaction, user: User) -> Content | Reading:
            found = find(tx, user)
            if found.type in (ContentType.COMMENT, ContentType.ATTACHMENT):
                return found
            return reading.read_content(tx, user, found.id, number)

        reader, found = await self._read(request, operation)
        if isinstance(found, Content):
            return RedirectResponse(self._context_path + content_page(found), 302)
        return self._page(reading_page(found, self._context_path, reader.visitor))

    async def _read(self, request: Request, operation: Callable[[Transaction, User], T]) -> tuple[_Reader, T]:
        """What the reader of a request sees. Raises ``NothingToRead``, ``SignInRequired``, or what tokens raise."""
        reader = await self._reader(request)
        refuse_nul(request)
        try:
            return reader, await self.environment.database.read(lambda tx: operation(tx, reader.user))
        except NothingToRead:
            if reader.user.is_anonymous:
                raise SignInRequired(path_and_query(request)) from None
            raise

    async def _reader(self, request: Request) -> _Reader:
        if "authorization" in request.headers:
            caller = await authenticate(self.environment.verify_token, request, Scope.READ)
            return _Reader(caller.user, None)
        session = await current_session(self.environment, request)
        if session:
            return _Reader(session.user, visitor(self.environment, session))
        if await self.environment.database.read_together(strangers_may_use, None):
            return _Reader(ANONYMOUS, None)
        raise SignInRequired(path_and_query(request))

    def _page(self, page: Page) -> Response:
        return render(page)


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


def _neighbours(path: str, part: Slice[Content]) -> tuple[str | None, str | None]:
    """The ways to what comes before and after a window."""
    window, joint = part.window, "&" if "?" in path else "?"

    def at(start: int) -> str:
        return path + joint + urlencode({"start": start})

    before = at(max(0, window.start - window.limit)) if window.start else None
    return before, at(window.start + window.limit) if part.more else None
