"""The HTTP side of content: parse the request, call one operation, render its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content, ContentStatus, ContentType, is_custom
from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.expansion import NOTHING, ONE_CONTENT, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.page import Slice
from watersmeet.confluence.representation import history_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import draft, inline, read, space, write
from watersmeet.content.body import ContentUpdate, NewContent, content_number, decode, version_number
from watersmeet.content.comment import create_comment
from watersmeet.content.custom import create_custom
from watersmeet.content.http.api import (
    CONTENT,
    Api,
    check_type,
    choices_of,
    content_id_of,
    expansion_of,
    read_body,
    values_of,
    window_of,
)
from watersmeet.content.http.attachments import replace_file
from watersmeet.content.http.sent_body import kept
from watersmeet.content.version import with_past
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.multipart import is_multipart
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of one content and of lists of them."""
    contents = _Contents(api)
    return [
        api.route(CONTENT, GET=(Scope.READ, contents.list_content), POST=(Scope.WRITE, contents.create_content)),
        api.route(
            CONTENT + "/{content_id}",
            GET=(Scope.READ, contents.show_content),
            PUT=(Scope.WRITE, contents.update_content),
            DELETE=(Scope.WRITE, contents.delete_content),
        ),
        api.route(
            CONTENT + "/blueprint/instance/{content_id}",
            PUT=(Scope.WRITE, contents.publish_draft),
            POST=(Scope.WRITE, contents.publish_draft),
        ),
        api.route(CONTENT + "/{content_id}/history", GET=(Scope.READ, contents.show_history)),
    ]


@dataclass(frozen=True, slots=True)
class _Contents:
    """The handlers."""

    api: Api

    async def list_content(self, request: Request, caller: Caller) -> Response:
        expansion, window = expansion_of(request), window_of(request)
        wanted = _content_filter(request)
        space_key = request.query_params.get("spaceKey")

        def operation(tx: Transaction) -> Slice[Content]:
            return read.load(tx, caller.user, space.narrowed(tx, caller.user, wanted, space_key), window, expansion)

        part = await self.api.read(operation, expansion, window)
        return await self.api.contents(request, CONTENT, part, expansion)

    async def create_content(self, request: Request, caller: Caller) -> Response:
        wanted = decode(await read_body(request), NewContent)
        wanted.body = await kept(wanted.body)
        wanted.status = wanted.status or request.query_params.get("status")
        expansion, now = WRITTEN_CONTENT | expansion_of(request), self.api.environment.clock.now()
        create: Callable[[Transaction], Content]
        if wanted.type == ContentType.COMMENT:
            made = partial(create_comment, caller=caller.user, draft=wanted.comment(), now=now)
            create = partial(made, entropy=self.api.environment.entropy, expansion=expansion)
        elif is_custom(wanted.type or ""):
            create = partial(create_custom, caller=caller.user, draft=wanted.custom(), now=now, expansion=expansion)
        else:
            create = partial(write.create, caller=caller.user, draft=wanted.draft(), now=now, expansion=expansion)
        created = await self.api.environment.database.write(create)
        return await self.api.content(created, expansion)

    async def show_content(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        expansion = expansion_of(request, ONE_CONTENT)
        statuses, version = _statuses(request), _version(request)

        def operation(tx: Transaction) -> Content:
            if version is not None:
                found = read.find_version(tx, caller.user, content_id, version, expansion)
            elif ContentStatus.DRAFT in statuses:
                found = draft.find(tx, caller.user, content_id, statuses, expansion)
            else:
                found = read.find(tx, caller.user, content_id, statuses, expansion)
            return with_past(tx, caller.user, found, expansion.within("history"))

        return await self.api.content(await self.api.read(operation, expansion), expansion)

    async def show_history(self, request: Request, caller: Caller) -> Response:
        content_id, expansion = content_id_of(request), expansion_of(request, _HISTORY)

        def operation(tx: Transaction) -> Content:
            found = read.find(tx, caller.user, content_id, read.CURRENT, NOTHING)
            return with_past(tx, caller.user, found, expansion)

        found = await self.api.environment.database.read(operation)
        return JsonResponse(history_json(found, expansion, self.api.site, outermost=True))

    async def update_content(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        if is_multipart(request):  # some clients send another file for an attachment so
            return await replace_file(self.api, request, caller, None, content_id)
        sent = decode(await read_body(request), ContentUpdate)
        sent.body = await kept(sent.body)
        revision, resolution = sent.revision(), sent.resolution()
        expansion, now = WRITTEN_CONTENT | expansion_of(request), self.api.environment.clock.now()
        is_draft = ContentStatus.DRAFT in (request.query_params.get("status"), revision.status)
        save = draft.write_draft if is_draft else write.update

        def operation(tx: Transaction) -> Content:
            if resolution is not None:
                inline.settle(tx, caller.user, content_id, resolution, now)
            return save(tx, caller.user, content_id, revision, now, expansion)

        return await self.api.content(await self.api.environment.database.write(operation), expansion)

    async def publish_draft(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        sent = decode(await read_body(request), ContentUpdate)
        sent.body = await kept(sent.body)
        revision = sent.publication()
        expansion, now = WRITTEN_CONTENT | expansion_of(request), self.api.environment.clock.now()
        published = await self.api.environment.database.write(
            lambda tx: draft.write_draft(tx, caller.user, content_id, revision, now, expansion)
        )
        return await self.api.content(published, expansion)

    async def delete_content(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        status = request.query_params.get("status", ContentStatus.CURRENT)
        remove = _REMOVALS.get(status)
        if not remove:
            raise BadParameter("The parameter status must be 'current' (the default), 'trashed' or 'draft'.")
        await self.api.environment.database.write(lambda tx: remove(tx, caller.user, content_id))
        return Response(status_code=204)


# By the status of what is removed: the trash and drafts are removed for good.
_REMOVALS: dict[str, Callable[[Transaction, User, int], None]] = {
    ContentStatus.CURRENT: write.trash,
    ContentStatus.TRASHED: write.purge,
    ContentStatus.DRAFT: draft.discard,
}
_HISTORY = Expansion.parse(["previousVersion,nextVersion,lastUpdated"])  # S1.2


# ---- what a request says ----------------------------------------------------------------------------------


_STATUSES = ("current", "trashed", "draft", "historical", "archived", "any")


def _statuses(request: Request) -> tuple[str, ...]:
    """The statuses a request accepts. One that no content has here is no error, if the original knows it."""
    named = choices_of(request, "status", _STATUSES) or [ContentStatus.CURRENT]
    return read.ANY if "any" in named else tuple(named)


def _version(request: Request) -> int | None:
    """The old version that is asked for; clients send it with ``status=historical`` and without."""
    text = request.query_params.get("version")
    if not text:
        if ContentStatus.HISTORICAL in values_of(request, "status"):
            raise BadParameter("An old version is named by its number: status=historical&version=N.")
        return None
    number = version_number(text)
    if number is None:
        raise BadParameter("The parameter version must be a whole number.")
    return number


def _content_filter(request: Request) -> ContentFilter:
    query = request.query_params
    title = query.get("title")
    wanted = ContentFilter(
        types=[check_type(text) for text in query.getlist("type")] or [ContentType.PAGE],
        statuses=_statuses(request),
        title=None if title is None else title.strip(),  # as it was when the title was kept
    )
    if ids := values_of(request, "ids"):
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
