"""Access tokens and protected resources: S121 to S130."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

import httpx

from tests.security.harness.client import Client, Server
from tests.security.harness.crawl import Seen
from tests.security.harness.target import both_profiles
from tests.security.harness.verdict import Row
from tests.security.harness.wire import send
from tests.security.test_code import bits_of, stored

HOUR = 3600


def challenge_of(answer: httpx.Response) -> dict[str, str]:
    """The Bearer challenge of an answer, as a mapping; empty when there is none."""
    for value in answer.headers.get_list("www-authenticate"):
        if value.startswith("Bearer"):
            return dict(re.findall(r'(\w+)="([^"]*)"', value)) | {"": "Bearer"}
    return {}


def test_s121_random_and_stored_as_digests(server: Server, client: Client) -> None:
    tokens = [client.tokens()["access_token"] for _ in range(60)]
    assert len(set(tokens)) == len(tokens)
    assert bits_of(tokens) >= 160, "identifier and MAC together"
    assert stored(server, tokens) == []
    parts = [base64.urlsafe_b64decode(part + "==").decode() for token in tokens for part in token.split(".")[1:2]]
    assert stored(server, re.findall(r"(?:[0-9a-f]{32}){1,2}", " ".join(parts))) == [], "nor the identifier inside"


def test_s122_an_hour(server: Server, client: Client) -> None:
    with server.hooks.standing_clock():
        tokens = client.tokens()
        assert 0 < tokens["expires_in"] <= HOUR
        server.hooks.advance(tokens["expires_in"] - 0.001)
        assert server.works(tokens["access_token"])
        server.hooks.advance(0.001)
        assert not server.works_somewhere(tokens["access_token"])

    if server.is_ours:
        admin = server.client("administration").acting_for(server.user("system-administrator"))
        for scope, lifetime in (("SYSTEM_ADMIN", HOUR // 4), ("ADMIN", HOUR // 4), ("WRITE", HOUR)):
            assert admin.tokens(scope=scope)["expires_in"] == lifetime, "administration for a quarter of it"


def _forged(token: str) -> set[str]:
    """A JWT with another algorithm, another spelling of the same content, or parts missing."""
    head, payload, mac = token.split(".")

    def encoded(text: bytes) -> str:
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    none, spaced = encoded(b'{"alg":"none"}'), encoded(base64.urlsafe_b64decode(payload + "==").replace(b":", b": "))
    return {
        f"{none}.{payload}.", f"{none}.{payload}.{mac}", f"{head}.{payload}.", f"{head}.{payload}",
        f"{head}.{spaced}.{mac}", f"{head}.{payload}=.{mac}", f"{head}.{payload}.{mac}=",
    }  # fmt: skip


@both_profiles
def test_s123_only_the_exact_token(server: Server, client: Client) -> None:
    token = client.tokens()["access_token"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = {
        token[:i] + letter + token[i + 1 :] for i in range(len(token)) for letter in "Aa0_." if token[i] != letter
    }
    changed |= {token[:i] + token[i].swapcase() + token[i + 1 :] for i in range(len(token)) if token[i].isalpha()}
    changed |= {token[:-1] + letter for letter in alphabet} | {token[:i] for i in range(len(token))} | {token[1:]}
    changed |= {token + letter for letter in ("A", "=", ".", "==", "%3D", ",", token)}
    changed |= {token.upper(), token.lower(), f'"{token}"'} | (_forged(token) if token.count(".") == 2 else set())
    url = server.url(server.resource().path)
    http = server.http()
    accepted = []
    for candidate in sorted(changed - {token, ""}):
        status = http.get(url, headers={"Authorization": f"Bearer {candidate}"}).status_code
        if status != 401:
            accepted.append((candidate, status))
    assert accepted == []
    assert server.works(token)


def test_s124_only_in_the_header(server: Server, client: Client) -> None:
    token = client.tokens()["access_token"]
    http, url = server.http(), server.url(server.resource().path)
    assert http.get(url, params={"access_token": token}).status_code in (400, 401)
    form = {"access_token": token}
    assert http.request("GET", url, data=form).status_code in (400, 401)
    write = server.url(server.resource("WRITE").path)
    assert http.post(write, data=form).status_code in (400, 401)
    for name in ("watersmeet-session", "access_token", "Authorization"):
        assert http.get(url, headers={"Cookie": f"{name}={token}"}).status_code == 401
    header = {"Authorization": f"Bearer {token}"}
    assert http.get(url, params={"access_token": token}, headers=header).status_code == 400, "two transports"


def test_s125_the_header_s_form(server: Server, client: Client) -> None:
    token = client.tokens()["access_token"]
    path = server.resource().path
    node = server.target.nodes[0]

    def status(*lines: str) -> int:
        head = f"GET {path} HTTP/1.1\r\nHost: {urlsplit(server.target.issuer).netloc}\r\nConnection: close\r\n"
        return send(node, (head + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()).status_code

    assert [status(f"Authorization: {scheme} {token}") for scheme in ("Bearer", "bearer", "BEARER", "bEaReR")] == [
        200
    ] * 4
    for wrong in (f"Bearer\t{token}", f"Bearer  {token}", f"Bearer {token} x", f"Bearer{token}", f"Bearer={token}",
                  "Bearer", "Bearer ", token, f"Basic {token}", f"Bearer {token},{token}"):  # fmt: skip
        assert status(f"Authorization: {wrong}") in (400, 401), wrong
    assert status(f"Authorization: Bearer {token}", f"Authorization: Bearer {token}") == 400
    assert status(f"Authorization: Bearer {token}", "Authorization: Basic eDp5") == 400


def test_s126_challenges(server: Server, client: Client) -> None:
    http, url = server.http(), server.url(server.resource().path)
    without = http.get(url)
    assert without.status_code == 401
    assert challenge_of(without)[""] == "Bearer"
    assert "error" not in challenge_of(without)
    bad = server.call("bad")
    assert (bad.status_code, challenge_of(bad)["error"]) == (401, "invalid_token")
    narrow = server.call(client.tokens(scope="READ")["access_token"], "WRITE")
    assert narrow.status_code == 403
    challenge = challenge_of(narrow)
    assert (challenge["error"], challenge["scope"]) == ("insufficient_scope", "WRITE")


def test_s127_scope_and_rights_at_every_call(server: Server, crawled: list[Seen]) -> None:
    _every_route(server, crawled)
    scopes, client = server.target.scopes, server.client("administration")
    rights = {"reader": "WRITE", "administrator": "ADMIN", "system-administrator": "SYSTEM_ADMIN"}
    for who, right in rights.items():
        for scope in scopes:
            token = client.acting_for(server.user(who)).tokens(scope=scope)["access_token"]
            for needed in server.target.resources:
                status = server.call(token, needed).status_code
                may = scopes.index(needed) <= min(scopes.index(scope), scopes.index(right))
                # What the scope allows, the permissions of the space may still refuse: with another answer.
                challenged = status == 403 and "insufficient_scope" in str(server.call(token, needed).headers)
                assert challenged is not may, (who, scope, needed, status)
    leaving = client.acting_for(server.new_user("administrator"))
    token = leaving.tokens(scope="ADMIN")["access_token"]
    assert server.call(token, "ADMIN").status_code == 200
    code, output = server.hooks.command("user", "role", leaving.user.username, "user")
    assert code == 0, output
    demoted = server.call(token, "ADMIN")
    assert demoted.status_code == 403, "no administrator any more"
    assert challenge_of(demoted)["error"] == "insufficient_scope"
    assert server.call(token).status_code == 200
    assert server.open(server.signed_in(leaving.user), server.page("links"), leaving.user).status_code == 403
    server.hooks.command("user", "role", leaving.user.username, "administrator")
    assert server.call(token, "ADMIN").status_code == 200
    server.hooks.disable_user(leaving.user.username)
    assert server.call(token, "ADMIN").status_code in (401, 403)


def _every_route(server: Server, crawled: list[Seen]) -> None:
    """Each route that takes tokens, with a token of each scope: below what it needs, exactly that is said."""
    scopes = server.target.scopes
    with_tokens = [seen for seen in crawled if seen.who in scopes and seen.needs]
    assert {seen.needs for seen in with_tokens} >= set(scopes[:3]) or not crawled
    for seen in with_tokens:
        assert seen.needs
        may = scopes.index(seen.needs) <= scopes.index(seen.who)
        challenge = challenge_of(seen.answer)
        assert (challenge.get("error") == "insufficient_scope") is not may, seen
        if not may:
            assert (seen.answer.status_code, challenge["scope"]) == (403, seen.needs), seen
        assert seen.answer.status_code != 401, seen


def test_s128_audience(server: Server, client: Client, row: Row) -> None:
    row.not_supported("there is one resource, and `resource` may name no other (S139)")
    assert len(server.metadata().get("protected_resources", [])) <= 1
    assert client.tokens()["access_token"]


def test_s129_a_bearer_call_has_no_session(server: Server, client: Client) -> None:
    token = client.tokens()["access_token"]
    browser, user = server.browser(), server.user("reader")
    server.open(browser, server.page("authorized"), user)
    answer = browser.get(server.resource().path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or answer.json()["username"] == client.user.username
    assert "set-cookie" not in answer.headers
    second = server.browser()
    server.open(second, server.page("authorized"), user)
    alone = second.get(server.resource().path)
    assert alone.status_code == 401, "a session is no token"


def test_s130_jwt_access_tokens(server: Server, client: Client, row: Row) -> None:
    row.not_supported("access tokens are opaque: the payload holds an identifier and nothing a resource could check")
    header, *rest = client.tokens()["access_token"].split(".")
    if rest:
        assert base64.urlsafe_b64decode(header + "==") == b'{"alg":"HS256"}'
        assert re.fullmatch(rb'\{"id":"(?:[0-9a-f]{32}){1,2}"\}', base64.urlsafe_b64decode(rest[0] + "=="))
    server.must_not_advertise("jwks_uri", "id_token_signing_alg_values_supported")
    assert server.http().get(server.url("/.well-known/jwks.json")).status_code == 404
