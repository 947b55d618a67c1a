"""The HTTP side of people: who the caller is and what they say of themselves, and who others are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.content import Person
from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.representation_person import anonymous_json, person_json
from watersmeet.confluence.scopes import Scope
from watersmeet.content.body import decode
from watersmeet.content.body_user import NewPassword, Profile
from watersmeet.content.http.api import Api, read_body, window_of
from watersmeet.content.person import find_person, list_users
from watersmeet.database.users import User
from watersmeet.users import password
from watersmeet.users.http_password import prove_again
from watersmeet.users.password import UnacceptablePassword
from watersmeet.users.signin import NoLongerProven, UnacceptableUser, change_own_password, edit_profile
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

_USER = "/rest/api/user"
_LIMIT = 200
_UNPROVEN = "The present password is missing or wrong. Nothing was changed."


def routes(api: Api) -> list[Route]:
    """The routes of people."""
    users = _Users(api)
    return [
        api.route(_USER, GET=(Scope.READ, users.show_user)),
        api.route(
            _USER + "/current",
            GET=(Scope.READ, users.show_current_user),
            PUT=(Scope.WRITE, users.change_current_user),
        ),
        api.route(_USER + "/current/password", POST=(Scope.WRITE, users.change_password)),
        api.route(_USER + "/anonymous", GET=(Scope.READ, users.show_anonymous)),
        api.route(_USER + "/list", GET=(Scope.READ, users.list_users)),
        api.route("/rest/api/admin/users/list/active", GET=(Scope.ADMIN, users.list_users)),
    ]


@dataclass(frozen=True, slots=True)
class _Users:
    """The handlers."""

    api: Api

    async def show_user(self, request: Request, caller: Caller) -> Response:
        key, username = request.query_params.get("key"), request.query_params.get("username")
        found = await self.api.environment.database.read(
            lambda tx: find_person(tx, caller.user, key=key, username=username)
        )
        return self._person(found)

    async def list_users(self, request: Request, caller: Caller) -> Response:
        window = window_of(request, default_limit=_LIMIT)
        part = await self.api.environment.database.read(lambda tx: list_users(tx, caller.user, window))
        path = request.url.path.removeprefix(self.api.site.context_path)
        return self.api.listed(request, path, part, [person_json(each, self.api.site) for each in part.items])

    async def show_current_user(self, request: Request, caller: Caller) -> Response:
        return await self.show_anonymous(request, caller) if caller.user.is_anonymous else self._person(caller.user)

    async def show_anonymous(self, _request: Request, _caller: Caller) -> Response:
        return JsonResponse(anonymous_json(self.api.site))

    async def change_current_user(self, request: Request, caller: Caller) -> Response:
        sent, user = decode(await read_body(request), Profile), caller.user
        display_name = user.display_name if sent.fullName is None else sent.fullName.strip()
        email = user.email if sent.email is None else sent.email.strip()
        # Whoever can read somebody's mail can become them: a token alone does not redirect it.
        if email != user.email:
            await self._proven(request, user, sent.currentPassword)
        now, origin = self.api.environment.clock.now(), origin_of(request, user.username)
        try:
            await self.api.environment.database.write(
                lambda tx: edit_profile(tx, user, display_name=display_name, email=email, now=now, origin=origin)
            )
        except UnacceptableUser as problem:
            raise BadBody(problem.description) from problem
        return Response(status_code=204)

    async def change_password(self, request: Request, caller: Caller) -> Response:
        sent, user, environment = decode(await read_body(request), NewPassword), caller.user, self.api.environment
        proven = await self._proven(request, user, sent.oldPassword)
        try:
            password_hash = await password.in_a_thread(partial(password.hash_password, sent.newPassword))
        except UnacceptablePassword as problem:
            raise BadBody(problem.description) from problem
        now, origin = environment.clock.now(), origin_of(request, user.username)
        try:
            await environment.database.write(
                lambda tx: change_own_password(tx, None, proven, password_hash, now, origin)
            )
        except NoLongerProven as problem:
            raise BadBody(_UNPROVEN) from problem
        log.info("password changed", user=user.username)
        return Response(status_code=204)

    async def _proven(self, request: Request, user: User, typed: str | None) -> User:
        proven = await prove_again(self.api.environment, request, user, typed) if typed else None
        if not proven:
            raise BadBody(_UNPROVEN)
        return proven

    def _person(self, user: User) -> Response:
        person = Person(user.username, user.user_key, user.display_name)
        return JsonResponse(person_json(person, self.api.site, outermost=True))
