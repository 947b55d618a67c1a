"""The HTTP side of attachments (S1.3): rights are looked at before a body is read, and bytes are kept before rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content
from watersmeet.confluence.errors import BadBody, BadParameter, ContentNotFound
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import content_path
from watersmeet.content import attachment, version
from watersmeet.content.attachment import Properties
from watersmeet.content.body import content_number, decode, version_number
from watersmeet.content.body_attachment import AttachmentUpdate
from watersmeet.content.http.api import (
    CONTENT,
    Api,
    content_id_of,
    expansion_of,
    read_body,
    refuse_cross_site,
    window_of,
)
from watersmeet.content.http.uploads import reading
from watersmeet.database.content import ContentFilter
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.multipart import is_multipart
from watersmeet.web.route import Route

_ATTACHMENTS = CONTENT + "/{content_id}/child/attachment"
_ONE = _ATTACHMENTS + "/{attachment_id}"
_MAX_TEXT = 100_000  # characters
_WRITTEN = Expansion.parse(["version,container,space,history,metadata.labels"])


def routes(api: Api) -> list[Route]:
    """The routes of the attachments of a content."""
    handlers = _Attachments(api)
    return [
        api.route(
            _ATTACHMENTS,
            GET=(Scope.READ, handlers.list_attachments),
            POST=(Scope.WRITE, handlers.attach),
            PUT=(Scope.WRITE, handlers.attach_or_replace),
        ),
        api.route(_ONE, PUT=(Scope.WRITE, handlers.update), DELETE=(Scope.WRITE, handlers.remove)),
        api.route(_ONE + "/data", POST=(Scope.WRITE, handlers.replace_file)),
        api.route(_ONE + "/extractedtext", GET=(Scope.READ, handlers.show_text)),
        api.route(_ONE + "/move", POST=(Scope.WRITE, handlers.move)),
        api.route(_ONE + "/version/{number}", DELETE=(Scope.WRITE, handlers.delete_version)),
        api.route("/json/removeattachment.action", POST=(Scope.WRITE, handlers.remove_named)),
    ]


@dataclass(frozen=True, slots=True)
class _Attachments:
    """The handlers."""

    api: Api

    async def list_attachments(self, request: Request, caller: Caller) -> Response:
        content_id, expansion, window = content_id_of(request), expansion_of(request), window_of(request)
        wanted = ContentFilter(
            name=request.query_params.get("filename") or None, media_type=request.query_params.get("mediaType") or None
        )
        part = await self.api.environment.database.read(
            lambda tx: attachment.list_attachments(tx, caller.user, content_id, wanted, window, expansion)
        )
        return await self.api.contents(request, _path(content_id), part, expansion)

    async def attach(self, request: Request, caller: Caller) -> Response:
        return await self._attach(request, caller, replaces=request.query_params.get("allowDuplicated") == "true")

    async def attach_or_replace(self, request: Request, caller: Caller) -> Response:
        """What clients of the newer API send: new, or the next version of what has that name."""
        return await self._attach(request, caller, replaces=True)

    async def _attach(self, request: Request, caller: Caller, *, replaces: bool) -> Response:
        content_id, expansion = content_id_of(request), _WRITTEN | expansion_of(request)
        database, user = self.api.environment.database, caller.user
        refuse_cross_site(request)
        await database.read(lambda tx: attachment.check_may_attach(tx, user, content_id))
        async with reading(request, self.api.environment.blobs, self.api.environment.settings.upload_limit) as sent:
            await database.read(lambda tx: attachment.check_names(tx, content_id, sent.names, free=not replaces))
            uploads = await sent.keep()
            now = self.api.environment.clock.now()
            made = await database.write(
                lambda tx: attachment.attach(tx, user, content_id, uploads, now, expansion, replaces=replaces)
            )
        part = Slice(made, Window(0, max(len(made), 25)), more=False)
        return await self.api.contents(request, _path(content_id), part, expansion)

    async def replace_file(self, request: Request, caller: Caller) -> Response:
        return await replace_file(self.api, request, caller, content_id_of(request), _attachment_id(request))

    async def update(self, request: Request, caller: Caller) -> Response:
        """Properties as JSON; a form brings another file instead, as clients of the newer API send it."""
        if is_multipart(request):
            return await self.replace_file(request, caller)
        attachment_id = _attachment_id(request)
        wanted = decode(await read_body(request), AttachmentUpdate).properties(attachment_id)
        expansion = _WRITTEN | expansion_of(request)
        changed = await self._change(content_id_of(request), attachment_id, caller, wanted, expansion)
        return await self.api.content(changed, expansion)

    async def show_text(self, request: Request, caller: Caller) -> Response:
        """The text that a file of text says; 204 of any other file, which is not looked into."""
        content_id, attachment_id = content_id_of(request), _attachment_id(request)
        limit = version_number(request.query_params.get("limit") or str(_MAX_TEXT))
        if limit is None:
            raise BadParameter("The parameter limit must be a whole number from 0 upwards.")
        limit = min(limit, _MAX_TEXT)
        found = await self.api.environment.database.read(
            lambda tx: attachment.find(tx, caller.user, content_id, attachment_id)
        )
        if found.file is None or not found.file.media_type.startswith("text/"):
            return Response(status_code=204)
        stop = min(found.file.size, 4 * limit)  # no character has more than four bytes
        pieces = self.api.environment.blobs.read(found.file.digest, 0, stop)
        data = b"".join([piece async for piece in pieces])
        return JsonResponse({"extractedText": data.decode("utf-8", "replace")[:limit]})

    async def move(self, request: Request, caller: Caller) -> Response:
        query = request.query_params
        target = query.get("newContentId")
        target_id = content_number(target) if target else content_id_of(request)
        if target_id is None:
            raise BadParameter("The parameter newContentId must be the number of a content.")
        wanted = Properties(None, query.get("newName") or None, holder_id=target_id)
        await self._change(content_id_of(request), _attachment_id(request), caller, wanted, Expansion())
        return Response(status_code=204)

    async def _change(
        self, content_id: int, attachment_id: int, caller: Caller, wanted: Properties, expansion: Expansion
    ) -> Content:
        now = self.api.environment.clock.now()
        return await self.api.environment.database.write(
            lambda tx: attachment.change(tx, caller.user, content_id, attachment_id, wanted, now, expansion)
        )

    async def remove(self, request: Request, caller: Caller) -> Response:
        content_id, attachment_id = content_id_of(request), _attachment_id(request)
        return await self._done(lambda tx: attachment.remove(tx, caller.user, content_id, attachment_id))

    async def delete_version(self, request: Request, caller: Caller) -> Response:
        content_id, attachment_id = content_id_of(request), _attachment_id(request)
        number = version_number(request.path_params["number"])

        def operation(tx: Transaction) -> None:
            attachment.find(tx, caller.user, content_id, attachment_id)
            version.delete_version(tx, caller.user, attachment_id, number or 0)

        return await self._done(operation)

    async def remove_named(self, request: Request, caller: Caller) -> Response:
        """The older address: an attachment of a page by its name, or one of its old versions."""
        refuse_cross_site(request)
        query = request.query_params
        content_id = content_number(query.get("pageId", ""))
        if content_id is None:
            raise BadParameter("The parameter pageId must be the number of a page.")
        name, number = query.get("fileName") or query.get("filename") or "", version_number(query.get("version", ""))

        def operation(tx: Transaction) -> None:
            found = attachment.find_named(tx, caller.user, content_id, name, None)
            if number is None or number == found.version.number:
                attachment.remove(tx, caller.user, content_id, found.id)
            else:
                version.delete_version(tx, caller.user, found.id, number)

        return await self._done(operation)

    async def _done(self, operation: Callable[[Transaction], None]) -> Response:
        await self.api.environment.database.write(operation)
        return Response(status_code=204)


async def replace_file(
    api: Api, request: Request, caller: Caller, content_id: int | None, attachment_id: int
) -> Response:
    """Another file for an attachment of that content, or of any: the answer that is its next version."""
    expansion = _WRITTEN | expansion_of(request)
    database, user = api.environment.database, caller.user
    refuse_cross_site(request)
    await database.read(lambda tx: attachment.check_may_change(tx, user, content_id, attachment_id))
    async with reading(request, api.environment.blobs, api.environment.settings.upload_limit) as sent:
        if len(sent.files) != 1:
            raise BadBody("The form must bring one file: a part named 'file'.")
        (upload,) = await sent.keep()
        now = api.environment.clock.now()
        changed = await database.write(
            lambda tx: attachment.replace_file(tx, user, content_id, attachment_id, upload, now, expansion)
        )
    return await api.content(changed, expansion)


def _path(content_id: int) -> str:
    return content_path(content_id) + "/child/attachment"


def _attachment_id(request: Request) -> int:
    text = request.path_params["attachment_id"]
    number = content_number(text)
    if number is None:
        raise ContentNotFound(text)
    return number
