"""``watersmeet authorize``: the whole flow against a running server, over HTTP, without a browser."""

from __future__ import annotations

import http.cookiejar
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import click

from watersmeet.cli.output import print_json
from watersmeet.errors import WatersmeetError

_TIMEOUT_SECONDS = 30


class FlowFailed(WatersmeetError):
    """The server refused a step; the description says which and why."""


@click.command("authorize")
@click.option("--url", default="http://127.0.0.1:8090", show_default=True, help="The base URL of the running server.")
@click.option("--client", "client_id", required=True, metavar="ID", help="The client ID.")
@click.option("--user", "username", required=True, metavar="NAME", help="Who signs in and allows the access.")
@click.option("--scope", required=True, help="One scope or several, separated by spaces.")
@click.option("--redirect-uri", help="As registered; the demo link's own unless given.")
@click.option("--pkce", is_flag=True, help="Use PKCE with S256.")
@click.option("--deny", is_flag=True, help="Press Deny instead of Allow.")
def command(
    url: str, client_id: str, username: str, scope: str, redirect_uri: str | None, pkce: bool, deny: bool
) -> None:
    """Sign in, allow, exchange the code; print the code and the tokens as JSON.

    The password is taken from WATERSMEET_PASSWORD and the client's secret from WATERSMEET_CLIENT_SECRET. For
    the users and the incoming link of `watersmeet dev`, which are public, neither is needed.
    """
    from watersmeet import demo

    is_demo = client_id == demo.CLIENT_ID
    base_url = url.rstrip("/")
    password = os.environ.get("WATERSMEET_PASSWORD") or (username if is_demo else "")
    secret = os.environ.get("WATERSMEET_CLIENT_SECRET") or (demo.CLIENT_SECRET if is_demo else None)
    if redirect_uri is None:
        if not is_demo:
            raise click.UsageError("--redirect-uri is needed for a link that is not the demo's.")
        redirect_uri = base_url + demo.CALLBACK_PATH
    if not password:
        if not sys.stdin.isatty():
            raise click.UsageError("Set WATERSMEET_PASSWORD to the user's password: there is no terminal to ask on.")
        password = click.prompt("Password", hide_input=True, err=True)
    print_json(_Flow(base_url, client_id, secret, redirect_uri).run(username, password, scope, pkce=pkce, deny=deny))


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the server, and stops at the first that leaves for the client."""

    def __init__(self, base_url: str, redirect_uri: str) -> None:
        self._base_url, self._redirect_uri = base_url, redirect_uri

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if newurl.startswith(self._redirect_uri):
            return None  # urllib reports the redirect itself, with its Location
        if urlsplit(newurl)[:2] != urlsplit(self._base_url)[:2]:
            raise FlowFailed("The server redirected to another site; is --url its base URL?")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass
class _Answer:
    status: int
    url: str
    location: str | None
    body: bytes = field(repr=False)


@dataclass
class _Flow:
    base_url: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str

    def __post_init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies, _StayHere(self.base_url, self.redirect_uri))

    def run(self, username: str, password: str, scope: str, *, pkce: bool, deny: bool) -> dict[str, Any]:
        from watersmeet.entropy import SystemEntropy
        from watersmeet.oauth2.pkce import s256

        entropy = SystemEntropy()
        state, verifier = entropy.hex(16), entropy.hex(32)
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": scope,
            "state": state,
        }
        if pkce:
            asked |= {"code_challenge": s256(verifier), "code_challenge_method": "S256"}
        answer = self._open(f"{self.base_url}/rest/oauth2/latest/authorize?{urlencode(asked)}")
        if answer.location is None and b'name="password"' in answer.body:
            answer = self._submit(answer, {"username": username, "password": password})
        if answer.location is None and b'name="decision"' in answer.body:
            # A scope of administration wants the password once more, on the consent page itself.
            again = {"password": password} if b'name="password"' in answer.body else {}
            answer = self._submit(answer, {"decision": "deny" if deny else "allow", **again})
        code = self._code(answer, state)
        exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        tokens = self._exchange(exchange | ({"code_verifier": verifier} if pkce else {}))
        return {"code": code, "state": state, **({"code_verifier": verifier} if pkce else {}), **tokens}

    def _open(self, url: str, form: dict[str, str] | None = None) -> _Answer:
        data = urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(url, data, _TIMEOUT_SECONDS) as response:
                return _Answer(response.status, response.url, None, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, error.url or url, error.headers.get("location"), error.read())
        except urllib.error.URLError as error:
            raise FlowFailed(f"No server answers at {self.base_url}: {error.reason}.") from error

    def _submit(self, answer: _Answer, values: dict[str, str]) -> _Answer:
        """Fill in the form of a page and send it, hidden fields and all."""
        from lxml import html

        form = html.fromstring(answer.body).xpath("//main//form[@data-flow]")[0]
        fields = {name: value or "" for name, value in form.form_values()}
        return self._open(urljoin(answer.url, form.get("action")), fields | values)

    def _code(self, answer: _Answer, state: str) -> str:
        if answer.location is None:
            raise FlowFailed(f"The server did not redirect to the client: {_explanation(answer)}")
        query = parse_qs(urlsplit(answer.location).query)
        if "error" in query:
            explained = query.get("error_description", [""])[0]
            raise FlowFailed(f"The authorization was refused: {query['error'][0]}. {explained}".rstrip())
        if query.get("state") != [state]:
            raise FlowFailed("The state came back changed.")
        return query["code"][0]

    def _exchange(self, parameters: dict[str, str]) -> dict[str, Any]:
        import msgspec

        credentials = {"client_id": self.client_id}
        if self.client_secret is not None:
            credentials["client_secret"] = self.client_secret
        answer = self._open(f"{self.base_url}/rest/oauth2/latest/token", credentials | parameters)
        body: dict[str, Any] = msgspec.json.decode(answer.body)
        if answer.status != 200:
            raise FlowFailed(f"The exchange was refused: {body['error']}. {body['error_description']}")
        return body


def _explanation(answer: _Answer) -> str:
    """What the page says, for a person."""
    from lxml import html

    texts = html.fromstring(answer.body).xpath("//main//*[@role='alert' or @class='message']")
    return " ".join(" ".join(text.text_content().split()) for text in texts) or f"status {answer.status}."
