"""Runs: a walk through the flow in the playground, step by step, kept in memory."""

from __future__ import annotations

import shlex
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from watersmeet.dev.step import DecodedToken, Step
from watersmeet.dev.wire import WireAnswer, WireRequest
from watersmeet.entropy import Entropy
from watersmeet.errors import WatersmeetError
from watersmeet.oauth2.pkce import s256
from watersmeet.web.language import Sentence

MAX_RUNS = 50
MAX_STEPS = 100
_OAUTH = "/rest/oauth2/latest"


class Pkce(StrEnum):
    """Whether and how a run proves that it asked for its code."""

    NONE = "none"
    S256 = "S256"
    PLAIN = "plain"


class Action(StrEnum):
    """What a run can do next, apart from sending the browser to the consent page."""

    EXCHANGE = "exchange"
    EXCHANGE_AGAIN = "exchange-again"
    WHO_AM_I = "who-am-i"
    READ = "read"
    WRITE = "write"
    REFRESH = "refresh"
    REPLAY = "replay"
    REVOKE = "revoke"


LABELS = {
    Action.EXCHANGE: Sentence("Exchange the code"),
    Action.WHO_AM_I: Sentence("Ask who I am"),
    Action.READ: Sentence("Read content"),
    Action.WRITE: Sentence("Write a page"),
    Action.REFRESH: Sentence("Refresh"),
    Action.REPLAY: Sentence("Use the old refresh token again"),
    Action.EXCHANGE_AGAIN: Sentence("Use the code again"),
    Action.REVOKE: Sentence("Revoke"),
}

_NOTES = {
    Action.EXCHANGE: Sentence("The client sends the code with its own proof. The code works once."),
    Action.EXCHANGE_AGAIN: Sentence(
        "A code that comes twice is in two hands: all that came of it ends (RFC 6749 §4.1.2)."
    ),
    Action.WHO_AM_I: Sentence("The access token says for whom the client acts."),
    Action.READ: Sentence("This route needs READ. What comes is what the user may see."),
    Action.WRITE: Sentence("This route needs WRITE, and the user must be allowed to write there."),
    Action.REFRESH: Sentence("A new pair; the old access token and the old refresh token stop working at once."),
    Action.REPLAY: Sentence(
        "A spent refresh token is in two hands, so the whole family of tokens ends (RFC 9700 §4.14.2)."
    ),
    Action.REVOKE: Sentence("The client gives its tokens back: the whole family ends (RFC 7009)."),
}


class ImpossibleAction(WatersmeetError):
    """A button of an earlier page was pressed: the run has no code or no tokens for it."""

    description = "This run has nothing to do that with yet."


@dataclass(slots=True)
class Run:
    """One walk: what the client knows, and what has happened so far."""

    id: str
    client_id: str
    client_secret: str = field(repr=False)
    client_name: str
    scope: str
    pkce: Pkce
    state: str
    verifier: str = field(repr=False)
    redirect_uri: str
    base_url: str
    steps: list[Step] = field(default_factory=list)
    code: str | None = field(default=None, repr=False)
    is_exchanged: bool = False
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    spent_refresh_token: str | None = field(default=None, repr=False)

    # ---- the browser's part -------------------------------------------------------------------------------

    @property
    def authorize_url(self) -> str:
        """Where the browser is sent."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            **({"scope": self.scope} if self.scope else {}),
            "state": self.state,
        }
        if self.pkce is not Pkce.NONE:
            challenge = s256(self.verifier) if self.pkce is Pkce.S256 else self.verifier
            asked |= {"code_challenge": challenge, "code_challenge_method": self.pkce.value}
        return f"{self.base_url}{_OAUTH}/authorize?{urlencode(asked)}"

    def ask(self) -> None:
        """The first step: the authorization request, for the browser to send."""
        parts = urlsplit(self.authorize_url)
        request = f"GET {parts.path}?{parts.query} HTTP/1.1\nHost: {parts.netloc}"
        note = Sentence(
            "The client sends the browser here. Nothing in it is secret; the state comes back with the answer."
        )
        if self.pkce is not Pkce.NONE:
            note = Sentence(
                "{before} code_challenge commits the client to its verifier, {verifier}, "
                "which it keeps for the exchange.",
                before=note, verifier=self.verifier,
            )  # fmt: skip
        title = Sentence("Ask for authorization")
        self.steps.append(Step(title, note, request, curl=f"curl --include '{self.authorize_url}'"))

    def come_back(self, target: str, code: str | None, error: str | None, record: int | None = None) -> None:
        """The second step: the browser at the redirection URI, with a code or with a refusal.

        ``record`` is the number of the request whose answer sent it there.
        """
        parts = urlsplit(self.base_url)
        request = f"GET {target} HTTP/1.1\nHost: {parts.netloc}"
        curl = f"curl --include {shlex.quote(f'{parts.scheme}://{parts.netloc}{target}')}"
        if code and self.code is None:
            self.code = code
            note = Sentence(
                "The state is the one that was sent, so this answer belongs to this run. The code is good for one "
                "exchange, and for a short time."
            )
            title = Sentence("The browser comes back with a code")
            self.steps.append(Step(title, note, request, curl=curl, record=record))
        elif error:
            note = Sentence("There is no code: the client learns why, and its user is back where they came from.")
            why = Sentence("The client was told {error}", error=error)
            title = Sentence("The browser comes back with a refusal")
            self.steps.append(Step(title, note, request, curl=curl, why=why, record=record))

    # ---- the client's part --------------------------------------------------------------------------------

    @property
    def actions(self) -> list[Action]:
        """What makes sense now, the next step of the flow first."""
        if self.code is None:
            return []
        if not self.is_exchanged:
            return [Action.EXCHANGE]
        if self.refresh_token is None:
            return [Action.EXCHANGE_AGAIN]
        replay = [Action.REPLAY] if self.spent_refresh_token else []
        return [
            Action.READ, Action.WRITE, Action.WHO_AM_I, Action.REFRESH, *replay, Action.EXCHANGE_AGAIN, Action.REVOKE,
        ]  # fmt: skip

    def request(self, action: Action) -> WireRequest:
        """What an action sends. Raises ``ImpossibleAction``."""
        if action not in self.actions or len(self.steps) >= MAX_STEPS:
            raise ImpossibleAction
        path = urlsplit(self.base_url).path
        match action:
            case Action.EXCHANGE | Action.EXCHANGE_AGAIN:
                form = {"grant_type": "authorization_code", "code": self.code or "", "redirect_uri": self.redirect_uri}
                form |= {"code_verifier": self.verifier} if self.pkce is not Pkce.NONE else {}
                return WireRequest.form(f"{path}{_OAUTH}/token", self._credentials | form)
            case Action.REFRESH | Action.REPLAY:
                token = self.refresh_token if action is Action.REFRESH else self.spent_refresh_token
                form = {"grant_type": "refresh_token", "refresh_token": token or ""}
                return WireRequest.form(f"{path}{_OAUTH}/token", self._credentials | form)
            case Action.REVOKE:
                form = {"token": self.refresh_token or "", "token_type_hint": "refresh_token"}
                return WireRequest.form(f"{path}{_OAUTH}/revoke", self._credentials | form)
        bearer = [("Authorization", f"Bearer {self.access_token}")]
        if action is Action.WRITE:
            page = {"type": "page", "title": f"From the playground {len(self.steps)}", "space": {"key": "DEMO"}}
            body = msgspec.json.encode(page).decode()
            return WireRequest(
                "POST", f"{path}/rest/api/content", [*bearer, ("Content-Type", "application/json")], body
            )
        target = "/rest/api/user/current" if action is Action.WHO_AM_I else "/rest/api/content?limit=1"
        return WireRequest("GET", path + target, bearer)

    @property
    def _credentials(self) -> dict[str, str]:
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        return {"client_id": self.client_id, **secret}

    def note(
        self,
        action: Action,
        request: WireRequest,
        sent: str,
        answer: WireAnswer,
        why: Sentence | None,
        record: int | None,
    ) -> None:
        """Remember what an action came to."""
        tokens = self._take(action, answer)
        step = Step(
            LABELS[action],
            _NOTES[action],
            sent,
            answer.text,
            answer.status,
            request.curl(self.base_url),
            why,
            record,
            tokens,
        )
        self.steps.append(step)

    def _take(self, action: Action, answer: WireAnswer) -> list[DecodedToken]:
        """Keep what a token endpoint gave."""
        self.is_exchanged = self.is_exchanged or (action is Action.EXCHANGE and answer.status is not None)
        if answer.status != 200 or action not in (Action.EXCHANGE, Action.REFRESH):
            return []
        try:
            body: dict[str, Any] = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            return []
        if action is Action.REFRESH:
            self.spent_refresh_token = self.refresh_token
        self.access_token, self.refresh_token = body["access_token"], body["refresh_token"]
        decoded = [DecodedToken.of(name, body[name]) for name in ("access_token", "refresh_token")]
        return [token for token in decoded if token is not None]


class Runs:
    """The last ``MAX_RUNS`` runs."""

    def __init__(self, base_url: str, redirect_uri: str, entropy: Entropy) -> None:
        self._base_url, self._redirect_uri, self._entropy = base_url, redirect_uri, entropy
        self._kept: OrderedDict[str, Run] = OrderedDict()

    def start(self, *, client_id: str, client_secret: str, client_name: str, scope: str, pkce: Pkce) -> Run:
        """A new run, its first step taken."""
        run = Run(
            id=self._entropy.hex(8),
            client_id=client_id,
            client_secret=client_secret,
            client_name=client_name,
            scope=scope,
            pkce=pkce,
            state=self._entropy.hex(16),
            verifier=self._entropy.hex(32),
            redirect_uri=self._redirect_uri,
            base_url=self._base_url,
        )
        run.ask()
        self._kept[run.id] = run
        while len(self._kept) > MAX_RUNS:
            self._kept.popitem(last=False)
        return run

    def find(self, run_id: str) -> Run | None:
        """The run of that identifier, while it is kept."""
        return self._kept.get(run_id)

    def find_by_state(self, state: str) -> Run | None:
        """The run whose browser comes back with that state."""
        return next((run for run in self._kept.values() if run.state == state), None)

    def clear(self) -> None:
        """Forget all runs."""
        self._kept.clear()
