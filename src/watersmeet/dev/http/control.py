"""The panel and its levers: clock, faults, reset, seed; each a page's form and a script's JSON at one address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet import demo
from watersmeet.clock import SECOND, Instant, as_datetime
from watersmeet.confluence.scopes import Scope
from watersmeet.database import dev
from watersmeet.dev import seed
from watersmeet.dev.credential import in_words
from watersmeet.dev.fault import WORDS, Deed, Fault, Standing
from watersmeet.dev.http.command import Command, Handler, NotACommand, for_scripts, is_from_page, read_command, token
from watersmeet.dev.workshop import Workshop
from watersmeet.errors import WatersmeetError
from watersmeet.links.register import Registration, last_day, register
from watersmeet.oauth2.profile import Profile
from watersmeet.web.json import JsonResponse
from watersmeet.web.language import Sentence
from watersmeet.web.log import log
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, render

PANEL_PATH = "/_dev/"
_DONE = {
    "clock": Sentence("The clock was set."),
    "faults": Sentence("The faults are in force."),
    "cleared": Sentence("The faults were cleared."),
    "reset": Sentence("Everything is as it was at the start. Every token and session is dead."),
}


class Unconfirmed(WatersmeetError):
    """The reset was asked for without saying yes."""

    description = "Tick the box to confirm the reset."


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /_dev/clock`` takes: exactly one of the three."""

    advance: float | None = None
    set: str | float | None = None
    reset: bool = False


class Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /_dev/reset`` takes from a page; a script's request is its own confirmation."""

    confirm: str = ""


class NewClient(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /_dev/clients`` takes."""

    name: str
    redirect_uris: list[str]
    scope: Scope = Scope.WRITE
    public: bool = False
    profile: Profile = Profile.ATLASSIAN_DC  # what clients of the original are tested against
    last_day: str = ""


class OnlyOneChange(WatersmeetError):
    """A clock cannot be advanced and set at once, and doing nothing is not a command."""

    description = 'Send one of {"advance": seconds}, {"set": "ISO 8601" or epoch seconds}, {"reset": true}.'


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPage(Page):
    """The developer pages' front page: where to go, and the levers."""

    template: ClassVar[str] = "dev-panel.html"
    base_url: str
    now: Instant
    offset: str
    is_ahead: bool
    faults: list[Standing]
    deeds: dict[Deed, Sentence]
    users: tuple[demo.DemoUser, ...]
    client_id: str
    client_secret: str
    form_token: str
    done: Sentence | None
    problem: WatersmeetError | None


def routes(workshop: Workshop) -> list[Route]:
    """The routes of this module."""
    control = _Control(workshop)

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, for_scripts(handler), methods=[method])

    return [
        Route(PANEL_PATH, control.panel, methods=["GET"]),
        Route(PANEL_PATH.rstrip("/"), control.to_panel, methods=["GET"]),
        route("/_dev/clock", "GET", control.tell_clock),
        route("/_dev/clock", "POST", control.set_clock),
        route("/_dev/faults", "GET", control.list_faults),
        route("/_dev/faults", "POST", control.add_faults),
        route("/_dev/faults", "DELETE", control.clear_faults),
        route("/_dev/faults/clear", "POST", control.clear_faults),  # for forms, which cannot delete
        route("/_dev/faults/{number:int}", "DELETE", control.remove_fault),
        route("/_dev/reset", "POST", control.reset),
        route("/_dev/clients", "POST", control.register),
        Route("/_dev/seed.json", control.seed, methods=["GET"]),
        Route("/_dev/database.sqlite", control.database, methods=["GET"]),
    ]


@dataclass(frozen=True)
class _Control:
    workshop: Workshop

    async def panel(self, request: Request) -> Response:
        return self._page(done=_DONE.get(request.query_params.get("done", "")))

    async def to_panel(self, _request: Request) -> Response:
        return RedirectResponse(self._context_path + PANEL_PATH, 302)

    # ---- clock --------------------------------------------------------------------------------------------

    async def tell_clock(self, _request: Request) -> Response:
        return JsonResponse(self._clock())

    async def set_clock(self, request: Request) -> Response:
        return await self._carry_out(request, "clock", self._set_clock, self._clock)

    async def _set_clock(self, command: Command) -> None:
        change, clock = command.to(ClockChange), self.workshop.clock
        asked = (change.advance is not None, change.set is not None, change.reset)
        if sum(asked) != 1:
            raise OnlyOneChange
        if change.advance is not None:
            clock.advance(change.advance)
        elif change.set is not None:
            clock.set(change.set)
        else:
            clock.reset()

    def _clock(self) -> dict[str, Any]:
        now = self.workshop.clock.now()
        return {
            "now": as_datetime(now).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "epoch": now / SECOND,
            "offset_seconds": self.workshop.clock.offset / SECOND,
        }

    # ---- faults -------------------------------------------------------------------------------------------

    async def list_faults(self, _request: Request) -> Response:
        return JsonResponse(self._faults())

    async def add_faults(self, request: Request) -> Response:
        return await self._carry_out(request, "faults", self._add_faults, self._faults)

    async def _add_faults(self, command: Command) -> None:
        several = isinstance(command.value, list)
        try:
            wanted = command.to(list[Fault]) if several else [command.to(Fault)]
        except NotACommand as error:
            if not error.description.endswith(".do`."):
                raise
            raise NotACommand(f"{error.description} There are {', '.join(Deed)}.") from error
        for fault in wanted:
            self.workshop.faults.add(fault)

    async def clear_faults(self, request: Request) -> Response:
        async def clear(_command: Command) -> None:
            self.workshop.faults.clear()

        return await self._carry_out(request, "cleared", clear, self._faults)

    async def remove_fault(self, request: Request) -> Response:
        async def remove(_command: Command) -> None:
            self.workshop.faults.remove(request.path_params["number"])

        return await self._carry_out(request, "cleared", remove, self._faults)

    def _faults(self) -> dict[str, Any]:
        return {
            "faults": [
                {"id": standing.number, **msgspec.to_builtins(standing.fault), "met": standing.met, "hit": standing.hit}
                for standing in self.workshop.faults
            ]
        }

    # ---- reset and seed -----------------------------------------------------------------------------------

    async def reset(self, request: Request) -> Response:
        async def start_again(command: Command) -> None:
            if command.is_form and command.to(Confirmation).confirm != "yes":
                raise Unconfirmed
            await self.workshop.reset()
            log.info("reset to the first state")

        return await self._carry_out(request, "reset", start_again, self._clock)

    async def register(self, request: Request) -> Response:
        command = await read_command(self.workshop.environment, request)
        wanted, environment = command.to(NewClient), self.workshop.environment
        checked = Registration.check(
            name=wanted.name.strip(),
            redirect_uris=wanted.redirect_uris,
            scope=wanted.scope,
            profile=wanted.profile,
            last_day=wanted.last_day,
            allow_http=environment.settings.provider.skip_redirect_url_https_requirement,  # as for every other link
        )
        registered = await environment.database.write(
            lambda tx: register(
                tx,
                checked,
                confidential=not wanted.public,
                created_by="admin",
                now=self.workshop.clock.now(),
                keys=environment.keys,
                entropy=environment.entropy,
            )
        )
        client = registered.client
        return JsonResponse(
            {
                "name": client.name,
                "client_id": client.client_id,
                "client_secret": registered.client_secret,
                "redirect_uris": [uri.value for uri in client.redirect_uris],
                "scope": wanted.scope,
                "last_day": last_day(client.expires_at) or None,
            }
        )

    async def seed(self, _request: Request) -> Response:
        content = seed.as_json(self.workshop.first_state)
        return JsonResponse(content, headers={"content-disposition": 'attachment; filename="watersmeet-seed.json"'})

    async def database(self, _request: Request) -> Response:
        data = await self.workshop.environment.database.read(dev.serialize)
        headers = {"content-disposition": 'attachment; filename="watersmeet-dev.sqlite"'}
        return Response(data, headers=headers, media_type="application/vnd.sqlite3")

    # ---- both kinds of caller -----------------------------------------------------------------------------

    async def _carry_out(self, request: Request, name: str, work: Any, state: Any) -> Response:
        """Do what a command says; tell a script the new state, and send a page back to the panel."""
        try:
            command = await read_command(self.workshop.environment, request)
            await work(command)
        except WatersmeetError as error:
            if not is_from_page(request):
                raise
            return self._page(problem=error, status=400)
        if command.is_form:
            return RedirectResponse(f"{self._context_path}{PANEL_PATH}?done={name}", 303)
        return JsonResponse(state())

    @property
    def _context_path(self) -> str:
        return self.workshop.environment.settings.context_path

    def _page(
        self, *, done: Sentence | None = None, problem: WatersmeetError | None = None, status: int = 200
    ) -> Response:
        environment = self.workshop.environment
        page = PanelPage(
            context_path=self._context_path,
            base_url=environment.settings.base_url,
            now=self.workshop.clock.now(),
            offset=in_words(self.workshop.clock.offset),
            is_ahead=self.workshop.clock.offset > 0,
            faults=list(self.workshop.faults),
            deeds=WORDS,
            users=demo.USERS,
            client_id=demo.CLIENT_ID,
            client_secret=demo.CLIENT_SECRET,
            form_token=token(environment),
            done=done,
            problem=problem,
        )
        return render(page, status)
