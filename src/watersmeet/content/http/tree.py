"""The HTTP side of the tree: children, descendants, and moving a page the two ways that clients do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Content, ContentType
from watersmeet.confluence.errors import BadParameter
from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.representation import Json, content_json
from watersmeet.confluence.representation_tree import relatives_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import content_path
from watersmeet.content import read, tree
from watersmeet.content.body import content_number
from watersmeet.content.http.api import (
    CONTENT,
    Api,
    check_type,
    choices_of,
    content_id_of,
    expansion_of,
    refuse_cross_site,
    window_of,
)
from watersmeet.content.http.rendering import built
from watersmeet.content.tree import Place
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

# The words of the newer path, and those of the older address.
_PLACES = {
    "append": Place.APPEND,
    "before": Place.ABOVE,
    "after": Place.BELOW,
    "above": Place.ABOVE,
    "below": Place.BELOW,
}

_LOCATIONS = ("footer", "inline", "resolved")


def routes(api: Api) -> list[Route]:
    """The routes of the tree."""
    handlers = _Tree(api)
    one = CONTENT + "/{content_id}"
    return [
        api.route(one + "/child", GET=(Scope.READ, handlers.show_children)),
        api.route(one + "/child/{type}", GET=(Scope.READ, handlers.list_children)),
        api.route(one + "/descendant", GET=(Scope.READ, handlers.show_descendants)),
        api.route(one + "/descendant/{type}", GET=(Scope.READ, handlers.list_descendants)),
        api.route(one + "/move/{place}/{target_id}", PUT=(Scope.WRITE, handlers.move)),
        api.route("/pages/movepage.action", POST=(Scope.WRITE, handlers.move_page)),
    ]


@dataclass(frozen=True, slots=True)
class _Tree:
    """The handlers."""

    api: Api

    async def show_children(self, request: Request, caller: Caller) -> Response:
        return await self._by_type(request, caller, "child")

    async def show_descendants(self, request: Request, caller: Caller) -> Response:
        return await self._by_type(request, caller, "descendant")

    async def list_children(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, "child", request.path_params["type"])

    async def list_descendants(self, request: Request, caller: Caller) -> Response:
        return await self._list(request, caller, "descendant", request.path_params["type"])

    async def _by_type(self, request: Request, caller: Caller, relation: str) -> Response:
        """The map of types: the lists that were asked for, the addresses of the others (S3.3)."""
        content_id, expansion = content_id_of(request), expansion_of(request)
        part = "children" if relation == "child" else "descendants"
        found = await self.api.read_at_length(
            lambda tx: read.find(tx, caller.user, content_id, read.CURRENT, Expansion({part: expansion.names}))
        )
        lists = found.children if relation == "child" else found.descendants
        path = content_path(content_id) + f"/{relation}"
        site = self.api.site
        shown = await built(lambda: relatives_json(path, lists or {}, self._one, expansion, site), (), expansion)
        shown["_links"] |= self.api.site.outermost
        return JsonResponse(shown)

    def _one(self, item: Content, expansion: Expansion) -> Json:
        return content_json(item, expansion, self.api.site)

    async def _list(self, request: Request, caller: Caller, relation: str, content_type: str) -> Response:
        content_id, expansion, window = content_id_of(request), expansion_of(request), window_of(request)
        replies_too = request.query_params.get("depth") == "all"
        check_type(content_type)
        locations = choices_of(request, "location", _LOCATIONS) if content_type == ContentType.COMMENT else []

        def operation(tx: Transaction) -> Any:
            if relation == "descendant":
                return tree.descendants(tx, caller.user, content_id, content_type, window, expansion)
            return tree.children(
                tx, caller.user, content_id, content_type, window, expansion,
                replies_too=replies_too, locations=locations,
            )  # fmt: skip

        if relation == "descendant":  # the whole tree is walked, however little of it is shown
            part = await self.api.read_at_length(operation)
        else:
            part = await self.api.read(operation, expansion, window)
        path = f"{content_path(content_id)}/{relation}/{content_type}"
        return await self.api.contents(request, path, part, expansion)

    async def move(self, request: Request, caller: Caller) -> Response:
        """The newer way: ``PUT …/move/{append|before|after}/{target}``."""
        content_id = content_id_of(request)
        place, target_id = _place(request.path_params["place"]), content_number(request.path_params["target_id"])
        await self.api.environment.database.write(
            lambda tx: tree.move(tx, caller.user, content_id, place, target_id or 0)
        )
        return JsonResponse({"pageId": str(content_id)})

    async def move_page(self, request: Request, caller: Caller) -> Response:
        """The older way: an address with everything in its query, and a header that no other site can send."""
        refuse_cross_site(request)
        query = request.query_params
        content_id = content_number(query.get("pageId", ""))
        if content_id is None:
            raise BadParameter("The parameter pageId must be the number of a page.")
        place = _place(query.get("position") or "append")

        def operation(tx: Transaction) -> None:
            target_id = content_number(query.get("targetId", ""))
            if target_id is None:
                key, title = query.get("spaceKey", ""), query.get("targetTitle", "")
                target_id = tree.find_titled(tx, caller.user, key, title).id
            tree.move(tx, caller.user, content_id, place, target_id)

        await self.api.environment.database.write(operation)
        return JsonResponse({"page": {"id": str(content_id)}})


def _place(text: str) -> Place:
    place = _PLACES.get(text)
    if place is None:
        raise BadParameter(f"A page is moved to one of {', '.join(_PLACES)}, not {text!r}.")
    return place
