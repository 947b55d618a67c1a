"""Where the vendor's dialect conflicts with today's rules: N01 to N16.

Whatever is accepted of a client for compatibility is told to it, counted, audited and shown to the administrator;
whatever is not named here is refused of everybody.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from lxml import html

from tests.security.harness.client import Client, Code, Server, answer_of, basic, is_refused, s256
from tests.security.harness.target import LEGACY, STRICT
from tests.security.test_redirect import link_form

VERIFIER = "dialect-verifier." * 3
HOUR = 3600


@pytest.fixture
def lenient(server: Server) -> Client:
    """A client of the vendor's dialect that nothing has been accepted of yet."""
    return server.new_client(profile=LEGACY)


@pytest.fixture
def dialect(server: Server) -> None:
    """The test is left out where no client may use the vendor's dialect: what a strict one gets is not about it."""
    server.client("legacy")


@pytest.fixture
def strict(server: Server) -> Client:
    """A client as new ones are by default."""
    return server.new_client()


def is_announced(answer: httpx.Response) -> bool:
    """Whether an answer tells the client that this will end (RFC 9745)."""
    return answer.headers.get("deprecation", "").startswith("@") and 'rel="deprecation"' in answer.headers["link"]


def counted(server: Server, client: Client) -> dict[str, int]:
    """How often each thing was accepted of a client."""
    code, output = server.hooks.command("link", "show", client.id, "--json")
    assert code == 0, output
    return {kind: each["count"] for kind, each in json.loads(output)["legacy"].items()}


def is_noted(server: Server, client: Client, kind: str, words: str) -> bool:
    """Whether one acceptance, and nothing else, was counted, audited and shown to the administrator."""
    assert counted(server, client) == {kind: 1}
    events = [
        each for each in server.hooks.audit() if each["client_id"] == client.id and each["event"] == "legacy.accepted"
    ]
    assert [event["detail"] for event in events] == [{"kinds": [kind]}]
    assert events[0]["request"]
    assert events[0]["address"]
    admin = server.user("administrator")
    page = server.open(server.signed_in(admin), server.page("link", client.id), admin)
    shown = html.fromstring(page.content).text_content()
    return words in shown and "once, on" in shown


def asked(client: Client, **changed: Any) -> httpx.Response:
    """The answer to an authorization request of a signed-in person, before any redirect is followed."""
    browser = client.server.signed_in(client.user)
    client.server.open(browser, client.server.page("authorized"), client.user)
    return browser.get(client.url(**changed))


def test_n01_credentials_in_the_query(server: Server, lenient: Client, strict: Client, staging: Server) -> None:
    code = lenient.code()
    fields = lenient.exchange_fields(code)
    twice = lenient.post(fields, f"{server.target.token}?{urlencode({'code': code.value})}")
    assert is_refused(twice, "invalid_request"), "in the query and in the body"
    wrong = lenient.http.post(server.target.token, params={**fields, "client_secret": "wrong"})
    assert is_refused(wrong, "invalid_client")
    assert counted(server, lenient) == {}, "what is refused is not accepted"
    answer = lenient.http.post(server.target.token, params=fields)
    assert answer.status_code == 200, answer.text
    assert is_announced(answer)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in answer.headers["cache-control"]
    assert is_noted(server, lenient, "credential-in-query", "Secret, code or token in the URL")
    assert is_refused(
        strict.http.post(server.target.token, params=strict.exchange_fields(strict.code())), "invalid_request"
    )
    # Where everybody on the way can read the address, nobody may, whatever else is switched on.
    open_air = staging.new_client(profile=LEGACY)
    code = open_air.code()
    assert is_refused(
        open_air.http.post(staging.target.token, params=open_air.exchange_fields(code)), "invalid_request"
    )
    assert open_air.exchange(code).status_code == 200


def test_n02_pkce_is_optional_until_it_is_required(server: Server, lenient: Client, strict: Client) -> None:
    assert strict.outcome(pkce=False)["error"] == "invalid_request"
    assert is_announced(asked(lenient, pkce=False))
    lenient.ask(pkce=False)
    assert counted(server, lenient) == {}, "a question that was looked at twice, and not answered"
    assert "code" in lenient.outcome(pkce=False)
    assert is_noted(server, lenient, "no-pkce", "No PKCE")
    admin = server.user("administrator")
    browser = server.signed_in(admin)
    assert not browser.form(browser.get(server.page("link", lenient.id)), "require_pkce"), "not offered yet"
    # A challenge that was sent is enforced, and a verifier without one is refused.
    code = lenient.code()
    assert is_refused(lenient.exchange(code, code_verifier=None), "invalid_grant")
    assert lenient.exchange(code).status_code == 200
    code = lenient.code(pkce=False)
    assert is_refused(lenient.exchange(code, code_verifier=VERIFIER), "invalid_grant")
    assert is_announced(lenient.exchange(code)), "the client's server hears of it, too"
    # The ratchet: offered once the client was seen using it.
    form = browser.form(browser.get(server.page("link", lenient.id)), "require_pkce")
    assert form
    assert browser.post({**form, "require_pkce": "yes"}).status_code == 303
    assert lenient.outcome(pkce=False)["error"] == "invalid_request"
    assert "code" in lenient.outcome()
    assert not browser.form(browser.get(server.page("link", lenient.id)), "require_pkce")


def test_n03_plain(server: Server, lenient: Client, strict: Client) -> None:
    plain: dict[str, Any] = {"pkce": False, "code_challenge": VERIFIER}
    assert strict.outcome(**plain)["error"] == "invalid_request"
    assert is_announced(asked(lenient, **plain, code_challenge_method="plain"))
    assert "code" in lenient.outcome(**plain, code_challenge_method="plain")
    assert is_noted(server, lenient, "plain-challenge", "PKCE with the method plain")
    admin = server.user("administrator")
    page = server.signed_in(admin).get(server.page("link", lenient.id))
    assert "weak" in html.fromstring(page.content).xpath("//span[contains(@class, 'badge')]/text()")
    code = lenient.code(**plain)  # no method means plain
    assert is_refused(lenient.exchange(Code(code.value, code.redirect_uri, s256(VERIFIER), "")), "invalid_grant")
    assert lenient.exchange(Code(code.value, code.redirect_uri, VERIFIER, "")).status_code == 200


@pytest.mark.parametrize("spelling", ["s256", "sha256", "SHA256"])
def test_n04_spellings_of_s256(server: Server, lenient: Client, strict: Client, spelling: str) -> None:
    challenge: dict[str, Any] = {"pkce": False, "code_challenge": s256("v" * 128), "code_challenge_method": spelling}
    assert strict.outcome(**challenge)["error"] == "invalid_request"
    assert is_announced(asked(lenient, **challenge))
    code = lenient.code(**challenge)
    assert is_noted(server, lenient, "method-spelling", "S256 in another spelling")
    assert lenient.exchange(Code(code.value, code.redirect_uri, "v" * 128, "")).status_code == 200, "128 characters"
    assert server.metadata()["code_challenge_methods_supported"] == ["S256"]


def test_n05_neither_state_nor_pkce(server: Server, lenient: Client, strict: Client) -> None:
    assert "code" in strict.outcome(state=None), "with PKCE no state is needed"
    assert strict.outcome(state=None, pkce=False)["error"] == "invalid_request"
    assert is_announced(asked(lenient, state=None, pkce=False))
    assert "code" in lenient.outcome(state=None, pkce=False)
    assert counted(server, lenient) == {"no-pkce": 1, "neither-state-nor-pkce": 1}
    admin = server.user("administrator")
    text = html.fromstring(
        server.open(server.signed_in(admin), server.page("link", lenient.id), admin).content
    ).text_content()
    assert "unprotected" in text
    assert "Neither state nor PKCE" in text
    code, output = server.hooks.command("link", "change", lenient.id, "--refuse", "neither-state-nor-pkce")
    assert code == 0, output
    assert lenient.outcome(state=None, pkce=False)["error"] == "invalid_request", "and it can be refused alone"
    assert "code" in lenient.outcome(pkce=False)


def test_n06_the_question_s_address_repeats_everything_and_decides_nothing(server: Server, lenient: Client) -> None:
    sent = lenient.parameters("v" * 43, state="mine")
    browser = server.signed_in(lenient.user)
    page = browser.ask(f"{server.target.authorize}?{urlencode(sent)}", lenient.user)
    assert page.url.path == server.page("consent")
    assert dict(page.url.params) == sent
    for name in sent:
        assert browser.get(str(page.url.copy_set_param(name, "other"))).status_code == 400, name
        assert browser.get(str(page.url.copy_remove_param(name))).status_code == 400, name
    assert browser.get(f"{page.url}&more=1").status_code == 400
    question = browser.question(page)
    assert question
    assert answer_of(browser.answer(question).headers["location"])["state"] == "mine"


def test_n07_tokens_keep_their_shape(server: Server, lenient: Client, strict: Client) -> None:
    for client, digits in ((lenient, 32), (strict, 64)):
        tokens = client.tokens()
        for token in (tokens["access_token"], tokens["refresh_token"]):
            header, payload, _mac = token.split(".")
            assert base64.urlsafe_b64decode(header + "==") == b'{"alg":"HS256"}'
            assert re.fullmatch(rf'{{"id":"[0-9a-f]{{{digits}}}"}}', base64.urlsafe_b64decode(payload + "==").decode())
        # They look alike, and their signatures are of different keys: neither passes for the other.
        assert tokens["access_token"].split(".")[2] != tokens["refresh_token"].split(".")[2]
        crossed = ".".join([*tokens["refresh_token"].split(".")[:2], tokens["access_token"].split(".")[2]])
        for token in (tokens["refresh_token"], crossed):
            assert server.call(token).status_code == 401
        assert is_refused(client.refresh(tokens["access_token"]), "invalid_grant")
        assert is_refused(client.refresh(crossed), "invalid_grant")
        assert server.works(tokens["access_token"])


@pytest.mark.usefixtures("dialect")
@pytest.mark.parametrize("profile", [STRICT, LEGACY])
def test_n08_the_answer_s_members(client: Client) -> None:
    first = client.tokens(scope="WRITE")
    for body in (first, client.refresh(first["refresh_token"]).json()):
        assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "created_at", "scope"}
        assert body["token_type"] == "bearer"
        assert isinstance(body["created_at"], int)
        assert body["scope"] == "WRITE"


def test_n09_lifetimes(server: Server, lenient: Client, staging: Server) -> None:
    assert lenient.tokens()["expires_in"] == HOUR
    administration = server.new_client(profile=LEGACY, scope="ADMIN").acting_for(server.user("administrator"))
    assert administration.tokens(scope="ADMIN")["expires_in"] == HOUR, "as the original's"
    with server.hooks.standing_clock():
        unused = lenient.tokens()
        server.hooks.advance(29 * 24 * HOUR)
        assert lenient.refresh(unused["refresh_token"]).status_code == 200, "and no end for want of use"
    long_lived = staging.new_client(profile=LEGACY)
    assert long_lived.tokens()["expires_in"] == 2 * HOUR, "as the vendor's guide prints it"
    assert "longer than an hour" in staging.hooks.logs(), "at the start"
    _, shown = staging.hooks.command("link", "show", long_lived.id)
    assert "longer than an hour" in shown
    admin = staging.user("administrator")
    page = staging.open(staging.signed_in(admin), staging.page("link", long_lived.id), admin)
    assert "longer than an hour" in page.text


@pytest.mark.usefixtures("dialect")
@pytest.mark.parametrize("profile", [STRICT, LEGACY])
def test_n10_refreshing_as_the_guide_has_it(server: Server, client: Client) -> None:
    tokens = client.tokens()
    elsewhere = client.refresh(tokens["refresh_token"], redirect_uri="https://evil.test/cb")
    assert is_refused(elsewhere, "invalid_grant", "invalid_request"), "a redirect_uri that is not registered"
    pairs = [tokens]
    for registered in client.registration.redirect_uris:
        pairs.append(client.refresh(pairs[-1]["refresh_token"], redirect_uri=registered).json())
        assert server.works(pairs[-1]["access_token"])
        assert not server.works_somewhere(pairs[-2]["access_token"]), "the old access token ends with its refresh token"
    assert is_refused(client.refresh(pairs[-2]["refresh_token"]), "invalid_grant")
    trail = [event for event in server.hooks.audit() if event["client_id"] == client.id]
    replay = [event for event in trail if event["event"] == "refresh.replayed"][-1]
    assert replay["detail"]["because"] == "reuse after lost response?"


def test_n11_basic_and_body(server: Server, lenient: Client, strict: Client) -> None:
    for client in (lenient, strict):
        code = client.code()
        fields, header = client.exchange_fields(code), {"Authorization": basic(client.id, client.secret or "")}
        # As Go's library tries: Basic first, here with a wrong secret, then the body.
        rest = {name: value for name, value in fields.items() if not name.startswith("client_")}
        first = client.http.post(server.target.token, data=rest, headers={"Authorization": basic(client.id, "no")})
        assert is_refused(first, "invalid_client")
        assert is_refused(client.post({**fields, "client_secret": "other"}, headers=header), "invalid_request")
        assert is_refused(client.post({**fields, "client_id": "other"}, headers=header), "invalid_request")
        both = client.post(fields, headers=header)
        if client is strict:
            assert is_refused(both, "invalid_request")
            assert client.exchange(code).status_code == 200
        else:
            assert both.status_code == 200, both.text
            assert is_announced(both)
    assert is_noted(server, lenient, "two-authentications", "The same credentials as HTTP Basic and as parameters")


def test_n12_what_the_original_does_not_send(server: Server, lenient: Client, strict: Client) -> None:
    for client, fragment in ((lenient, ""), (strict, "_")):
        location = client.authorize().headers["location"]
        assert answer_of(location)["iss"] == server.target.issuer
        assert location.partition("#")[2] == fragment
        code, output = server.hooks.command("link", "change", client.id, "--plain-answers")
        assert code == 0, output
        for changed in ({}, {"scope": "NO_SUCH_SCOPE"}, {"allow": False}):
            location = client.authorize(**changed).headers["location"]
            assert "iss" not in answer_of(location), changed
            assert "#" not in location, changed
    assert server.metadata()["issuer"] == server.target.issuer


def test_n13_a_secret_is_shown_once(server: Server) -> None:
    browser, form = link_form(server)
    filled = {
        **form,
        "name": "Shown once",
        "redirect_uris": "https://a.example/cb",
        "scope": "READ",
        "type": "confidential",
    }
    made = browser.post(filled)
    secrets = re.findall(r"\b[0-9a-f]{64}\b", html.fromstring(made.content).text_content())
    assert secrets, "on the page that follows"
    server.secrets.add(secrets[0])
    [client_id] = set(re.findall(r"incoming/([0-9a-f]{32})", made.text))
    for page in ("link", "edit_link", "links"):
        assert secrets[0] not in browser.get(server.page(page, client_id)).text
    assert secrets[0] not in browser.get(server.page("link", client_id)).text
    # New links are strict unless somebody says otherwise, on the page and on the command line.
    code, output = server.hooks.command("link", "show", client_id, "--json")
    assert (code, json.loads(output)["profile"]) == (0, STRICT)
    code, output = server.hooks.command("link", "add", "By default", "--redirect-uri", "https://a.example/cb", "--json")
    made_by_command = json.loads(output)
    server.secrets.add(made_by_command["client_secret"])
    assert made_by_command["profile"] == STRICT


def test_n14_no_scope(server: Server, lenient: Client, strict: Client) -> None:
    assert strict.outcome(scope=None)["error"] == "invalid_scope"
    assert is_announced(asked(lenient, scope=None))
    question = html.fromstring(lenient.ask(scope=None).content).text_content()
    assert "View your content" in question
    assert "Create, change" not in question
    assert lenient.tokens(scope=None)["scope"] == "READ"
    assert is_noted(server, lenient, "no-scope", "No scope: it got READ")


def test_n15_the_alias_is_the_same(server: Server, lenient: Client, secured: Server) -> None:
    for where, client in ((server, lenient), (secured, secured.new_client(profile=LEGACY))):
        alias = {name: url.replace("/latest/", "/1.0/") for name, url in _endpoints(where).items()}
        assert all("/1.0/" in url for url in alias.values())
        browser = where.signed_in(client.user)
        page = browser.authorize(f"{alias['authorize']}?{urlencode(client.parameters(VERIFIER))}", client.user)
        code = Code(answer_of(page.headers["location"])["code"], client.redirect_uri, VERIFIER, "")
        assert client.http.get(alias["token"]).status_code == 405
        tokens = client.post(client.exchange_fields(code), alias["token"]).json()
        assert is_refused(client.exchange(code), "invalid_grant"), "spent here, spent there"
        assert not where.works(tokens["access_token"]), "and noticed as a replay"
        assert client.post({**client.credentials, "token": "x"}, alias["revoke"]).status_code == 200
        assert client.post({**client.credentials, "token": "x"}, alias["introspect"]).json() == {"active": False}
        large = client.post({**client.credentials, "token": "x" * 100_000}, alias["introspect"])
        assert large.status_code == 413


def _endpoints(server: Server) -> dict[str, str]:
    target = server.target
    return {
        "authorize": target.authorize, "token": target.token, "revoke": target.revoke or "",
        "introspect": target.introspect or "",
    }  # fmt: skip


def test_n16_the_xsrf_header_and_cookies_beside_tokens(server: Server, lenient: Client) -> None:
    header = {"X-Atlassian-Token": "no-check"}
    browser, user = server.browser(), server.user("reader")
    server.open(browser, server.page("authorized"), user)
    cookies = browser.cookies_for(server.target.token)
    assert cookies
    code = lenient.code()
    foreign = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
    answer = lenient.post(lenient.exchange_fields(code), headers={**header, **cookies, **foreign})
    assert answer.status_code == 200, "the token endpoint knows neither cookies nor forms"
    assert "set-cookie" not in answer.headers
    token = answer.json()["access_token"]
    for url in filter(None, (server.target.introspect, server.target.revoke)):
        assert (
            lenient.post({**lenient.credentials, "token": token}, url, headers={**header, **cookies}).status_code == 200
        )
    assert browser.get(server.page("authorized")).status_code == 200, "and the session is as it was"
    # In a browser the header is no replacement for the form's own token.
    question = browser.question(lenient.acting_for(user).ask(browser=browser))
    assert question
    without = {name: value for name, value in question.items() if name != "form_token"}
    assert browser.post({**without, "decision": "allow"}, headers=header).status_code == 403
    token = lenient.tokens(scope="WRITE")["access_token"]
    write = server.resource("WRITE")
    sent, alone = (
        server.http().post(server.url(write.path), json={}, headers={"Authorization": f"Bearer {token}", **more})
        for more in (header, {})
    )
    assert (sent.status_code, sent.json()) == (alone.status_code, alone.json()), "accepted, and ignored, beside a token"
