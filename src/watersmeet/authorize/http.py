"""The authorization endpoint and the consent page over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watersmeet.authorize import begin, decide
from watersmeet.authorize.decide import Question
from watersmeet.clock import Instant
from watersmeet.confluence.scopes import WORDS, Role, Scope, ScopeWords
from watersmeet.oauth2.parameters import Parameters
from watersmeet.users.http import current_session, path_and_query, to_sign_in, visitor
from watersmeet.users.session import Session
from watersmeet.web.csrf import check_form, form_token
from watersmeet.web.deprecation import note_legacy
from watersmeet.web.environment import Environment
from watersmeet.web.forms import Form
from watersmeet.web.log import log
from watersmeet.web.templates import Page, render

AUTHORIZE_PATHS = ("/rest/oauth2/latest/authorize", "/rest/oauth2/1.0/authorize")
CONSENT_PATH = "/plugins/servlet/oauth2/consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPage(Page):
    """The question whether an application may do something for the user."""

    template: ClassVar[str] = "consent.html"
    client_name: str
    registered_by: str
    registered_at: Instant
    display_name: str
    username: str
    verb: str
    granted: ScopeWords
    implied: list[ScopeWords]
    is_administrative: bool
    is_beyond_user: bool
    redirect_host: str
    redirect_path: str
    is_loopback: bool
    refresh_days: int
    authorization_id: str
    form_token: str
    sign_out_token: str
    switch_destination: str


def routes(environment: Environment) -> list[Route]:
    """The routes of this slice."""
    endpoint = _Authorize(environment)
    return [
        *(Route(path, endpoint.authorize, methods=["GET"]) for path in AUTHORIZE_PATHS),
        Route(CONSENT_PATH, endpoint.ask, methods=["GET"]),
        Route(CONSENT_PATH, endpoint.answer, methods=["POST"]),
    ]


@dataclass(frozen=True)
class _Authorize:
    environment: Environment

    async def authorize(self, request: Request) -> Response:
        parameters = Parameters.parse(request.scope["query_string"])
        session = await current_session(self.environment, request)
        if session is None or request.method == "HEAD":
            # Nobody is sent to a sign-in page, let alone anywhere else, on behalf of an unknown client.
            await self.environment.database.read(lambda tx: begin.find_target(tx, parameters))
            return to_sign_in(self.environment, path_and_query(request))
        settings, now = self.environment.settings, self.environment.clock.now()
        begun = await self.environment.database.write(
            lambda tx: begin.begin(
                tx,
                parameters,
                session,
                now,
                self.environment.entropy,
                issuer=settings.base_url,
                resource=settings.resource,
                legacy_allowed=settings.allows_legacy(now),
            )
        )
        if isinstance(begun, begin.Refused):
            log.info("authorization refused", cause=type(begun.error).__name__, detail=begun.error.detail)
            return RedirectResponse(begun.location, 302)
        to_question = RedirectResponse(f"{settings.context_path}{CONSENT_PATH}?{parameters.encode()}", 302)
        note_legacy(to_question, begun.client.client_id, begun.legacy, settings)
        return to_question

    async def ask(self, request: Request) -> Response:
        parameters = Parameters.parse(request.scope["query_string"])
        authorize_again = f"{self.environment.settings.context_path}{AUTHORIZE_PATHS[0]}?{parameters.encode()}"
        session = await current_session(self.environment, request)
        if session is None:
            return to_sign_in(self.environment, authorize_again)
        digest, now = begin.request_digest(parameters), self.environment.clock.now()
        question = await self.environment.database.read(lambda tx: decide.find_question(tx, session, digest, now))
        return self._page(question, session, authorize_again)

    async def answer(self, request: Request) -> Response:
        form = await Form.read(request)
        session = await current_session(self.environment, request)
        if session is None:
            raise decide.NoOpenQuestion
        authorization_id = form.text("authorization")
        expected = self._form_token(session, authorization_id)
        check_form(request, form.text("form_token"), expected, self.environment.settings.base_url)
        allowed = form.text("decision") == "allow"
        location = await self._decide(session, authorization_id, allowed=allowed)
        log.info("consent answered", user=session.user.username, allowed=allowed)
        # 303: the browser must not repeat this post, form and all, at the client (RFC 9700 §4.12).
        return RedirectResponse(location, 303)

    async def _decide(self, session: Session, authorization_id: str, *, allowed: bool) -> str:
        environment, now = self.environment, self.environment.clock.now()
        issuer = environment.settings.base_url
        if not allowed:
            return await environment.database.write(
                lambda tx: decide.deny(tx, authorization_id, session, now, issuer=issuer)
            )
        return await environment.database.write(
            lambda tx: decide.approve(
                tx,
                authorization_id,
                session,
                now=now,
                code_lifetime=environment.settings.code_lifetime,
                keys=environment.keys,
                entropy=environment.entropy,
                issuer=issuer,
            )
        )

    def _form_token(self, session: Session, authorization_id: str) -> str:
        return form_token(self.environment.keys, session.digest, "consent", authorization_id)

    def _page(self, question: Question, session: Session, authorize_again: str) -> Response:
        authorization, client, user = question.authorization, question.client, session.user
        implied = [WORDS[scope] for scope in Scope if scope in authorization.scope.implied]
        granted = implied.pop()
        parts = urlsplit(authorization.redirect_uri.value)
        who = visitor(self.environment, session)
        page = ConsentPage(
            context_path=self.environment.settings.context_path,
            visitor=None,  # no navigation here: the question comes first
            client_name=client.name,
            registered_by=client.created_by,
            registered_at=client.created_at,
            display_name=user.display_name,
            username=user.username,
            verb=granted.verb,
            granted=granted,
            implied=implied,
            is_administrative=granted.scope in (Scope.ADMIN, Scope.SYSTEM_ADMIN),
            is_beyond_user=not Role(user.role).ceiling.covers(authorization.scope),
            redirect_host=authorization.redirect_uri.host,
            redirect_path=parts.path + (f"?{parts.query}" if parts.query else ""),
            is_loopback=authorization.redirect_uri.is_loopback,
            refresh_days=self.environment.settings.provider.refresh_token_expiration_seconds // 86_400,
            authorization_id=authorization.id,
            form_token=self._form_token(session, authorization.id),
            sign_out_token=who.sign_out_token,
            switch_destination=authorize_again,
        )
        return render(page, form_action=authorization.redirect_uri.origin)
