"""The token endpoint, revocation and introspection over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from watersmeet.clock import SECOND
from watersmeet.confluence import personal_token
from watersmeet.database import clients, personal_tokens, tokens, users
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable, StorageFailed, Throttled
from watersmeet.oauth2.authorization import CodeReplay
from watersmeet.oauth2.client import ClientCredentials
from watersmeet.oauth2.errors import (
    InvalidClient,
    InvalidRequest,
    MissingParameter,
    OAuthError,
    Replayed,
    TokenInvalid,
    UnsupportedGrantType,
    WrongContentType,
    WrongMethod,
)
from watersmeet.oauth2.family import RefreshReplay, RotationPolicy
from watersmeet.oauth2.metadata import require_known_resource
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import CREDENTIAL_PARAMETERS, Legacy
from watersmeet.oauth2.response import IssuedTokens, error_body
from watersmeet.oauth2.vocabulary import ErrorCode, GrantType
from watersmeet.tokens.batch import Asked
from watersmeet.tokens.exchange import ExchangeRequest, exchange_all
from watersmeet.tokens.introspect import INACTIVE, introspect
from watersmeet.tokens.refresh import RefreshRequest, refresh_all
from watersmeet.tokens.revoke import revoke
from watersmeet.tokens.verify import caller_of, caller_of_personal, digest_of_genuine
from watersmeet.web.bearer import Caller, TokenVerifier
from watersmeet.web.cause import note_cause
from watersmeet.web.cookies import Cookie
from watersmeet.web.cors import CrossOrigin
from watersmeet.web.deprecation import note_legacy
from watersmeet.web.direct import Handler
from watersmeet.web.environment import Environment
from watersmeet.web.forms import FORM_TYPE, BodyTooLarge, content_type, read_body
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log, log_failure
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route

BASES = ("/rest/oauth2/latest", "/rest/oauth2/1.0")

# RFC 6749 §5.1; S005.
_NOT_STORED = {"cache-control": "no-store", "pragma": "no-cache"}

# What these endpoints tell a client in their own JSON.
_ANSWERED = (OAuthError, ServiceUnavailable, StorageFailed, Throttled, BodyTooLarge)

_Outcome: TypeAlias = IssuedTokens | CodeReplay | RefreshReplay


def routes(environment: Environment, endpoint: TokenEndpoint) -> list[Route]:
    """The routes of this slice."""

    async def is_public_client_s(origin: str) -> bool:
        # Only web origins: an application's own scheme has none, and "null" is everybody's.
        return origin.startswith(("https://", "http://")) and await environment.database.read(
            lambda tx: clients.is_public_origin(tx, origin)
        )

    cors = [Middleware(CrossOrigin, is_allowed=is_public_client_s)]
    return [
        route
        for base in BASES
        for route in (
            _Endpoint(f"{base}/token", endpoint.token, methods=["POST", "OPTIONS"], middleware=cors),
            _Endpoint(f"{base}/revoke", endpoint.revoke, methods=["POST", "OPTIONS"], middleware=cors),
            _Endpoint(f"{base}/introspect", endpoint.introspect, methods=["POST"]),
        )
    ]


class _Endpoint(Route):
    """A route whose every answer is one that OAuth clients read, to a wrong method too (RFC 6749 §5.2)."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self.methods or set()
        if scope["method"] in methods:
            await super().handle(scope, receive, send)
            return
        answer = _refusal(Request(scope), WrongMethod())
        answer.status_code = 405
        answer.headers["allow"] = ", ".join(sorted(methods))
        await answer(scope, receive, send)


class TokenEndpoint:
    """What the routes of this slice do."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        # Made once: requests for the same operation that wait at the same time are answered together.
        self._exchange = partial(
            exchange_all,
            lifetimes=environment.lifetimes,
            keys=environment.keys,
            entropy=environment.entropy,
            allows_legacy=environment.settings.allows_legacy,
        )
        self._refresh = partial(
            refresh_all,
            lifetimes=environment.lifetimes,
            keys=environment.keys,
            entropy=environment.entropy,
            allows_legacy=environment.settings.allows_legacy,
            policy=RotationPolicy(environment.settings.refresh_grace_seconds * SECOND),
        )

    def direct(self) -> Mapping[str, Handler]:
        """The handlers of what is asked for most, by the path of an ordinary request."""
        context_path = self.environment.settings.context_path
        return {f"{context_path}{base}/token": self.token for base in BASES}

    async def token(self, request: Request) -> Response:
        """Exchange a code, or refresh (RFC 6749 §3.2)."""
        try:
            parameters = await _read_parameters(request)
            credentials = await self._read_credentials(request, parameters)
            origin = origin_of(request)
            async with self.environment.throttle.attempt(credentials.client_id, origin):
                self._refuse_of_everybody(credentials)
                issued = await self._grant(parameters, credentials, origin)
        except _ANSWERED as error:
            return _refusal(request, error)
        self._note_use(credentials)
        answer = JsonResponse(issued.body(), headers=_NOT_STORED)
        note_legacy(answer, credentials.client_id, issued.legacy, self.environment.settings)
        return answer

    async def _grant(self, parameters: Parameters, credentials: ClientCredentials, origin: Origin) -> IssuedTokens:
        outcome = await self._carry_out(parameters, credentials, origin)
        if not isinstance(outcome, IssuedTokens):
            # The revocation is committed by now; only then is the client told.
            lost = isinstance(outcome, RefreshReplay) and outcome.after_lost_response
            log.warning(
                "replay detected, family revoked",
                family=outcome.family_id,
                kind=type(outcome).__name__,
                why="reuse after lost response?" if lost else "used twice",
            )
            raise Replayed
        if outcome.resent:
            log.info("refresh answered again", client=credentials.client_id, generation=outcome.pair.generation)
        return outcome

    async def _carry_out(self, parameters: Parameters, credentials: ClientCredentials, origin: Origin) -> _Outcome:
        """What became of the grant that is asked for, once its own parameters were read and checked."""
        write, now = self.environment.database.write_together, self.environment.clock.now()
        require_known_resource(parameters, self.environment.settings.resource)
        match parameters.require("grant_type"):
            case GrantType.AUTHORIZATION_CODE:
                exchanging = ExchangeRequest.parse(parameters)
                return await write(self._exchange, Asked(credentials, exchanging, now, origin), brief=True)
            case GrantType.REFRESH_TOKEN:
                refreshing = RefreshRequest.parse(parameters)
                return await write(self._refresh, Asked(credentials, refreshing, now, origin), brief=True)
        raise UnsupportedGrantType

    async def revoke(self, request: Request) -> Response:
        """Take back what was given (RFC 7009)."""
        environment, now = self.environment, self.environment.clock.now()
        try:
            parameters = await _read_parameters(request)
            credentials = await self._read_credentials(request, parameters)
            token, origin = parameters.require("token"), origin_of(request)
            async with environment.throttle.attempt(credentials.client_id, origin):
                self._refuse_of_everybody(credentials)
                ended = await environment.database.write(
                    lambda tx: revoke(
                        tx,
                        credentials,
                        token,
                        validate_secret=environment.settings.provider.validate_client_secret,
                        now=now,
                        keys=environment.keys,
                        origin=origin,
                    ),
                    brief=True,
                )
        except _ANSWERED as error:
            return _refusal(request, error)
        log.info("revocation asked", client=credentials.client_id, ended=ended)
        if environment.settings.provider.validate_client_secret:
            self._note_use(credentials)
        answer = Response(headers=_NOT_STORED)
        note_legacy(answer, credentials.client_id, credentials.legacy, environment.settings)
        return answer

    async def introspect(self, request: Request) -> Response:
        """Tell what a token is worth (RFC 7662)."""
        environment, now = self.environment, self.environment.clock.now()
        try:
            parameters = await _read_parameters(request)
            credentials = await self._read_credentials(request, parameters, may_be_anonymous=False)
            token = parameters.require("token")
            async with environment.throttle.attempt(credentials.client_id, origin_of(request)):
                _refuse_first(credentials.legacy)  # there is no old client to be lenient with
                found = await environment.database.read(
                    lambda tx: introspect(tx, credentials, token, now=now, keys=environment.keys)
                )
        except _ANSWERED as error:
            return _refusal(request, error, challenge=True)
        log.info("introspection asked", client=credentials.client_id, active=found is not None)
        self._note_use(credentials)
        body = found.body(environment.settings.base_url) if found else INACTIVE
        return JsonResponse(body, headers=_NOT_STORED)

    async def _read_credentials(
        self, request: Request, parameters: Parameters, *, may_be_anonymous: bool = True
    ) -> ClientCredentials:
        """The client's credentials, and what the request did that only some clients may do.

        Whether this one may do it is for ``_refuse_of_everybody`` and ``authenticate`` to say. Without any, the
        request is merely incomplete, except where nobody asks anonymously (RFC 7662 §2.1).
        """
        try:
            return _credentials(request, parameters)
        except OAuthError as error:
            refusal = error
        if not may_be_anonymous and isinstance(refusal, MissingParameter):
            refusal = InvalidClient(detail="anonymous")
        await self.environment.throttle.stranger_refused(origin_of(request), refusal)
        raise refusal

    def _note_use(self, credentials: ClientCredentials) -> None:
        """Remember when the secret was used that proved the client (S097, docs/decisions/0038)."""
        if credentials.client_secret is not None:
            digest = self.environment.keys.digest(credentials.client_secret)
            self.environment.uses.secrets[digest] = self.environment.clock.now()

    def _refuse_of_everybody(self, credentials: ClientCredentials) -> None:
        """Raises what is refused of every client alike, before any is looked up."""
        legacy, settings = credentials.legacy, self.environment.settings
        if not settings.allows_credentials_in_query:
            _refuse_first(legacy & {Legacy.CREDENTIAL_IN_QUERY})
        if not settings.allows_legacy(self.environment.clock.now()):
            _refuse_first(legacy)


def _credentials(request: Request, parameters: Parameters) -> ClientCredentials:
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("Send one Authorization header.")
    credentials = ClientCredentials.parse(headers[0] if headers else None, parameters)
    if _has_credential_in_query(request):
        return replace(credentials, legacy=credentials.legacy | {Legacy.CREDENTIAL_IN_QUERY})
    return credentials


def _refuse_first(done: AbstractSet[Legacy]) -> None:
    for legacy in Legacy:
        if legacy in done:
            raise legacy.refusal


async def _read_parameters(request: Request) -> Parameters:
    """Query and body together, as the seed and as the standard send them. Raises ``InvalidRequest``."""
    body = await read_body(request)
    if body and content_type(request) != FORM_TYPE:
        raise WrongContentType
    parameters = Parameters.parse(request.scope["query_string"], body)
    parameters.refuse_repeated()
    return parameters


def _has_credential_in_query(request: Request) -> bool:
    query: bytes = request.scope["query_string"]
    return bool(query) and any(name in Parameters.parse(query) for name in CREDENTIAL_PARAMETERS)


def _refusal(
    request: Request,
    error: OAuthError | ServiceUnavailable | StorageFailed | Throttled | BodyTooLarge,
    *,
    challenge: bool = False,
) -> JsonResponse:
    """The JSON of an error; a 401 carries a challenge if Basic was tried, or if ``challenge`` says so."""
    note_cause(request, error)
    log.info("token request refused", cause=type(error).__name__, detail=error.detail)
    if isinstance(error, StorageFailed):
        log_failure(error)
    headers = dict(_NOT_STORED)
    if isinstance(error, ServiceUnavailable | StorageFailed | Throttled):
        headers["retry-after"] = str(error.retry_after_seconds)
        body = {"error": ErrorCode.TEMPORARILY_UNAVAILABLE.value, "error_description": error.description}
        return JsonResponse(body, 429 if isinstance(error, Throttled) else 503, headers)
    if isinstance(error, BodyTooLarge):
        body = {"error": ErrorCode.INVALID_REQUEST.value, "error_description": error.description}
        return JsonResponse(body, 413, headers)
    status = 400
    if isinstance(error, InvalidClient):
        status = 401
        if challenge or request.headers.get("authorization", "").lower().startswith("basic"):
            headers["www-authenticate"] = 'Basic realm="watersmeet"'  # RFC 6749 §5.2
    return JsonResponse(error_body(error), status, headers)


def token_verifier(environment: Environment) -> TokenVerifier:
    """The Bearer check that every protected route is given."""
    provider = environment.settings.provider

    async def check(token: str, request: Request) -> Caller:
        if token.startswith(personal_token.PREFIX):
            return await _check_personal(environment, token, request)
        if not provider.enable_access_tokens:
            raise TokenInvalid("This server does not accept access tokens.")
        now, digest = environment.clock.now(), digest_of_genuine(token, environment.keys)
        caller = caller_of(await environment.database.read_together(tokens.find_live_access, digest), now)
        environment.uses.families[caller.family_id] = now
        if request.client:
            environment.uses.addresses[caller.family_id] = request.client.host
        if request.cookies and provider.invalidate_session_enabled:
            await _end_accompanying_session(environment, request)
        return caller

    return check


async def _check_personal(environment: Environment, token: str, request: Request) -> Caller:
    if not environment.settings.personal_token_max_days or not personal_token.is_well_formed(token):
        raise TokenInvalid(detail="no personal access token of this server, or all of them are switched off")
    now, digest = environment.clock.now(), environment.keys.digest(token)
    caller = caller_of_personal(await environment.database.read_together(personal_tokens.find_live, digest), now)
    if caller.personal_token is not None:
        environment.uses.personal[caller.personal_token] = (now, request.client.host if request.client else None)
    if request.cookies and environment.settings.provider.invalidate_session_enabled:
        await _end_accompanying_session(environment, request)
    return caller


async def _end_accompanying_session(environment: Environment, request: Request) -> None:
    """The property invalidate.session.enabled: a Bearer call leaves no usable browser session behind."""
    identifier = Cookie.named("session", environment.settings).read(request)
    if identifier is None:
        return
    digest = environment.keys.digest(identifier)

    def end(tx: Transaction) -> None:
        users.end_session(tx, digest)

    await environment.database.write(end)
