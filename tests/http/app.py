"""A client of its own: one with a chosen profile, and the requests it makes."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx

from tests.http.conftest import VERIFIER, Site
from watersmeet.database import clients, legacy
from watersmeet.links.register import Registered, change_rules
from watersmeet.oauth2.client import Client
from watersmeet.oauth2.pkce import s256
from watersmeet.oauth2.profile import Legacy, Profile

URI = "https://app.example/cb"
TOKEN = "/rest/oauth2/latest/token"
WITH_PKCE: dict[str, str | None] = {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}


class App:
    """A client with a profile, and the requests it makes."""

    def __init__(self, site: Site, profile: Profile, *, confidential: bool = True) -> None:
        self.site = site
        registered: Registered = site.register(
            f"App {profile.value}", [URI], confidential=confidential, profile=profile
        )
        self.client_id, self.secret = registered.client.client_id, registered.client_secret
        self.browser = site.signed_in("alice")

    def ask(self, **parameters: str | None) -> httpx.Response:
        """The answer of the authorization endpoint."""
        whose = {"client_id": self.client_id, "redirect_uri": URI}
        answer: httpx.Response = self.browser.get(self.site.authorize_path(**(whose | parameters)))
        return answer

    def refusal(self, **parameters: str | None) -> str | None:
        """The error at the client's redirection URI; ``None`` when the question is asked."""
        location = self.ask(**parameters).headers["location"]
        return parse_qs(urlsplit(location).query)["error"][0] if location.startswith(URI) else None

    def code(self, **parameters: str | None) -> str:
        page = self.browser.get(self.ask(**(WITH_PKCE | parameters)).headers["location"])
        return self.site.answer(self.browser, page)["code"]

    def parameters(self, code: str, **more: str | None) -> dict[str, str]:
        right = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": URI,
            "code_verifier": VERIFIER,
            "client_id": self.client_id,
            "client_secret": self.secret,
        }
        return {name: value for name, value in (right | more).items() if value is not None}

    def post(
        self, body: dict[str, str], query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        path = self.site.path(TOKEN) + (f"?{urlencode(query)}" if query else "")
        answer: httpx.Response = self.site.new_browser().post(path, data=body, headers=headers)
        return answer

    def basic(self, secret: str | None = None) -> dict[str, str]:
        pair = f"{quote(self.client_id)}:{quote(secret or self.secret or '')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    @property
    def stored(self) -> Client:
        found = self.site.environment.database.read_now(lambda tx: clients.find(tx, self.client_id))
        assert found is not None
        return found

    @property
    def counted(self) -> dict[Legacy, int]:
        number = self.stored.id
        accepted = self.site.environment.database.read_now(lambda tx: legacy.of_client(tx, number))
        return {kind: of.count for kind, of in accepted.items()}

    def change(self, **rules: Any) -> None:
        link = self.stored
        self.site.environment.database.write_now(lambda tx: change_rules(tx, link, **rules))
