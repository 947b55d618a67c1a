"""The HTTP side of spaces: parse the request, call one operation, render its value."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import TITLED, Content, ContentType, Space, SpaceStatus, SpaceType
from watersmeet.confluence.errors import BadParameter, NotFound
from watersmeet.confluence.expansion import NOTHING, Expansion
from watersmeet.confluence.page import Slice, list_envelope
from watersmeet.confluence.representation import Json, content_json, space_json
from watersmeet.confluence.representation_long_task import submitted_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.site import space_path
from watersmeet.content import read, space, space_deletion
from watersmeet.content.body import NewSpace, SpaceUpdate, content_number, decode
from watersmeet.content.http.api import SPACE, Api, choices_of, expansion_of, read_body, values_of, window_of
from watersmeet.content.http.rendering import built
from watersmeet.database.content import ContentFilter
from watersmeet.database.spaces import SpaceFilter
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

CREATED = Expansion.parse(["description.plain"])


def routes(api: Api) -> list[Route]:
    """The routes of spaces."""
    spaces = _Spaces(api)
    return [
        api.route(SPACE, GET=(Scope.READ, spaces.list_spaces), POST=(Scope.WRITE, spaces.create_space)),
        api.route(SPACE + "/_private", POST=(Scope.WRITE, spaces.create_space)),
        api.route(SPACE + "/personal", POST=(Scope.WRITE, spaces.create_personal_space)),
        api.route(
            SPACE + "/{key}",
            GET=(Scope.READ, spaces.show_space),
            PUT=(Scope.WRITE, spaces.change_space),
            DELETE=(Scope.WRITE, spaces.delete_space),
        ),
        api.route(SPACE + "/{key}/archive", PUT=(Scope.WRITE, spaces.archive)),
        api.route(SPACE + "/{key}/restore", PUT=(Scope.WRITE, spaces.restore)),
        api.route(SPACE + "/{key}/content", GET=(Scope.READ, spaces.show_content)),
        api.route(SPACE + "/{key}/content/{type}", GET=(Scope.READ, spaces.list_content)),
    ]


@dataclass(frozen=True, slots=True)
class _Spaces:
    """The handlers."""

    api: Api

    async def list_spaces(self, request: Request, caller: Caller) -> Response:
        expansion, window = expansion_of(request), window_of(request)
        query = request.query_params
        wanted = SpaceFilter(
            keys=values_of(request, "spaceKey") + values_of(request, "spaceKeys"),
            # Zero is the number of no space: a name that is no number finds nothing.
            ids=[content_number(text) or 0 for text in values_of(request, "spaceIds")],
            types=choices_of(request, "type", tuple(SpaceType)),
            statuses=choices_of(request, "status", (SpaceStatus.CURRENT, SpaceStatus.ARCHIVED)),
            categories=[label.lower() for label in values_of(request, "label")],
            content_labels=[label.lower() for label in values_of(request, "contentLabel")],
            favourite={"true": True, "false": False}.get(query.get("favourite", "")),
        )
        part = await self.api.environment.database.read(
            lambda tx: space.list_spaces(tx, caller.user, wanted, window, expansion)
        )
        site = self.api.site
        results = await built(lambda: [space_json(item, expansion, site) for item in part.items], (), expansion)
        return self.api.listed(request, SPACE, part, results)

    async def create_space(self, request: Request, caller: Caller) -> Response:
        wanted = decode(await read_body(request), NewSpace)
        expansion, now = expansion_of(request, CREATED), self.api.environment.clock.now()
        created = await self.api.environment.database.write(
            lambda tx: space.create(
                tx,
                caller.user,
                key=wanted.key,
                name=wanted.name.strip(),
                description=wanted.plain_description,
                now=now,
            )
        )
        return await self._one(created, expansion)

    async def show_space(self, request: Request, caller: Caller) -> Response:
        key, expansion = request.path_params["key"], expansion_of(request)
        found = await self.api.environment.database.read(lambda tx: space.find(tx, caller.user, key, expansion))
        return await self._one(found, expansion)

    async def create_personal_space(self, request: Request, caller: Caller) -> Response:
        wanted = decode(await read_body(request), NewSpace)
        expansion, now = expansion_of(request, CREATED), self.api.environment.clock.now()
        created = await self.api.environment.database.write(
            lambda tx: space.create_personal(
                tx, caller.user, name=wanted.name.strip(), description=wanted.plain_description, now=now
            )
        )
        return await self._one(created, expansion)

    async def change_space(self, request: Request, caller: Caller) -> Response:
        key, into = request.path_params["key"], decode(await read_body(request), SpaceUpdate).change()
        expansion, now = expansion_of(request, CREATED), self.api.environment.clock.now()
        changed = await self.api.environment.database.write(
            lambda tx: space.change(tx, caller.user, key, into, now, expansion)
        )
        return await self._one(changed, expansion)

    async def delete_space(self, request: Request, caller: Caller) -> Response:
        key, now, entropy = request.path_params["key"], self.api.environment.clock.now(), self.api.environment.entropy
        origin = origin_of(request, caller.user.username)
        task = await self.api.environment.database.write(
            lambda tx: space_deletion.begin(tx, caller.user, key, now, entropy, origin)
        )
        return JsonResponse(submitted_json(task), 202)

    async def archive(self, request: Request, caller: Caller) -> Response:
        return await self._put_away(request, caller, SpaceStatus.ARCHIVED)

    async def restore(self, request: Request, caller: Caller) -> Response:
        return await self._put_away(request, caller, SpaceStatus.CURRENT)

    async def show_content(self, request: Request, caller: Caller) -> Response:
        parts = {name: await self._contents(request, caller, name) for name in TITLED}
        return JsonResponse({**parts, "_links": self.api.site.outermost})

    async def list_content(self, request: Request, caller: Caller) -> Response:
        content_type = request.path_params["type"]
        if content_type not in list(ContentType) and ":" not in content_type:
            raise NotFound(f"There is no type of content {content_type!r}.")
        return JsonResponse(await self._contents(request, caller, content_type))

    async def _one(self, found: Space, expansion: Expansion) -> Response:
        site = self.api.site
        return await built(lambda: JsonResponse(space_json(found, expansion, site, outermost=True)), (), expansion)

    async def _contents(self, request: Request, caller: Caller, content_type: str) -> Json:
        key, expansion, window = request.path_params["key"], expansion_of(request), window_of(request)
        depth = request.query_params.get("depth", "all")
        if depth not in ("all", "root"):
            raise BadParameter("The parameter depth must be 'all' (the default) or 'root'.")

        def operation(tx: Transaction) -> Slice[Content]:
            wanted = ContentFilter(
                types=[content_type],
                statuses=read.CURRENT,
                space_id=space.find(tx, caller.user, key, NOTHING).id,
                is_reply=False if depth == "root" else None,
            )
            return read.load(tx, caller.user, wanted, window, expansion)

        part = await self.api.read(operation, expansion, window)
        site = self.api.site
        results = await built(
            lambda: [content_json(item, expansion, site) for item in part.items], part.items, expansion
        )
        path = f"{space_path(key)}/content/{content_type}"
        return list_envelope(results, part, self.api.site, path, request.query_params.multi_items())

    async def _put_away(self, request: Request, caller: Caller, status: SpaceStatus) -> Response:
        key, now = request.path_params["key"], self.api.environment.clock.now()
        await self.api.environment.database.write(lambda tx: space.put_away(tx, caller.user, key, status, now))
        return Response(status_code=204)
