"""The application in process, over fresh demo data and a clock that is set by hand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from lxml import html
from starlette.testclient import TestClient

from watersmeet import demo
from watersmeet.app import create_app, create_environment, open_database
from watersmeet.clock import SECOND, Instant
from watersmeet.confluence.scopes import Scope
from watersmeet.database.properties import Purpose, prepare
from watersmeet.links.register import Registered, Registration, register
from watersmeet.oauth2.pkce import s256
from watersmeet.oauth2.profile import Profile
from watersmeet.settings import ProviderSettings, Settings
from watersmeet.web.environment import Environment

SECRET = "the secret of these tests, thirty-two characters and more"
VERIFIER = "test-verifier." * 4
START: Instant = 1_800_000_000_000


@dataclass
class HandClock:
    """A clock that moves when it is told to."""

    instant: Instant = START

    def now(self) -> Instant:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += int(seconds * SECOND)


def form_of(page: httpx.Response) -> dict[str, str]:
    """The fields of a page's main form."""
    form = html.fromstring(page.content).xpath("//main//form[@data-flow]")[0]
    return {name: value or "" for name, value in form.form_values()}


@dataclass
class Site:
    """A running application and people's ways into it. Browsers do not follow redirects by themselves."""

    environment: Environment
    clock: HandClock
    new_browser: Callable[..., TestClient]
    _bearers: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return self.environment.settings.base_url

    @property
    def callback(self) -> str:
        return self.base_url + demo.CALLBACK_PATH

    @cached_property
    def client(self) -> TestClient:
        """A browser that nobody has signed in with yet; always the same."""
        return self.new_browser()

    def register(
        self,
        name: str,
        uris: Sequence[str],
        *,
        scope: str = "WRITE",
        confidential: bool = True,
        profile: Profile = Profile.ATLASSIAN_DC,
    ) -> Registered:
        """One more incoming link, with the demo link's profile unless another is named."""
        checked = Registration.check(
            name=name, redirect_uris=list(uris), scope=Scope(scope), allow_http=False, profile=profile
        )
        environment = self.environment
        return environment.database.write_now(
            lambda tx: register(
                tx,
                checked,
                confidential=confidential,
                created_by="admin",
                now=self.clock.now(),
                keys=environment.keys,
                entropy=environment.entropy,
            )
        )

    def path(self, path: str) -> str:
        return self.environment.settings.context_path + path

    def authorize_path(self, **changes: str | None) -> str:
        """The path of an authorization request; ``None`` leaves a parameter out."""
        query: dict[str, str | None] = {
            "client_id": demo.CLIENT_ID,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": "READ",
            "state": "xyz",
            **changes,
        }
        present = {name: value for name, value in query.items() if value is not None}
        return self.path(f"/rest/oauth2/latest/authorize?{urlencode(present)}")

    def sign_in(self, browser: TestClient, username: str) -> httpx.Response:
        page = browser.get(self.path("/login.action"))
        fields = form_of(page) | {"username": username, "password": username}
        answer: httpx.Response = browser.post(self.path("/login.action"), data=fields)
        return answer

    def signed_in(self, username: str) -> TestClient:
        browser = self.new_browser()
        self.sign_in(browser, username)
        return browser

    def ask(self, browser: TestClient, **changes: str | None) -> httpx.Response:
        """The consent page of an authorization request."""
        sent = browser.get(self.authorize_path(**changes))
        assert sent.status_code == 302, sent.text
        answer: httpx.Response = browser.get(sent.headers["location"])
        return answer

    def answer(self, browser: TestClient, page: httpx.Response, decision: str = "allow") -> dict[str, str]:
        """What the client receives when the question is answered."""
        fields = {**form_of(page), "decision": decision}
        if "username" in fields:  # administration is asked for: the password once more
            fields["password"] = fields["username"]
        sent = browser.post(self.path("/plugins/servlet/oauth2/consent"), data=fields)
        assert sent.status_code == 303, sent.text
        return dict(parse_qsl(urlsplit(sent.headers["location"]).query))

    def code(self, user: str = "alice", *, pkce: bool = False, **changes: str | None) -> str:
        """An authorization code of the demo client."""
        if pkce:
            changes |= {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}
        browser = self.signed_in(user)
        return self.answer(browser, self.ask(browser, **changes))["code"]

    def authorize(
        self, user: str = "alice", scope: str = "READ", *, pkce: bool = True, **changes: str | None
    ) -> dict[str, str]:
        """What the demo client receives at its callback when a user allows the access."""
        if pkce:
            changes = {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256", **changes}
        browser = self.signed_in(user)
        return self.answer(browser, self.ask(browser, scope=scope, **changes))

    def token(self, **parameters: str | None) -> httpx.Response:
        """A token request of the demo client; ``None`` leaves a parameter out."""
        form: dict[str, str | None] = {
            "client_id": demo.CLIENT_ID,
            "client_secret": demo.CLIENT_SECRET,
            "redirect_uri": self.callback,
            **parameters,
        }
        present = {name: value for name, value in form.items() if value is not None}
        answer: httpx.Response = self.new_browser().post(self.path("/rest/oauth2/latest/token"), data=present)
        return answer

    def exchange(self, code: str, **parameters: str | None) -> httpx.Response:
        return self.token(grant_type="authorization_code", code=code, **parameters)

    def refresh(self, refresh_token: str, **parameters: str | None) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **parameters)

    def tokens(self, user: str = "alice", scope: str = "READ") -> dict[str, Any]:
        found: dict[str, Any] = self.exchange(self.code(user, scope=scope)).json()
        return found

    def bearer(self, token: str, path: str = "/rest/api/user/current") -> httpx.Response:
        answer: httpx.Response = self.new_browser().get(self.path(path), headers={"Authorization": f"Bearer {token}"})
        return answer

    def request(
        self, method: str, path: str, *, user: str = "alice", scope: str = "READ", **options: Any
    ) -> httpx.Response:
        """A call of the protected API as a demo user."""
        if (user, scope) not in self._bearers:
            self._bearers[user, scope] = self.tokens(user, scope)["access_token"]
        headers = {"Authorization": f"Bearer {self._bearers[user, scope]}", **options.pop("headers", {})}
        answer: httpx.Response = self.new_browser().request(method, self.path(path), headers=headers, **options)
        return answer

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **{"scope": "WRITE", **options})

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **{"scope": "WRITE", **options})

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **{"scope": "WRITE", **options})


def _settings(file: Path, base_url: str, **changes: Any) -> Settings:
    """``changes`` may name settings and the vendor's properties alike."""
    own = {name: value for name, value in changes.items() if name in Settings.__dataclass_fields__}
    provider = ProviderSettings(**{name: value for name, value in changes.items() if name not in own})
    own = {"blob_store": str(file.with_name("blobs")), **own}
    return Settings(base_url=base_url, database_url=f"sqlite:///{file}", secret=SECRET, provider=provider, **own)


@pytest.fixture(scope="session")
def _templates(templates: Path) -> Callable[[str], Path]:
    """Demo data for a base URL, made once: the demo link's redirect URL depends on it."""

    def template(base_url: str) -> Path:
        path = templates / f"{re.sub('[^a-z0-9]+', '-', base_url)}.db"  # plain: it becomes part of a URL
        if not path.exists():
            settings = _settings(path, base_url)
            database = open_database(settings)
            environment = create_environment(settings, database)
            prepare(database, Purpose.DEVELOPMENT, environment.keys.fingerprint)
            database.write_now(lambda tx: demo.add_demo(tx, environment, START))
            database.close()
        return path

    return template


SiteFactory = Callable[..., Site]


@pytest.fixture
def site_under(tmp_path: Path, _templates: Callable[[str], Path]) -> Iterator[SiteFactory]:
    """``site_under("/confluence", max_client_delay_seconds=10)``: a site with its own path and properties."""
    with ExitStack() as stack:

        def make(context_path: str = "", *, scheme: str = "http", host: str = "127.0.0.1:8090", **changes: Any) -> Site:
            base_url = f"{scheme}://{host}{context_path}"
            file = tmp_path / "site.db"
            shutil.copyfile(_templates(f"{scheme}://127.0.0.1:8090{context_path}"), file)
            settings, clock = _settings(file, base_url, **changes), HandClock()
            database = open_database(settings)
            stack.callback(database.close)
            app = create_app(settings, database=database, clock=clock)

            def new_browser(address: str = "127.0.0.1") -> TestClient:
                return TestClient(app, base_url=f"{scheme}://{host}", follow_redirects=False, client=(address, 50_000))

            return Site(app.state.environment, clock, new_browser)

        yield make


@pytest.fixture
def site(site_under: SiteFactory) -> Site:
    """A site at the root, with demo data."""
    return site_under()
