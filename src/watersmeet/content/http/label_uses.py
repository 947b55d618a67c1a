"""The HTTP side of labels in use, in a space or anywhere: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.representation_metadata import LABELS_SHOWN, label_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content import label_use
from watersmeet.content.http.api import SPACE, Api, window_of
from watersmeet.database.labels import LabelOrder
from watersmeet.web.bearer import Caller
from watersmeet.web.route import Route

_ANYWHERE = "/rest/api/label"
_IN_SPACE = SPACE + "/{key}/labels"


def routes(api: Api) -> list[Route]:
    """The routes of labels in use."""
    handlers = _LabelUses(api)
    read = Scope.READ
    return [
        api.route(_ANYWHERE + "/labels", GET=(read, handlers.by_name)),
        api.route(_ANYWHERE + "/popular", GET=(read, handlers.popular)),
        api.route(_ANYWHERE + "/recent", GET=(read, handlers.recent)),
        api.route(_ANYWHERE + "/{label}/related", GET=(read, handlers.popular)),
        api.route(_IN_SPACE, GET=(read, handlers.by_name)),
        api.route(_IN_SPACE + "/popular", GET=(read, handlers.popular)),
        api.route(_IN_SPACE + "/recent", GET=(read, handlers.recent)),
        api.route(_IN_SPACE + "/{label}/related", GET=(read, handlers.popular)),
    ]


@dataclass(frozen=True, slots=True)
class _LabelUses:
    """The handlers."""

    api: Api

    async def by_name(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, LabelOrder.NAME)

    async def popular(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, LabelOrder.POPULAR)

    async def recent(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, LabelOrder.RECENT)

    async def _list(self, request: Request, caller: Caller, order: LabelOrder) -> Response:
        window, query, path = window_of(request, default_limit=LABELS_SHOWN), request.query_params, request.path_params
        part = await self.api.read_at_length(
            lambda tx: label_use.list_used(
                tx,
                caller.user,
                window,
                order,
                key=path.get("key") or query.get("spaceKey"),
                name=query.get("labelName"),
                prefix=query.get("namespace") or query.get("prefix"),
                beside=path.get("label"),
            )
        )
        where = request.url.path.removeprefix(self.api.site.context_path)
        return self.api.listed(request, where, part, [label_json(each) for each in part.items])
