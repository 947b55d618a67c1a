"""Client registration and authentication: S089 to S100."""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from tests.security.harness.browser import Browser, new_address
from tests.security.harness.client import Client, Server, answer_of, basic, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.timing import differing_medians
from tests.security.harness.verdict import Row
from tests.security.harness.wire import race
from tests.security.test_code import bits_of
from tests.security.test_redirect import NEVER_REGISTERED, is_stopped, link_form

MANY_WRONG_SECRETS, AT_ONCE = 1000, 100
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_s089_the_kind_of_a_client_is_fixed(server: Server, client: Client) -> None:
    code = client.code()
    for secret in (None, "", "null", "None", "undefined", "0"):
        assert is_refused(client.exchange(code, client_secret=secret), "invalid_client", "invalid_request"), secret
    assert client.exchange(code).status_code == 200
    public = server.client("public")
    assert public.secret is None
    code = public.code()
    for secret in ("x", client.secret):
        assert is_refused(public.exchange(code, client_secret=secret), "invalid_client"), secret
    assert public.exchange(code).status_code == 200


def by_basic(client: Client, fields: dict[str, str], header: str) -> int:
    """The status of a token request whose client is in a header."""
    rest = {name: value for name, value in fields.items() if not name.startswith("client_")}
    return client.http.post(client.server.target.token, data=rest, headers={"Authorization": header}).status_code


def test_s090_basic(client: Client) -> None:
    code = client.code()
    assert client.secret
    fields = client.exchange_fields(code)
    rest = {name: value for name, value in fields.items() if not name.startswith("client_")}

    def encoded(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    malformed = (
        "Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), encoded(":" + client.secret),
        encoded(f"{client.id}:"), encoded(f"{client.id}:wrong"), encoded(f"{client.id}:{client.secret}x"),
        encoded(f"{client.id}:%ff"), encoded(f"{client.id}:%00{client.secret}"),
        encoded(f"{client.id}:{client.secret}%"),
        basic(client.id, "a:b%c+d e\u00e9"), basic(client.id, client.secret)[:-4] + "====",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    )  # fmt: skip
    for header in malformed:
        answer = client.http.post(client.server.target.token, data=rest, headers={"Authorization": header})
        assert answer.status_code in (400, 401), header
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Basic"), header
            assert answer.json()["error"] == "invalid_client"
    assert by_basic(client, fields, basic(client.id, client.secret)) == 200
    escaped = "".join(f"%{ord(letter):02X}" for letter in client.secret)
    assert by_basic(client, client.exchange_fields(client.code()), encoded(f"{client.id}:{escaped}")) == 200
    assert (
        by_basic(client, client.exchange_fields(client.code()), "bAsIc " + basic(client.id, client.secret)[6:]) == 200
    )
    in_body = client.post({**fields, "client_secret": "wrong"})
    assert in_body.status_code in (400, 401)
    assert in_body.json()["error"] == "invalid_client"


@both_profiles
def test_s091_one_way_to_authenticate(client: Client, other: Client, row: Row) -> None:
    code = client.code()
    assert client.secret
    assert other.secret
    fields, header = client.exchange_fields(code), basic(client.id, client.secret)

    def both(changed: dict[str, str], header: str = header):  # type: ignore[no-untyped-def]
        return client.post({**fields, **changed}, headers={"Authorization": header})

    assert is_refused(both({"client_secret": "different"}), "invalid_request")
    assert is_refused(both({"client_id": other.id}), "invalid_request", "invalid_client")
    assert is_refused(both({}, basic(other.id, other.secret)), "invalid_request", "invalid_client")
    assertion = {"client_assertion_type": JWT_BEARER, "client_assertion": "a.b.c"}
    assert is_refused(client.post({**fields, **assertion}), "invalid_request", "invalid_client")
    if client.is_strict:
        assert is_refused(both({}), "invalid_request"), "the same credentials twice"
        assert client.exchange(code).status_code == 200
    else:
        assert both({}).status_code == 200
        row.legacy_accepted("identical credentials in the header and in the body count as one")


@both_profiles
@pytest.mark.usefixtures("writes_down")
def test_s092_the_way_is_pinned(server: Server, profile: str, row: Row) -> None:
    methods = server.metadata()["token_endpoint_auth_methods_supported"]
    assert {"client_secret_basic", "client_secret_post"} <= set(methods)
    client = server.new_client(profile=profile)
    code, output = server.hooks.command("link", "change", client.id, "--authentication", "client_secret_post")
    assert code == 0, output
    assert client.exchange(client.code()).status_code == 200
    tried, header = client.code(), basic(client.id, client.secret or "")
    status = by_basic(client, client.exchange_fields(tried), header)
    if client.is_strict or status != 200:
        assert status in (400, 401), "HTTP Basic of a client that authenticates in the body"
        assert client.exchange(tried).status_code == 200, "nothing was consumed"
        refused = [event for event in server.hooks.audit() if event["client_id"] == client.id]
        assert "client.refused" in [event["event"] for event in refused], "and it is in the audit trail"
    else:
        row.legacy_accepted("the other way, audited")


def test_s093_secrets_are_random_and_shown_once(server: Server) -> None:
    made = [server.new_client() for _ in range(40)]
    found = [client.secret or "" for client in made]
    assert len(set(found)) == len(found)
    assert bits_of(found) >= 160
    assert all(re.fullmatch(r"[0-9a-f]{64}", secret) for secret in found), "256 bits"
    first = made[0]
    _, shown = server.hooks.command("link", "show", first.id, "--json")
    _, listed = server.hooks.command("link", "list", "--json")
    admin = server.client("administration").acting_for(server.user("system-administrator"))
    rest = server.call(admin.tokens(scope="ADMIN")["access_token"], "ADMIN")
    browser, user = server.signed_in(server.user("administrator")), server.user("administrator")
    pages = [server.open(browser, server.page(name, first.id), user).text for name in ("links", "link", "edit_link")]
    trail = [server.hooks.command("audit", "--client", first.id, form)[1] for form in ("--json", "--csv")]
    exports = [
        browser.get(f"{server.page('audit')}/export?client={first.id}&format={kind}").text for kind in ("csv", "jsonl")
    ]
    for text in (shown, listed, rest.text, *pages, *trail, *exports):
        assert first.id in text
        assert not any(secret in text for secret in found)


def test_s094_what_is_stored_is_no_secret(server: Server, client: Client) -> None:
    dump = server.hooks.dump()
    assert client.secret
    assert client.secret not in dump
    stored = set(re.findall(r"'([0-9a-f]{40,})'", dump)) | set(re.findall(r"'(\$argon2[^']+)'", dump))
    assert len(stored) > 3
    fresh = server.new_client()
    digests = set(re.findall(r"'([0-9a-f]{40,})'", server.hooks.dump())) - stored
    assert digests
    for value in digests:
        assert is_refused(fresh.post({**fresh.refresh_fields("x"), "client_secret": value}), "invalid_client")


def test_s095_unknown_and_wrong_look_alike(server: Server, client: Client, measures_time: bool) -> None:
    assert client.secret
    unknown = {"client_id": secrets.token_hex(16), "client_secret": client.secret}
    wrong = {"client_id": client.id, "client_secret": secrets.token_hex(32)}
    first = {"client_id": client.id, "client_secret": flipped(client.secret, 0)}
    last = {"client_id": client.id, "client_secret": flipped(client.secret, -1)}

    def seen(credentials: dict[str, str]) -> tuple[int, str, list[str]]:
        answer = server.http().post(server.target.token, data={**client.refresh_fields("x"), **credentials})
        return answer.status_code, answer.text, sorted(set(answer.headers) - {"date"})

    assert seen(unknown) == seen(wrong) == seen(first) == seen(last)
    if measures_time:

        def attempt(credentials: dict[str, str]) -> Callable[[], object]:
            server.close()
            fields = {**client.refresh_fields("x"), **credentials}
            return partial(server.http().post, server.target.token, data=fields)

        kinds = {"unknown": unknown, "first": first, "last": last}
        attempts = {name: partial(attempt, credentials) for name, credentials in kinds.items()}
        assert differing_medians(attempts, times=667) == {}


def flipped(text: str, position: int) -> str:
    letters = list(text)
    letters[position] = "0" if letters[position] != "0" else "1"
    return "".join(letters)


def test_s096_guessing_secrets_is_throttled(server: Server) -> None:
    client = server.new_client()
    tokens = client.tokens()
    address = new_address()
    answers: list[httpx.Response] = []
    for _ in range(MANY_WRONG_SECRETS // AT_ONCE):
        guesses = [
            client.raw({**client.refresh_fields("x"), "client_secret": secrets.token_hex(32)}) for _ in range(AT_ONCE)
        ]
        answers += race(server.target.nodes, guesses, address)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= AT_ONCE // 2, f"{statuses.count(401)} guesses were evaluated"
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 429)
    # There is no second counter behind another spelling, way or endpoint; nor is the right secret told apart there.
    there = server.http(address)
    alias = server.target.token.replace("/latest/", "/1.0/")
    for url in filter(None, (server.target.token, alias, server.target.revoke, server.target.introspect)):
        fields = {**client.refresh_fields("x"), "token": "x"}
        assert there.post(url, data=fields).status_code == 429, url
        header = {"Authorization": basic(client.id, client.secret or "")}
        assert there.post(url, data={"grant_type": "refresh_token", "token": "x"}, headers=header).status_code == 429
    assert client.refresh(tokens["refresh_token"]).status_code == 200, "the genuine client, from another address"


def test_s097_two_secrets_overlap(server: Server) -> None:
    client = server.new_client()
    old = client.secret
    tokens = client.tokens()
    with under_load(server, client) as answers:
        new = server.hooks.rotate_secret(client.id, 1)
    assert set(answers) == {200}, "no request fails on the way"
    server.secrets.add(new)
    assert new != old
    for secret in (old, new):
        answer = client.refresh(tokens["refresh_token"], client_secret=secret)
        assert answer.status_code == 200
        tokens = answer.json()
    server.hooks.advance(3601)
    assert is_refused(client.refresh(tokens["refresh_token"], client_secret=old), "invalid_client")
    assert client.refresh(tokens["refresh_token"], client_secret=new).status_code == 200
    third = server.hooks.rotate_secret(client.id, 0)
    server.secrets.add(third)
    assert is_refused(client.refresh("x", client_secret=new), "invalid_client"), "ended at once"
    if server.is_ours:
        _last_uses_of_secrets(server)


def _last_uses_of_secrets(server: Server) -> None:
    """Each is shown with its own, which tells when the old one can be ended; then it ends at once."""
    client = server.new_client()
    tokens, old = client.tokens(), client.secret
    new = server.hooks.rotate_secret(client.id, 24)
    server.secrets.add(new)
    server.hooks.restart()  # what was noted is written at the end, if not within a minute
    first, second = _secrets_shown(server, client)
    assert first["last_used_at"] >= first["created_at"]
    assert first["expires_at"] == second["created_at"] + 24 * 3600
    assert (second["last_used_at"], second["expires_at"]) == (None, None)
    server.hooks.advance(7200)
    tokens = client.refresh(tokens["refresh_token"], client_secret=new).json()
    server.hooks.restart()
    same, second = _secrets_shown(server, client)
    assert same == first
    assert second["last_used_at"] >= first["last_used_at"] + 7200
    admin = server.user("administrator")
    page = server.open(server.signed_in(admin), server.page("link", client.id), admin)
    assert len(re.findall("last used on", page.text)) == 2
    code, output = server.hooks.command("link", "end-old-secrets", client.id)
    assert code == 0, output
    assert is_refused(client.refresh(tokens["refresh_token"], client_secret=old), "invalid_client")
    assert client.refresh(tokens["refresh_token"], client_secret=new).status_code == 200


def _secrets_shown(server: Server, client: Client) -> list[dict[str, Any]]:
    code, output = server.hooks.command("link", "show", client.id, "--json")
    assert code == 0, output
    shown: list[dict[str, Any]] = json.loads(output)["secrets"]
    return shown


@contextmanager
def under_load(server: Server, client: Client, threads: int = 4) -> Iterator[list[int]]:
    """Clients that refresh all the time, before, during and after what is done: the statuses they got."""
    statuses: list[int] = []
    stop = threading.Event()
    chains = [client.tokens()["refresh_token"] for _ in range(threads)]

    def refresh(token: str) -> None:
        http = server.http()
        while not stop.is_set():
            answer = http.post(server.target.token, data=client.refresh_fields(token))
            statuses.append(answer.status_code)
            if answer.status_code != 200:
                return
            token = answer.json()["refresh_token"]

    def wait_for(more: int) -> None:
        wanted = len(statuses) + more
        while len(statuses) < wanted and any(each.is_alive() for each in running):
            running[0].join(0.01)

    running = [threading.Thread(target=refresh, args=(chain,)) for chain in chains]
    for each in running:
        each.start()
    try:
        wait_for(20)
        yield statuses
        wait_for(20)
    finally:
        stop.set()
        for each in running:
            each.join()


def unsigned(claims: str) -> str:
    return ".".join(
        base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in ('{"alg":"none"}', claims, "")
    )


def test_s098_private_key_jwt(server: Server, client: Client, row: Row) -> None:
    row.not_supported("private_key_jwt is not advertised, and an assertion authenticates nobody")
    if server.is_ours:
        assert "private_key_jwt" not in server.metadata()["token_endpoint_auth_methods_supported"]
    tokens = client.tokens()
    claims = f'{{"iss":"{client.id}","sub":"{client.id}","aud":"{server.target.issuer}","exp":9999999999,"jti":"1"}}'
    for assertion in (unsigned(claims), "a.b.c"):
        fields = {
            "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client.id,
            "client_assertion_type": JWT_BEARER, "client_assertion": assertion,
        }  # fmt: skip
        assert is_refused(client.post(fields), "invalid_client", "invalid_request")
        del fields["client_id"]
        assert is_refused(client.post(fields), "invalid_client", "invalid_request")


def test_s099_a_deleted_client_is_gone_everywhere(server: Server) -> None:
    asked = server.new_client()
    browser = server.signed_in(asked.user)
    question = browser.question(asked.ask(browser=browser))
    assert question
    server.hooks.delete_client(asked.id)
    assert not browser.answer(question).is_redirect
    approved = server.new_client()
    code = approved.code()
    server.hooks.delete_client(approved.id)
    assert is_refused(approved.exchange(code), "invalid_client")
    holding = server.new_client()
    tokens = holding.tokens()
    server.hooks.delete_client(holding.id)
    assert not server.works_somewhere(tokens["access_token"])
    assert is_refused(holding.refresh(tokens["refresh_token"]), "invalid_client")
    assert holding.id not in server.open(browser, server.page("authorized"), asked.user).text
    _disabled(server, browser)


def _disabled(server: Server, browser: Browser) -> None:
    """The same of a client that is only disabled: at each step."""
    clients = [server.new_client() for _ in range(3)]
    asked, approved, holding = clients
    question, code, tokens = browser.question(asked.ask(browser=browser)), approved.code(), holding.tokens()
    assert question
    for client in clients:
        status, output = server.hooks.command("link", "disable", client.id)
        assert status == 0, output
    assert not browser.answer(question).is_redirect
    assert is_refused(approved.exchange(code), "invalid_client")
    assert not server.works_somewhere(tokens["access_token"])
    assert is_refused(holding.refresh(tokens["refresh_token"]), "invalid_client")
    assert is_stopped(asked.authorize())
    server.hooks.command("link", "enable", holding.id)
    assert is_refused(holding.refresh(tokens["refresh_token"]), "invalid_grant"), "people are asked anew"


def test_s100_managing_clients_takes_an_administrator(server: Server) -> None:
    client = server.new_client()
    for name in ("reader", "writer"):
        user = server.user(name)
        browser = server.signed_in(user)
        for page in ("links", "new_link", "link", "edit_link"):
            answer = server.open(browser, server.page(page, client.id), user)
            assert answer.status_code in (403, 404), (name, page)
            assert client.redirect_uri not in answer.text
            assert client.registration.name not in answer.text
        home = browser.form(browser.get(server.page("home")), "form_token")
        assert home
        link = server.url(server.page("link", client.id))
        for action in ("", "/edit", "/rotate-secret", "/end-old-secrets", "/delete", "/disable", "/enable", "/rules"):
            answer = browser.http.post(
                link + action, data={"form_token": home["form_token"], "name": client.registration.name}
            )
            assert answer.status_code in (403, 404, 405), action
        token = client.acting_for(user).tokens()["access_token"]
        assert server.call(token, "ADMIN").status_code in (401, 403)
    admin, form = link_form(server, "edit_link", client.id)
    for uri in NEVER_REGISTERED:
        answer = admin.post({**form, "redirect_uris": uri})
        assert answer.status_code == 400, uri
    tokens = client.tokens()
    admin.post({**form, "type": "public", "confidential": "false", "redirect_uris": client.redirect_uri})
    assert is_refused(client.refresh(tokens["refresh_token"], client_secret=None), "invalid_client"), (
        "still confidential"
    )
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert "code" in answer_of(client.authorize().headers["location"])
