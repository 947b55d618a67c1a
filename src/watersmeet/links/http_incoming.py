"""The pages of incoming links, for administrators."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet.confluence.scopes import LINK_WORDS, Scope
from watersmeet.database import clients, tokens
from watersmeet.database.tokens import Usage
from watersmeet.database.transaction import Transaction
from watersmeet.errors import WatersmeetError
from watersmeet.links import compatibility
from watersmeet.links.compatibility import compatibility_of
from watersmeet.links.credentials import (
    DEFAULT_OVERLAP_HOURS,
    HOUR,
    NotViewable,
    TimeOver,
    delete_link,
    disable_link,
    enable_link,
    end_old_secrets,
    rotate_secret,
    view_secret,
    viewable_secret,
)
from watersmeet.links.draft import NO_PROBLEMS, Draft, Problems, find_problems
from watersmeet.links.page import LinkForm, LinkPage, LinkRow, LinksPage, RefreshGrace, strongest
from watersmeet.links.recipes import recipes
from watersmeet.links.register import (
    Registration,
    UnacceptableLink,
    change_rules,
    edit,
    last_day,
    register,
    require_link,
)
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.users.http import SignedInPages, require_administrator, visitor
from watersmeet.users.session import Session
from watersmeet.web.forms import Form
from watersmeet.web.json import JsonResponse
from watersmeet.web.language import preferred, told
from watersmeet.web.log import log
from watersmeet.web.origin import origin_of
from watersmeet.web.templates import render

LINKS_PATH = "/plugins/servlet/applinks/listApplicationLinks"
LINK_PATH = "/plugins/servlet/applinks/incoming"
MAX_OVERLAP_HOURS = 24 * 90


class NotConfirmed(WatersmeetError):
    """The name that was to be typed before a deletion is another."""

    description = "To delete the link, type its name exactly."


class UnacceptableOverlap(WatersmeetError):
    """An overlap of secrets that is no time at all, or too long."""

    def __init__(self) -> None:
        super().__init__("The overlap must be 0 to {maximum} hours.", maximum=MAX_OVERLAP_HOURS)


class IncomingLinks(SignedInPages):
    """List, create, show, edit, rotate, disable and delete."""

    async def list(self, request: Request) -> Response:
        """All links, or those that fit ``?q=``."""
        session = await self._administrator(request)
        search, now = request.query_params.get("q", "").strip(), self.environment.clock.now()

        def find(tx: Transaction) -> list[LinkRow]:
            usage = tokens.usage_by_client(tx, now, self.environment.lifetimes_at(now))
            return [LinkRow(link, usage.get(link.id, Usage()), link.has_expired(now)) for link in clients.list_all(tx)]

        page = LinksPage(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            rows=[row for row in await self.environment.database.read(find) if row.fits(search)],
            search=search,
        )
        return render(page)

    async def create_form(self, request: Request) -> Response:
        """The empty form."""
        session = await self._administrator(request)
        return self._form(session)

    async def create(self, request: Request) -> Response:
        """Register, and show the credentials this once."""
        session = await self._administrator(request)
        form, environment = await Form.read(request), self.environment
        self.check(request, form, session)
        origin = origin_of(request, session.user.username)
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
                    origin=origin,
                    viewable=environment.settings.secrets_viewable,
                )
            )
        except WatersmeetError as error:
            return self._form(session, form, problem=error, problems=await self._problems(form))
        log.info("incoming link created", client=registered.client.client_id, by=session.user.username)
        return await self._link(session, registered.client, secret=registered.client_secret, is_new=True)

    async def show(self, request: Request) -> Response:
        """One link."""
        session = await self._administrator(request)
        return await self._link(session, await self._requested(request))

    async def edit_form(self, request: Request) -> Response:
        """The form with what there is."""
        session = await self._administrator(request)
        return self._form(session, link=await self._requested(request))

    async def edit(self, request: Request) -> Response:
        """Change a link."""
        session, form, client = await self._posted(request)
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        try:
            registration = self._registration(form, client.profile)
            await self.environment.database.write(lambda tx: edit(tx, client.client_id, registration, now, origin))
        except WatersmeetError as error:
            problems = await self._problems(form, client)
            return self._form(session, form, link=client, problem=error, problems=problems)
        log.info("incoming link changed", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def check_draft(self, request: Request) -> Response:
        """What would be said to the form as it stands, by field; nothing is saved."""
        session = await self._administrator(request)
        form = await Form.read(request)
        self.check(request, form, session)
        client = await self._requested(request) if "client_id" in request.path_params else None
        problems, language = await self._problems(form, client), preferred(request.headers.get("accept-language"))
        return JsonResponse(
            {
                field: [{"line": problem.line, "text": told(problem.error, language)} for problem in found]
                for field, found in problems.items()
            }
        )

    async def rules(self, request: Request) -> Response:
        """Turn the ratchet (require PKCE), allow introspection or take it back, or choose a grace for refreshes."""
        session, form, client = await self._posted(request)
        refuse = [Legacy.NO_PKCE] if form.text("require_pkce") else []
        introspect = {"yes": True, "no": False}.get(form.text("may_introspect"))
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        try:
            grace = _chosen_grace(form)
            await self.environment.database.write(
                lambda tx: change_rules(
                    tx, client, now, origin, refuse=refuse, may_introspect=introspect, refresh_grace_seconds=grace
                )
            )
        except WatersmeetError as error:
            return await self._link(session, client, problem=error, wrong_field="refresh_grace")
        log.info("incoming link changed", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def rotate(self, request: Request) -> Response:
        """Make a new secret, and show it this once."""
        session, form, client = await self._posted(request)
        hours = form.text("overlap_hours")
        if not (hours.isascii() and hours.isdigit() and int(hours) <= MAX_OVERLAP_HOURS):
            return await self._link(session, client, problem=UnacceptableOverlap(), wrong_field="overlap_hours")
        environment = self.environment
        secret = await environment.database.write(
            lambda tx: rotate_secret(
                tx,
                client,
                overlap=int(hours) * HOUR,
                now=environment.clock.now(),
                keys=environment.keys,
                entropy=environment.entropy,
                origin=origin_of(request, session.user.username),
                viewable=environment.settings.secrets_viewable,
            )
        )
        log.info("client secret rotated", client=client.client_id, by=session.user.username, overlap=hours)
        return await self._link(session, await self._requested(request), secret=secret)

    async def view(self, request: Request) -> Response:
        """Show the secret again, where the operator allows that."""
        session, _, client = await self._posted(request)
        if not self.environment.settings.secrets_viewable:
            return await self._link(session, client, problem=NotViewable())
        environment, origin = self.environment, origin_of(request, session.user.username)
        now = environment.clock.now()
        try:
            secret = await environment.database.write(
                lambda tx: view_secret(tx, client, now=now, keys=environment.keys, origin=origin)
            )
        except NotViewable as error:
            return await self._link(session, client, problem=error)
        log.info("client secret viewed", client=client.client_id, by=session.user.username)
        return await self._link(session, client, secret=secret, is_seen_again=True)

    async def end_old_secrets(self, request: Request) -> Response:
        """End what a rotation left working, before its time."""
        session, _, client = await self._posted(request)
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        ended = await self.environment.database.write(lambda tx: end_old_secrets(tx, client, now, origin))
        log.info("old client secrets ended", client=client.client_id, by=session.user.username, count=ended)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def disable(self, request: Request) -> Response:
        """Refuse the application everywhere."""
        session, _, client = await self._posted(request)
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        ended = await self.environment.database.write(lambda tx: disable_link(tx, client, now, origin))
        log.info("incoming link disabled", client=client.client_id, by=session.user.username, grants=ended)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def enable(self, request: Request) -> Response:
        """Serve the application again."""
        session, _, client = await self._posted(request)
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        try:
            await self.environment.database.write(lambda tx: enable_link(tx, client, now, origin))
        except TimeOver as error:
            return await self._link(session, client, problem=error)
        log.info("incoming link enabled", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINK_PATH}/{client.client_id}", 303)

    async def delete(self, request: Request) -> Response:
        """Delete a link whose name was typed."""
        session, form, client = await self._posted(request)
        if form.text("name") != client.name:
            return await self._link(session, client, problem=NotConfirmed(), wrong_field="name")
        now, origin = self.environment.clock.now(), origin_of(request, session.user.username)
        await self.environment.database.write(lambda tx: delete_link(tx, client, now, origin))
        log.info("incoming link deleted", client=client.client_id, by=session.user.username)
        return RedirectResponse(f"{self.context_path}{LINKS_PATH}", 303)

    async def _administrator(self, request: Request) -> Session:
        """The administrator who asks. Raises ``SignInRequired`` or ``NotAnAdministrator``."""
        return await require_administrator(self.environment, request, otherwise=LINKS_PATH)

    async def _posted(self, request: Request) -> tuple[Session, Form, Client]:
        """The administrator who sent a form about a link, the form, and the link."""
        session = await self._administrator(request)
        form, client = await Form.read(request), await self._requested(request)
        self.check(request, form, session)
        return session, form, client

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
            last_day=form.text("last_day"),
            allow_http=self.environment.settings.provider.skip_redirect_url_https_requirement,
        )

    async def _problems(self, form: Form, link: Client | None = None) -> Problems:
        draft = Draft(form.text("name"), form.lines("redirect_uris"), form.text("last_day"), link)
        allow_http = self.environment.settings.provider.skip_redirect_url_https_requirement
        now = self.environment.clock.now()
        return await self.environment.database.read(lambda tx: find_problems(tx, draft, now, allow_http=allow_http))

    def _form(
        self,
        session: Session,
        form: Form | None = None,
        *,
        link: Client | None = None,
        problem: WatersmeetError | None = None,
        problems: Problems = NO_PROBLEMS,
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
            last_day=form.text("last_day") if form else last_day(link.expires_at) if link else "",
            choices=list(LINK_WORDS.values()),
            problem_found=problem,
            problems=problems,
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
        is_seen_again: bool = False,
        problem: WatersmeetError | None = None,
        wrong_field: str | None = None,
    ) -> Response:
        now = self.environment.clock.now()
        lifetimes = self.environment.lifetimes_at(now)
        users, usage, legacy = await self.environment.database.read(
            lambda tx: (
                tokens.list_users_of(tx, link.id, now, lifetimes),
                tokens.usage_of(tx, link.id, now, lifetimes),
                compatibility_of(tx, link),
            )
        )
        page = LinkPage(
            context_path=self.context_path,
            visitor=visitor(self.environment, session),
            link=link,
            has_expired=link.has_expired(now),
            words=[LINK_WORDS[scope] for scope in Scope if scope in link.scope.implied],
            users=users,
            usage=usage,
            secrets=[secret for secret in link.secrets if secret.is_live(now)],
            compatibility=legacy,
            legacy_words=compatibility.WORDS,
            client_secret=secret,
            is_new=is_new,
            is_seen_again=is_seen_again,
            is_viewable=self.environment.settings.secrets_viewable and viewable_secret(link, now) is not None,
            recipes=recipes(self.environment.settings.base_url, link, secret) if secret or is_new else [],
            overlap_hours=DEFAULT_OVERLAP_HOURS,
            refresh_grace=RefreshGrace.of(link, self.environment.settings.refresh_grace_seconds),
            has_long_access_tokens=self.environment.settings.has_long_access_tokens,
            lifetimes=link.lifetimes(lifetimes),
            problem_found=problem,
            wrong_field=wrong_field,
            form_token=self.form_token(session),
        )
        return render(page, 400 if problem else 200)


def _chosen_grace(form: Form) -> int | Literal["default"] | None:
    chosen = form.text("refresh_grace")
    if not chosen or chosen == "default":
        return "default" if chosen else None
    if not (chosen.isascii() and chosen.isdigit()):
        raise UnacceptableLink("Choose one of the graces.")
    return int(chosen)


def _chosen_profile(form: Form | None, link: Client | None) -> Profile:
    chosen = form.text("profile") if form else link.profile if link else Profile.STRICT
    return Profile(chosen) if chosen in set(Profile) else Profile.STRICT
