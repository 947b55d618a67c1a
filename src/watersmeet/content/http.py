"""The HTTP side of content: parse the request, call one operation, render its value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content, ContentStatus, ContentType, Person
from watersmeet.confluence.errors import BadParameter, BodyTooLarge, ContentNotFound
from watersmeet.confluence.expansion import NOTHING, ONE_CONTENT, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.page import Slice, Window, list_envelope
from watersmeet.confluence.representation import content_json, history_json, person_json, space_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import Site
from watersmeet.content import read, space, write
from watersmeet.content.body import ContentUpdate, NewContent, NewSpace, content_number, decode
from watersmeet.database.content import ContentFilter
from watersmeet.database.spaces import SpaceFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.web.bearer import Caller, Handler, Protected, protected_route
from watersmeet.web.environment import Environment
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

MAX_BODY = 5 * 1024 * 1024  # the original's own limit for a page

CONTENT = "/rest/api/content"
SPACE = "/rest/api/space"

# A handler of this module: everything but the headers that all its answers carry.
Answering: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]


def routes(environment: Environment) -> list[Route]:
    """The routes of the content API, each method with the scope it needs."""
    api = _Api(environment, Site(environment.settings.base_url, environment.settings.context_path))

    def route(path: str, **methods: tuple[Scope, Answering]) -> Route:
        protected = {name: Protected(scope, _named(handler)) for name, (scope, handler) in methods.items()}
        return protected_route(environment.verify_token, path, protected)

    return [
        route(CONTENT, GET=(Scope.READ, api.list_content), POST=(Scope.WRITE, api.create_content)),
        route(
            CONTENT + "/{content_id}",
            GET=(Scope.READ, api.show_content),
            PUT=(Scope.WRITE, api.update_content),
            DELETE=(Scope.WRITE, api.delete_content),
        ),
        route(CONTENT + "/{content_id}/history", GET=(Scope.READ, api.show_history)),
        route(SPACE, GET=(Scope.READ, api.list_spaces), POST=(Scope.WRITE, api.create_space)),
        route(SPACE + "/{key}", GET=(Scope.READ, api.show_space)),
        route("/rest/api/user/current", GET=(Scope.READ, api.show_current_user)),
    ]


def _named(handler: Answering) -> Handler:
    async def answer(request: Request, caller: Caller) -> Response:
        response = await handler(request, caller)
        response.headers["X-AUSERNAME"] = caller.user.username
        return response

    return answer


@dataclass(frozen=True, slots=True)
class _Api:
    """The handlers, and what they have in common."""

    environment: Environment
    site: Site

    async def list_content(self, request: Request, caller: Caller) -> Response:
        expansion, window = _expansion(request), _window(request)
        wanted = _content_filter(request)
        space_key = request.query_params.get("spaceKey")

        def operation(tx: Transaction) -> Slice[Content]:
            narrowed = _in_space(tx, caller.user, wanted, space_key)
            return read.load(tx, caller.user, narrowed, window, expansion)

        part = await self.environment.database.read(operation)
        results = [content_json(item, expansion, self.site) for item in part.items]
        return JsonResponse(list_envelope(results, part, self.site, CONTENT, request.query_params.multi_items()))

    async def create_content(self, request: Request, caller: Caller) -> Response:
        draft = decode(await _body(request), NewContent).draft()
        expansion, now = WRITTEN_CONTENT | _expansion(request), self.environment.clock.now()
        created = await self.environment.database.write(lambda tx: write.create(tx, caller.user, draft, now, expansion))
        return self._content(created, expansion)

    async def show_content(self, request: Request, caller: Caller) -> Response:
        content_id = _content_id(request)
        expansion = _expansion(request, ONE_CONTENT)
        statuses, version = _statuses(request), _version(request)

        def operation(tx: Transaction) -> Content:
            if version is not None:
                return read.find_version(tx, caller.user, content_id, version, expansion)
            return read.find(tx, caller.user, content_id, statuses, expansion)

        return self._content(await self.environment.database.read(operation), expansion)

    async def show_history(self, request: Request, caller: Caller) -> Response:
        content_id, expansion = _content_id(request), _LAST_UPDATED | _expansion(request)
        found = await self.environment.database.read(
            lambda tx: read.find(tx, caller.user, content_id, read.CURRENT, NOTHING)
        )
        return JsonResponse(history_json(found, expansion, self.site, outermost=True))

    async def update_content(self, request: Request, caller: Caller) -> Response:
        content_id = _content_id(request)
        revision = decode(await _body(request), ContentUpdate).revision()
        expansion, now = WRITTEN_CONTENT | _expansion(request), self.environment.clock.now()
        updated = await self.environment.database.write(
            lambda tx: write.update(tx, caller.user, content_id, revision, now, expansion)
        )
        return self._content(updated, expansion)

    async def delete_content(self, request: Request, caller: Caller) -> Response:
        content_id = _content_id(request)
        status = request.query_params.get("status", ContentStatus.CURRENT)
        if status not in read.ANY:
            raise BadParameter("The parameter status must be 'current' (the default) or 'trashed'.")
        remove = write.purge if status == ContentStatus.TRASHED else write.trash
        await self.environment.database.write(lambda tx: remove(tx, caller.user, content_id))
        return Response(status_code=204)

    async def list_spaces(self, request: Request, caller: Caller) -> Response:
        expansion, window = _expansion(request), _window(request)
        query = request.query_params
        wanted = SpaceFilter(
            keys=_values(request, "spaceKey") + _values(request, "spaceKeys"),
            types=query.getlist("type"),
            statuses=query.getlist("status"),
        )
        part = await self.environment.database.read(
            lambda tx: space.list_spaces(tx, caller.user, wanted, window, expansion)
        )
        results = [space_json(item, expansion, self.site) for item in part.items]
        return JsonResponse(list_envelope(results, part, self.site, SPACE, query.multi_items()))

    async def create_space(self, request: Request, caller: Caller) -> Response:
        wanted = decode(await _body(request), NewSpace)
        expansion, now = _expansion(request, _SPACE_CREATED), self.environment.clock.now()
        created = await self.environment.database.write(
            lambda tx: space.create(
                tx,
                caller.user,
                key=wanted.key,
                name=wanted.name.strip(),
                description=wanted.plain_description,
                now=now,
            )
        )
        return JsonResponse(space_json(created, expansion, self.site, outermost=True))

    async def show_space(self, request: Request, caller: Caller) -> Response:
        key, expansion = request.path_params["key"], _expansion(request)
        found = await self.environment.database.read(lambda tx: space.find(tx, caller.user, key, expansion))
        return JsonResponse(space_json(found, expansion, self.site, outermost=True))

    async def show_current_user(self, _: Request, caller: Caller) -> Response:
        user = caller.user
        person = Person(user.username, user.user_key, user.display_name)
        return JsonResponse(person_json(person, self.site, outermost=True))

    def _content(self, content: Content, expansion: Expansion) -> Response:
        return JsonResponse(content_json(content, expansion, self.site, outermost=True))


_LAST_UPDATED = Expansion.parse(["lastUpdated"])
_SPACE_CREATED = Expansion.parse(["description.plain"])


# ---- what a request says ----------------------------------------------------------------------------------


async def _body(request: Request) -> bytes:
    """The body of the request, as long as it stays within ``MAX_BODY``."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise BodyTooLarge(MAX_BODY)
    return bytes(data)


def _expansion(request: Request, default: Expansion | None = None) -> Expansion:
    values = request.query_params.getlist("expand")
    return Expansion.parse(values) if values or default is None else default


def _window(request: Request) -> Window:
    return Window.parse(request.query_params.get("start"), request.query_params.get("limit"))


def _content_id(request: Request) -> int:
    text = request.path_params["content_id"]
    number = content_number(text)
    if number is None:
        raise ContentNotFound(text)
    return number


def _statuses(request: Request) -> tuple[str, ...]:
    """The statuses a request accepts. One that no content can have here is no error: nothing has it."""
    named = _values(request, "status") or [ContentStatus.CURRENT]
    return read.ANY if "any" in named else tuple(named)


def _version(request: Request) -> int | None:
    """The old version that is asked for; clients send it with ``status=historical`` and without."""
    text = request.query_params.get("version")
    if not text:
        if ContentStatus.HISTORICAL in _values(request, "status"):
            raise BadParameter("An old version is named by its number: status=historical&version=N.")
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadParameter("The parameter version must be a whole number.")
    return int(text)


def _content_filter(request: Request) -> ContentFilter:
    query = request.query_params
    title = query.get("title")
    wanted = ContentFilter(
        types=query.getlist("type") or [ContentType.PAGE],
        statuses=_statuses(request),
        title=None if title is None else title.strip(),  # as it was when the title was kept
    )
    if ids := _values(request, "ids"):
        # Zero is the number of no content: a name that is no number finds nothing.
        wanted = replace(wanted, ids=[content_number(text) or 0 for text in ids])
    if day := query.get("postingDay"):
        wanted = _posted_on(wanted, day)
    return wanted


def _posted_on(wanted: ContentFilter, day: str) -> ContentFilter:
    try:
        midnight = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadParameter("The parameter postingDay must be a date: yyyy-mm-dd.") from error
    start = round(midnight.timestamp() * 1000)
    return replace(wanted, created_from=start, created_before=start + round(timedelta(days=1).total_seconds() * 1000))


def _in_space(tx: Transaction, user: User, wanted: ContentFilter, key: str | None) -> ContentFilter:
    return replace(wanted, space_id=space.find(tx, user, key, Expansion()).id) if key else wanted


def _values(request: Request, name: str) -> list[str]:
    """The values of a parameter that may be repeated and may hold several, separated by commas."""
    return [value for text in request.query_params.getlist(name) for value in text.split(",") if value]
