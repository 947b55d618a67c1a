"""The HTTP side of people: who the caller is."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Person
from watersmeet.confluence.representation_person import person_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content.http.api import Api
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.route import Route


def routes(api: Api) -> list[Route]:
    """The routes of people."""
    return [api.route("/rest/api/user/current", GET=(Scope.READ, _Users(api).show_current_user))]


@dataclass(frozen=True, slots=True)
class _Users:
    """The handlers."""

    api: Api

    async def show_current_user(self, _: Request, caller: Caller) -> Response:
        user = caller.user
        person = Person(user.username, user.user_key, user.display_name)
        return JsonResponse(person_json(person, self.api.site, outermost=True))
