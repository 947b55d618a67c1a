"""An OAuth client over plain HTTP, correct unless a test changes something, and the server it talks to."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.security.harness.browser import Browser, http_client
from tests.security.harness.target import STRICT, Hooks, Registration, Resource, Target, User
from tests.security.harness.wire import post_form

_SECRET_LENGTH = 20  # characters; what is shorter is no secret, and turns up by chance


def s256(verifier: str) -> str:
    """BASE64URL(SHA256(ASCII(verifier)))."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def basic(client_id: str, secret: str) -> str:
    """An ``Authorization`` header: HTTP Basic with both halves form-encoded (RFC 6749 §2.3.1)."""
    joined = "&".join(urlencode({"": half})[1:] for half in (client_id, secret)).replace("&", ":")
    return "Basic " + base64.b64encode(joined.encode()).decode()


def answer_of(location: str) -> dict[str, str]:
    """The parameters of a redirect to the client, in the query or, wrongly, the fragment; none twice."""
    parts = urlsplit(location)
    pairs = parse_qsl(parts.query or parts.fragment, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), f"a parameter comes twice: {location}"
    return dict(pairs)


@dataclass(frozen=True)
class Code:
    """An authorization code and what it must be exchanged with."""

    value: str
    redirect_uri: str
    verifier: str | None
    location: str


@dataclass
class Server:
    """The server under test, with everything a row may want of it. Remembers each secret that was seen."""

    target: Target
    hooks: Hooks
    secrets: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)  # every error page and error body that anybody was shown
    _browsers: dict[str, Browser] = field(default_factory=dict)
    _clients: list[httpx.Client] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Whether its operator's hooks are there; of other servers less is known, and less asked."""
        return type(self.hooks) is not Hooks

    def url(self, path: str) -> str:
        return self.target.issuer + path

    def http(self, address: str | None = None, **options: Any) -> httpx.Client:
        """An HTTP client without cookies, from an address of its own."""
        self._clients.append(http_client(self.target, address, event_hooks=self._hooks(), **options))
        return self._clients[-1]

    def _hooks(self) -> dict[str, list[Callable[[httpx.Response], None]]]:
        return {"response": [self._remember]}

    def _remember(self, response: httpx.Response) -> None:
        """Note what must be found nowhere, cookies, and where nothing may be found: errors."""
        self.secrets |= {value for value in response.cookies.values() if len(value) >= _SECRET_LENGTH}
        if response.status_code >= 400:
            response.read()
            self.errors.add(response.text)

    def browser(self, address: str | None = None, **options: Any) -> Browser:
        """A browser nobody has signed in with."""
        browser = Browser(self.target, address, event_hooks=self._hooks(), **options)
        self._clients.append(browser.http)
        return browser

    def signed_in(self, user: User) -> Browser:
        """A browser that stays signed in, the same for every test."""
        if user.username not in self._browsers:
            self._browsers[user.username] = Browser(self.target, event_hooks=self._hooks())
        return self._browsers[user.username]

    def user(self, name: str = "writer") -> User:
        """One of the target's users; the test is left out when it has none such."""
        if name not in self.target.users:
            pytest.skip(f"the target has no user {name!r}")
        return self.target.users[name]

    def new_user(self, role: str = "user") -> User:
        """A user of this test's own."""
        user = self.hooks.new_user(role)
        self.secrets.add(user.password)
        return user

    def client(self, name: str = "confidential") -> Client:
        """One of the target's clients; the test is left out when it has none such."""
        if name not in self.target.clients:
            pytest.skip(f"the target has no client {name!r}")
        return self._client(self.target.clients[name])

    def new_client(self, **wanted: Any) -> Client:
        """A client of this test's own: ``scope``, ``redirect_uris``, ``profile``, ``public``, ``name``."""
        return self._client(self.hooks.new_client(**wanted))

    def _client(self, registration: Registration) -> Client:
        self.secrets |= {registration.client_secret} - {None}  # type: ignore[arg-type]
        return Client(self, registration, self.user(), self.http())

    def call(self, access_token: str, scope: str | None = None, node: str | None = None) -> httpx.Response:
        """A protected call that needs a scope, by default the weakest; at another node if one is named."""
        resource = self.resource(scope)
        url = self.url(resource.path)
        headers = {b"Authorization": f"Bearer {access_token}".encode()}
        if node is not None:
            headers[b"Host"] = urlsplit(url).netloc.encode()
            url = f"http://{node}{urlsplit(url).path}"
        return self.http().request(resource.method, url, headers=headers, json=resource.json)

    def resource(self, scope: str | None = None) -> Resource:
        """The protected call that needs a scope, by default the weakest."""
        needed = scope or self.target.scopes[0]
        if needed not in self.target.resources:
            pytest.skip(f"the target has no protected call that needs {needed}")
        return self.target.resources[needed]

    def works(self, access_token: str, node: str | None = None) -> bool:
        """Whether an access token opens anything; anything but 200 and 401 is a failure of its own."""
        status = self.call(access_token, node=node).status_code
        assert status in (200, 401), status
        return status == 200

    def reaches(self, access_token: str, scope: str) -> bool:
        """Whether a token is let through where a scope is needed; the user's own rights may still refuse."""
        answer = self.call(access_token, scope)
        return answer.status_code != 401 and "insufficient_scope" not in str(answer.headers)

    def page(self, name: str, client_id: str = "") -> str:
        """The path of one of the target's pages; the test is left out when it has none such."""
        if name not in self.target.pages:
            pytest.skip(f"the target's description names no page {name!r}")
        return self.target.pages[name].format(client_id=client_id)

    def open(self, browser: Browser, path: str, user: User) -> httpx.Response:
        """A page as a user sees it, signing in if that is asked."""
        return browser.signing_in(browser.get(path), user)

    def works_somewhere(self, access_token: str) -> bool:
        """Whether an access token opens anything at any node."""
        return any(self.works(access_token, node) for node in self.target.nodes)

    def must_not_advertise(self, *members: str) -> None:
        """Fails when the metadata has one of these. Of another server's features this suite knows nothing."""
        found = [name for name in members if self.metadata().get(name)]
        if found and not self.is_ours:
            pytest.skip(f"{', '.join(found)} is advertised; this suite has no test for it")
        assert found == [], "advertised: this row has to be written for it"

    def metadata(self) -> dict[str, Any]:
        """The metadata document; empty where there is none."""
        for url in self.target.metadata:
            answer = self.http().get(url)
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
        return {}

    def close(self) -> None:
        """Let go of the connections of one test."""
        while self._clients:
            self._clients.pop().close()

    def close_all(self) -> None:
        """Let go of everything."""
        self.close()
        for browser in self._browsers.values():
            browser.http.close()


@dataclass
class Client:
    """A client as it should be: PKCE with S256, ``state``, its secret in the body."""

    server: Server
    registration: Registration
    user: User
    http: httpx.Client

    @property
    def id(self) -> str:
        return self.registration.client_id

    @property
    def secret(self) -> str | None:
        return self.registration.client_secret

    @property
    def redirect_uri(self) -> str:
        return self.registration.redirect_uris[0]

    @property
    def is_strict(self) -> bool:
        return self.registration.profile == STRICT

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.id, **({"client_secret": self.secret} if self.secret else {})}

    def acting_for(self, user: User) -> Client:
        """The same client, with another person."""
        return replace(self, user=user)

    def parameters(self, verifier: str | None = None, **changed: str | None) -> dict[str, str]:
        """The parameters of an authorization request; ``None`` leaves one out."""
        given: dict[str, str | None] = {
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.server.target.scopes[0],
            "state": "st-" + secrets.token_hex(8),
            **self.registration.extra,
        }
        if verifier:
            given |= {"code_challenge": s256(verifier), "code_challenge_method": "S256"}
        return {name: value for name, value in (given | changed).items() if value is not None}

    def url(self, *, pkce: bool = True, **changed: str | None) -> str:
        """The address of an authorization request."""
        parameters = self.parameters(secrets.token_hex(32) if pkce else None, **changed)
        return f"{self.server.target.authorize}?{urlencode(parameters)}"

    def ask(self, *, browser: Browser | None = None, pkce: bool = True, **changed: str | None) -> httpx.Response:
        """Ask a signed-in person: the consent page, or wherever the request ended."""
        return (browser or self.server.signed_in(self.user)).ask(self.url(pkce=pkce, **changed), self.user)

    def authorize(
        self, *, browser: Browser | None = None, pkce: bool = True, allow: bool = True, **changed: str | None
    ) -> httpx.Response:
        """The whole authorization request: the redirect to the client, or wherever it ended."""
        browser = browser or self.server.signed_in(self.user)
        return browser.authorize(self.url(pkce=pkce, **changed), self.user, allow=allow)

    def outcome(self, **changed: Any) -> dict[str, str]:
        """What the client is told at its redirection URI. Fails when it is told nothing."""
        page = self.authorize(**changed)
        assert page.is_redirect, f"no redirect: {page.status_code} {page.url}"
        return answer_of(page.headers["location"])

    def code(self, *, browser: Browser | None = None, pkce: bool = True, **changed: str | None) -> Code:
        """A fresh code."""
        verifier = secrets.token_hex(32) if pkce else None
        parameters = self.parameters(verifier, **changed)
        browser = browser or self.server.signed_in(self.user)
        page = browser.authorize(f"{self.server.target.authorize}?{urlencode(parameters)}", self.user)
        assert page.is_redirect, f"no code: {page.status_code} at {page.url}: {page.text[:600]}"
        location = page.headers["location"]
        assert "code" in answer_of(location), location
        code = Code(answer_of(location)["code"], parameters["redirect_uri"], verifier, location)
        self.server.secrets |= {code.value} | ({verifier} if verifier else set())
        return code

    def exchange_fields(self, code: Code, /, **changed: str | None) -> dict[str, str]:
        """The fields of an exchange; ``None`` leaves one out."""
        given: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code.value,
            "redirect_uri": code.redirect_uri,
            "code_verifier": code.verifier,
            **self.credentials,
        }
        return {name: value for name, value in (given | changed).items() if value is not None}

    def refresh_fields(self, refresh_token: str, /, **changed: str | None) -> dict[str, str]:
        """The fields of a refresh; ``None`` leaves one out."""
        given = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self.credentials}
        return {name: value for name, value in (given | changed).items() if value is not None}

    def post(self, fields: dict[str, str], url: str | None = None, **options: Any) -> httpx.Response:
        """A form post, to the token endpoint unless another is named; what it answers is remembered as secret."""
        answer = self.http.post(url or self.server.target.token, data=fields, **options)
        if answer.status_code == 200 and answer.headers.get("content-type", "").startswith("application/json"):
            body = answer.json()
            self.server.secrets |= {body[name] for name in ("access_token", "refresh_token") if name in body}
        return answer

    def exchange(self, code: Code, /, **changed: str | None) -> httpx.Response:
        return self.post(self.exchange_fields(code, **changed))

    def refresh(self, refresh_token: str, /, **changed: str | None) -> httpx.Response:
        return self.post(self.refresh_fields(refresh_token, **changed))

    def tokens(self, **changed: Any) -> dict[str, Any]:
        """A fresh token answer."""
        answer = self.exchange(self.code(**changed))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def revoke(self, token: str, /, **changed: str | None) -> httpx.Response:
        """Give a token back; the test is left out when the server has no such endpoint."""
        if self.server.target.revoke is None:
            pytest.skip("the target has no revocation endpoint")
        given = {"token": token, **self.credentials} | changed
        return self.post({k: v for k, v in given.items() if v is not None}, self.server.target.revoke)

    def introspect(self, token: str, /, **changed: str | None) -> httpx.Response:
        """Ask what a token is worth; the test is left out when the server has no such endpoint."""
        if self.server.target.introspect is None:
            pytest.skip("the target has no introspection endpoint")
        given = {"token": token, **self.credentials} | changed
        return self.post({k: v for k, v in given.items() if v is not None}, self.server.target.introspect)

    def raw(self, fields: dict[str, str], headers: dict[str, str] | None = None) -> bytes:
        """A token request as bytes, for races."""
        return post_form(self.server.target.token, fields, headers)


def is_refused(answer: httpx.Response, *errors: str) -> bool:
    """Whether a token request was refused as JSON with one of these errors."""
    if answer.status_code not in (400, 401) or not answer.headers["content-type"].startswith("application/json"):
        return False
    return answer.json()["error"] in errors
