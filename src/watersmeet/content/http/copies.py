"""The HTTP side of copying pages and trees. Both are done when they are answered."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content
from watersmeet.confluence.expansion import WRITTEN_CONTENT
from watersmeet.confluence.long_task import LongTask
from watersmeet.confluence.representation_long_task import submitted_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import copy
from watersmeet.content.body import decode
from watersmeet.content.body_copy import PageCopy, TreeCopy
from watersmeet.content.copy_onto import copy_onto
from watersmeet.content.http.api import CONTENT, Api, content_id_of, expansion_of, read_body
from watersmeet.content.http.sent_body import kept
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of copying."""
    copies = _Copies(api)
    one = CONTENT + "/{content_id}"
    return [
        api.route(one + "/copy", POST=(Scope.WRITE, copies.copy_page)),
        api.route(one + "/pagehierarchy/copy", POST=(Scope.WRITE, copies.copy_tree)),
    ]


@dataclass(frozen=True, slots=True)
class _Copies:
    """The handlers."""

    api: Api

    async def copy_page(self, request: Request, caller: Caller) -> Response:
        content_id, sent = content_id_of(request), decode(await read_body(request), PageCopy)
        sent.body = await kept(sent.body)
        to, along, storage = sent.to(), sent.along(), sent.storage()
        expansion, now = WRITTEN_CONTENT | expansion_of(request), self.api.environment.clock.now()
        origin = origin_of(request, caller.user.username)

        def operation(tx: Transaction) -> Content:
            given = {"title": sent.pageTitle, "storage": storage}
            if to.page_id is not None:
                return copy_onto(
                    tx, caller.user, content_id, to.page_id, along, now, origin, **given, expansion=expansion
                )
            return copy.copy_page(tx, caller.user, content_id, to, along, now, origin, **given, expansion=expansion)

        return await self.api.content(await self.api.environment.database.write(operation), expansion)

    async def copy_tree(self, request: Request, caller: Caller) -> Response:
        content_id, sent = content_id_of(request), decode(await read_body(request), TreeCopy)
        parent_id, titles, along = sent.parent_id(), sent.titles(), sent.along()
        origin = origin_of(request, caller.user.username)
        now, entropy = self.api.environment.clock.now(), self.api.environment.entropy

        def operation(tx: Transaction) -> LongTask:
            return copy.copy_tree(
                tx,
                caller.user,
                content_id,
                parent_id,
                titles,
                along,
                now,
                origin,
                entropy,
                descendants=sent.copyDescendants,
            )

        return JsonResponse(submitted_json(await self.api.environment.database.write(operation)), 202)
