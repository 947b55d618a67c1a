"""The HTTP side of labels: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.metadata import Label
from watersmeet.confluence.page import Slice, Window
from watersmeet.confluence.representation_metadata import LABELS_SHOWN, label_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import content_path
from watersmeet.content import label
from watersmeet.content.body import sent_words
from watersmeet.content.http.api import CONTENT, Api, content_id_of, read_body, values_of, window_of
from watersmeet.content.label import Word
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.route import Route

_PATH = CONTENT + "/{content_id}/label"


def routes(api: Api) -> list[Route]:
    """The routes of labels of a content."""
    labels = _Labels(api)
    return [
        api.route(
            _PATH,
            GET=(Scope.READ, labels.list_labels),
            POST=(Scope.WRITE, labels.add_labels),
            DELETE=(Scope.WRITE, labels.remove_label),
        ),
        api.route(_PATH + "/{label}", DELETE=(Scope.WRITE, labels.remove_label)),
    ]


@dataclass(frozen=True, slots=True)
class _Labels:
    """The handlers."""

    api: Api

    async def list_labels(self, request: Request, caller: Caller) -> Response:
        content_id, window = content_id_of(request), window_of(request, default_limit=LABELS_SHOWN)
        prefixes = values_of(request, "prefix")
        part = await self.api.environment.database.read(
            lambda tx: label.list_labels(tx, caller.user, content_id, prefixes, window)
        )
        return self._page(request, content_id, part)

    async def add_labels(self, request: Request, caller: Caller) -> Response:
        content_id, now = content_id_of(request), self.api.environment.clock.now()
        words = sent_words(await read_body(request))

        def operation(tx: Transaction) -> Slice[Label]:
            label.add_labels(tx, caller.user, content_id, words, now)
            return label.list_labels(tx, caller.user, content_id, (), Window(0, LABELS_SHOWN))

        return self._page(request, content_id, await self.api.environment.database.write(operation))

    async def remove_label(self, request: Request, caller: Caller) -> Response:
        content_id = content_id_of(request)
        name = request.path_params.get("label") or request.query_params.get("name")
        if not name:
            raise BadBody("Say which label: label/NAME, or label?name=NAME.")
        word, now = Word.of(name), self.api.environment.clock.now()
        await self.api.environment.database.write(lambda tx: label.remove_label(tx, caller.user, content_id, word, now))
        return Response(status_code=204)

    def _page(self, request: Request, content_id: int, part: Slice[Label]) -> Response:
        results = [label_json(each) for each in part.items]
        return self.api.listed(request, content_path(content_id) + "/label", part, results)
