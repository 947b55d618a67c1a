"""The pages of a user: home, and what can act for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.clock import Instant
from watersmeet.confluence.scopes import Scope
from watersmeet.database.audit import Origin
from watersmeet.database.transaction import Transaction
from watersmeet.errors import Throttled, WatersmeetError
from watersmeet.links import authorized_page
from watersmeet.links.authorized import ask_again, revoke_access, revoke_all_access, revoke_everything
from watersmeet.links.authorized_page import TOKEN_WORDS, AuthorizedPage, TokenForm
from watersmeet.users.http import SignedInPages, SignInRequired, current_session, require_session, visitor
from watersmeet.users.http_password import prove_again
from watersmeet.users.personal_token import NewToken, Wanted, create_token, revoke_all_tokens, revoke_token
from watersmeet.users.session import Session, end_elsewhere
from watersmeet.users.signin import NoLongerProven
from watersmeet.web.cause import note_cause
from watersmeet.web.forms import Form
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.templates import Page, render

AUTHORIZED_PATH = "/plugins/servlet/oauth2/authorized-applications"
VENDORS_TOKENS_PATH = "/plugins/personalaccesstokens/usertokens.action"
_DONE = ("access", "ask", "token", "session", "everything")


class WrongPassword(WatersmeetError):
    """The password typed to make a personal access token is not the user's."""

    description = "The password is wrong. No token was made."


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(Page):
    """What is at the base URL."""

    template: ClassVar[str] = "home.html"
    is_dev: bool


class AuthorizedApplications(SignedInPages):
    """List, take back, and make tokens."""

    async def home(self, request: Request) -> Response:
        """The base URL."""
        session = await current_session(self.environment, request)
        who = visitor(self.environment, session) if session else None
        return render(HomePage(context_path=self.context_path, visitor=who, is_dev=self.environment.is_dev))

    async def list(self, request: Request) -> Response:
        """What can act for the user."""
        session = await require_session(self.environment, request, otherwise=AUTHORIZED_PATH)
        done = request.query_params.get("done")
        return await self._page(session, done=done if done in _DONE else None)

    async def to_tokens(self, _request: Request) -> Response:
        """Where the vendor's guides send people for their tokens."""
        return RedirectResponse(f"{self.context_path}{AUTHORIZED_PATH}#tokens", 302)

    async def revoke(self, request: Request) -> Response:
        """Take back what one application, token or browser has, or all of them."""
        session, form = await self.posted(request, otherwise=AUTHORIZED_PATH)
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        done, revoke = _revocation(form, session, now, origin)
        ended = await self.environment.database.write(revoke)
        log.info("access removed", user=session.user.username, what=done, count=ended)
        return RedirectResponse(f"{self.context_path}{AUTHORIZED_PATH}?done={done}", 303)

    async def create_token(self, request: Request) -> Response:
        """Make a personal access token, and show it this once; whoever found an open browser cannot (S068)."""
        session, form = await self.posted(request, otherwise=AUTHORIZED_PATH)
        environment, now = self.environment, self.environment.clock.now()
        origin, days = origin_of(request, session.user.username), form.text("days")
        typed = TokenForm(form.text("name"), form.text("scope"), days)
        try:
            wanted = Wanted.check(
                name=typed.name,
                scope=typed.scope,
                days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0,
                longest=environment.settings.personal_token_max_days,
            )
            proven = await prove_again(environment, request, session.user, form.raw("password"))
            if proven is None:
                raise WrongPassword
            new = await environment.database.write(
                lambda tx: create_token(
                    tx, proven, wanted, now=now, keys=environment.keys, entropy=environment.entropy, origin=origin
                )
            )
        except NoLongerProven as problem:
            note_cause(request, problem)
            raise SignInRequired(self.context_path + AUTHORIZED_PATH) from problem
        except WatersmeetError as problem:
            note_cause(request, problem)
            return await self._page(session, typed=typed, problem=problem)
        log.info("personal access token created", user=session.user.username, token=new.token.id)
        return await self._page(session, new=new)

    async def _page(
        self,
        session: Session,
        *,
        done: str | None = None,
        new: NewToken | None = None,
        typed: TokenForm | None = None,
        problem: WatersmeetError | None = None,
    ) -> Response:
        settings, now = self.environment.settings, self.environment.clock.now()
        longest, lifetimes = settings.consent_memory, self.environment.lifetimes_at(now)

        def find(tx: Transaction) -> authorized_page.Found:
            return authorized_page.find(tx, session, now, longest, lifetimes)

        page = AuthorizedPage(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            username=session.user.username,
            found=await self.environment.database.read(find),
            choices=list(TOKEN_WORDS.values()),
            token_form=typed or TokenForm("", Scope.READ, str(settings.usual_token_days)),
            max_days=settings.personal_token_max_days,
            new_token=new,
            done=done,
            problem_found=problem,
            form_token=self.form_token(session),
        )
        if isinstance(problem, Throttled):
            return render(page, 429, {"retry-after": str(problem.retry_after_seconds)})
        return render(page, 400 if problem else 200)


def _revocation(form: Form, session: Session, now: Instant, origin: Origin) -> tuple[str, Callable[[Transaction], int]]:
    """What a button of the page asks for, and the operation that does it: how much ended."""
    user, number = session.user, form.text("token")
    match form.text("all"):
        case "everything":
            return "everything", lambda tx: revoke_everything(tx, session, now, origin)
        case "tokens":
            return "token", lambda tx: revoke_all_tokens(tx, user, now, origin)
        case "yes":
            return "access", lambda tx: revoke_all_access(tx, user, now, origin)
    if number.isascii() and number.isdigit() and len(number) < 19:
        return "token", lambda tx: revoke_token(tx, user, int(number), now, origin)
    if which := form.text("session"):
        return "session", lambda tx: end_elsewhere(tx, session, which, now, origin)
    if client_id := form.text("ask_again"):
        return "ask", lambda tx: ask_again(tx, user, client_id, now, origin)
    return "access", lambda tx: revoke_access(tx, user, form.text("client_id"), now, origin)
