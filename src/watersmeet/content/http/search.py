"""The HTTP side of searching: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.clock import Instant
from watersmeet.confluence import cql, cql_fields
from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window, list_envelope
from watersmeet.confluence.representation import Json, content_json
from watersmeet.confluence.representation_search import Hit, hit_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import read, search, space
from watersmeet.content.body import content_number
from watersmeet.content.http.api import CONTENT, Api, cursor_of, expansion_of, values_of, window_of
from watersmeet.content.http.rendering import built
from watersmeet.content.search import Page
from watersmeet.database.content import ContentFilter
from watersmeet.database.question import Question
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

SEARCH = "/rest/api/search"
_STYLES = ("highlight", "indexed", "none")
_STATUSES = ("current", "trashed", "draft")


def routes(api: Api) -> list[Route]:
    """The routes of searching."""
    handlers = _Search(api)
    return [
        api.route(CONTENT + "/search", GET=(Scope.READ, handlers.search_contents)),
        api.route(CONTENT + "/scan", GET=(Scope.READ, handlers.scan)),
        api.route(SEARCH, GET=(Scope.READ, handlers.search)),
        api.route(SEARCH + "/user", GET=(Scope.READ, handlers.search_people)),
    ]


class Context(msgspec.Struct):
    """``cqlcontext``: where the caller is."""

    spaceKey: str | None = None  # noqa: N815 - the name on the wire
    contentId: int | str | None = None  # noqa: N815 - the name on the wire
    contentStatuses: list[str] | None = None  # noqa: N815 - the name on the wire


@dataclass(frozen=True, slots=True)
class _Search:
    """The handlers."""

    api: Api

    async def search_contents(self, request: Request, caller: Caller) -> Response:
        window, expansion, now = window_of(request), expansion_of(request), self.api.environment.clock.now()
        question = _question(request, caller, now)
        page = await self.api.read_at_length(lambda tx: search.search_contents(tx, question, window, expansion))
        return await self._answer(request, question, page, expansion)

    async def search(self, request: Request, caller: Caller) -> Response:
        window, expansion, now = window_of(request), expansion_of(request), self.api.environment.clock.now()
        style = request.query_params.get("excerpt") or "highlight"
        if style not in _STYLES:
            raise BadParameter(f"The parameter excerpt must be one of {', '.join(_STYLES)}.")
        archived = request.query_params.get("includeArchivedSpaces", "").lower() == "true"
        question = _question(request, caller, now, archived=archived)
        page = await self.api.read_at_length(lambda tx: search.search_all(tx, question, window, expansion, style))
        return await self._answer(request, question, page, expansion)

    async def search_people(self, request: Request, caller: Caller) -> Response:
        window, now = window_of(request), self.api.environment.clock.now()
        question = _question(request, caller, now)
        page = await self.api.read_at_length(lambda tx: search.search_people(tx, question, window))
        return await self._answer(request, question, page, Expansion())

    async def scan(self, request: Request, caller: Caller) -> Response:
        """A walk through everything by number: what is written meanwhile neither shifts nor hides anything."""
        query, window = request.query_params, Window(0, window_of(request).limit)
        after, expansion = cursor_of(request), expansion_of(request)
        wanted = ContentFilter(
            types=values_of(request, "type") or ["page"], statuses=_scanned(values_of(request, "status")), after=after
        )

        def operation(tx: Transaction) -> Slice[Content]:
            narrowed = space.narrowed(tx, caller.user, wanted, query.get("spaceKey"))
            return read.load(tx, caller.user, narrowed, window, expansion)

        part = await self.api.read_at_length(operation)
        return await self.api.walked(request, CONTENT + "/scan", part, expansion)

    async def _answer(self, request: Request, question: Question, page: Page, expansion: Expansion) -> Response:
        site = self.api.site

        def build() -> list[Json]:
            return [
                hit_json(each, expansion, site) if isinstance(each, Hit) else content_json(each, expansion, site)
                for each in page.part.items
            ]

        contents = [each for each in page.part.items if isinstance(each, Content)]
        results = await built(build, contents, expansion)
        path = request.url.path.removeprefix(site.context_path)
        shown = list_envelope(results, page.part, site, path, request.query_params.multi_items())
        shown |= {
            "totalSize": page.total,
            "cqlQuery": question.cql,
            "searchDuration": max(0, self.api.environment.clock.now() - question.now),
        }
        return JsonResponse(shown)


def _question(request: Request, caller: Caller, now: Instant, *, archived: bool = True) -> Question:
    """What a request asks. Raises ``BadQuery`` or ``BadParameter``."""
    text = request.query_params.get("cql")
    if not text or not text.strip():
        raise BadParameter("The parameter cql must hold a query.")
    query = cql.parse(text)
    cql_fields.check(text, query)
    context = _context(request.query_params.get("cqlcontext"))
    return Question(
        cql=text,
        query=query,
        caller=caller.user,
        now=now,
        space_key=context.spaceKey,
        content_id=content_number(str(context.contentId)) if context.contentId is not None else None,
        statuses=[status for status in context.contentStatuses or () if status in _STATUSES] or ["current"],
        archived=archived,
    )


def _context(text: str | None) -> Context:
    if not text:
        return Context()
    try:
        return msgspec.json.decode(text, type=Context)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadParameter(f"The parameter cqlcontext could not be read: {error}") from error


def _scanned(statuses: list[str]) -> list[str]:
    return [status for status in statuses if status in _STATUSES] or ["current"]
