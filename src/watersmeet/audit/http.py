"""The audit log over HTTP: the administrators' page, its exports, and the API resource."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from watersmeet.audit.export import as_json, csv_header, csv_lines, in_words, json_lines
from watersmeet.audit.filter import FIELDS, UnreadableFilter, parse_query
from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Scope
from watersmeet.database import audit
from watersmeet.database.audit import Entry, Event, Query, search
from watersmeet.errors import WatersmeetError
from watersmeet.users.http import require_administrator, visitor
from watersmeet.web.bearer import Caller, Protected, protected_route
from watersmeet.web.environment import Environment
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, render

AUDIT_PATH = "/admin/audit"
API_PATHS = ("/rest/oauth2/latest/audit", "/rest/oauth2/1.0/audit")
_CHUNK = 1000  # events an export reads at a time


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An event as the page shows it."""

    at: Instant
    event: str
    actor: str
    username: str
    client: str
    address: str
    request: str
    detail: str

    @classmethod
    def of(cls, entry: Entry) -> AuditRow:
        """The row of an event."""
        return cls(
            at=entry.at,
            event=entry.event,
            actor=entry.actor or "",
            username=entry.username or "",
            client=entry.client_name or entry.client_id or "",
            address=entry.address or "",
            request=entry.request_id or "",
            detail=in_words(entry.detail),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(Page):
    """What was decided, the newest first."""

    template: ClassVar[str] = "audit.html"
    rows: list[AuditRow]
    events: list[str]
    typed: dict[str, str]
    problem_found: WatersmeetError | None
    older: str | None
    export: str


def routes(environment: Environment) -> list[Route]:
    """The routes of this slice."""
    log = _AuditLog(environment)
    api = {"GET": Protected(Scope.ADMIN, log.api)}
    return [
        Route(AUDIT_PATH, log.page, methods=["GET"]),
        Route(AUDIT_PATH + "/export", log.export, methods=["GET"]),
        *(protected_route(environment.verify_token, path, api) for path in API_PATHS),
    ]


@dataclass(frozen=True)
class _AuditLog:
    environment: Environment

    async def page(self, request: Request) -> Response:
        session = await require_administrator(self.environment, request, otherwise=AUDIT_PATH)
        problem: WatersmeetError | None = None
        entries, query = list[Entry](), Query()
        try:
            query = self._query(request)
            entries = await self._search(query)
        except UnreadableFilter as error:
            problem = error
        typed = {name: request.query_params.get(name, "") for name in FIELDS}
        given = {name: value for name, value in typed.items() if value}
        older = None
        if len(entries) == query.limit:
            older = "?" + urlencode({**given, "before": _cursor(entries[-1])})
        page = AuditPage(
            context_path=self.environment.settings.context_path,
            visitor=visitor(self.environment, session),
            rows=[AuditRow.of(entry) for entry in entries],
            events=[event.value for event in Event],
            typed=typed,
            problem_found=problem,
            older=older,
            export=urlencode(given),
        )
        return render(page, 400 if problem else 200)

    async def export(self, request: Request) -> Response:
        session = await require_administrator(self.environment, request, otherwise=AUDIT_PATH)
        query = replace(self._query(request), limit=_CHUNK)
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        as_csv = request.query_params.get("format") == "csv"
        # Whoever takes the log away is in it.
        await self.environment.database.write(
            lambda tx: audit.record(tx, Event.AUDIT_EXPORTED, origin, now, user_id=session.user.id)
        )
        kind, ending = ("text/csv", "csv") if as_csv else ("application/x-ndjson", "jsonl")
        return StreamingResponse(
            self._chunks(query, csv_header() if as_csv else "", csv_lines if as_csv else json_lines),
            media_type=kind,
            headers={"content-disposition": f'attachment; filename="watersmeet-audit.{ending}"'},
        )

    async def api(self, request: Request, _caller: Caller) -> Response:
        query = self._query(request)
        entries = await self._search(query)
        is_full = len(entries) == query.limit
        return JsonResponse(
            {"results": [as_json(entry) for entry in entries], "next": _cursor(entries[-1]) if is_full else None}
        )

    def _query(self, request: Request) -> Query:
        return parse_query(request.query_params, self.environment.clock.now())

    async def _search(self, query: Query) -> list[Entry]:
        return await self.environment.database.read_at_length(lambda tx: search(tx, query))

    async def _chunks(self, query: Query, head: str, lines: Callable[[list[Entry]], str]) -> AsyncIterator[str]:
        if head:
            yield head
        while entries := await self._search(query):
            yield lines(entries)
            query = replace(query, before=(entries[-1].at, entries[-1].id))


def _cursor(entry: Entry) -> str:
    return f"{entry.at}-{entry.id}"
