"""The playground: the flow, step by step, with what really goes over the wire."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from watersmeet import demo
from watersmeet.confluence.scopes import WORDS, Scope, ScopeWords
from watersmeet.database import clients
from watersmeet.dev.http.command import read_command, token
from watersmeet.dev.record import Record
from watersmeet.dev.run import LABELS, Action, ImpossibleAction, Pkce, Run
from watersmeet.dev.wire import send
from watersmeet.dev.workshop import Workshop
from watersmeet.errors import WatersmeetError
from watersmeet.links.register import Registration, register
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.redirect import find_match
from watersmeet.web.language import Sentence
from watersmeet.web.route import Route
from watersmeet.web.templates import Page, render

PATH = "/_dev/playground"
PUBLIC_NAME = "Playground, a public client"


class NoSuchRun(WatersmeetError):
    """The run was forgotten: too many others, or a reset."""

    description = "This run is not kept any more. Start another."


class NoSuchPlayer(WatersmeetError):
    """The client does not exist, or may not be answered here."""

    description = "Choose a client that may answer to the playground."


class Start(msgspec.Struct, forbid_unknown_fields=True):
    """The form that starts a run; without a scope the request has none either."""

    client_id: str = demo.CLIENT_ID
    client_secret: str = ""
    scope: Scope | list[Scope] = []
    pkce: Pkce = Pkce.S256

    @property
    def scopes(self) -> str:
        """The ``scope`` parameter, weakest first."""
        wanted = self.scope if isinstance(self.scope, list) else [self.scope]
        return " ".join(scope for scope in Scope if scope in wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaygroundPage(Page):
    """The beginning: which client, which scopes, which proof."""

    template: ClassVar[str] = "dev-playground.html"
    clients: list[Client]
    demo_client_id: str
    scopes: list[ScopeWords]
    methods: tuple[Pkce, ...]
    callback: str
    has_public_client: bool
    form_token: str
    problem: WatersmeetError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage(Page):
    """A run: its steps so far, and what can be done next."""

    template: ClassVar[str] = "dev-run.html"
    run: Run
    labels: dict[Action, Sentence]
    form_token: str


def routes(workshop: Workshop) -> list[Route]:
    """The routes of this module."""
    playground = _Playground(workshop)
    return [
        Route(PATH, playground.form, methods=["GET"]),
        Route(PATH, playground.start, methods=["POST"]),
        Route(PATH + "/public-client", playground.add_public_client, methods=["POST"]),
        Route(PATH + "/{run}", playground.show, methods=["GET"]),
        Route(PATH + "/{run}/{action}", playground.act, methods=["POST"]),
    ]


@dataclass(frozen=True)
class _Playground:
    workshop: Workshop

    @property
    def _context_path(self) -> str:
        return self.workshop.environment.settings.context_path

    async def form(self, _request: Request) -> Response:
        return await self._form()

    async def start(self, request: Request) -> Response:
        command = await read_command(self.workshop.environment, request)
        try:
            wanted = command.to(Start)
        except WatersmeetError as error:
            return await self._form(problem=error, status=400)
        chosen = next((client for client in await self._clients() if client.client_id == wanted.client_id), None)
        if chosen is None:
            return await self._form(problem=NoSuchPlayer(), status=400)
        run = self.workshop.runs.start(
            client_id=chosen.client_id,
            client_secret=wanted.client_secret or (demo.CLIENT_SECRET if chosen.client_id == demo.CLIENT_ID else ""),
            client_name=chosen.name,
            scope=wanted.scopes,
            pkce=wanted.pkce,
        )
        return RedirectResponse(f"{self._context_path}{PATH}/{run.id}", 303)

    async def add_public_client(self, request: Request) -> Response:
        environment = self.workshop.environment
        await read_command(environment, request)
        if not any(client.name == PUBLIC_NAME for client in await self._clients()):
            wanted = Registration.check(
                name=PUBLIC_NAME,
                redirect_uris=[self._callback],
                scope=Scope.SYSTEM_ADMIN,
                profile=Profile.ATLASSIAN_DC,  # so that the method plain can be tried, too
                allow_http=True,
            )
            await environment.database.write(
                lambda tx: register(
                    tx,
                    wanted,
                    confidential=False,
                    created_by="admin",
                    now=environment.clock.now(),
                    keys=environment.keys,
                    entropy=environment.entropy,
                )
            )
        return RedirectResponse(self._context_path + PATH, 303)

    async def show(self, request: Request) -> Response:
        page = RunPage(
            context_path=self._context_path,
            run=self._run(request),
            labels=LABELS,
            form_token=token(self.workshop.environment),
        )
        return render(page)

    async def act(self, request: Request) -> Response:
        environment, run = self.workshop.environment, self._run(request)
        await read_command(environment, request)
        try:
            action = Action(request.path_params["action"])
        except ValueError as error:
            raise ImpossibleAction from error
        sent, base_url = run.request(action), environment.settings.base_url
        # By this name the inspector's record of the request is found again.
        agent = ("User-Agent", f"watersmeet-playground/{run.id}-{len(run.steps) + 1}")
        answer = await to_thread.run_sync(partial(send, sent, base_url, agent))
        record = self._record(agent[1])
        run.note(
            action,
            sent,
            sent.text(base_url, agent),
            answer,
            record.finding.why if record else None,
            record.number if record else None,
        )
        return RedirectResponse(f"{self._context_path}{PATH}/{run.id}#step-{len(run.steps)}", 303)

    def _record(self, agent: str) -> Record | None:
        return next((record for record in self.workshop.records.newest() if record.is_from(agent)), None)

    def _run(self, request: Request) -> Run:
        run = self.workshop.runs.find(request.path_params["run"])
        if run is None:
            raise NoSuchRun
        return run

    @property
    def _callback(self) -> str:
        return self.workshop.environment.settings.base_url + demo.CALLBACK_PATH

    async def _clients(self) -> list[Client]:
        """The clients that may be answered at the playground's callback."""
        everyone = await self.workshop.environment.database.read(clients.list_all)
        return [client for client in everyone if find_match(client.redirect_uris, self._callback) is not None]

    async def _form(self, *, problem: WatersmeetError | None = None, status: int = 200) -> Response:
        possible = await self._clients()
        page = PlaygroundPage(
            context_path=self._context_path,
            clients=possible,
            demo_client_id=demo.CLIENT_ID,
            scopes=[WORDS[scope] for scope in Scope],
            methods=(Pkce.S256, Pkce.PLAIN, Pkce.NONE),
            callback=self._callback,
            has_public_client=any(not client.confidential for client in possible),
            form_token=token(self.workshop.environment),
            problem=problem,
        )
        return render(page, status)
