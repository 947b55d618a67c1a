"""The HTTP side of properties of contents and spaces: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.expansion import Expansion
from watersmeet.confluence.metadata import Property
from watersmeet.confluence.representation_metadata import property_json
from watersmeet.confluence.representation_person import Json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import content_path, space_path
from watersmeet.content import property as properties
from watersmeet.content.body import decode
from watersmeet.content.body_metadata import SentProperty, checked_key
from watersmeet.content.http.api import CONTENT, SPACE, Api, content_id_of, expansion_of, read_body, window_of
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_VERSION = Expansion.parse(["version"])


def routes(api: Api) -> list[Route]:
    """The routes of properties, the same for contents and for spaces."""
    handlers = _Properties(api)
    found = []
    for owner in (CONTENT + "/{content_id}", SPACE + "/{key}"):
        path = owner + "/property"
        found += [
            api.route(path, GET=(Scope.READ, handlers.list_properties), POST=(Scope.WRITE, handlers.add_property)),
            api.route(
                path + "/{property}",
                GET=(Scope.READ, handlers.show_property),
                PUT=(Scope.WRITE, handlers.put_property),
                POST=(Scope.WRITE, handlers.add_property),
                DELETE=(Scope.WRITE, handlers.remove_property),
            ),
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Properties:
    """The handlers."""

    api: Api

    async def list_properties(self, request: Request, caller: Caller) -> Response:
        owner, window, expansion = _owner(request), window_of(request), expansion_of(request, _VERSION)
        part = await self.api.environment.database.read(
            lambda tx: properties.list_properties(tx, caller.user, owner, window)
        )
        results = [self._json(owner, each, expansion) for each in part.items]
        return self.api.listed(request, _path(owner) + "/property", part, results)

    async def show_property(self, request: Request, caller: Caller) -> Response:
        owner, key = _owner(request), request.path_params["property"]
        found = await self.api.environment.database.read(
            lambda tx: properties.find_property(tx, caller.user, owner, key)
        )
        return self._one(request, owner, found)

    async def add_property(self, request: Request, caller: Caller) -> Response:
        owner, sent = _owner(request), decode(await read_body(request), SentProperty)
        named = request.path_params.get("property")
        key, value = sent.key_at(named) if named else checked_key(sent.key), sent.text()
        now = self.api.environment.clock.now()
        added = await self.api.environment.database.write(
            lambda tx: properties.add_property(tx, caller.user, owner, key, value, now)
        )
        return self._one(request, owner, added)

    async def put_property(self, request: Request, caller: Caller) -> Response:
        owner, sent = _owner(request), decode(await read_body(request), SentProperty)
        key, value, number = sent.key_at(request.path_params["property"]), sent.text(), sent.number
        now = self.api.environment.clock.now()
        changed = await self.api.environment.database.write(
            lambda tx: properties.put_property(tx, caller.user, owner, key, value, number, now)
        )
        return self._one(request, owner, changed)

    async def remove_property(self, request: Request, caller: Caller) -> Response:
        owner, key = _owner(request), request.path_params["property"]
        await self.api.environment.database.write(lambda tx: properties.remove_property(tx, caller.user, owner, key))
        return Response(status_code=204)

    def _one(self, request: Request, owner: int | str, found: Property) -> Response:
        shown = self._json(owner, found, expansion_of(request, _VERSION))
        shown["_links"] |= self.api.site.outermost
        return JsonResponse(shown)

    def _json(self, owner: int | str, found: Property, expansion: Expansion) -> Json:
        kind = "content" if isinstance(owner, int) else "space"
        return property_json(found, _path(owner), kind, expansion, self.api.site)


def _owner(request: Request) -> int | str:
    """Whose properties: the number of a content or the key of a space. Raises ``ContentNotFound``."""
    return content_id_of(request) if "content_id" in request.path_params else str(request.path_params["key"])


def _path(owner: int | str) -> str:
    return content_path(owner) if isinstance(owner, int) else space_path(owner)
