"""The server under somebody's test: everything a test does with a running ``watersmeet dev``, over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json as json_module
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from watersmeet.errors import WatersmeetError
from watersmeet.testing import flow

_TIMEOUT_SECONDS = 60


class ServerFailed(WatersmeetError):
    """The server did not start, or refused a command of the test. The description says why."""


@dataclass(frozen=True, slots=True)
class User:
    """A demo user."""

    username: str
    password: str
    roles: list[str]


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. A public one has no secret; ``last_day`` is ISO 8601, in UTC."""

    name: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uris: list[str]
    scope: str
    last_day: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens, and the answer they came in."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str
    expires_in: int
    answer: dict[str, Any] = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that a request to the API needs."""
        return {"Authorization": f"Bearer {self.access_token}"}

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Tokens:
        """The tokens in the answer of a token endpoint."""
        return cls(answer["access_token"], answer["refresh_token"], answer["scope"], answer["expires_in"], answer)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json_module.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running ``watersmeet dev``. Addresses given to it are paths below ``base_url``."""

    base_url: str
    users: dict[str, User]
    clients: list[Client]
    pid: int

    @property
    def client(self) -> Client:
        """The demo client: confidential, registered for every scope."""
        return self.clients[0]

    # ---- people and clients -------------------------------------------------------------------------------

    def register(
        self,
        name: str,
        redirect_uris: Sequence[str],
        *,
        scope: str = "WRITE",
        public: bool = False,
        profile: str = "atlassian-dc",
        last_day: date | str | None = None,
    ) -> Client:
        """One more client, until the next reset. A public one has no secret and must use PKCE.

        ``profile="strict"`` holds it to RFC 9700 instead of to what Data Center accepts. ``last_day`` is the last day,
        in UTC, on which it is served (``2027-12-31`` or a ``date``). Redirect URIs are held to the rules of
        ``watersmeet link add``: https, unless they are on this computer.
        """
        sent = {
            "name": name, "redirect_uris": list(redirect_uris), "scope": scope, "public": public, "profile": profile,
            "last_day": str(last_day or ""),
        }  # fmt: skip
        return Client(**self._command("POST", "/_dev/clients", sent))

    def allow(self, authorize_url: str, user: str = "alice") -> str:
        """Open an authorization request as a person would, sign in, press Allow.

        Returns the URL that the application then sees: the client's redirection URI with ``code`` and ``state``,
        without a fragment, which no browser sends. It is not opened: hand it to your application.
        Raises ``FlowFailed``.
        """
        return flow.answer(self.base_url, authorize_url, user, self._password(user), allow=True)

    def deny(self, authorize_url: str, user: str = "alice") -> str:
        """The same with Deny: the URL carries ``error=access_denied``."""
        return flow.answer(self.base_url, authorize_url, user, self._password(user), allow=False)

    def authorize(
        self,
        client: Client | None = None,
        user: str = "alice",
        scope: str = "READ",
        *,
        redirect_uri: str | None = None,
        pkce: bool = True,
    ) -> Tokens:
        """Tokens of a user for a client, by the whole flow: sign-in, consent, exchange. Raises ``FlowFailed``."""
        application = self._application(client, redirect_uri)
        granted = flow.ask(self.base_url, application, user, self._password(user), scope, pkce=pkce)
        return Tokens.of(flow.exchange(self.base_url, application, granted))

    def code(
        self,
        client: Client | None = None,
        user: str = "alice",
        scope: str = "READ",
        *,
        redirect_uri: str | None = None,
        pkce: bool = True,
    ) -> flow.Granted:
        """A code that is not exchanged yet, with its ``state`` and ``verifier``. Raises ``FlowFailed``."""
        application = self._application(client, redirect_uri)
        return flow.ask(self.base_url, application, user, self._password(user), scope, pkce=pkce)

    def revoke(self, tokens: Tokens, client: Client | None = None) -> None:
        """The client gives its tokens back: the whole family ends (RFC 7009)."""
        client = client or self.client
        form = {"token": tokens.refresh_token, "client_id": client.client_id}
        if client.client_secret is not None:
            form["client_secret"] = client.client_secret
        answer = self.request("POST", "/rest/oauth2/latest/revoke", form=form)
        if answer.status != 200:
            raise ServerFailed(f"The revocation was answered {answer.status}: {answer.text}")

    def refresh(self, tokens: Tokens, client: Client | None = None) -> Tokens:
        """The next pair; the given one is spent. Raises ``FlowFailed``."""
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        return Tokens.of(flow.token(self.base_url, self._application(client, None), form))

    def _password(self, user: str) -> str:
        if user not in self.users:
            raise ServerFailed(f"There is no demo user {user!r}; there are {', '.join(self.users)}.")
        return self.users[user].password

    def _application(self, client: Client | None, redirect_uri: str | None) -> flow.Application:
        client = client or self.client
        return flow.Application(client.client_id, client.client_secret, redirect_uri or client.redirect_uris[0])

    # ---- time, faults, state ------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The server's time."""
        return datetime.fromisoformat(self._command("GET", "/_dev/clock")["now"])

    def advance(self, seconds: float | timedelta) -> None:
        """Move the server's clock on."""
        span = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        self._command("POST", "/_dev/clock", {"advance": span})

    def set_time(self, moment: datetime | str | float) -> None:
        """Set the server's clock: a ``datetime``, ISO 8601, or seconds since the epoch."""
        sent = moment.isoformat() if isinstance(moment, datetime) else moment
        self._command("POST", "/_dev/clock", {"set": sent})

    def fault(self, do: str, **rule: Any) -> int:
        """Let chosen requests go wrong: ``fault("status", status=503, path="/rest/api/*", times=2)``.

        The rule's number. What ``do`` can be, and the other fields: docs/testing.md.
        """
        faults = self._command("POST", "/_dev/faults", {"do": do, **rule})["faults"]
        return int(faults[-1]["id"])

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force, with how many requests each met and hit."""
        found: list[dict[str, Any]] = self._command("GET", "/_dev/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Let everything work again."""
        self._command("DELETE", "/_dev/faults")

    def reset(self) -> None:
        """Back to the first state: data, clock, faults; every token, code and session is dead."""
        self._command("POST", "/_dev/reset", {})

    def requests(self, **wanted: str) -> list[dict[str, Any]]:
        """The last requests, newest first, with ``why`` they were refused.

        ``status="4xx"``, ``path="/rest/api"`` and ``client="…"`` choose among them.
        """
        query = f"?{urlencode(wanted)}" if wanted else ""
        found: list[dict[str, Any]] = self._command("GET", f"/_dev/requests.json{query}")["requests"]
        return found

    # ---- HTTP ---------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Answer:
        """One request and its answer; redirects are not followed."""
        sent = dict(headers or {})
        if form is not None:
            body = urlencode(form)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif json is not None:
            body = json_module.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        parts = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, parts.path + path, body=body, headers=sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def _command(self, method: str, path: str, sent: Any = None) -> Any:
        answer = self.request(method, path, json=sent)
        if answer.status != 200:
            raise ServerFailed(f"{method} {path} was answered {answer.status}: {answer.text}")
        return answer.json()
