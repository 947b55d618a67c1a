"""The HTTP side of templates, at the paths where clients look for them. No plug-ins, so no blueprints."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import TemplateNotFound
from watersmeet.confluence.expansion import NOTHING, WRITTEN_CONTENT, Expansion
from watersmeet.confluence.page import Slice
from watersmeet.confluence.representation_template import TEMPLATE, template_json
from watersmeet.confluence.scopes import Scope
from watersmeet.confluence.template import Template
from watersmeet.content import space, template
from watersmeet.content.body import content_number, decode
from watersmeet.content.body_template import SentInstance, SentTemplate
from watersmeet.content.http.api import Api, expansion_of, read_body, window_of
from watersmeet.database.transaction import Transaction
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route

_WHOLE = Expansion.parse(["body,space"])


def routes(api: Api) -> list[Route]:
    """The routes of templates: at the path of the original and at that of its newer clients."""
    templates = _Templates(api)
    write = {"POST": (Scope.WRITE, templates.create), "PUT": (Scope.WRITE, templates.change)}
    found = []
    for path in (TEMPLATE, "/rest/api/template"):
        found += [
            api.route(path, **write),
            api.route(path + "/page", GET=(Scope.READ, templates.list_pages)),
            api.route(path + "/blueprint", GET=(Scope.READ, templates.list_blueprints)),
            api.route(
                path + "/{template_id}",
                GET=(Scope.READ, templates.show),
                DELETE=(Scope.WRITE, templates.remove),
            ),
            api.route(path + "/{template_id}/instance", POST=(Scope.WRITE, templates.make_page)),
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Templates:
    """The handlers."""

    api: Api

    async def list_pages(self, request: Request, caller: Caller) -> Response:
        key, window = request.query_params.get("spaceKey"), window_of(request)
        part = await self.api.environment.database.read(
            lambda tx: template.list_templates(tx, caller.user, key, window)
        )
        return self._listed(request, part)

    async def list_blueprints(self, request: Request, caller: Caller) -> Response:
        key, window = request.query_params.get("spaceKey"), window_of(request)

        def operation(tx: Transaction) -> Slice[Template]:
            if key:
                space.find(tx, caller.user, key, NOTHING)
            return Slice((), window, more=False)

        return self._listed(request, await self.api.environment.database.read(operation))

    async def show(self, request: Request, caller: Caller) -> Response:
        number, expansion = _number(request), _WHOLE | expansion_of(request)
        found = await self.api.environment.database.read(lambda tx: template.find_template(tx, caller.user, number))
        return self._one(found, expansion)

    async def create(self, request: Request, caller: Caller) -> Response:
        draft, now = decode(await read_body(request), SentTemplate).draft(), self.api.environment.clock.now()
        made = await self.api.environment.database.write(
            lambda tx: template.create_template(tx, caller.user, draft, now)
        )
        return self._one(made, _WHOLE)

    async def change(self, request: Request, caller: Caller) -> Response:
        sent, now = decode(await read_body(request), SentTemplate), self.api.environment.clock.now()
        number, into = sent.number(), sent.draft()
        changed = await self.api.environment.database.write(
            lambda tx: template.change_template(tx, caller.user, number, into, now)
        )
        return self._one(changed, _WHOLE)

    async def remove(self, request: Request, caller: Caller) -> Response:
        number = _number(request)
        await self.api.environment.database.write(lambda tx: template.remove_template(tx, caller.user, number))
        return Response(status_code=204)

    async def make_page(self, request: Request, caller: Caller) -> Response:
        number, instance = _number(request), decode(await read_body(request), SentInstance).instance()
        expansion, now = WRITTEN_CONTENT | expansion_of(request), self.api.environment.clock.now()
        page = await self.api.environment.database.write(
            lambda tx: template.make_page(tx, caller.user, number, instance, now, expansion)
        )
        return await self.api.content(page, expansion)

    def _one(self, found: Template, expansion: Expansion) -> Response:
        return JsonResponse(template_json(found, expansion, self.api.site, outermost=True))

    def _listed(self, request: Request, part: Slice[Template]) -> Response:
        expansion = expansion_of(request)
        results = [template_json(each, expansion, self.api.site) for each in part.items]
        path = request.url.path.removeprefix(self.api.site.context_path)
        return self.api.listed(request, path, part, results)


def _number(request: Request) -> int:
    text = request.path_params["template_id"]
    number = content_number(text)
    if number is None:
        raise TemplateNotFound(text)
    return number
