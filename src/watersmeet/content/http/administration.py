"""The HTTP side of administering users: parse the request, call one operation, render its value.

Their scope is ADMIN, which only administrators hold: nobody else learns here which users there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from watersmeet.clock import Instant
from watersmeet.confluence.errors import BadBody
from watersmeet.confluence.representation import space_json
from watersmeet.confluence.representation_long_task import submitted_json
from watersmeet.confluence.scopes import Role, Scope
from watersmeet.content import space, user_deletion
from watersmeet.content.body import NewSpace, decode
from watersmeet.content.body_user import GivenPassword, NewUser, UserDetails
from watersmeet.content.http.api import Api, expansion_of, read_body
from watersmeet.content.http.spaces import CREATED
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.errors import WatersmeetError
from watersmeet.users import password
from watersmeet.users.administration import claim_subordinate
from watersmeet.users.password import UnacceptablePassword
from watersmeet.users.signin import (
    UnacceptableDisplayName,
    UnacceptableEmail,
    UnacceptableUsername,
    add_user,
    change_password,
    disable_user,
    edit_profile,
    enable_user,
)
from watersmeet.web.bearer import Caller
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

_USER = "/rest/api/admin/user"
_ONE = _USER + "/{username}"
_FIELDS: dict[type[WatersmeetError], str] = {
    UnacceptableUsername: "userName",
    UnacceptableDisplayName: "fullName",
    UnacceptableEmail: "email",
    UnacceptablePassword: "password",
}

T = TypeVar("T")


def routes(api: Api) -> list[Route]:
    """The routes of administering users."""
    handlers = _Administration(api)
    return [
        api.route(_USER, POST=(Scope.ADMIN, handlers.add)),
        api.route(_ONE, PUT=(Scope.ADMIN, handlers.change), DELETE=(Scope.ADMIN, handlers.delete)),
        api.route(_ONE + "/disable", PUT=(Scope.ADMIN, handlers.disable)),
        api.route(_ONE + "/enable", PUT=(Scope.ADMIN, handlers.enable)),
        api.route(_ONE + "/password", POST=(Scope.ADMIN, handlers.set_password)),
        api.route("/rest/api/admin/space/personal/{username}", POST=(Scope.ADMIN, handlers.create_personal_space)),
    ]


@dataclass(frozen=True, slots=True)
class _Administration:
    """The handlers."""

    api: Api

    async def add(self, request: Request, caller: Caller) -> Response:
        sent, environment = decode(await read_body(request), NewUser), self.api.environment
        now, origin = environment.clock.now(), origin_of(request, caller.user.username)
        with _naming_the_field():
            hashed = await password.in_a_thread(partial(password.hash_password, sent.password))
            user = await environment.database.write(
                lambda tx: add_user(
                    tx,
                    username=sent.userName.strip(),
                    display_name=sent.fullName.strip(),
                    email=sent.email.strip(),
                    role=Role.USER,
                    password_hash=hashed,
                    now=now,
                    entropy=environment.entropy,
                    origin=origin,
                )
            )
        log.info("user added", user=user.username, by=caller.user.username)
        return JsonResponse({"userKey": user.user_key}, 201)

    async def change(self, request: Request, caller: Caller) -> Response:
        sent = decode(await read_body(request), UserDetails)

        def act(tx: Transaction, target: User, now: Instant, origin: Origin) -> None:
            display_name = target.display_name if sent.fullName is None else sent.fullName.strip()
            email = target.email if sent.email is None else sent.email.strip()
            edit_profile(tx, target, display_name=display_name, email=email, now=now, origin=origin)

        with _naming_the_field():
            await self._on(request, caller, act)
        return Response(status_code=204)

    async def disable(self, request: Request, caller: Caller) -> Response:
        await self._on(request, caller, lambda tx, target, now, origin: disable_user(tx, target.username, now, origin))
        return Response(status_code=204)

    async def enable(self, request: Request, caller: Caller) -> Response:
        await self._on(request, caller, lambda tx, target, now, origin: enable_user(tx, target.username, now, origin))
        return Response(status_code=204)

    async def set_password(self, request: Request, caller: Caller) -> Response:
        sent = decode(await read_body(request), GivenPassword)
        with _naming_the_field():
            hashed = await password.in_a_thread(partial(password.hash_password, sent.password))
        await self._on(
            request,
            caller,
            lambda tx, target, now, origin: change_password(tx, target.username, hashed, now, origin),
        )
        return Response(status_code=204)

    async def delete(self, request: Request, caller: Caller) -> Response:
        entropy = self.api.environment.entropy
        task = await self._on(
            request,
            caller,
            lambda tx, target, now, origin: user_deletion.begin(tx, caller.user, target.username, now, entropy, origin),
        )
        return JsonResponse(submitted_json(task), 202)

    async def create_personal_space(self, request: Request, _caller: Caller) -> Response:
        body = await read_body(request)
        wanted, now = decode(body, NewSpace) if body else NewSpace(), self.api.environment.clock.now()
        made = await self.api.environment.database.write(
            lambda tx: space.create_personal_of(
                tx,
                request.path_params["username"],
                name=wanted.name.strip(),
                description=wanted.plain_description,
                now=now,
            )
        )
        return JsonResponse(space_json(made, expansion_of(request, CREATED), self.api.site, outermost=True))

    async def _on(self, request: Request, caller: Caller, act: Callable[[Transaction, User, Instant, Origin], T]) -> T:
        """Act on the user that the path names, as far as the caller may."""
        environment, username = self.api.environment, request.path_params["username"]
        now, origin = environment.clock.now(), origin_of(request, caller.user.username)

        def operation(tx: Transaction) -> T:
            return act(tx, claim_subordinate(tx, caller.user, caller.scope, username), now, origin)

        done = await environment.database.write(operation)
        log.info("user administered", user=username, by=caller.user.username)
        return done


@contextmanager
def _naming_the_field() -> Iterator[None]:
    """Say which member of the body is not acceptable, by its name on the wire. Raises ``BadBody``."""
    try:
        yield
    except tuple(_FIELDS) as problem:
        raise BadBody(f"{_FIELDS[type(problem)]}: {problem.description}") from problem
