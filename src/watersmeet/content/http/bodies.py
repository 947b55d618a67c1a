"""The HTTP side of bodies: converting them, and the macros in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import BadBody, ContentNotFound
from watersmeet.confluence.scopes import Scope
from watersmeet.content.body import BodyValue, content_number, decode, version_number
from watersmeet.content.convert import Conversion, convert, read_storage
from watersmeet.content.http.api import CONTENT, Api, content_id_of, read_body
from watersmeet.content.http.rendering import in_a_thread, limiter
from watersmeet.content.macro import MacroInstance, find_by_hash, find_by_id
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_VERSION = CONTENT + "/{content_id}/history/{number}"


def routes(api: Api) -> list[Route]:
    """The routes of bodies."""
    bodies = _Bodies(api)
    return [
        api.route("/rest/api/contentbody/convert/{to}", POST=(Scope.READ, bodies.convert)),
        api.route(_VERSION + "/macro/id/{macro}", GET=(Scope.READ, bodies.show_macro)),
        api.route(_VERSION + "/macro/hash/{macro}", GET=(Scope.READ, bodies.show_macro_by_hash)),
    ]


@dataclass(frozen=True, slots=True)
class _Bodies:
    """The handlers."""

    api: Api

    async def convert(self, request: Request, caller: Caller) -> Response:
        wanted = _conversion(request, decode(await read_body(request), BodyValue))
        # The longest takes a second, which others need not wait for.
        storage = await in_a_thread(lambda: read_storage(wanted.value, wanted.representation))
        async with limiter():
            value = await self.api.environment.database.read_at_length(
                lambda tx: convert(tx, caller.user, storage, wanted, self.api.site)
            )
        expandable = {"content": "", "webresource": ""}
        return JsonResponse({"value": value, "representation": wanted.into, "_expandable": expandable})

    async def show_macro(self, request: Request, caller: Caller) -> Response:
        return await self._macro(request, caller, find_by_id)

    async def show_macro_by_hash(self, request: Request, caller: Caller) -> Response:
        return await self._macro(request, caller, find_by_hash)

    async def _macro(
        self, request: Request, caller: Caller, find: Callable[[Transaction, User, int, int, str], MacroInstance]
    ) -> Response:
        content_id, macro = content_id_of(request), request.path_params["macro"]
        number = version_number(request.path_params["number"])
        if number is None:
            raise ContentNotFound(content_id)
        found = await self.api.environment.database.read(lambda tx: find(tx, caller.user, content_id, number, macro))
        parameters = {name: {"value": value} for name, value in found.parameters.items()}
        return JsonResponse({"name": found.name, "body": found.body, "parameters": parameters})


def _conversion(request: Request, sent: BodyValue) -> Conversion:
    if sent.value is None or not sent.representation:
        raise BadBody("The body must carry the 'value' to convert and its 'representation'.")
    query = request.query_params
    named = query.get("contentIdContext")
    content_id = content_number(named) if named else None
    if named and content_id is None:
        raise ContentNotFound(named)
    return Conversion(
        sent.value, sent.representation, request.path_params["to"], content_id, query.get("spaceKeyContext")
    )
