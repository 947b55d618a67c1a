"""The flow: what a browser and a client do between an authorization request and its tokens, over real HTTP."""

from __future__ import annotations

import http.client
import http.cookiejar
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urldefrag, urlencode, urljoin, urlsplit

from watersmeet.errors import WatersmeetError

_TIMEOUT_SECONDS = 30


class FlowFailed(WatersmeetError):
    """The server refused a step; the description says which and why."""


@dataclass(frozen=True, slots=True)
class Application:
    """The client's side: who asks, and where answers go."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A code as it arrived, with what its exchange needs."""

    code: str = field(repr=False)
    state: str
    verifier: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    url: str
    location: str | None
    body: bytes = field(repr=False)


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the server, and stops at the first that leaves for the client."""

    def __init__(self, base_url: str, redirect_uri: str) -> None:
        self._base_url, self._client = base_url, _place(redirect_uri)

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if _place(newurl) == self._client:
            return None  # urllib reports the redirect itself, with its Location
        if urlsplit(newurl)[:2] != urlsplit(self._base_url)[:2]:
            raise FlowFailed("The server redirected to another site; is the URL its base URL?")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _place(url: str) -> tuple[str, str, str]:
    """Scheme, host with port, and path: what must be the redirection URI's own before an answer is let out."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path or "/"


def ask(
    base_url: str, application: Application, username: str, password: str, scope: str, *, pkce: bool, allow: bool = True
) -> Granted:
    """Sign in and answer the consent question with Allow or Deny. Raises ``FlowFailed``, after Deny always."""
    from watersmeet.entropy import SystemEntropy
    from watersmeet.oauth2.pkce import s256

    entropy = SystemEntropy()
    state, verifier = entropy.hex(16), entropy.hex(32)
    asked = {
        "client_id": application.client_id,
        "redirect_uri": application.redirect_uri,
        "response_type": "code",
        "scope": scope,
        "state": state,
    }
    if pkce:
        asked |= {"code_challenge": s256(verifier), "code_challenge_method": "S256"}
    url = f"{base_url}/rest/oauth2/latest/authorize?{urlencode(asked)}"
    query = parse_qs(urlsplit(answer(base_url, url, username, password, allow=allow)).query)
    if "error" in query:
        explained = query.get("error_description", [""])[0]
        raise FlowFailed(f"The authorization was refused: {query['error'][0]}. {explained}".rstrip())
    if query.get("state") != [state]:
        raise FlowFailed("The state came back changed.")
    return Granted(query["code"][0], state, verifier if pkce else None)


def answer(base_url: str, authorize_url: str, username: str, password: str, *, allow: bool) -> str:
    """Where a fresh browser ends up that opens an authorization request, signs in and answers.

    The URL at the client's redirection URI, as the client sees it: without the fragment, which a browser keeps to
    itself (RFC 9110 §7.1). It is not opened. Raises ``FlowFailed``.
    """
    redirect_uri = parse_qs(urlsplit(authorize_url).query).get("redirect_uri", [""])[0]
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies, _StayHere(base_url, redirect_uri))
    page = _open(browser, authorize_url)
    if page.location is None and b'name="password"' in page.body:
        page = _submit(browser, page, {"username": username, "password": password})
    if page.location is None and b'name="decision"' in page.body:
        # A scope of administration wants the password once more, on the consent page itself.
        again = {"password": password} if b'name="password"' in page.body else {}
        page = _submit(browser, page, {"decision": "allow" if allow else "deny", **again})
    if page.location is None:
        _require_own_base_url(base_url)
        raise FlowFailed(f"The server did not redirect to the client: {_explanation(page)}")
    return urldefrag(page.location).url


def exchange(base_url: str, application: Application, granted: Granted) -> dict[str, Any]:
    """The tokens of a code. Raises ``FlowFailed``."""
    form = {"grant_type": "authorization_code", "code": granted.code, "redirect_uri": application.redirect_uri}
    if granted.verifier is not None:
        form["code_verifier"] = granted.verifier
    return token(base_url, application, form)


def token(base_url: str, application: Application, form: dict[str, str]) -> dict[str, Any]:
    """What the token endpoint answers to a client. Raises ``FlowFailed`` for anything but 200."""
    import msgspec

    credentials = {"client_id": application.client_id}
    if application.client_secret is not None:
        credentials["client_secret"] = application.client_secret
    got = _open(urllib.request.build_opener(), f"{base_url}/rest/oauth2/latest/token", credentials | form)
    try:
        body: dict[str, Any] = msgspec.json.decode(got.body)
    except msgspec.DecodeError as error:
        raise FlowFailed(f"The token endpoint answered status {got.status} and no JSON.") from error
    if got.status != 200:
        raise FlowFailed(f"The exchange was refused: {body['error']}. {body['error_description']}")
    return body


def _require_own_base_url(base_url: str) -> None:
    """Raises ``FlowFailed`` if the server goes by another base URL, which is the one that links are made for."""
    import msgspec

    got = _open(urllib.request.build_opener(), f"{base_url}/.well-known/oauth-authorization-server")
    try:
        issuer = msgspec.json.decode(got.body)["issuer"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return
    if issuer != base_url:
        raise FlowFailed(f"The server's base URL is {issuer}, as it printed at its start: use that one.")


def _open(opener: urllib.request.OpenerDirector, url: str, form: dict[str, str] | None = None) -> _Answer:
    data = urlencode(form).encode() if form is not None else None
    try:
        with opener.open(url, data, _TIMEOUT_SECONDS) as response:
            return _Answer(response.status, response.url, None, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _Answer(error.code, error.url or url, error.headers.get("location"), error.read())
    except urllib.error.URLError as error:
        raise FlowFailed(f"No server answers at {url.partition('?')[0]}: {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise FlowFailed(f"What answers at {url.partition('?')[0]} does not speak HTTP: {error!r}.") from error


def _submit(opener: urllib.request.OpenerDirector, page: _Answer, values: dict[str, str]) -> _Answer:
    """Fill in the form of a page and send it, hidden fields and all."""
    from lxml import html

    form = html.fromstring(page.body).xpath("//main//form[@data-flow]")[0]
    fields = {name: value or "" for name, value in form.form_values()}
    return _open(opener, urljoin(page.url, form.get("action")), fields | values)


def _explanation(page: _Answer) -> str:
    """What the page says, for a person."""
    from lxml import html

    texts = html.fromstring(page.body).xpath("//main//*[@role='alert' or @class='message']") if page.body else []
    return " ".join(" ".join(text.text_content().split()) for text in texts) or f"status {page.status}."
