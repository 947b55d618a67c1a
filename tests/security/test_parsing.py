"""Request parsing: S018 to S030."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from lxml import html

from tests.security.harness.client import Client, Server, answer_of, is_refused
from tests.security.harness.target import both_profiles
from tests.security.harness.verdict import Row
from tests.security.harness.wire import post_form, send
from tests.security.test_redirect import get_authorize, is_stopped, may_register

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BAD_BYTES = (
    "%00",
    "%0d%0aSet-Cookie:x=1",
    "%ff",
    "%c0%af",
    "%ed%a0%80",
    "%ef%bb%bf",
    "%0a",
    "%u0041",
    "%",
    "%4",
    "\xff",
)


def test_s018_a_repeated_parameter_is_refused(server: Server, client: Client) -> None:
    browser = server.signed_in(client.user)
    query = urlencode(client.parameters("v" * 43))
    for name, value in client.parameters("v" * 43).items():
        page = get_authorize(browser, f"{query}&{name}={quote(value, safe='')}")
        if name in ("client_id", "redirect_uri"):
            assert is_stopped(page), name
        else:
            assert answer_of(page.headers["location"])["error"] == "invalid_request", name
    code = client.code()
    fields = client.exchange_fields(code)
    for name, value in fields.items():
        body = f"{urlencode(fields)}&{urlencode({name: value})}"
        answer = client.http.post(server.target.token, content=body, headers=FORM)
        assert is_refused(answer, "invalid_request"), name
        again = client.post(fields, f"{server.target.token}?{urlencode({name: value})}")
        assert is_refused(again, "invalid_request"), f"{name} in the query and in the body"
        body = f"{urlencode(fields)}&{urlencode({name: 'different'})}"
        assert is_refused(client.http.post(server.target.token, content=body, headers=FORM), "invalid_request"), name
    tokens = client.exchange(code).json()
    asked = {**client.credentials, "token": tokens["access_token"], "token_type_hint": "access_token"}
    for url in filter(None, (server.target.revoke, server.target.introspect)):
        for name, value in asked.items():
            body = f"{urlencode(asked)}&{urlencode({name: value})}"
            assert is_refused(client.http.post(url, content=body, headers=FORM), "invalid_request"), (url, name)
            assert is_refused(client.post(asked, f"{url}?{urlencode({name: value})}"), "invalid_request"), (url, name)
    assert server.works(tokens["access_token"])


def test_s019_unknown_parameters_are_ignored(server: Server, client: Client) -> None:
    extra: dict[str, Any] = {"access_type": "offline", "prompt": "consent", "foo": "bar"}
    answer = client.exchange(client.code(**extra), **extra)
    assert answer.status_code == 200
    refreshed = client.refresh(answer.json()["refresh_token"], **extra)
    assert refreshed.status_code == 200
    token = refreshed.json()["access_token"]
    assert client.introspect(token, **extra).json()["active"] is True
    assert client.revoke(token, **extra).status_code == 200
    assert not server.works(token)


def test_s020_a_parameter_without_value_is_absent(server: Server, client: Client) -> None:
    assert "state" not in client.outcome(state="")
    assert client.outcome(response_type="")["error"] == "invalid_request"
    without = client.ask(scope=None)
    empty = client.ask(scope="")
    assert (without.status_code, without.is_redirect) == (empty.status_code, empty.is_redirect)
    public = server.client("public")
    assert public.outcome(code_challenge="")["error"] == "invalid_request"
    code = client.code()
    assert is_refused(client.exchange(code, client_secret=""), "invalid_client")
    assert client.exchange(code).status_code == 200


def test_s021_only_forms(server: Server, client: Client) -> None:
    code = client.code()
    fields = client.exchange_fields(code)
    bodies = {
        "application/json": b'{"grant_type":"authorization_code"}', "text/plain": urlencode(fields).encode(),
        "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\nc\r\n--x--\r\n',
        "application/x-www-form-urlencodedx": urlencode(fields).encode(), "": urlencode(fields).encode(),
    }  # fmt: skip
    endpoints = [url for url in (server.target.token, server.target.revoke, server.target.introspect) if url]
    for url in endpoints:
        for kind, body in bodies.items():
            answer = client.http.post(url, content=body, headers={"Content-Type": kind} if kind else {})
            assert answer.status_code in (400, 415), (url, kind)
            assert "application/x-www-form-urlencoded" in answer.text, (url, kind)
            assert answer.json()["error"] == "invalid_request"
    assert client.exchange(code).status_code == 200


def test_s022_the_token_endpoint_is_for_posts(server: Server, client: Client) -> None:
    code = client.code()
    answer = client.http.get(server.target.token, params=client.exchange_fields(code))
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) - {"OPTIONS"} == {"POST"}
    assert client.exchange(code).status_code == 200


@both_profiles
@pytest.mark.usefixtures("writes_down")
def test_s023_credentials_in_the_address(server: Server, client: Client, row: Row) -> None:
    code = client.code()
    fields = client.exchange_fields(code)
    answer = client.http.post(server.target.token, params=fields)
    if not client.is_strict:
        assert answer.status_code == 200, answer.text
        assert "deprecation" in answer.headers, "RFC 9745 tells the client that this will end"
        row.legacy_accepted("credentials in the query string, counted and audited")
        return
    assert is_refused(answer, "invalid_request")
    for name in ("client_secret", "code", "code_verifier"):
        rest = {key: value for key, value in fields.items() if key != name}
        moved = client.post(rest, f"{server.target.token}?{urlencode({name: fields[name]})}")
        assert is_refused(moved, "invalid_request"), name
    tokens = client.exchange(code).json()
    assert "access_token" in tokens, "nothing was consumed"
    for url in (server.target.revoke, server.target.introspect):
        if url:
            moved = client.post(client.credentials, f"{url}?{urlencode({'token': tokens['access_token']})}")
            assert is_refused(moved, "invalid_request"), url
    assert server.works(tokens["access_token"])
    if not server.is_ours:
        return
    causes = [event["detail"].get("cause") for event in server.hooks.audit() if event["client_id"] == client.id]
    assert causes.count("CredentialInQuery") >= 4, "each of them is in the audit trail"


def test_s024_bad_bytes_are_refused(server: Server, client: Client) -> None:
    node, browser = server.target.nodes[0], server.signed_in(client.user)
    query = urlencode(client.parameters("v" * 43))
    forms = {
        server.target.token: {
            **client.refresh_fields("t", scope="READ", resource="r", code="c", code_verifier="v", redirect_uri="u")
        },
        server.target.revoke: {**client.credentials, "token": "t", "token_type_hint": "h"},
        server.target.introspect: {**client.credentials, "token": "t", "token_type_hint": "h"},
    }
    asked = [*client.parameters("v" * 43), "response_mode", "resource", "unknown"]
    for bad in BAD_BYTES:
        for name in asked:
            here = f"{query}&{name}=" if f"{name}=" not in query else query
            answer = get_authorize(browser, here.replace(f"{name}=", f"{name}={bad}", 1) + f"&{name}2={bad}")
            assert answer.status_code in (400, 302, 303), (bad, name)
            assert "set-cookie" not in answer.headers or "x=1" not in answer.headers["set-cookie"]
            assert "code=" not in answer.headers.get("location", "")
        for url, fields in forms.items():
            for name in fields if url else ():
                body = urlencode(fields).replace(f"{name}=", f"{name}={bad}", 1).encode("latin-1")
                request = post_form(url or "", {}, None).replace(
                    b"Content-Length: 0", b"Content-Length: %d" % len(body)
                )
                answer = send(node, request + body)
                assert answer.status_code in (400, 401), (bad, url, name)
    for path in ("/login.action", "/plugins/servlet/oauth2/consent"):
        for bad in BAD_BYTES:
            body = f"username={bad}&password={bad}&authorization={bad}&form_token={bad}".encode("latin-1")
            request = post_form(server.url(path), {}).replace(b"Content-Length: 0", b"Content-Length: %d" % len(body))
            assert 400 <= send(node, request + body).status_code < 500, (path, bad)


def test_s025_decoded_once(server: Server, client: Client) -> None:
    for state in ("%252e", "%2525", "a+b c", "a;b=c", "%", "&=#%+"):
        assert client.outcome(state=state)["state"] == state
    browser = server.signed_in(client.user)
    query = urlencode(client.parameters("v" * 43, state=None))
    page = browser.follow(browser.get(f"{server.target.authorize}?{query}&state=a;code_challenge=x"))
    question = browser.question(page)
    assert question
    assert answer_of(browser.answer(question).headers["location"])["state"] == "a;code_challenge=x"


def test_s026_brackets_mean_nothing(client: Client) -> None:
    strange: dict[str, Any] = {
        "scope[]": "READ",
        "scope[a]": "b",
        "state[$ne]": "x",
        "client_id[0]": "y",
        "__proto__": "z",
    }
    assert client.code(**strange).value
    code = client.code()
    assert client.exchange(code, **{"code[$ne]": "x", "client_secret[]": "y"}).status_code == 200
    assert is_refused(client.exchange(code, code=None, **{"code[]": code.value}), "invalid_request")
    for name in ("grant_type[]", "grant_type[a]"):
        assert is_refused(client.post({**client.credentials, name: "refresh_token"}), "invalid_request")


def test_s027_errors_use_their_alphabet(server: Server, client: Client) -> None:
    nasty = "\"'<script>alert(1)</script>\\\u00e9\u2028"
    fields = client.refresh_fields("token")
    answers = [client.post({**fields, name: nasty}) for name in fields]
    answers += [
        client.post({**fields, nasty: nasty}),
        client.post({**client.credentials, nasty: "1", "grant_type": nasty}),
    ]
    told = [answer.json() for answer in answers]
    at_authorize = ("scope", "response_type", "response_mode", "code_challenge", "code_challenge_method", "resource",
                    "request", "request_uri", "claims", nasty)  # fmt: skip
    changes: list[dict[str, Any]] = [{name: nasty} for name in at_authorize]
    refused = [client.authorize(**changed) for changed in changes]
    told += [answer_of(page.headers["location"]) for page in refused if "error=" in page.headers["location"]]
    for body in told:
        for text in (body["error"], body.get("error_description", "")):
            assert all(c in " !" or "#" <= c <= "[" or "]" <= c <= "~" for c in text), text
            assert "script" not in text
    assert len(told) > len(answers) + 6
    page = client.authorize(client_id=nasty)
    assert not html.fromstring(page.content).xpath("//main//script")
    challenge = server.call(nasty).headers["www-authenticate"]
    assert "<script" not in challenge


def test_s028_json_answers(client: Client) -> None:
    answer = client.exchange(client.code())
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    pairs: list[str] = []

    def note(items: list[tuple[str, object]]) -> dict[str, object]:
        pairs.extend(name for name, _ in items)
        return dict(items)

    body = answer.json(object_pairs_hook=note)
    assert len(pairs) == len(set(pairs)), "a member comes twice"
    kinds = {"access_token": str, "token_type": str, "expires_in": int, "refresh_token": str, "scope": str}
    assert {name: type(body[name]) for name in kinds if name in body} == {k: t for k, t in kinds.items() if k in body}
    assert {"access_token", "token_type", "expires_in"} <= body.keys()
    assert body["token_type"].lower() == "bearer"
    refused = client.post({**client.credentials, "grant_type": "x"})
    assert refused.headers["content-type"].split(";")[0] == "application/json"
    assert set(refused.json()) <= {"error", "error_description", "error_uri"}


@both_profiles
def test_s029_state_comes_back_as_it_was(client: Client) -> None:
    alphabet = [chr(code) for code in range(0x20, 0x7F)]
    states = [
        "".join(secrets.choice(alphabet) for _ in range(2048)),
        "&=#%+ \"'<>\\",
        "\u00e9\u4e2d\U0001f600",
        "a%252Bb",
    ]
    for state in states:
        assert client.outcome(state=state)["state"] == state
        assert client.outcome(state=state, scope="NO_SUCH_SCOPE")["state"] == state
        assert client.outcome(state=state, allow=False)["state"] == state


def test_s030_the_answer_is_appended(server: Server, client: Client) -> None:
    with_query = next(uri for uri in client.registration.redirect_uris if "?" in uri)
    location = client.authorize(redirect_uri=with_query).headers["location"]
    assert location.startswith(with_query + "&")
    assert answer_of(location)["x"] == "1"
    reserved = ("code", "state", "iss", "response", "error", "error_description", "error_uri", "%63ode", "a=b&code")
    assert [name for name in reserved if may_register(server, f"https://a.example/cb?{name}=1")] == []
