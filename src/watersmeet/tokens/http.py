"""The token endpoint, revocation and introspection over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watersmeet.clock import SECOND
from watersmeet.database import users
from watersmeet.database.transaction import Transaction
from watersmeet.errors import ServiceUnavailable
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
)
from watersmeet.oauth2.family import Lifetimes, RefreshReplay, RotationPolicy
from watersmeet.oauth2.metadata import require_known_resource
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.profile import CREDENTIAL_PARAMETERS, Legacy
from watersmeet.oauth2.response import IssuedTokens, error_body
from watersmeet.oauth2.vocabulary import ErrorCode, GrantType
from watersmeet.tokens.exchange import ExchangeRequest, exchange
from watersmeet.tokens.introspect import INACTIVE, introspect
from watersmeet.tokens.refresh import RefreshRequest, refresh
from watersmeet.tokens.revoke import revoke
from watersmeet.tokens.verify import verify
from watersmeet.web.bearer import Caller, TokenVerifier
from watersmeet.web.cookies import Cookie
from watersmeet.web.deprecation import note_legacy
from watersmeet.web.environment import Environment
from watersmeet.web.forms import FORM_TYPE, BodyTooLarge, content_type, read_body
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log

BASES = ("/rest/oauth2/latest", "/rest/oauth2/1.0")

# RFC 6749 §5.1; S005.
_NOT_STORED = {"cache-control": "no-store", "pragma": "no-cache"}

_Outcome: TypeAlias = IssuedTokens | CodeReplay | RefreshReplay


def routes(environment: Environment) -> list[Route]:
    """The routes of this slice."""
    endpoint = _TokenEndpoint(environment)
    return [
        route
        for base in BASES
        for route in (
            Route(f"{base}/token", endpoint.token, methods=["POST"]),
            Route(f"{base}/revoke", endpoint.revoke, methods=["POST"]),
            Route(f"{base}/introspect", endpoint.introspect, methods=["POST"]),
        )
    ]


@dataclass(frozen=True)
class _TokenEndpoint:
    environment: Environment

    async def token(self, request: Request) -> Response:
        try:
            parameters = await _read_parameters(request)
            credentials = self._read_credentials(request, parameters)
            issued = await self._grant(parameters, credentials)
        except (OAuthError, ServiceUnavailable, BodyTooLarge) as error:
            return _refusal(request, error)
        answer = JsonResponse(issued.body(), headers=_NOT_STORED)
        note_legacy(answer, credentials.client_id, issued.legacy, self.environment.settings)
        return answer

    async def _grant(self, parameters: Parameters, credentials: ClientCredentials) -> IssuedTokens:
        outcome = await self._carry_out(self._operation(parameters), credentials)
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

    def _operation(self, parameters: Parameters) -> Callable[..., _Outcome]:
        """The grant that is asked for, with its own parameters read and checked."""
        require_known_resource(parameters, self.environment.settings.resource)
        match parameters.require("grant_type"):
            case GrantType.AUTHORIZATION_CODE:
                return partial(exchange, request=ExchangeRequest.parse(parameters))
            case GrantType.REFRESH_TOKEN:
                policy = RotationPolicy(self.environment.settings.refresh_grace_seconds * SECOND)
                return partial(refresh, request=RefreshRequest.parse(parameters), policy=policy)
        raise UnsupportedGrantType

    async def _carry_out(self, operation: Callable[..., _Outcome], credentials: ClientCredentials) -> _Outcome:
        environment, now = self.environment, self.environment.clock.now()
        return await environment.database.write(
            lambda tx: operation(
                tx,
                credentials,
                now=now,
                lifetimes=self._lifetimes,
                keys=environment.keys,
                entropy=environment.entropy,
            )
        )

    @property
    def _lifetimes(self) -> Lifetimes:
        provider = self.environment.settings.provider
        return Lifetimes(
            provider.access_token_expiration_seconds * SECOND,
            provider.refresh_token_expiration_seconds * SECOND,
        )

    async def revoke(self, request: Request) -> Response:
        environment, now = self.environment, self.environment.clock.now()
        try:
            parameters = await _read_parameters(request)
            credentials = self._read_credentials(request, parameters)
            token = parameters.require("token")
            ended = await environment.database.write(
                lambda tx: revoke(
                    tx,
                    credentials,
                    token,
                    validate_secret=environment.settings.provider.validate_client_secret,
                    now=now,
                    keys=environment.keys,
                )
            )
        except (OAuthError, ServiceUnavailable, BodyTooLarge) as error:
            return _refusal(request, error)
        log.info("revocation asked", client=credentials.client_id, ended=ended)
        answer = Response(headers=_NOT_STORED)
        note_legacy(answer, credentials.client_id, credentials.legacy, environment.settings)
        return answer

    async def introspect(self, request: Request) -> Response:
        environment, now = self.environment, self.environment.clock.now()
        try:
            parameters = await _read_parameters(request)
            credentials = self._read_introspecting_credentials(request, parameters)
            token = parameters.require("token")
            found = await environment.database.read(
                lambda tx: introspect(tx, credentials, token, now=now, keys=environment.keys)
            )
        except (OAuthError, ServiceUnavailable, BodyTooLarge) as error:
            return _refusal(request, error, challenge=True)
        log.info("introspection asked", client=credentials.client_id, active=found is not None)
        body = found.body(environment.settings.base_url) if found else INACTIVE
        return JsonResponse(body, headers=_NOT_STORED)

    def _read_introspecting_credentials(self, request: Request, parameters: Parameters) -> ClientCredentials:
        """Nobody introspects anonymously, and there is no old client to be lenient with (RFC 7662 §2.1)."""
        try:
            credentials = self._read_credentials(request, parameters)
        except MissingParameter as error:
            raise InvalidClient(detail="anonymous") from error
        for legacy in credentials.legacy:
            raise legacy.refusal
        return credentials

    def _read_credentials(self, request: Request, parameters: Parameters) -> ClientCredentials:
        """The client's credentials, and what the request did that only some clients may do.

        Raises what is refused of every client alike; whether this one may do it is for ``authenticate`` to say.
        """
        headers = request.headers.getlist("authorization")
        if len(headers) > 1:
            raise InvalidRequest("Send one Authorization header.")
        credentials = ClientCredentials.parse(headers[0] if headers else None, parameters)
        legacy, settings = credentials.legacy, self.environment.settings
        if _has_credential_in_query(request):
            if not settings.allows_credentials_in_query:
                raise Legacy.CREDENTIAL_IN_QUERY.refusal
            legacy |= {Legacy.CREDENTIAL_IN_QUERY}
        if legacy and not settings.allows_legacy(self.environment.clock.now()):
            raise min(legacy, key=list(Legacy).index).refusal
        return replace(credentials, legacy=legacy)


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
    request: Request, error: OAuthError | ServiceUnavailable | BodyTooLarge, *, challenge: bool = False
) -> JsonResponse:
    """The JSON of an error; a 401 carries a challenge if Basic was tried, or if ``challenge`` says so."""
    log.info("token request refused", cause=type(error).__name__, detail=error.detail)
    headers = dict(_NOT_STORED)
    if isinstance(error, ServiceUnavailable):
        headers["retry-after"] = str(error.retry_after_seconds)
        body = {"error": ErrorCode.TEMPORARILY_UNAVAILABLE.value, "error_description": error.description}
        return JsonResponse(body, 503, headers)
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

    async def check(token: str, request: Request) -> Caller:
        provider = environment.settings.provider
        if not provider.enable_access_tokens:
            raise TokenInvalid("This server does not accept access tokens.")
        now = environment.clock.now()
        caller = await environment.database.read(lambda tx: verify(tx, token, environment.keys, now))
        if request.cookies and provider.invalidate_session_enabled:
            await _end_accompanying_session(environment, request)
        return caller

    return check


async def _end_accompanying_session(environment: Environment, request: Request) -> None:
    """The property invalidate.session.enabled: a Bearer call leaves no usable browser session behind."""
    identifier = Cookie.named("session", environment.settings).read(request)
    if identifier is None:
        return
    digest = environment.keys.digest(identifier)

    def end(tx: Transaction) -> None:
        users.end_session(tx, digest)

    await environment.database.write(end)
