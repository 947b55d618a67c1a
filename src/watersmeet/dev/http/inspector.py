"""The inspector: the last requests, why they were refused, and how to send them again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from watersmeet.clock import as_datetime
from watersmeet.dev.curl import as_curl
from watersmeet.dev.masking import masked, masked_headers
from watersmeet.dev.record import CAPACITY, Message, Record
from watersmeet.dev.replay import as_test
from watersmeet.dev.workshop import Workshop
from watersmeet.errors import WatersmeetError
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, render

PATH = "/_dev/requests"
STATUSES = ("2xx", "3xx", "4xx", "5xx", "none")


class NoSuchRecord(WatersmeetError):
    """The request was never seen, or is so old that it was forgotten."""

    def __init__(self) -> None:
        super().__init__(
            "This request is not kept any more: only the last {capacity} are, and a reset forgets them.",
            capacity=CAPACITY,
        )


class NoTest(WatersmeetError):
    """What was sent cannot be sent by a test."""

    description = (
        "There is no test for this request: it takes a browser or an administrator, "
        "or its body was too long to be kept."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsPage(Page):
    """The list of requests, newest first."""

    template: ClassVar[str] = "dev-requests.html"
    records: list[Record]
    total: int
    capacity: int
    statuses: tuple[str, ...]
    status: str
    path: str
    client: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it is shown: credentials shortened, JSON indented."""

    headers: list[tuple[str, str]]
    body: str
    length: int
    is_truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage(Page):
    """One request in full."""

    template: ClassVar[str] = "dev-request.html"
    record: Record
    target: str
    sent: Shown
    answered: Shown
    curl: str
    test: str | None


def routes(workshop: Workshop) -> list[Route]:
    """The routes of this module."""
    inspector = _Inspector(workshop)
    return [
        Route(PATH, inspector.show_all, methods=["GET"]),
        Route(PATH + ".json", inspector.tell_all, methods=["GET"]),
        Route(PATH + "/{number:int}", inspector.show, methods=["GET"]),
        Route(PATH + "/{number:int}/curl", inspector.curl, methods=["GET"]),
        Route(PATH + "/{number:int}/test", inspector.test, methods=["GET"]),
    ]


@dataclass(frozen=True)
class _Inspector:
    workshop: Workshop

    async def show_all(self, request: Request) -> Response:
        status, path, client = _filter(request)
        page = RequestsPage(
            context_path=self.workshop.environment.settings.context_path,
            records=self.workshop.records.newest(status=status, path=path, client=client),
            total=len(list(self.workshop.records)),
            capacity=CAPACITY,
            statuses=STATUSES,
            status=status,
            path=path,
            client=client,
        )
        return render(page)

    async def tell_all(self, request: Request) -> Response:
        status, path, client = _filter(request)
        found = self.workshop.records.newest(status=status, path=path, client=client)
        return JsonResponse({"requests": [as_json(record) for record in found]})

    async def show(self, request: Request) -> Response:
        record, base_url = self._record(request), self.workshop.environment.settings.base_url
        page = RequestPage(
            context_path=self.workshop.environment.settings.context_path,
            record=record,
            target=masked(record.target),
            sent=_shown(record.request),
            answered=_shown(record.response),
            curl=as_curl(record, base_url),
            test=as_test(record, base_url),
        )
        return render(page)

    async def curl(self, request: Request) -> Response:
        return PlainTextResponse(as_curl(self._record(request), self.workshop.environment.settings.base_url) + "\n")

    async def test(self, request: Request) -> Response:
        text = as_test(self._record(request), self.workshop.environment.settings.base_url)
        if text is None:
            raise NoTest
        headers = {"content-disposition": 'attachment; filename="test_recorded.py"'}
        return PlainTextResponse(text, headers=headers, media_type="text/x-python")

    def _record(self, request: Request) -> Record:
        record = self.workshop.records.find(request.path_params["number"])
        if record is None:
            raise NoSuchRecord
        return record


def _filter(request: Request) -> tuple[str, str, str]:
    query = request.query_params
    return query.get("status", "").strip(), query.get("path", "").strip(), query.get("client", "").strip()


def _shown(message: Message) -> Shown:
    return Shown(masked_headers(message.headers), masked(_indented(message)), message.length, message.is_truncated)


def _indented(message: Message) -> str:
    if "json" in message.header("content-type") and not message.is_truncated:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.json.format(message.body, indent=2).decode()
    return message.text


def as_json(record: Record) -> dict[str, Any]:
    """A record for scripts, without bodies; credentials shortened."""
    finding = record.finding
    return {
        "id": record.number,
        "at": as_datetime(record.at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "method": record.method,
        "path": record.path,
        "query": masked(record.query),
        "status": record.status,
        "milliseconds": round(record.milliseconds, 1),
        "user": finding.user,
        "client_id": finding.client_id,
        "client": finding.client_name,
        "scope": finding.scope,
        "rule": str(finding.rule) if finding.rule else None,
        "why": str(finding.why) if finding.why else None,
        "cause": finding.cause,
        "detail": finding.detail,
    }
