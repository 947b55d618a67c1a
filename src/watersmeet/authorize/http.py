"""The authorization endpoint and the answers to the consent page over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.authorize import begin, decide
from watersmeet.authorize.decide import Question
from watersmeet.authorize.page import AUTHORIZE_PATHS, authorize_again, consent_page, consent_token
from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Scope
from watersmeet.database.transaction import Transaction
from watersmeet.errors import Throttled, WatersmeetError
from watersmeet.oauth2.errors import AccessDenied
from watersmeet.oauth2.parameters import Parameters
from watersmeet.users.http import current_session, path_and_query, require_use, to_sign_in
from watersmeet.users.http_password import prove_again
from watersmeet.users.session import Session
from watersmeet.web.cause import note_cause
from watersmeet.web.csrf import check_form
from watersmeet.web.deprecation import note_legacy
from watersmeet.web.environment import Environment
from watersmeet.web.forms import Form, UnreadableForm
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route
from watersmeet.web.templates import render

CONSENT_PATH = "/plugins/servlet/oauth2/consent"


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
        parameters, allow_http = Parameters.parse(request.scope["query_string"]), self.environment.allows_plain_http
        session = await current_session(self.environment, request)
        if session is None or request.method == "HEAD":
            # Nobody is sent to a sign-in page, let alone anywhere else, on behalf of an unknown client.
            now = self.environment.clock.now()
            await self.environment.database.read(
                lambda tx: begin.find_target(tx, parameters, now, allow_http=allow_http)
            )
            return to_sign_in(self.environment, path_and_query(request))
        await require_use(self.environment, session.user)
        settings, answering = self.environment.settings, self._answering(request, session)
        now = answering.now

        def begin_and_maybe_end(tx: Transaction) -> tuple[begin.Asked | begin.Refused, str | None]:
            begun = begin.begin(
                tx,
                parameters,
                session,
                now,
                self.environment.entropy,
                issuer=settings.base_url,
                resource=settings.resource,
                legacy_allowed=settings.allows_legacy(now),
                allow_http=allow_http,
            )
            if isinstance(begun, begin.Refused) or begun.insists or not settings.consent_memory:
                return begun, None
            try:
                return begun, decide.approve_again(
                    tx, begun.authorization.id, answering, longest=settings.consent_memory
                )
            except decide.NoOpenQuestion:  # the session ended meanwhile: the consent page will say so
                return begun, None

        begun, answer = await self.environment.database.write(begin_and_maybe_end)
        if isinstance(begun, begin.Refused):
            note_cause(request, begun.error)
            log.info("authorization refused", cause=type(begun.error).__name__, detail=begun.error.detail)
            return RedirectResponse(begun.location, 302)
        if answer is not None:
            log.info("consent remembered", user=session.user.username, client=begun.client.client_id)
        onward = RedirectResponse(answer or f"{settings.context_path}{CONSENT_PATH}?{parameters.encode()}", 302)
        note_legacy(onward, begun.client.client_id, begun.legacy, settings)
        return onward

    async def ask(self, request: Request) -> Response:
        parameters = Parameters.parse(request.scope["query_string"])
        session = await current_session(self.environment, request)
        if session is None:
            return to_sign_in(self.environment, authorize_again(self.environment, parameters))
        await require_use(self.environment, session.user)
        digest, now = begin.request_digest(parameters), self.environment.clock.now()
        leniency = self._leniency(now)
        question = await self.environment.database.read(
            lambda tx: decide.find_question(tx, session, digest, now, leniency=leniency)
        )
        return self._page(question, session, parameters)

    async def answer(self, request: Request) -> Response:
        form = await Form.read(request)
        session = await current_session(self.environment, request)
        if session is None:
            raise decide.NoOpenQuestion
        authorization_id = form.text("authorization")
        expected = consent_token(self.environment, session, authorization_id)
        check_form(request, form.text("form_token"), expected, self.environment.settings.base_url)
        allowed = form.text("decision") == "allow"
        if allowed:  # whoever says no need not be let in for that
            await require_use(self.environment, session.user)
        try:
            location = await (self._allow if allowed else self._deny)(request, session, authorization_id, form)
        except (decide.PasswordNeeded, decide.WrongPassword, Throttled) as problem:
            note_cause(request, problem)
            log.info("consent needs the password", user=session.user.username, cause=type(problem).__name__)
            return await self._ask_again(request, session, form, problem)
        log.info("consent answered", user=session.user.username, allowed=allowed)
        # 303: the browser must not repeat this post, form and all, at the client (RFC 9700 §4.12).
        return RedirectResponse(location, 303)

    async def _deny(self, request: Request, session: Session, authorization_id: str, _form: Form) -> str:
        answering = self._answering(request, session)
        note_cause(request, AccessDenied())
        return await self.environment.database.write(lambda tx: decide.deny(tx, authorization_id, answering))

    async def _allow(self, request: Request, session: Session, authorization_id: str, form: Form) -> str:
        answering, scope, typed = self._answering(request, session), _chosen(form), form.raw("password")
        remember = self.environment.settings.consent_memory if form.text("remember") else 0
        if typed and not await prove_again(self.environment, request, session.user, typed):
            raise decide.WrongPassword
        return await self.environment.database.write(
            lambda tx: decide.approve(
                tx,
                authorization_id,
                answering,
                scope=scope.as_set if scope else None,
                has_typed_password=bool(typed),
                remember=remember,
            )
        )

    def _answering(self, request: Request, session: Session) -> decide.Answering:
        environment, now = self.environment, self.environment.clock.now()
        return decide.Answering(
            session=session,
            now=now,
            keys=environment.keys,
            entropy=environment.entropy,
            code_lifetime=environment.settings.code_lifetime,
            origin=origin_of(request, session.user.username),
            issuer=environment.settings.base_url,
            leniency=self._leniency(now),
        )

    def _leniency(self, now: Instant) -> decide.Leniency:
        return decide.Leniency(self.environment.allows_plain_http, self.environment.settings.allows_legacy(now))

    async def _ask_again(self, request: Request, session: Session, form: Form, problem: WatersmeetError) -> Response:
        authorization_id, now = form.text("authorization"), self.environment.clock.now()
        leniency = self._leniency(now)
        question = await self.environment.database.read(
            lambda tx: decide.reopen_question(tx, authorization_id, session, now, leniency=leniency)
        )
        # The form posts to the address of the page it stands on, so the parameters are still there.
        parameters = Parameters.parse(request.scope["query_string"])
        return self._page(question, session, parameters, chosen=_chosen(form), problem=problem)

    def _page(
        self,
        question: Question,
        session: Session,
        parameters: Parameters,
        *,
        chosen: Scope | None = None,
        problem: WatersmeetError | None = None,
    ) -> Response:
        page = consent_page(self.environment, session, question, parameters, chosen=chosen, problem=problem)
        form_action = question.authorization.redirect_uri.form_action
        if isinstance(problem, Throttled):
            wait = {"retry-after": str(problem.retry_after_seconds)}
            return render(page, 429, wait, form_action=form_action)
        return render(page, 403 if problem else 200, form_action=form_action)


def _chosen(form: Form) -> Scope | None:
    """The scope that was chosen on the page, if there was a choice. Raises ``UnreadableForm``."""
    text = form.text("granted_scope")
    try:
        return Scope(text) if text else None
    except ValueError as error:
        raise UnreadableForm(detail="not a scope") from error
