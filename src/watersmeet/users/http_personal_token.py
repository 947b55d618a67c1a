"""Personal access tokens over HTTP, where Confluence Data Center has them: a user's own, made, listed and revoked.

Whoever proves to be the user may: by the password (HTTP Basic, counted like signing in) or by another of the user's
tokens. An application's access token may not, whatever its scope: what it made would outlive its removal. The browser's
session may not either; people have a page for it, which asks for the password.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.confluence.errors import BadBody, Forbidden, NotFound
from watersmeet.confluence.scopes import Scope
from watersmeet.database import personal_tokens
from watersmeet.database.audit import Event
from watersmeet.database.users import User
from watersmeet.oauth2.errors import TokenMissing
from watersmeet.users.http_password import verify_typed
from watersmeet.users.personal_token import UnacceptableToken, Wanted, create_token, revoke_token, token_as_json
from watersmeet.users.signin import NoLongerProven
from watersmeet.web.bearer import authenticate
from watersmeet.web.environment import Environment
from watersmeet.web.forms import content_type, read_body
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log
from watersmeet.web.nul import refuse_nul
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

TOKENS_PATH = "/rest/pat/latest/tokens"

_NOT_STORED = {"cache-control": "no-store"}
_MAX_BODY = 4096
_MAX_DIGITS = 18  # no row has a longer number

# Told to programs only.
_OF_AN_APPLICATION = "An application's access token cannot manage personal access tokens."
_NO_SUCH_TOKEN = "You have no personal access token of this number."  # noqa: S105 - a sentence
_NO_JSON = "Send JSON, with Content-Type: application/json."


class _Sent(msgspec.Struct, rename="camel"):
    name: str
    expiration_duration: int | None = None  # days
    scope: str = Scope.SYSTEM_ADMIN  # ours


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who asks, and by which of their tokens; ``None``: by the password."""

    user: User
    token: int | None


def routes(environment: Environment) -> list[Route]:
    """The routes of personal access tokens."""
    mine = _PersonalTokens(environment)
    return [
        Route(TOKENS_PATH, mine.list, methods=["GET"]),
        Route(TOKENS_PATH, mine.create, methods=["POST"]),
        Route(TOKENS_PATH + "/{token_id}", mine.revoke, methods=["DELETE"]),
    ]


@dataclass(frozen=True)
class _PersonalTokens:
    environment: Environment

    async def list(self, request: Request) -> Response:
        owner, now = await self._owner(request, Scope.READ), self.environment.clock.now()
        found = await self.environment.database.read(lambda tx: personal_tokens.list_of(tx, owner.user.id, now))
        return JsonResponse([token_as_json(token, owner.user) for token in found], headers=_NOT_STORED)

    async def create(self, request: Request) -> Response:
        environment, owner = self.environment, await self._owner(request, Scope.WRITE)
        sent, settings = await _read(request), environment.settings
        days = settings.usual_token_days if sent.expiration_duration is None else sent.expiration_duration
        now, origin = environment.clock.now(), origin_of(request, owner.user.username)
        try:
            wanted = Wanted.check(
                name=sent.name.strip(), scope=sent.scope, days=days, longest=settings.personal_token_max_days
            )
            new = await environment.database.write(
                lambda tx: create_token(
                    tx,
                    owner.user,
                    wanted,
                    maker=owner.token,
                    now=now,
                    keys=environment.keys,
                    entropy=environment.entropy,
                    origin=origin,
                )
            )
        except UnacceptableToken as problem:
            raise BadBody(problem.description) from problem
        except NoLongerProven as problem:
            raise _refused() from problem
        log.info("personal access token created", user=owner.user.username, token=new.token.id)
        return JsonResponse(token_as_json(new.token, owner.user) | {"rawToken": new.raw}, 201, _NOT_STORED)

    async def revoke(self, request: Request) -> Response:
        owner, number = await self._owner(request, Scope.WRITE), request.path_params["token_id"]
        now, origin = self.environment.clock.now(), origin_of(request, owner.user.username)
        if not is_number(number) or not await self.environment.database.write(
            lambda tx: revoke_token(tx, owner.user, int(number), now, origin)
        ):
            raise NotFound(_NO_SUCH_TOKEN)
        log.info("personal access token revoked", user=owner.user.username, token=number)
        return Response(status_code=204)

    async def _owner(self, request: Request, needed: Scope) -> _Owner:
        """Who asks. Raises ``BearerRefused``, ``Forbidden`` or ``Throttled``; a token needs the scope ``needed``."""
        refuse_nul(request)
        headers = request.headers.getlist("authorization")
        if len(headers) == 1 and headers[0].partition(" ")[0].lower() == "basic":
            return _Owner(await self._by_password(request, headers[0]), None)
        caller = await authenticate(self.environment.verify_token, request, needed)
        if caller.personal_token is None:
            raise Forbidden(_OF_AN_APPLICATION)
        return _Owner(caller.user, caller.personal_token)

    async def _by_password(self, request: Request, header: str) -> User:
        try:
            sent = base64.b64decode(header.partition(" ")[2].strip(), validate=True).decode()
        except ValueError as error:
            raise _refused() from error
        username, colon, typed = sent.partition(":")
        if not colon or "\0" in sent:
            raise _refused()
        verified = await verify_typed(self.environment, request, username, typed, failure=Event.SIGN_IN_FAILED)
        if verified is None:
            raise _refused()
        await self.environment.database.write(verified.reservation.take_back)
        return verified.user


def _refused() -> TokenMissing:
    # Challenged for a token, not for a password: browsers would ask for one, keep it, and send it along unasked.
    return TokenMissing("The user name or the password is wrong.")


def is_number(text: str) -> bool:
    """Whether a text may be the number of a row."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


async def _read(request: Request) -> _Sent:
    # A page of another site can post a form; JSON only after a preflight, which nobody is granted here.
    if content_type(request) != "application/json":
        raise BadBody(_NO_JSON)
    try:
        return msgspec.json.decode(await read_body(request, _MAX_BODY), type=_Sent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadBody(f"The body of the request could not be read: {error}") from error
