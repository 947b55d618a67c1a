"""The page of one's own account: profile, password, and where one is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.clock import Instant
from watersmeet.database import users
from watersmeet.database.users import StoredSession, User
from watersmeet.errors import Throttled, WatersmeetError
from watersmeet.users import password
from watersmeet.users.http import SignedInPages, SignInRequired, require_session, start_session, visitor
from watersmeet.users.http_password import prove_again
from watersmeet.users.session import Session, end_elsewhere
from watersmeet.users.signin import NoLongerProven, change_own_password, edit_profile
from watersmeet.web.cause import note_cause
from watersmeet.web.environment import Environment
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, render

ACCOUNT_PATH = "/account"
_DONE = ("profile", "password", "sessions")


class WrongPresentPassword(WatersmeetError):
    """The present password was typed wrong."""

    description = "The present password is wrong. Nothing was changed."


@dataclass(frozen=True, slots=True)
class SignedInBrowser:
    """A row of the list of sessions; ``id`` names it in forms and is no credential."""

    id: str
    user_agent: str | None
    address: str | None
    created_at: Instant
    last_seen_at: Instant | None
    is_this: bool

    @classmethod
    def of(cls, stored: StoredSession, session: Session) -> SignedInBrowser:
        """A stored session, as it is shown in the browser of another, or of the same."""
        return cls(
            id=stored.digest[: users.SESSION_NAME_LENGTH],
            user_agent=stored.user_agent,
            address=stored.address,
            created_at=stored.created_at,
            last_seen_at=stored.last_seen_at,
            is_this=stored.digest == session.digest,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(Page):
    """What a user can see and change of themselves."""

    template: ClassVar[str] = "account.html"
    user: User
    display_name: str
    email: str
    minimum_length: int
    sessions: list[SignedInBrowser]
    done: str | None
    problem_found: WatersmeetError | None
    wrong_form: str | None
    form_token: str


def routes(environment: Environment) -> list[Route]:
    """The routes of the account page."""
    pages = Account(environment)
    return [
        Route(ACCOUNT_PATH, pages.show, methods=["GET"]),
        Route(ACCOUNT_PATH, pages.edit_profile, methods=["POST"]),
        Route(ACCOUNT_PATH + "/password", pages.change_password, methods=["POST"]),
        Route(ACCOUNT_PATH + "/sessions", pages.end_sessions, methods=["POST"]),
    ]


class Account(SignedInPages):
    """Show and change."""

    async def show(self, request: Request) -> Response:
        """The page."""
        session = await require_session(self.environment, request, otherwise=ACCOUNT_PATH)
        done = request.query_params.get("done")
        return await self._page(session, done=done if done in _DONE else None)

    async def edit_profile(self, request: Request) -> Response:
        """Change display name and e-mail."""
        session, form = await self.posted(request, otherwise=ACCOUNT_PATH)
        display_name, email = form.text("display_name"), form.text("email")
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        try:
            await self.environment.database.write(
                lambda tx: edit_profile(
                    tx, session.user, display_name=display_name, email=email, now=now, origin=origin
                )
            )
        except WatersmeetError as problem:
            return await self._page(
                session, display_name=display_name, email=email, problem=problem, wrong_form="profile"
            )
        return self._done("profile")

    async def change_password(self, request: Request) -> Response:
        """Change the password; everywhere else it ends what the old one opened."""
        session, form = await self.posted(request, otherwise=ACCOUNT_PATH)
        environment, now = self.environment, self.environment.clock.now()
        origin = origin_of(request, session.user.username)
        try:
            proven = await prove_again(environment, request, session.user, form.raw("current_password"))
            if proven is None:
                raise WrongPresentPassword
            password_hash = await password.in_a_thread(partial(password.hash_password, form.raw("new_password")))
        except WatersmeetError as problem:
            note_cause(request, problem)
            return await self._page(session, problem=problem, wrong_form="password")
        try:
            user = await environment.database.write(
                lambda tx: change_own_password(tx, session, proven, password_hash, now, origin)
            )
        except NoLongerProven as problem:
            note_cause(request, problem)
            raise SignInRequired(self.context_path + ACCOUNT_PATH) from problem
        log.info("password changed", user=user.username)
        # Every session ended with the old password; this browser gets a new one (S062).
        response = self._done("password")
        await start_session(environment, request, response, user)
        return response

    async def end_sessions(self, request: Request) -> Response:
        """Sign out one other browser, or all others."""
        session, form = await self.posted(request, otherwise=ACCOUNT_PATH)
        which, me = form.text("session"), session.user
        now, origin = self.environment.clock.now(), origin_of(request, me.username)
        ended = await self.environment.database.write(lambda tx: end_elsewhere(tx, session, which, now, origin))
        log.info("sessions ended", user=me.username, count=ended)
        return self._done("sessions")

    def _done(self, what: str) -> RedirectResponse:
        return RedirectResponse(f"{self.context_path}{ACCOUNT_PATH}?done={what}", 303)

    async def _page(
        self,
        session: Session,
        *,
        display_name: str | None = None,
        email: str | None = None,
        done: str | None = None,
        problem: WatersmeetError | None = None,
        wrong_form: str | None = None,
    ) -> Response:
        now, user = self.environment.clock.now(), session.user
        found = await self.environment.database.read(lambda tx: users.list_sessions(tx, user.id, now))
        page = AccountPage(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            user=user,
            display_name=user.display_name if display_name is None else display_name,
            email=user.email if email is None else email,
            minimum_length=password.MINIMUM_LENGTH,
            sessions=[SignedInBrowser.of(row, session) for row in found],
            done=done,
            problem_found=problem,
            wrong_form=wrong_form,
            form_token=self.form_token(session),
        )
        if isinstance(problem, Throttled):
            return render(page, 429, {"retry-after": str(problem.retry_after_seconds)})
        return render(page, 400 if problem else 200)
