"""The HTTP side of inline comments: resolving and reopening them, at the address of their own that clients know."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content, Resolution
from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.representation_comment import inline_comment_json
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.storage_format import render
from watersmeet.content import inline
from watersmeet.content.body import SentInlineComment, content_number, decode
from watersmeet.content.comment import create_comment
from watersmeet.content.http.api import Api, content_id_of, read_body, window_of
from watersmeet.content.http.rendering import built
from watersmeet.content.known import place_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_SHOWN = Expansion.parse(["body.view"])
_MOST = 1000
_WORDS = {"true": True, "false": False}


def routes(api: Api) -> list[Route]:
    """The routes of inline comments."""
    handlers = _InlineComments(api)
    found = []
    for version in ("1.0", "latest"):
        path = f"/rest/inlinecomments/{version}/comments"
        resolve = (Scope.WRITE, handlers.resolve)
        found += [
            api.route(path, GET=(Scope.READ, handlers.list_comments), POST=(Scope.WRITE, handlers.add_comment)),
            api.route(path + "/{content_id}/resolve/{resolved}/dangling/{dangling}", POST=resolve, PUT=resolve),
        ]
    return found


@dataclass(frozen=True, slots=True)
class _InlineComments:
    """The handlers."""

    api: Api

    async def list_comments(self, request: Request, caller: Caller) -> Response:
        page_id = content_number(request.query_params.get("containerId", ""))
        if page_id is None:
            raise BadParameter("The parameter containerId must be the number of a page.")
        window = window_of(request, default_limit=_MOST)
        part = await self.api.environment.database.read(lambda tx: inline.list_inline(tx, caller.user, page_id, window))
        return await built(lambda: JsonResponse([self._json(comment) for comment in part.items]), part.items)

    async def add_comment(self, request: Request, caller: Caller) -> Response:
        draft, now = decode(await read_body(request), SentInlineComment).comment(), self.api.environment.clock.now()
        entropy = self.api.environment.entropy
        made = await self.api.environment.database.write(
            lambda tx: create_comment(tx, caller.user, draft, now, entropy, _SHOWN)
        )
        return await built(lambda: JsonResponse(self._json(made)), [made])

    async def resolve(self, request: Request, caller: Caller) -> Response:
        content_id, now = content_id_of(request), self.api.environment.clock.now()
        into = Resolution.REOPENED
        if _flag(request, "resolved"):
            into = Resolution.DANGLING if _flag(request, "dangling") else Resolution.RESOLVED
        comment = await self.api.environment.database.write(
            lambda tx: inline.resolve(tx, caller.user, content_id, into, now)
        )
        return await built(lambda: JsonResponse(self._json(comment)), [comment])

    def _json(self, comment: Content) -> Json:
        site, place = self.api.site, place_of(comment)
        shown = render(comment.storage or "", "view", comment.named, site.base_url, place, site.context_path)
        return inline_comment_json(comment, shown)


def _flag(request: Request, name: str) -> bool:
    text = request.path_params[name]
    if text not in _WORDS:
        raise BadParameter(f"What stands after {name} in the path is 'true' or 'false', not {text!r}.")
    return _WORDS[text]
