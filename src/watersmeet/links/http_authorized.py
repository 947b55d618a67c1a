"""The pages of a user: home, and the applications that can act for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.confluence.scopes import WORDS, Scope, ScopeWords
from watersmeet.database import tokens
from watersmeet.database.tokens import Grant
from watersmeet.database.transaction import Transaction
from watersmeet.links.authorized import revoke_access, revoke_all_access
from watersmeet.users.http import SignedInPages, current_session, require_session, visitor
from watersmeet.web.forms import Form
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.templates import Page, render

AUTHORIZED_PATH = "/plugins/servlet/oauth2/authorized-applications"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(Page):
    """What is at the base URL."""

    template: ClassVar[str] = "home.html"
    is_dev: bool


@dataclass(frozen=True, slots=True)
class GrantedApplication:
    """A row of a user's authorized applications."""

    grant: Grant
    words: ScopeWords


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedPage(Page):
    """The applications that can act for the user."""

    template: ClassVar[str] = "authorized.html"
    applications: list[GrantedApplication]
    form_token: str


class AuthorizedApplications(SignedInPages):
    """List, and take back."""

    async def home(self, request: Request) -> Response:
        """The base URL."""
        session = await current_session(self.environment, request)
        who = visitor(self.environment, session) if session else None
        return render(HomePage(context_path=self.context_path, visitor=who, is_dev=self.environment.is_dev))

    async def list(self, request: Request) -> Response:
        """What can act for the user."""
        session = await require_session(self.environment, request, otherwise=AUTHORIZED_PATH)
        now = self.environment.clock.now()
        grants = await self.environment.database.read(lambda tx: tokens.list_grants(tx, session.user.id, now))
        page = AuthorizedPage(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            applications=[GrantedApplication(grant, _words(grant)) for grant in grants],
            form_token=self.form_token(session),
        )
        return render(page)

    async def revoke(self, request: Request) -> Response:
        """Take back what one application has, or all."""
        form = await Form.read(request)
        session = await require_session(self.environment, request, otherwise=AUTHORIZED_PATH)
        self.check(request, form, session)
        client_id, now = form.text("client_id"), self.environment.clock.now()
        origin = origin_of(request, session.user.username)

        def revoke(tx: Transaction) -> int:
            if form.text("all"):
                return revoke_all_access(tx, session.user, now, origin)
            return revoke_access(tx, session.user, client_id, now, origin)

        ended = await self.environment.database.write(revoke)
        log.info("access removed", user=session.user.username, client=client_id or "all", grants=ended)
        return RedirectResponse(f"{self.context_path}{AUTHORIZED_PATH}", 303)


def _words(grant: Grant) -> ScopeWords:
    return WORDS[[scope for scope in Scope if scope in grant.scope.implied][-1]]
