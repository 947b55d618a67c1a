"""Every refusal that a developer can meet is explained by what came and what was wanted, and can be had again."""

from __future__ import annotations

import base64
import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from lxml import html

from watersmeet.oauth2 import errors
from watersmeet.testing import Client, Server
from watersmeet.testing.flow import FlowFailed

AUTHORIZE = "/rest/oauth2/latest/authorize"
TOKEN = "/rest/oauth2/latest/token"
CONTENT = "/rest/api/content"
CONSENT = "/plugins/servlet/oauth2/consent"
VERIFIER = "a-verifier-of-forty-three-characters-or-more"
MINE = "https://mine.example/callback"
CHALLENGED = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}

# ---- ways in ------------------------------------------------------------------------------------------------


def query(server: Server, client: Client | None = None, **changes: str | None) -> str:
    client = client or server.client
    asked: dict[str, str | None] = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "READ",
        "state": "s",
        **changes,
    }
    return urlencode({name: value for name, value in asked.items() if value is not None})


def ask(server: Server, client: Client | None = None, more: str = "", **changes: str | None) -> None:
    """A person opens an authorization request, and would allow it."""
    with contextlib.suppress(FlowFailed):  # a page says what is wrong
        server.allow(f"{server.base_url}{AUTHORIZE}?{query(server, client, **changes)}{more}")


def form(client: Client, **fields: str) -> dict[str, str]:
    secret = {"client_secret": client.client_secret} if client.client_secret else {}
    return {"client_id": client.client_id, **secret, **fields}


def exchange(server: Server, client: Client, code: str, **fields: str) -> None:
    proof = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uris[0]}
    server.request("POST", TOKEN, form=form(client, **(proof | fields)))


def refresh(server: Server, client: Client, token: str, **fields: str) -> None:
    proof = {"grant_type": "refresh_token", "refresh_token": token}
    server.request("POST", TOKEN, form=form(client, **(proof | fields)))


def in_the_url(client: Client) -> str:
    return urlencode(form(client, grant_type="refresh_token", refresh_token="x"))


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def mine(server: Server, **more: Any) -> Client:
    return server.register("Mine", [MINE], **more)


@contextlib.contextmanager
def browser_of(server: Server, user: str) -> Iterator[httpx.Client]:
    """A browser in which somebody has signed in."""
    with httpx.Client(base_url=server.base_url) as browser:
        page = browser.get("/login.action")
        browser.post("/login.action", data=fields_of(page) | {"username": user, "password": user})
        yield browser


def fields_of(page: httpx.Response) -> dict[str, str]:
    found = html.fromstring(page.content).xpath("//main//form[@data-flow]")[0]
    return {name: value or "" for name, value in found.form_values()}


def press(server: Server, path: str, **fields: str) -> None:
    """An administrator sends a form of a link's page."""
    with browser_of(server, "admin") as browser:
        page = browser.get(path.rpartition("/")[0]).text
        token = re.findall(r'name="form_token" value="(\w+)"', page)[-1]
        browser.post(path, data={"form_token": token, **fields})


def looked_at(server: Server) -> dict[str, Any]:
    """The newest request of a scenario; the kit asks for the metadata when a flow ends on a page."""
    return next(seen for seen in server.requests() if not seen["path"].startswith("/.well-known/"))


def link(client: Client) -> str:
    return f"/plugins/servlet/applinks/incoming/{client.client_id}"


# ---- scenarios: each ends with the request that is looked at -------------------------------------------------


def a_client_that_was_disabled(server: Server) -> None:
    client = mine(server)
    press(server, f"{link(client)}/disable")
    ask(server, client)


def a_disabled_client_at_the_token_endpoint(server: Server) -> None:
    client = mine(server)
    press(server, f"{link(client)}/disable")
    refresh(server, client, "x")


def a_client_whose_last_day_is_over(server: Server) -> None:
    client = mine(server, last_day=server.now().date())
    server.advance(86_400)
    ask(server, client)


def a_refresh_after_the_last_day(server: Server) -> None:
    client = mine(server, last_day=server.now().date())
    tokens = server.authorize(client)
    server.advance(86_400)
    refresh(server, client, tokens.refresh_token)


def a_secret_that_was_rotated(server: Server) -> None:
    client = mine(server)
    press(server, f"{link(client)}/rotate-secret", overlap_hours="0")
    server.advance(60)
    refresh(server, client, "x")


def two_authorization_headers(server: Server) -> None:
    headers = [("Authorization", "Basic eDp4"), ("Authorization", "Basic eDp4")]
    httpx.post(server.base_url + TOKEN, headers=headers, data={"grant_type": "authorization_code"})


def two_tokens(server: Server) -> None:
    server.request("GET", f"{CONTENT}?access_token=x", headers=server.authorize().headers)


def a_verifier_that_is_the_challenge(server: Server) -> None:
    url = f"{server.base_url}{AUTHORIZE}?{query(server, None, **CHALLENGED)}"
    code = httpx.URL(server.allow(url)).params["code"]
    exchange(server, server.client, code, code_verifier=CHALLENGED["code_challenge"])


def a_code_of_another_client(server: Server) -> None:
    exchange(server, mine(server), server.code(pkce=False).code)


def a_code_of_one_s_own_client_that_is_unknown(server: Server) -> None:
    exchange(server, mine(server), "0" * 64)


def a_refresh_token_that_was_given_back(server: Server) -> None:
    tokens = server.authorize()
    server.revoke(tokens)
    refresh(server, server.client, tokens.refresh_token)


def a_token_of_the_user_that_was_removed(server: Server) -> None:
    tokens, path = server.authorize(user="bob"), "/plugins/servlet/oauth2/authorized-applications"
    with browser_of(server, "bob") as browser:
        page = browser.get(path).text.partition("<main>")[2]
        browser.post(path, data=dict(re.findall(r'name="(\w+)" value="([^"]+)"', page)))
    server.request("GET", CONTENT, headers=tokens.headers)


def ask_with_personal_token(server: Server, method: str = "GET", after: int = 0) -> None:
    wanted = {"name": "mine", "scope": "READ", "expirationDuration": 1}
    made = server.request("POST", "/rest/pat/latest/tokens", json=wanted, headers=basic("bob", "bob"))
    server.advance(after)
    server.request(method, CONTENT, json={}, headers={"Authorization": f"Bearer {made.json()['rawToken']}"})


def denied(server: Server) -> None:
    server.deny(f"{server.base_url}{AUTHORIZE}?{query(server)}", user="bob")


def allowed(server: Server) -> None:
    ask(server, mine(server))


def a_question(server: Server, browser: httpx.Client) -> tuple[str, dict[str, str]]:
    sent = browser.get(f"{AUTHORIZE}?{query(server)}")
    return sent.headers["location"], fields_of(browser.get(sent.headers["location"]))


def a_question_that_was_answered(server: Server) -> None:
    with browser_of(server, "bob") as browser:
        address, fields = a_question(server, browser)
        for decision in ("deny", "allow"):
            browser.post(address, data={**fields, "decision": decision})


def a_question_that_is_over(server: Server) -> None:
    with browser_of(server, "bob") as browser:
        address, fields = a_question(server, browser)
        server.advance(600)
        browser.post(address, data={**fields, "decision": "allow"})


def a_question_of_somebody_else(server: Server) -> None:
    with browser_of(server, "alice") as alice, browser_of(server, "bob") as bob:
        _, hers = a_question(server, alice)
        address, his = a_question(server, bob)
        # The form's token is bound to the question, so hers under his sign-in is refused even before that.
        bob.post(address, data={**his, "authorization": hers["authorization"], "decision": "allow"})


def a_question_that_was_never_asked(server: Server) -> None:
    with browser_of(server, "bob") as browser:
        browser.get(f"{CONSENT}?{query(server, scope='WRITE')}")


def a_form_without_its_token(server: Server) -> None:
    with browser_of(server, "admin") as browser:
        browser.post(f"{link(server.client)}/disable", data={"name": "x"})


def a_form_of_another_site(server: Server) -> None:
    with browser_of(server, "admin") as browser:
        browser.post(f"{link(server.client)}/disable", data={"name": "x"}, headers={"Origin": "https://evil.example"})


def an_administrator_s_page(server: Server) -> None:
    with browser_of(server, "bob") as browser:
        browser.get("/admin/audit")


def sign_in(server: Server, username: str) -> None:
    with httpx.Client(base_url=server.base_url) as browser:
        fields = fields_of(browser.get("/login.action"))
        browser.post("/login.action", data=fields | {"username": username, "password": "wrong"})


def a_page_of(server: Server, space: str) -> str:
    """A page that alice, who writes in both spaces, has made; its path."""
    page = {"type": "page", "title": "Kept", "space": {"key": space}}
    made = server.request("POST", CONTENT, json=page, headers=server.authorize(scope="WRITE").headers)
    return f"{CONTENT}/{made.json()['id']}"


def content_in_a_hidden_space(server: Server) -> None:
    server.request("GET", a_page_of(server, "ENG"), headers=server.authorize(user="bob").headers)


def content_that_is_restricted(server: Server) -> None:
    path = a_page_of(server, "DEMO")
    kept = {"operation": "read", "restrictions": {"user": [{"type": "known", "username": "alice"}], "group": []}}
    server.request("PUT", f"{path}/restriction", json=[kept], headers=server.authorize(scope="WRITE").headers)
    server.request("GET", path, headers=server.authorize(user="bob").headers)


def content_in_the_trash(server: Server) -> None:
    path = a_page_of(server, "DEMO")
    server.request("DELETE", path, headers=server.authorize(scope="WRITE").headers)
    server.request("GET", path, headers=server.authorize().headers)


def a_version_that_is_not_there(server: Server) -> None:
    path = a_page_of(server, "DEMO")
    server.request("GET", f"{path}?status=historical&version=7", headers=server.authorize().headers)


def a_space(key: str) -> Callable[[Server], None]:
    def scenario(server: Server) -> None:
        server.request("GET", f"/rest/api/space/{key}", headers=server.authorize(user="bob").headers)

    return scenario


def asked(more: str = "", **changes: str | None) -> Callable[[Server], None]:
    return lambda server: ask(server, None, more, **changes)


def asked_by(client: dict[str, Any], **changes: str | None) -> Callable[[Server], None]:
    return lambda server: ask(server, mine(server, **client), "", **changes)


def posted(body: str = "", **headers: str) -> Callable[[Server], Any]:
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return lambda server: server.request("POST", TOKEN, body=body, headers=sent)


STRICT = {"profile": "strict"}

# By name: what happens, what is said, the cause, and whether a test can do it again.
SCENARIOS: dict[str, tuple[Callable[[Server], Any], str, str | None, bool]] = {
    # ---- the authorization endpoint, told to the client
    "response_type missing": (
        asked(response_type=None),
        "302 invalid_request: response_type is missing or empty; the parameters that came: client_id, redirect_uri, "
        "scope, state",
        "MissingParameter",
        True,
    ),
    "state twice": (asked("&state=t"), "302 invalid_request: state came 2 times", "RepeatedParameter", True),
    "implicit": (
        asked(response_type="token"),
        "302 unsupported_response_type: response_type is token; supported is code",
        "UnsupportedResponseType",
        True,
    ),
    "fragment": (
        asked(response_mode="fragment"),
        "302 invalid_request: response_mode is fragment; supported is query",
        "UnsupportedResponseMode",
        True,
    ),
    "request": (
        asked(request="e30"),
        "302 request_not_supported: Request objects are not supported",
        "RequestObjectNotSupported",
        True,
    ),
    "request_uri": (
        asked(request_uri="https://a.example"),
        "302 request_uri_not_supported: request_uri is not supported",
        "RequestUriNotSupported",
        True,
    ),
    "claims": (
        asked(claims="{}"),
        "302 invalid_request: claims is not supported: this is no OpenID provider",
        "ClaimsNotSupported",
        True,
    ),
    "resource": (
        asked(resource="https://other.example/"),
        "302 invalid_target: resource is https://other.example/, which is not the URL of this server's API",
        "InvalidTarget",
        True,
    ),
    "small letters": (
        asked(scope="read write"),
        "302 invalid_scope: there is no scope read, write: scopes are written in capitals",
        "InvalidScope",
        True,
    ),
    "commas": (
        asked(scope="READ,WRITE"),
        "302 invalid_scope: there is no scope READ,WRITE: scopes are separated by spaces",
        "InvalidScope",
        True,
    ),
    "openid": (
        asked(scope="READ openid"),
        "302 invalid_scope: there is no scope openid; there are READ, WRITE, ADMIN, SYSTEM_ADMIN",
        "InvalidScope",
        True,
    ),
    "above the client": (
        asked_by({"scope": "READ"}, scope="ADMIN"),
        "302 invalid_scope: ADMIN was asked for; Mine is registered for READ",
        "ScopeAboveClient",
        True,
    ),
    "no scope": (
        asked_by(STRICT, scope=None, **CHALLENGED),
        "302 invalid_scope: scope is missing; Mine has the profile strict",
        "ScopeRequired",
        True,
    ),
    "no challenge": (
        asked_by(STRICT),
        "302 invalid_request: code_challenge is missing; Mine has the profile strict",
        "CodeChallengeRequired",
        True,
    ),
    "no challenge, public": (
        asked_by({"public": True}),
        "302 invalid_request: code_challenge is missing; Mine is public, and nothing else would prove who exchanges "
        "the code",
        "CodeChallengeRequired",
        True,
    ),
    "plain": (
        asked_by(STRICT, code_challenge=VERIFIER, code_challenge_method="plain"),
        "302 invalid_request: code_challenge_method is plain, not S256; Mine has the profile strict",
        "WeakCodeChallenge",
        True,
    ),
    "no method": (
        asked_by(STRICT, code_challenge=VERIFIER),
        "302 invalid_request: code_challenge_method is missing, which means plain; Mine has the profile strict",
        "WeakCodeChallenge",
        True,
    ),
    "another method": (
        asked(code_challenge=VERIFIER, code_challenge_method="S512"),
        "302 invalid_request: code_challenge_method must be S256 or plain; 44 characters came: a-verifier-of.+",
        "InvalidCodeChallenge",
        True,
    ),
    "method alone": (
        asked(code_challenge_method="S256"),
        "302 invalid_request: code_challenge_method was sent without code_challenge",
        "InvalidCodeChallenge",
        True,
    ),
    "denied": (denied, "303 access_denied: bob pressed Deny", "AccessDenied", True),
    # ---- the authorization endpoint, told to the person
    "no client_id": (
        asked(client_id=None),
        "400 invalid_request: client_id is missing or empty; the parameters that came: redirect_uri, response_type, "
        "scope, state",
        "UnusableClientId",
        True,
    ),
    "redirect_uri twice": (
        asked("&redirect_uri=https%3A%2F%2Fb.example"),
        "400 invalid_request: redirect_uri came 2 times",
        "UnusableRedirectUri",
        True,
    ),
    "not well-formed": (
        asked("&x=%zz"),
        r"400 invalid_request: The parameters are not well-formed UTF-8 application/x-www-form-urlencoded text",
        "MalformedParameters",
        True,
    ),
    "a slash": (
        asked_by({}, redirect_uri=MINE + "/"),
        "400 invalid_request: redirect_uri is https://mine.example/callback/; Mine registered "
        "https://mine.example/callback, which differs in: a slash at the end of the path",
        "UnregisteredRedirectUri",
        True,
    ),
    "another host": (
        asked_by({}, redirect_uri="http://my.example:8443/callback?x"),
        "400 .+, which differs in: the scheme, the host, the port, the query",
        "UnregisteredRedirectUri",
        True,
    ),
    "another path": (
        asked_by({}, redirect_uri="https://mine.example/Callback"),
        "400 .+, which differs in: the path",
        "UnregisteredRedirectUri",
        True,
    ),
    "no URL": (
        lambda server: server.request(
            "GET", f"{AUTHORIZE}?{query(server, mine(server), redirect_uri='https://[mine')}"
        ),
        "400 .+, which differs in: everything: it is not a URL",
        "UnregisteredRedirectUri",
        True,
    ),
    "last day": (
        a_client_whose_last_day_is_over,
        r"400 invalid_request: the last day of Mine was over .+ ago",
        "ClientExpired",
        True,
    ),
    "disabled": (
        a_client_that_was_disabled,
        r"400 invalid_request: an administrator disabled Mine \d+ s ago",
        "ClientDisabled",
        False,
    ),
    # ---- the token endpoint: the request
    "no code": (
        posted("grant_type=authorization_code&client_id=x&client_secret="),
        "400 invalid_request: code is missing or empty; the parameters that came: grant_type, client_id",
        "MissingParameter",
        True,
    ),
    "code twice": (
        posted("client_id=x&code=a&code=b"),
        "400 invalid_request: code came 2 times",
        "RepeatedParameter",
        True,
    ),
    "bytes": (
        posted("grant_type=%ff"),
        "400 invalid_request: .+ not well-formed .+",
        "MalformedParameters",
        True,
    ),
    "JSON": (
        posted("{}", **{"Content-Type": "application/json"}),
        "400 invalid_request: the Content-Type of the body must be application/x-www-form-urlencoded; it is "
        "application/json",
        "WrongContentType",
        True,
    ),
    "GET": (
        lambda server: server.request("GET", TOKEN),
        "405 invalid_request: this endpoint takes POST only; GET came",
        "WrongMethod",
        True,
    ),
    "two headers": (
        two_authorization_headers,
        "400 invalid_request: Send one Authorization header",
        "InvalidRequest",
        False,
    ),
    "secret in the URL": (
        lambda server: server.request("POST", f"{TOKEN}?{in_the_url(mine(server, **STRICT))}"),
        "400 invalid_request: client_secret, refresh_token came in the URL, not in the body; Mine has the profile "
        "strict",
        "CredentialInQuery",
        True,
    ),
    # ---- the token endpoint: the client
    "no such client": (
        posted("grant_type=refresh_token&refresh_token=x&client_id=me&client_secret=y"),
        "401 invalid_client: no incoming link has the client_id me",
        "InvalidClient",
        True,
    ),
    "no secret": (
        lambda server: server.request(
            "POST",
            TOKEN,
            form={"grant_type": "refresh_token", "refresh_token": "x", "client_id": server.client.client_id},
        ),
        "401 invalid_client: no client_secret came, and Demo application has one",
        "InvalidClient",
        True,
    ),
    "public with a secret": (
        lambda server: refresh(server, mine(server, public=True), "x", client_secret="mine"),
        "401 invalid_client: Mine is public and has no secret, and one came",
        "InvalidClient",
        True,
    ),
    "rotated": (
        a_secret_that_was_rotated,
        r"401 invalid_client: the secret of Mine that came was rotated, and ended 1 min( \d+ s)? ago",
        "InvalidClient",
        True,
    ),
    "disabled, with a token": (
        a_disabled_client_at_the_token_endpoint,
        r"401 invalid_client: an administrator disabled Mine \d+ s ago",
        "InvalidClient",
        False,
    ),
    "after the last day": (
        a_refresh_after_the_last_day,
        "401 invalid_client: the last day of Mine was over .+ ago",
        "InvalidClient",
        True,
    ),
    "malformed Basic": (
        posted("grant_type=refresh_token", Authorization="Basic !"),
        r"401 invalid_client: Client authentication failed \(malformed HTTP Basic credentials\)",
        "InvalidClient",
        True,
    ),
    "an assertion": (
        posted("grant_type=refresh_token&client_id=x&client_assertion=y"),
        r"401 invalid_client: Client authentication failed \(client assertions are not supported\)",
        "InvalidClient",
        True,
    ),
    "two clients": (
        posted("grant_type=refresh_token&client_id=x", **basic("y", "z")),
        "400 invalid_request: the client named itself by HTTP Basic and by parameters, and the two differ",
        "TwoClientAuthentications",
        True,
    ),
    "public, introspecting": (
        lambda server: server.request(
            "POST", "/rest/oauth2/latest/introspect", form=form(mine(server, public=True), token="x")
        ),
        "400 unauthorized_client: Mine is public, and introspection is for confidential clients",
        "IntrospectionNotAllowed",
        True,
    ),
    # ---- the token endpoint: the grant
    "another's code": (
        a_code_of_another_client,
        "400 invalid_grant: the code was given to another client: to Demo application, not to Mine",
        "CodeUnknown",
        True,
    ),
    "a made-up code": (
        a_code_of_one_s_own_client_that_is_unknown,
        "400 invalid_grant: the code is unknown: .+",
        "CodeUnknown",
        True,
    ),
    "another redirect_uri": (
        lambda server: exchange(
            server, server.client, server.code(pkce=False).code, redirect_uri="http://localhost:8091/callback"
        ),
        "400 invalid_grant: redirect_uri is http://localhost:8091/callback; the code was issued for http://127.+",
        "RedirectUriMismatch",
        True,
    ),
    "another redirect_uri, refreshing": (
        lambda server: refresh(
            server, server.client, server.authorize().refresh_token, redirect_uri="https://a.example"
        ),
        "400 invalid_grant: redirect_uri is https://a.example, which Demo application did not register",
        "RedirectUriMismatch",
        True,
    ),
    "no verifier": (
        lambda server: exchange(server, server.client, server.code().code),
        "400 invalid_grant: code_verifier is missing, and the code was asked for with a code_challenge",
        "VerifierMismatch",
        True,
    ),
    "the challenge": (
        a_verifier_that_is_the_challenge,
        "400 invalid_grant: code_verifier is the code_challenge; the text it was made from is wanted",
        "VerifierMismatch",
        True,
    ),
    "a short verifier": (
        lambda server: exchange(server, server.client, server.code().code, code_verifier="short"),
        "400 invalid_grant: code_verifier has 5 characters; 43 to 128 of A-Z a-z 0-9 - . _ ~ are wanted",
        "VerifierMismatch",
        True,
    ),
    "a verifier too many": (
        lambda server: exchange(server, server.client, server.code(pkce=False).code, code_verifier=VERIFIER),
        "400 invalid_grant: a code_verifier came, and the code was asked for without a code_challenge",
        "VerifierWithoutChallenge",
        True,
    ),
    "more than granted": (
        lambda server: refresh(server, server.client, server.authorize().refresh_token, scope="WRITE"),
        "400 invalid_scope: WRITE was asked for; the user granted READ",
        "ScopeAboveGrant",
        True,
    ),
    "revoked": (
        a_refresh_token_that_was_given_back,
        r"400 invalid_grant: the refresh token was revoked \d+ s ago, because the client gave it back",
        "GrantRevoked",
        True,
    ),
    # ---- the API
    "token as a parameter": (
        lambda server: server.request("GET", f"{CONTENT}?access_token=x"),
        "401: the access token came as a parameter, which is not read: send Authorization: Bearer",
        "TokenMissing",
        True,
    ),
    "two tokens": (
        two_tokens,
        "400: an access token came as a parameter, besides the header Authorization",
        "TokenAmbiguous",
        True,
    ),
    "removed by the user": (
        a_token_of_the_user_that_was_removed,
        r"401: the access token was revoked \d+ s ago, because the user removed the application",
        "TokenInvalid",
        True,
    ),
    "personal token, expired": (
        lambda server: ask_with_personal_token(server, after=86_400 + 60),
        r"401: the personal access token expired 1 min( \d+ s)? ago",
        "TokenInvalid",
        True,
    ),
    "personal token, too little": (
        lambda server: ask_with_personal_token(server, "POST"),
        "403: this route needs WRITE; the token has READ",
        "InsufficientScope",
        True,
    ),
    "personal token, made up": (
        lambda server: server.request("GET", CONTENT, headers={"Authorization": "Bearer wmpat_" + "0" * 64}),
        "401: the personal access token is unknown: .+",
        "TokenInvalid",
        True,
    ),
    "hidden space": (
        content_in_a_hidden_space,
        r"404: No content found with id: .+ \(it exists, in the space ENG, which bob may not view\)",
        "ContentNotFound",
        True,
    ),
    "restricted": (
        content_that_is_restricted,
        r"404: No content found with id: .+ \(it exists, but restrictions keep bob from reading it\)",
        "ContentNotFound",
        True,
    ),
    "trash": (
        content_in_the_trash,
        r"404: No content found with id: .+ \(it exists, with the status trashed\)",
        "ContentNotFound",
        True,
    ),
    "version": (
        a_version_that_is_not_there,
        r"404: No content found with id: .+ \(it exists, in its version 1\)",
        "ContentNotFound",
        True,
    ),
    "a space that is hidden": (
        a_space("ENG"),
        r"404: No space with key : ENG \(it exists, but bob may not view it\)",
        "SpaceNotFound",
        True,
    ),
    "a space that is not there": (
        a_space("NONE"),
        r"404: No space with key : NONE \(there is none\)",
        "SpaceNotFound",
        True,
    ),
    "cloud": (
        lambda server: server.request("GET", "/wiki/rest/api/content"),
        "404: nothing is at this path: /wiki is Confluence Cloud's, here it is /rest/api/content",
        None,
        True,
    ),
    "host": (
        lambda server: server.request("GET", CONTENT, headers={"Host": "wiki.example"}),
        "421: this server does not answer to the Host wiki.example",
        None,
        False,
    ),
    # ---- pages
    "a link that may not be": (
        lambda server: press(server, f"{link(server.client)}/edit", name="", scope="READ"),
        "400: The name must have 1 to 80 characters",
        "UnacceptableLink",
        False,
    ),
    "wrong password": (
        lambda server: sign_in(server, "bob"),
        r"\d+: the password of bob is wrong, or the user is disabled",
        None,
        False,
    ),
    "no such user": (lambda server: sign_in(server, "eve"), r"\d+: there is no user eve", None, False),
    "answered before": (
        a_question_that_was_answered,
        "400: this question was denied before",
        "NoOpenQuestion",
        False,
    ),
    "question over": (
        a_question_that_is_over,
        r"400: this question was open until \d+ s ago",
        "NoOpenQuestion",
        False,
    ),
    "never asked": (
        a_question_that_was_never_asked,
        "400: no open question of this sign-in has these parameters: .+",
        "NoOpenQuestion",
        False,
    ),
    "another's question": (
        a_question_of_somebody_else,
        "403: form_token is not this browser's: .+",
        "CrossSitePost",
        False,
    ),
    "no form token": (
        a_form_without_its_token,
        "403: form_token is missing: only this server's own pages can send this form",
        "CrossSitePost",
        False,
    ),
    "another site": (
        a_form_of_another_site,
        "403: the browser says that another site's page sent it: https://evil.example",
        "CrossSitePost",
        False,
    ),
    "administrators": (
        an_administrator_s_page,
        "403: this page is for administrators; bob is none",
        "NotAnAdministrator",
        False,
    ),
    "allowed": (allowed, "", None, True),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_says_what_came_and_what_was_wanted(watersmeet_server: Server, name: str) -> None:
    scenario, why, cause, _ = SCENARIOS[name]
    scenario(watersmeet_server)
    record = looked_at(watersmeet_server)
    assert re.fullmatch(why, record["why"] or ""), record["why"]
    assert record["cause"] == cause


# What `dev` has no lever for: settings, and rules of a link that only the command line changes. Their words are
# tested in tests/unit/dev/test_explanation.py. `InvalidGrant` is the root of what is told of grants.
ELSEWHERE = {
    "NeitherStateNorChallenge",
    "PlainHttpRedirectUri",
    "OtherClientAuthentication",
    "InvalidGrant",
    "RefreshTokenIdle",
}


def test_no_cause_is_left_out() -> None:
    from tests.http.dev.test_inspector import SCENARIOS as TOLD_THERE

    there = {more["cause"] for _, _, more in TOLD_THERE if "cause" in more}
    here = {cause for _, _, cause, _ in SCENARIOS.values()}
    groups = {errors.OAuthError, errors.UntrustedRequest, errors.BearerRefused}
    leaves = {
        name
        for name, leaf in vars(errors).items()
        if isinstance(leaf, type) and issubclass(leaf, errors.OAuthError) and leaf not in groups
    }
    # A refresh token that has expired may be swept before it is looked at, so its scenario names no cause.
    assert leaves - there - here == ELSEWHERE | {"RefreshTokenExpired"}


def test_whatever_a_test_can_do_again_is_handed_out_as_one_that_runs(watersmeet_server: Server, tmp_path: Path) -> None:
    expected = 0
    for number, (name, (scenario, _, _, has_test)) in enumerate(SCENARIOS.items()):
        watersmeet_server.reset()
        scenario(watersmeet_server)
        record = looked_at(watersmeet_server)
        answer = watersmeet_server.request("GET", f"/_dev/requests/{record['id']}/test")
        assert answer.status == (200 if has_test else 400), name
        if has_test:
            expected += 1
            (tmp_path / f"test_{number:02}.py").write_text(answer.text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert f"{expected} passed" in done.stdout, done.stdout


@pytest.mark.parametrize("name", ["implicit", "denied", "above the client", "administrators"])
def test_the_curl_line_of_a_browser_s_request_is_signed_in_too(watersmeet_server: Server, name: str) -> None:
    SCENARIOS[name][0](watersmeet_server)
    before = looked_at(watersmeet_server)
    line = watersmeet_server.request("GET", f"/_dev/requests/{before['id']}/curl").text
    assert "--cookie 'watersmeet-session-" in line or "--cookie watersmeet-session-" in line
    command = [*shlex.split(line.replace("\\\n", " ")), "--silent"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = looked_at(watersmeet_server)
    if name == "denied":  # the question is answered by now, and the inspector says so
        assert after["why"] == "400: this question was denied before"
    else:
        assert f" {before['status']} " in done.stdout.splitlines()[0]
        same = ("method", "path", "query", "status", "user", "client", "why")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_what_anybody_typed_is_no_pattern(watersmeet_server: Server) -> None:
    mine(watersmeet_server)
    ask(watersmeet_server, scope="{scopes} %s {0}")
    assert "{scopes}" in looked_at(watersmeet_server)["why"]
