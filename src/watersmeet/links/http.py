"""The pages of incoming links and of authorized applications, and the client resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watersmeet.confluence.scopes import WORDS, Role, Scope, ScopeWords
from watersmeet.database import clients, tokens
from watersmeet.database.tokens import Grant
from watersmeet.errors import WatersmeetError
from watersmeet.links import compatibility
from watersmeet.links.authorized import revoke_access
from watersmeet.links.compatibility import Compatibility, compatibility_of
from watersmeet.links.credentials import DEFAULT_OVERLAP_HOURS, HOUR, delete_link, rotate_secret
from watersmeet.links.register import (
    Registration,
    UnacceptableLink,
    change_rules,
    edit,
    link_as_json,
    register,
    require_link,
)
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.users.http import current_session, require_session, visitor
from watersmeet.users.session import Session
from watersmeet.web.bearer import Caller, Protected, protected_route
from watersmeet.web.csrf import check_form, form_token
from watersmeet.web.environment import Environment
from watersmeet.web.forms import Form
from watersmeet.web.json import JsonResponse
from watersmeet.web.log import log
from watersmeet.web.templates import Page, render

LINKS_PATH = "/plugins/servlet/applinks/listApplicationLinks"
LINK_PATH = "/plugins/servlet/applinks/incoming"
AUTHORIZED_PATH = "/plugins/servlet/oauth2/authorized-applications"


class NotAnAdministrator(WatersmeetError):
    """A page for administrators was asked for by somebody else."""

    description = "Only administrators may manage incoming links. Sign in as one, or ask one."


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(Page):
    """What is at the base URL."""

    template: ClassVar[str] = "home.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksPage(Page):
    """All incoming links."""

    template: ClassVar[str] = "links.html"
    links: list[Client]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkForm(Page):
    """Creating an incoming link, or editing one; nothing typed is lost when something is wrong."""

    template: ClassVar[str] = "link-form.html"
    client_id: str | None
    name: str
    redirect_uris: str
    scope: str
    confidential: bool
    profile: Profile
    choices: list[ScopeWords]
    problem: str | None
    form_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage(Page):
    """One incoming link; its secret only in the answer that made it."""

    template: ClassVar[str] = "link.html"
    link: Client
    words: list[ScopeWords]
    users: int
    compatibility: Compatibility
    legacy_words: Mapping[Legacy, str]
    client_secret: str | None
    is_new: bool
    overlap_hours: int
    problem: str | None
    base_url: str
    form_token: str


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


def routes(environment: Environment) -> list[Route]:
    """The routes of this slice."""
    links, mine = _IncomingLinks(environment), _AuthorizedApplications(environment)
    return [
        Route("/", mine.home, methods=["GET"]),
        Route(LINKS_PATH, links.list, methods=["GET"]),
        Route(LINK_PATH, links.create_form, methods=["GET"]),
        Route(LINK_PATH, links.create, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}", links.show, methods=["GET"]),
        Route(LINK_PATH + "/{client_id}/edit", links.edit_form, methods=["GET"]),
        Route(LINK_PATH + "/{client_id}/edit", links.edit, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/rotate-secret", links.rotate, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/rules", links.rules, methods=["POST"]),
        Route(LINK_PATH + "/{client_id}/delete", links.delete, methods=["POST"]),
        Route(AUTHORIZED_PATH, mine.list, methods=["GET"]),
        Route(AUTHORIZED_PATH, mine.revoke, methods=["POST"]),
        *(
            protected_route(environment.verify_token, path, {"GET": Protected(Scope.ADMIN, links.as_json)})
            for path in ("/rest/oauth2/latest/client", "/rest/oauth2/1.0/client")
        ),
    ]


def strongest(client: Client) -> Scope:
    """The strongest scope of a client: the one it was registered with."""
    return max((Scope(name) for name in client.scope.names), key=list(Scope).index)


@dataclass(frozen=True)
class _Pages:
    environment: Environment

    @property
    def context_path(self) -> str:
        return self.environment.settings.context_path

    def form_token(self, session: Session) -> str:
        return form_token(self.environment.keys, session.digest, type(self).__name__)

    def check(self, request: Request, form: Form, session: Session) -> None:
        check_form(request, form.text("form_token"), self.form_token(session), self.environment.settings.base_url)


class _IncomingLinks(_Pages):
    async def list(self, request: Request) -> Response:
        session = await self._administrator(request)
        links = await self.environment.database.read(clients.list_all)
        return render(
            LinksPage(context_path=self.context_path, visitor=visitor(self.environment, session), links=links)
        )

    async def create_form(self, request: Request) -> Response:
        session = await self._administrator(request)
        return self._form(session)

    async def create(self, request: Request) -> Response:
        session = await self._administrator(request)
        form, environment = await Form.read(request), self.environment
        self.check(request, form, session)
        try:
            registration = self._registration(form, Profile.STRICT)
            registered = await environment.database.write(
                lambda tx: register(
                    tx,
                    registration,
                    confidential=form.text("type") != "public",
                    created_by=session.user.username,
                    now=environment.clock.now(),
                    keys=environment.keys,
                    entropy=environment.entropy,
                )
            )
        except WatersmeetError as error:
            return self._form(session, form, problem=error.description)
        log.info("incoming link created", client=registered.client.client_id, by=session.user.username)
        return await self._link(session, registered.client, secret=registered.client_secret, is_new=True)

    async def show(self, request: Request) -> Response:
        session = await self._administrator(request)
        return await self._link(session, await self._requested(request))

    async def edit_form(self, request: Request) -> Response:
        session = await self._administrator(request)
        return self._form(session, link=await self._requested(request))

    async def edit(self, request: Request) -> Response:
        session = await self._administrator(request)
        form, client = await Form.read(request), await self._requested(request)
        self.check(request, form, session)
        try:
            registration = self._registration(form, client.profile)
            await self.environment.database.write(lambda tx: edit(tx, client.client_id, registration))
        except WatersmeetError as error:
            return self._form(session, form, link=client, problem=error.description)
        log.info("incoming link changed", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def rules(self, request: Request) -> Response:
        """Turn the ratchet (require PKCE), or allow introspection or take it back."""
        session = await self._administrator(request)
        form, client = await Form.read(request), await self._requested(request)
        self.check(request, form, session)
        refuse = [Legacy.NO_PKCE] if form.text("require_pkce") else []
        introspect = {"yes": True, "no": False}.get(form.text("may_introspect"))
        try:
            await self.environment.database.write(
                lambda tx: change_rules(tx, client, refuse=refuse, may_introspect=introspect)
            )
        except WatersmeetError as error:
            return await self._link(session, client, problem=error.description)
        log.info("incoming link changed", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def rotate(self, request: Request) -> Response:
        session = await self._administrator(request)
        form, client = await Form.read(request), await self._requested(request)
        self.check(request, form, session)
        hours = form.text("overlap_hours")
        if not (hours.isascii() and hours.isdigit() and int(hours) <= 24 * 90):
            return await self._link(session, client, problem="The overlap must be 0 to 2160 hours.")
        environment = self.environment
        secret = await environment.database.write(
            lambda tx: rotate_secret(
                tx,
                client,
                overlap=int(hours) * HOUR,
                now=environment.clock.now(),
                keys=environment.keys,
                entropy=environment.entropy,
            )
        )
        log.info("client secret rotated", client=client.client_id, by=session.user.username, overlap=hours)
        return await self._link(session, client, secret=secret)

    async def delete(self, request: Request) -> Response:
        session = await self._administrator(request)
        form, client = await Form.read(request), await self._requested(request)
        self.check(request, form, session)
        if form.text("name") != client.name:
            return await self._link(session, client, problem="To delete the link, type its name exactly.")
        await self.environment.database.write(lambda tx: delete_link(tx, client))
        log.info("incoming link deleted", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINKS_PATH}", 303)

    async def as_json(self, _request: Request, _caller: Caller) -> Response:
        links = await self.environment.database.read(clients.list_all)
        return JsonResponse([link_as_json(link) for link in links])

    async def _administrator(self, request: Request) -> Session:
        """The administrator who asks. Raises ``SignInRequired`` or ``NotAnAdministrator``."""
        session = await require_session(self.environment, request, otherwise=LINKS_PATH)
        if session.user.role is Role.USER:
            raise NotAnAdministrator
        return session

    async def _requested(self, request: Request) -> Client:
        client_id = request.path_params["client_id"]
        return await self.environment.database.read(lambda tx: require_link(tx, client_id))

    def _registration(self, form: Form, profile: Profile) -> Registration:
        """What a form says; ``profile`` is for one that does not say it."""
        try:
            scope = Scope(form.text("scope"))
        except ValueError:
            raise UnacceptableLink("Choose one of the application permissions.") from None
        try:
            profile = Profile(form.text("profile") or profile)
        except ValueError:
            raise UnacceptableLink("Choose one of the profiles.") from None
        return Registration.check(
            name=form.text("name"),
            redirect_uris=form.lines("redirect_uris"),
            scope=scope,
            profile=profile,
            allow_http=self.environment.settings.provider.skip_redirect_url_https_requirement,
        )

    def _form(
        self,
        session: Session,
        form: Form | None = None,
        *,
        link: Client | None = None,
        problem: str | None = None,
    ) -> Response:
        page = LinkForm(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            client_id=link.client_id if link else None,
            name=form.text("name") if form else link.name if link else "",
            redirect_uris=form.raw("redirect_uris")
            if form
            else "\n".join(uri.value for uri in link.redirect_uris)
            if link
            else "",
            scope=form.text("scope") if form else strongest(link) if link else Scope.READ,
            confidential=link.confidential if link else not form or form.text("type") != "public",
            profile=_chosen_profile(form, link),
            choices=list(WORDS.values()),
            problem=problem,
            form_token=self.form_token(session),
        )
        return render(page, 400 if problem else 200)

    async def _link(
        self,
        session: Session,
        link: Client,
        *,
        secret: str | None = None,
        is_new: bool = False,
        problem: str | None = None,
    ) -> Response:
        now = self.environment.clock.now()
        users = await self.environment.database.read(lambda tx: tokens.count_users_of(tx, link.id, now))
        legacy = await self.environment.database.read(lambda tx: compatibility_of(tx, link))
        page = LinkPage(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            link=link,
            words=[WORDS[scope] for scope in Scope if scope in link.scope.implied],
            users=users,
            compatibility=legacy,
            legacy_words=compatibility.WORDS,
            client_secret=secret,
            is_new=is_new,
            overlap_hours=DEFAULT_OVERLAP_HOURS,
            problem=problem,
            base_url=self.environment.settings.base_url,
            form_token=self.form_token(session),
        )
        return render(page, 400 if problem else 200)


def _chosen_profile(form: Form | None, link: Client | None) -> Profile:
    chosen = form.text("profile") if form else link.profile if link else Profile.STRICT
    return Profile(chosen) if chosen in set(Profile) else Profile.STRICT


class _AuthorizedApplications(_Pages):
    async def home(self, request: Request) -> Response:
        session = await current_session(self.environment, request)
        who = visitor(self.environment, session) if session else None
        return render(HomePage(context_path=self.context_path, visitor=who))

    async def list(self, request: Request) -> Response:
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
        form = await Form.read(request)
        session = await require_session(self.environment, request, otherwise=AUTHORIZED_PATH)
        self.check(request, form, session)
        client_id, now = form.text("client_id"), self.environment.clock.now()
        ended = await self.environment.database.write(lambda tx: revoke_access(tx, session.user, client_id, now))
        log.info("access removed", user=session.user.username, client=client_id, grants=ended)
        return RedirectResponse(f"{self.context_path}{AUTHORIZED_PATH}", 303)


def _words(grant: Grant) -> ScopeWords:
    return WORDS[[scope for scope in Scope if scope in grant.scope.implied][-1]]
