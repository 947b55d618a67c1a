"""The pages of signing in and out, and who is signed in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.confluence.errors import UseNotPermitted
from watersmeet.confluence.permission import bypasses_spaces
from watersmeet.database import audit, clients, users
from watersmeet.database.audit import Event
from watersmeet.database.permissions import may_use
from watersmeet.database.transaction import Transaction
from watersmeet.database.users import User
from watersmeet.errors import Throttled, WatersmeetError
from watersmeet.oauth2.errors import OAuthError
from watersmeet.oauth2.parameters import Parameters
from watersmeet.oauth2.redirect import find_match
from watersmeet.users import session
from watersmeet.users.device import ONE_YEAR, new_device
from watersmeet.users.http_password import Verified, device_cookie, verify_typed
from watersmeet.users.session import Session
from watersmeet.web.cause import note_cause
from watersmeet.web.cookies import Cookie
from watersmeet.web.csrf import check_form, form_token
from watersmeet.web.environment import DemoAccount, Environment
from watersmeet.web.forms import Form
from watersmeet.web.log import log
from watersmeet.web.nul import refuse_nul
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, Visitor, render

SIGN_IN_PATH = "/login.action"
SHORT_SIGN_IN_PATH = "/login"  # as people type it
SIGN_OUT_PATH = "/logout.action"
DESTINATION = "os_destination"  # Confluence's name for where to go after signing in

# A path on this site: no scheme, no host, nothing that a browser turns into one (S066).
_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_MAX_DESTINATION = 16 * 1024
_BROWSER = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    """The sign-in form."""

    template: ClassVar[str] = "sign-in.html"
    username: str
    destination: str
    application: str | None
    demo_accounts: tuple[DemoAccount, ...]
    form_token: str
    failed: bool
    wait_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An application that waits for the sign-in.

    The browser may end up there right after: the authorization endpoint sends errors there, and Chromium applies
    the page's ``form_action`` to every redirect that follows the post (S007).
    """

    name: str
    form_action: str


async def current_session(environment: Environment, request: Request) -> Session | None:
    """The live session of the browser that sent a request."""
    identifier = Cookie.named("session", environment.settings).read(request)
    if identifier is None:
        return None
    now = environment.clock.now()
    found = await environment.database.read(lambda tx: session.find(tx, identifier, environment.keys, now))
    if found is not None:
        environment.uses.sessions[found.digest] = now
    return found


def visitor(environment: Environment, current: Session) -> Visitor:
    """What the page header shows of a signed-in user."""
    return Visitor(
        display_name=current.user.display_name,
        username=current.user.username,
        is_administrator=current.user.is_administrator,
        sign_out_token=form_token(environment.keys, current.digest, "sign out"),
    )


async def visitor_of(environment: Environment, request: Request) -> Visitor | None:
    """Who is signed in with the browser that sent a request, for the pages that everybody sees."""
    current = await current_session(environment, request)
    return visitor(environment, current) if current else None


class SignInRequired(WatersmeetError):
    """Nobody is signed in; the answer is the way to the sign-in page and back to ``destination``."""

    def __init__(self, destination: str) -> None:
        super().__init__("Sign in first.")
        self.destination = destination


async def require_session(environment: Environment, request: Request, *, otherwise: str) -> Session:
    """The live session of a browser. Raises ``NulInAddress`` or ``SignInRequired``.

    After signing in the browser comes back to where it was, or to the page ``otherwise`` if it was posting.
    """
    refuse_nul(request)
    session = await current_session(environment, request)
    if session is None:
        post = request.method == "POST"
        raise SignInRequired(environment.settings.context_path + otherwise if post else path_and_query(request))
    return session


class NotAnAdministrator(WatersmeetError):
    """A page for administrators was asked for by somebody else."""

    status = 403
    description = "This page is for administrators. Sign in as one, or ask one."


async def require_administrator(environment: Environment, request: Request, *, otherwise: str) -> Session:
    """``require_session`` of an administrator. Raises ``SignInRequired`` or ``NotAnAdministrator``."""
    session = await require_session(environment, request, otherwise=otherwise)
    if not session.user.is_administrator:
        raise NotAnAdministrator
    return session


async def require_use(environment: Environment, user: User) -> None:
    """Raises ``UseNotPermitted`` for a user who was not granted the use of the instance; administrators need no grant.

    Their own pages, where they end what acts for them, are everybody's (docs/decisions/0084).
    """
    if bypasses_spaces(user.role):
        return
    if not await environment.database.read_together(may_use, user.id):
        raise UseNotPermitted


@dataclass(frozen=True)
class SignedInPages:
    """Pages for people who are signed in; each group has a form token of its own."""

    environment: Environment

    @property
    def context_path(self) -> str:
        """What goes in front of every path."""
        return self.environment.settings.context_path

    def form_token(self, session: Session) -> str:
        """The token of every form of this group, in one browser session."""
        return form_token(self.environment.keys, session.digest, type(self).__name__)

    def check(self, request: Request, form: Form, session: Session) -> None:
        """Raises ``CrossSitePost``."""
        check_form(request, form.text("form_token"), self.form_token(session), self.environment.settings.base_url)

    async def posted(self, request: Request, *, otherwise: str) -> tuple[Session, Form]:
        """Who sent a form of this group, and the form. Raises ``SignInRequired`` or ``CrossSitePost``.

        Whoever must sign in first comes to ``otherwise`` then.
        """
        form = await Form.read(request)
        session = await require_session(self.environment, request, otherwise=otherwise)
        self.check(request, form, session)
        return session, form


async def start_session(
    environment: Environment,
    request: Request,
    response: Response,
    user: User,
    *,
    also: Callable[[Transaction], None] = lambda _tx: None,
) -> bool:
    """Sign a browser in with a new session; the one it had, if any, is over (S062).

    ``also`` is what else belongs to the transaction. ``False``, and nothing happened, if the user was disabled or got
    another password in the meantime.
    """
    cookie = Cookie.named("session", environment.settings)
    old, now = cookie.read(request), environment.clock.now()
    browser = session.Browser.of(request.headers.get("user-agent"), origin_of(request).address)
    lifetime = environment.settings.session_lifetime

    def start(tx: Transaction) -> str | None:
        new = session.start(tx, user, environment.keys, environment.entropy, now, lifetime, browser=browser)
        if new is not None:
            if old is not None:
                session.end(tx, old, environment.keys)
            also(tx)
        return new

    identifier = await environment.database.write(start)
    if identifier is not None:
        cookie.write(response, identifier)
    return identifier is not None


def to_sign_in(environment: Environment, destination: str, *, after_post: bool = False) -> RedirectResponse:
    """The way to the sign-in page and back to a path of this site; after a post by 303 (S011)."""
    query = urlencode({DESTINATION: destination})
    return RedirectResponse(f"{environment.settings.context_path}{SIGN_IN_PATH}?{query}", 303 if after_post else 302)


def error_handlers(environment: Environment) -> dict[Any, Callable[[Request, Any], Awaitable[Response]]]:
    """How the errors of this slice are answered."""

    async def on_sign_in_required(request: Request, error: SignInRequired) -> Response:
        return to_sign_in(environment, error.destination, after_post=request.method == "POST")

    return {SignInRequired: on_sign_in_required}


def path_and_query(request: Request) -> str:
    """Where a request went, as a destination to come back to."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def routes(environment: Environment) -> list[Route]:
    """The routes of this slice."""
    pages = _SignIn(environment)
    return [
        Route(SIGN_IN_PATH, pages.form, methods=["GET"]),
        Route(SHORT_SIGN_IN_PATH, pages.form, methods=["GET"]),
        Route(SIGN_IN_PATH, pages.submit, methods=["POST"]),
        Route(SIGN_OUT_PATH, pages.sign_out, methods=["POST"]),
    ]


@dataclass(frozen=True)
class _SignIn:
    environment: Environment

    async def form(self, request: Request) -> Response:
        destination = self._local(request.query_params.get(DESTINATION))
        if await current_session(self.environment, request):
            return RedirectResponse(destination, 302)
        return await self._page(request, destination)

    async def submit(self, request: Request) -> Response:
        form = await Form.read(request)
        browser = self._browser(request) or ""
        expected = form_token(self.environment.keys, browser, "sign in")
        check_form(request, form.text("form_token"), expected, self.environment.settings.base_url)
        destination = self._local(form.text(DESTINATION))
        username, typed = self._credentials(form)
        try:
            verified = await verify_typed(self.environment, request, username, typed, failure=Event.SIGN_IN_FAILED)
        except Throttled as error:
            note_cause(request, error)
            log.info("sign-in throttled")
            return await self._page(request, destination, username=username, wait_seconds=error.retry_after_seconds)
        response = RedirectResponse(destination, 303)
        if verified is None or not await self._sign_in(request, response, verified):
            log.info("sign-in failed")
            return await self._page(request, destination, username=username, failed=True)
        log.info("signed in", user=verified.user.username)
        return response

    async def sign_out(self, request: Request) -> Response:
        form = await Form.read(request)
        current = await current_session(self.environment, request)
        if current is not None:
            expected = form_token(self.environment.keys, current.digest, "sign out")
            check_form(request, form.text("form_token"), expected, self.environment.settings.base_url)
            now, origin = self.environment.clock.now(), origin_of(request, current.user.username)

            def end(tx: Transaction) -> None:
                users.end_session(tx, current.digest)
                audit.record(tx, Event.SIGNED_OUT, origin, now, user_id=current.user.id)

            await self.environment.database.write(end)
            log.info("signed out", user=current.user.username)
        response = RedirectResponse(self._local(form.text(DESTINATION)), 303)
        self._session_cookie.clear(response)
        return response

    async def _sign_in(self, request: Request, response: Response, verified: Verified) -> bool:
        """``False`` if what was verified is no longer so: the password that was typed is wrong by now."""
        environment, user, now = self.environment, verified.user, self.environment.clock.now()
        origin = origin_of(request, user.username)

        def also(tx: Transaction) -> None:
            verified.reservation.take_back(tx)
            audit.record(tx, Event.SIGNED_IN, origin, now, user_id=user.id)

        if not await start_session(environment, request, response, user, also=also):
            await environment.throttle.password_failed(user.id, origin_of(request), Event.SIGN_IN_FAILED)
            return False
        self._browser_cookie.clear(response)
        device = new_device(user, environment.keys, environment.entropy)
        device_cookie(environment).write(response, device, seconds=ONE_YEAR)
        return True

    def _browser(self, request: Request) -> str | None:
        """What identifies a browser that was given the form; nothing but what this server wrote."""
        sent = self._browser_cookie.read(request) or ""
        return sent if _BROWSER.fullmatch(sent) else None

    def _credentials(self, form: Form) -> tuple[str, str]:
        """What was typed, or the demo account that was picked: there are none outside `dev`."""
        for account in self.environment.demo_accounts:
            if form.text("demo_account") == account.username:
                return account.username, account.password
        return form.text("username"), form.raw("password")

    async def _page(
        self,
        request: Request,
        destination: str,
        *,
        username: str = "",
        failed: bool = False,
        wait_seconds: int | None = None,
    ) -> Response:
        # Before there is a session, the form is bound to a cookie of its own, so that nobody can sign
        # somebody else's browser in as themselves.
        browser = self._browser(request) or self.environment.entropy.hex(16)
        waiting = await self._waiting(destination)
        page = SignInPage(
            context_path=self.environment.settings.context_path,
            username=username,
            destination=destination,
            application=waiting.name if waiting else None,
            demo_accounts=self.environment.demo_accounts,
            form_token=form_token(self.environment.keys, browser, "sign in"),
            failed=failed,
            wait_seconds=wait_seconds,
        )
        form_action = waiting.form_action if waiting else ""
        if wait_seconds is not None:
            response = render(page, 429, {"retry-after": str(wait_seconds)}, form_action=form_action)
        else:
            response = render(page, 401 if failed else 200, form_action=form_action)
        self._browser_cookie.write(response, browser)
        return response

    async def _waiting(self, destination: str) -> _Waiting | None:
        """Who waits at the destination, if it is a request that the authorization endpoint can read."""
        target = urlsplit(destination)
        try:
            query = Parameters.parse(target.query.encode())
            asked, answered = query.get("client_id"), query.get("redirect_uri")
        except OAuthError:
            return None
        if not target.path.rstrip("/").endswith("/authorize") or asked is None or answered is None:
            return None
        client = await self.environment.database.read(lambda tx: clients.find(tx, asked))
        redirect_uri = find_match(client.redirect_uris, answered) if client else None
        return _Waiting(client.name, redirect_uri.form_action) if client and redirect_uri else None

    def _local(self, destination: str | None) -> str:
        home = self.environment.settings.context_path + "/"
        if destination and len(destination) <= _MAX_DESTINATION and _LOCAL_PATH.fullmatch(destination):
            return destination
        return home

    @property
    def _session_cookie(self) -> Cookie:
        return Cookie.named("session", self.environment.settings)

    @property
    def _browser_cookie(self) -> Cookie:
        return Cookie.named("browser", self.environment.settings)
