"""What the handlers of content have in common: routes, what a request says, and how a content is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import MAX_BODY, Content, ContentType, is_custom
from watersmeet.confluence.errors import BadParameter, BodyTooLarge, ContentNotFound, CrossSiteCheckFailed
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window, list_envelope
from watersmeet.confluence.representation import content_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import Site
from watersmeet.content.body import content_number
from watersmeet.content.http.rendering import built, renders
from watersmeet.database.permissions import strangers_may_use
from watersmeet.database.transaction import Operation
from watersmeet.database.users import ANONYMOUS
from watersmeet.users.http import SignInRequired, current_session, path_and_query, require_use
from watersmeet.web.bearer import Caller, Handler, Protected, protected_route
from watersmeet.web.environment import Environment
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_FAR = 1000  # what a window passes over is looked at too, a few microseconds each

T = TypeVar("T")

CONTENT = "/rest/api/content"
SPACE = "/rest/api/space"

Answering: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]
"""A handler: everything but the headers that all answers of this slice carry."""


@dataclass(frozen=True, slots=True)
class Api:
    """What every group of handlers works with."""

    environment: Environment
    site: Site

    @classmethod
    def of(cls, environment: Environment) -> Api:
        """The API of an instance, at the addresses its settings say."""
        return cls(environment, Site(environment.settings.base_url, environment.settings.context_path))

    def route(self, path: str, **methods: tuple[Scope, Answering]) -> Route:
        """A route of the content API, each method with the scope it needs."""
        protected = {name: Protected(scope, self._admitted(handler)) for name, (scope, handler) in methods.items()}
        return protected_route(self.environment.verify_token, path, protected, stranger=self.stranger)

    def shown_route(self, path: str, handler: Answering) -> Route:
        """A route that is read with a token, and by people in their browsers with a session."""
        protected = {"GET": Protected(Scope.READ, self._admitted(handler))}
        return protected_route(self.environment.verify_token, path, protected, stranger=self._person)

    def _admitted(self, handler: Answering) -> Handler:
        """The handler, for those who may use the instance; its answers say who asked."""

        async def answer(request: Request, caller: Caller) -> Response:
            if caller.user is not ANONYMOUS:
                await require_use(self.environment, caller.user)
            response = await handler(request, caller)
            response.headers["X-AUSERNAME"] = caller.user.username or "anonymous"
            return response

        return answer

    async def _person(self, request: Request) -> Caller | None:
        """Whoever is signed in, else what strangers may be; a browser that shows a page is led to the sign-in."""
        session = await current_session(self.environment, request)
        request.state.session = session  # whose pages say who is signed in
        if session is not None:
            return Caller(session.user, Scope.READ.as_set, "")
        stranger = await self.stranger(request)
        if stranger is None and self.is_shown(request):
            raise SignInRequired(path_and_query(request))
        return stranger

    def is_shown(self, request: Request) -> bool:
        """Whether a browser asks, in order to show a page to somebody."""
        return "text/html" in request.headers.get("accept", "")

    async def stranger(self, _request: Request) -> Caller | None:
        """Nobody in particular, who may read what everybody may, if everybody may use the instance at all."""
        may = await self.environment.database.read_together(strangers_may_use, None)
        return Caller(ANONYMOUS, Scope.READ.as_set, "") if may else None

    async def read(self, operation: Operation[T], expansion: Expansion, window: Window | None = None) -> T:
        """The value of an operation that reads contents.

        It may take long where whole lists are read along, where the window is far from the beginning, or where what a
        list of bodies names is looked up.
        """
        is_far = window is not None and (window.start > _FAR or renders(expansion))
        at_length = is_far or "children" in expansion or "descendants" in expansion
        return await (self.read_at_length(operation) if at_length else self.environment.database.read(operation))

    async def read_at_length(self, operation: Operation[T]) -> T:
        """The value of a read whose length is the caller's choice: nobody else waits for it, and it has an end.

        Raises ``TookTooLong``.
        """
        seconds = self.environment.settings.search_timeout_seconds
        return await self.environment.database.read_at_length(operation, seconds=seconds)

    def listed(self, request: Request, path: str, part: Slice[Any], results: Sequence[Any]) -> Response:
        """The answer that is a window of a list; ``path`` is where the list is, without its query."""
        return JsonResponse(list_envelope(results, part, self.site, path, request.query_params.multi_items()))

    async def contents(self, request: Request, path: str, part: Slice[Content], expansion: Expansion) -> Response:
        """The answer that is a window of a list of contents."""

        def build() -> Response:
            shown = [content_json(item, expansion, self.site) for item in part.items]
            return self.listed(request, path, part, shown)

        return await built(build, part.items, expansion)

    async def walked(self, request: Request, path: str, part: Slice[Content], expansion: Expansion) -> Response:
        """The answer that is a part of a walk by number: the next one begins after the last content shown (S3.4)."""
        return await built(lambda: self._walked(request, path, part, expansion), part.items, expansion)

    def _walked(self, request: Request, path: str, part: Slice[Content], expansion: Expansion) -> Response:
        results = [content_json(each, expansion, self.site) for each in part.items]
        kept = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name not in ("cursor", "limit", "start")
        ]
        shown = list_envelope(results, Slice(part.items, part.window, more=False), self.site, path, kept)
        if part.more and part.items:
            cursor = str(part.items[-1].id)
            following = [*kept, ("limit", str(part.window.limit)), ("cursor", cursor)]
            shown["nextCursor"] = cursor
            shown["_links"]["next"] = f"{path}?{urlencode(following)}"
        return JsonResponse(shown)

    async def content(self, content: Content, expansion: Expansion) -> Response:
        """The answer that is one content."""

        def build() -> Response:
            return JsonResponse(content_json(content, expansion, self.site, outermost=True))

        return await built(build, [content], expansion)


# ---- what a request says ----------------------------------------------------------------------------------


async def read_body(request: Request) -> bytes:
    """The body of the request, as long as it stays within ``MAX_BODY``."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise BodyTooLarge(MAX_BODY)
    return bytes(data)


def expansion_of(request: Request, default: Expansion | None = None) -> Expansion:
    """What a request wants expanded; ``default`` where it does not say."""
    values = request.query_params.getlist("expand")
    return Expansion.parse(values) if values or default is None else default


def window_of(request: Request, *, default_limit: int = 25) -> Window:
    """The part of a list that a request wants. Raises ``BadParameter``."""
    query = request.query_params
    return Window.parse(query.get("start"), query.get("limit"), default_limit=default_limit)


def refuse_cross_site(request: Request) -> None:
    """Raises ``CrossSiteCheckFailed`` without the header that no form of another site can send."""
    if request.headers.get("x-atlassian-token", "").lower() not in ("nocheck", "no-check"):
        raise CrossSiteCheckFailed


def content_id_of(request: Request) -> int:
    """The number in the path. Raises ``ContentNotFound`` for what is no number."""
    text = request.path_params["content_id"]
    number = content_number(text)
    if number is None:
        raise ContentNotFound(text)
    return number


def cursor_of(request: Request) -> int:
    """The content after which a walk goes on; 0 at its beginning. Raises ``BadParameter``."""
    after = content_number(request.query_params.get("cursor") or "0")
    if after is None:
        raise BadParameter("The parameter cursor must be one that an answer gave.")
    return after


def choices_of(request: Request, name: str, known: Collection[str]) -> list[str]:
    """``values_of`` a parameter that is one of a few words. Raises ``BadParameter``.

    A word with a slip of the pen would find nothing, and a program that mirrors a wiki would believe that all is gone.
    """
    values = values_of(request, name)
    if unknown := [value for value in values if value not in known]:
        raise BadParameter(f"The parameter {name} must be one of {', '.join(known)}; it is {unknown[0]!r}.")
    return values


def check_type(name: str) -> str:
    """The name of a type of content, if it can be one. Raises ``BadParameter``."""
    if name not in set(ContentType) and not is_custom(name):
        raise BadParameter(f"There is no type of content {name!r}: {', '.join(ContentType)}, or plugin:module.")
    return name


def values_of(request: Request, name: str) -> list[str]:
    """The values of a parameter that may be repeated and may hold several, separated by commas."""
    return [value for text in request.query_params.getlist(name) for value in text.split(",") if value]
