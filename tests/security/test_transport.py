"""Transport, headers, generic HTTP: S001 to S017."""

from __future__ import annotations

import re
import secrets
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import html

from tests.security.harness.client import Client, Server
from tests.security.harness.wire import CLOSED, connect, get_request, post_form, send
from tests.security.test_redirect import may_register

HTTPS_HOST = "wiki.example.com"
OAUTH = "/rest/oauth2/latest"
EVIL_ORIGINS = ("https://evil.test", "null", "http://127.0.0.1.evil.test")
LEAKS = re.compile(
    r"Traceback|File \"|sqlite3?\.|psycopg|SELECT |INSERT |/site-packages/|\.py\b|sqlalchemy", re.IGNORECASE
)


def at_https(node: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx.Response:
    """A plain-HTTP request to a server whose base URL is https."""
    # The proxy that the server trusts is at 127.0.0.1; whoever says nothing of a proxy comes from elsewhere.
    address = "127.0.0.1" if any(name.startswith("X_Forwarded") for name in headers) else None
    given = {"Host": HTTPS_HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    url = f"http://{node}{path}"
    return send(node, get_request(url, given) if fields is None else post_form(url, fields, given), address)


def pages_of(server: Server) -> dict[str, httpx.Response]:
    """Every page for people: as a stranger, signed in, in error."""
    target, stranger, client = server.target, server.browser(), server.client()
    paths = {name: path.format(client_id=client.id) for name, path in _get_pages(server)}
    found = {f"{name} (stranger)": stranger.get(path) for name, path in paths.items()}
    question = client.ask()
    found |= {
        "sign-in": stranger.follow(stranger.get(client.url())),
        "question": question,
        "question, changed": server.signed_in(client.user).get(f"{question.url}&x=1"),
        "unknown client": stranger.get(client.url(client_id="nobody")),
        "unknown redirect": client.authorize(redirect_uri="https://evil.test/"),
        "not found": stranger.get("/no-such-page", headers={"Accept": "text/html"}),
    }
    if paths:
        admin = server.user("system-administrator")
        browser = server.signed_in(admin)
        found |= {name: server.open(browser, path, admin) for name, path in paths.items()}
        found["forbidden"] = server.open(server.signed_in(client.user), paths["links"], client.user)
        sign_in = target.issuer + paths["sign_in"]
        found["wrong method"] = stranger.http.delete(sign_in)
        found["failed sign-in"] = stranger.http.post(sign_in, data={"username": "x", "password": "y"})
    return found


def _get_pages(server: Server) -> list[tuple[str, str]]:
    return [(name, path) for name, path in server.target.pages.items() if name != "sign_out"]


def answers_of_tokens(server: Server, client: Client) -> dict[str, httpx.Response]:
    """The token endpoint and its neighbours: an answer of each class."""
    code = client.code()
    answers = {
        "exchange": client.exchange(code),
        "invalid_grant": client.exchange(code),
        "invalid_client": client.post({**client.credentials, "client_secret": "wrong", "grant_type": "refresh_token"}),
        "invalid_request": client.post(client.credentials),
        "unsupported_grant_type": client.post({**client.credentials, "grant_type": "password"}),
        "wrong type": client.http.post(server.target.token, json={"grant_type": "refresh_token"}),
        "GET": client.http.get(server.target.token),
    }
    if server.target.revoke:
        answers["revoke"] = client.revoke("unknown")
    if server.target.introspect:
        answers["introspect"] = client.introspect("unknown")
    return answers


def test_s001_https_only_except_for_development(server: Server, https_node: str) -> None:
    fields = {"grant_type": "authorization_code", "code": "c", "client_id": "x", "client_secret": "y"}
    # The server speaks plain http behind a proxy that ends TLS; the proxy says how the request had come to it.
    plain = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http"}
    answer = at_https(https_node, f"{OAUTH}/token", {**fields, "redirect_uri": "https://a.example/"}, **plain)
    assert answer.status_code in (400, 403, 404, 421, 426), "taken in over plain http"
    assert "https" in answer.text.lower()
    code, output = server.hooks.command("serve", "-D", "base_url=http://wiki.example.com", "--port", "1")
    assert code == 1, output
    assert "https" in output


def test_s002_redirect_uris_are_https_or_local_or_private(server: Server) -> None:
    refused = (
        "http://app.example/cb",
        "myapp:/cb",
        "ftp://app.example/cb",
        "ws://app.example/cb",
        "com.example.app:cb",
    )
    accepted = ("http://127.0.0.1:1234/cb", "http://[::1]:1234/cb", "com.example.app:/cb", "https://app.example/cb")
    assert [uri for uri in refused if may_register(server, uri)] == []
    assert [uri for uri in accepted if not may_register(server, uri)] == []


def test_s003_the_host_of_a_request_decides_nothing(server: Server, client: Client) -> None:
    node, forged = server.target.nodes[0], ("X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded")
    value = {"X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.test;proto=gopher;for=9.9.9.9"}
    paths = ["/", server.page("sign_in"), client.url().removeprefix(server.target.issuer), "/no-such-page"]
    paths += [url.removeprefix(server.target.issuer) for url in server.target.metadata]
    for path in paths:
        plain = send(node, get_request(server.url(path)))
        for name in (*forged, "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Host"):
            answer = send(node, get_request(server.url(path), {name: value.get(name, "evil.test")}))
            assert (answer.status_code, answer.headers.get("location")) == (
                plain.status_code,
                plain.headers.get("location"),
            )
            assert "evil.test" not in answer.text
            assert "gopher" not in answer.text


def test_s004_a_foreign_host_is_turned_away(server: Server, https_node: str) -> None:
    node = server.target.nodes[0]
    for host in ("evil.test", "127.0.0.1.evil.test", f"evil.test:{node.partition(':')[2]}", "", "127.0.0.1@evil.test"):
        for path in ("/", f"{OAUTH}/token", "/rest/api/user/current"):
            assert send(node, get_request(f"http://{node}{path}", {"Host": host})).status_code in (400, 421), (
                host,
                path,
            )
    assert at_https(https_node, "/", Host="evil.test").status_code in (400, 421)
    # Two Host headers, and an address in the request line that says something else.
    two = f"GET / HTTP/1.1\r\nHost: {node}\r\nHost: evil.test\r\nConnection: close\r\n\r\n".encode()
    absolute = f"GET http://evil.test/ HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\n\r\n".encode()
    for request in (two, absolute):
        answer = send(node, request)
        assert answer.status_code in (CLOSED, 400, 421) or "evil.test" not in answer.text + str(answer.headers)


def test_s005_nothing_with_credentials_is_stored(server: Server, client: Client) -> None:
    tokens = answers_of_tokens(server, client)
    harmless = ("GET", "not found")  # they neither carry nor refuse a credential
    pages = {name: page for name, page in pages_of(server).items() if name not in harmless}
    answers = {name: answer for name, answer in tokens.items() if name not in harmless}
    stored = [name for name, answer in answers.items() if "no-store" not in answer.headers.get("cache-control", "")]
    stored += [name for name, page in pages.items() if "no-store" not in page.headers.get("cache-control", "")]
    assert stored == []
    at_token = (
        "exchange",
        "invalid_grant",
        "invalid_client",
        "invalid_request",
        "unsupported_grant_type",
        "wrong type",
    )
    assert [name for name in at_token if tokens[name].headers.get("pragma") != "no-cache"] == []


def test_s006_no_page_can_be_framed(server: Server) -> None:
    framed = [
        name
        for name, page in pages_of(server).items()
        if page.headers.get("x-frame-options", "").upper() != "DENY"
        or "frame-ancestors 'none'" not in page.headers.get("content-security-policy", "")
    ]
    assert framed == []


def policy_of(page: httpx.Response) -> dict[str, list[str]]:
    directives = [item.split() for item in page.headers["content-security-policy"].split(";") if item.strip()]
    assert len({name for name, *_ in directives}) == len(directives)
    return {name: sources for name, *sources in directives}


def test_s007_the_content_security_policy(server: Server, client: Client) -> None:
    for name, page in pages_of(server).items():
        policy = policy_of(page)
        assert policy["default-src"] == ["'none'"], name
        sources = {source for key, values in policy.items() if key != "form-action" for source in values}
        assert sources <= {"'self'", "'none'", "data:"}, name
        tree = html.fromstring(page.content or b"<p>")
        inline = tree.xpath("//style | //script[not(@src)] | //@style | //@*[starts-with(name(), 'on')]")
        assert inline == [], (name, inline)
        loaded = tree.xpath("//@src | //link/@href | //@srcset | //@poster | //object/@data")
        assert [url for url in loaded if not url.startswith(("/", "data:")) or url.startswith("//")] == [], name
        assert not [url for url in tree.xpath("//@href | //@action") if url.lower().startswith("javascript:")], name
    assert policy_of(client.ask())["form-action"] == ["'self'", "https:"]
    assert policy_of(server.browser().get(server.page("sign_in")))["form-action"] == ["'self'"]


def test_s008_no_referrer(server: Server, client: Client) -> None:
    answers: dict[str, httpx.Response] = {
        **pages_of(server),
        "to the client": client.authorize(),
        "to the question": server.browser().get(client.url()),
    }
    assert [name for name, page in answers.items() if page.headers.get("referrer-policy") != "no-referrer"] == []


def test_s009_no_sniffing_no_banner(server: Server, client: Client, https_node: str) -> None:
    answers = {**pages_of(server), **answers_of_tokens(server, client), "call": server.call("bad")}
    assert [name for name, page in answers.items() if page.headers.get("x-content-type-options") != "nosniff"] == []
    banners = [str(answer.headers.get(name, "")) for answer in answers.values() for name in ("server", "x-powered-by")]
    assert [text for text in banners if re.search(r"[0-9]|uvicorn|starlette|python", text, re.IGNORECASE)] == []
    secure = at_https(https_node, "/login.action", X_Forwarded_Proto="https")
    assert int(re.findall(r"max-age=(\d+)", secure.headers["strict-transport-security"])[0]) >= 15_768_000
    assert "strict-transport-security" not in answers["question"].headers, "not over http"


def test_s010_no_cross_origin_reading(server: Server, client: Client) -> None:
    browser, http = server.signed_in(client.user), server.http()
    paths = [client.url(), *(path.format(client_id=client.id) for _, path in _get_pages(server))]
    paths += [server.target.token, server.target.revoke or "/", "/rest/api/user/current", *server.target.metadata]
    for path in paths:
        url = path if path.startswith("http") else server.url(path)
        for origin in EVIL_ORIGINS:
            preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            for answer in (
                browser.http.get(url, headers={"Origin": origin}),
                http.post(url, headers={"Origin": origin}, data={"x": "y"}),
                http.options(url, headers=preflight),
            ):
                allowed = answer.headers.get("access-control-allow-origin", "")
                # What anybody may read without credentials (the metadata) may say so, and nothing else.
                public = allowed == "*" and url in server.target.metadata
                assert public or not allowed, (url, origin, allowed)
                assert "access-control-allow-credentials" not in answer.headers


def test_s011_posts_redirect_with_303(server: Server, client: Client) -> None:
    browser = server.browser()
    form = browser.form(browser.get(server.page("sign_in")), server.target.forms.password)
    assert form
    names = server.target.forms
    signed_in = browser.post({**form, names.username: client.user.username, names.password: client.user.password})
    question = browser.question(client.ask(browser=browser))
    assert question
    answered = browser.answer(question)
    out = browser.form(browser.get(server.page("home")), "form_token")
    assert out
    assert [signed_in.status_code, answered.status_code, browser.post(out).status_code] == [303, 303, 303]
    assert server.browser().get(client.url()).status_code in (302, 303)


def test_s012_wrong_methods(server: Server, client: Client) -> None:
    http = server.http()
    allowed = {
        server.target.token: {"POST"}, server.target.authorize: {"GET", "HEAD"},
        server.url(server.page("sign_in")): {"GET", "HEAD", "POST"},
        server.url(server.page("links")): {"GET", "HEAD"},
        server.url("/rest/api/user/current"): {"GET", "HEAD", "PUT"},
        server.url(f"{OAUTH}/client"): {"GET", "HEAD", "POST"},  # POST is not served; see below
    }  # fmt: skip
    if server.target.revoke:
        allowed[server.target.revoke] = {"POST"}
    for url, methods in allowed.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - methods:
            answer = http.request(method, url)
            assert answer.status_code == 405, (method, url)
            assert {each.strip() for each in answer.headers["allow"].split(",")} <= methods | {"OPTIONS"}
    # The original tells strangers who post there 401, and clients probe it to learn that OAuth 2.0 is there.
    assert http.post(server.url(f"{OAUTH}/client")).status_code in (401, 405)
    code = client.code()
    assert http.request("GET", server.target.token, params=client.exchange_fields(code)).status_code == 405
    assert client.exchange(code).status_code == 200, "and nothing was consumed"
    browser, url = server.browser(), client.url()
    server.open(browser, server.page("authorized"), client.user)
    head = browser.http.head(url)
    assert head.status_code in (200, 302, 405)
    assert "code=" not in head.headers.get("location", "")
    assert browser.question(browser.follow(browser.get(url)))


def test_s013_sizes_are_limited(server: Server, client: Client) -> None:
    node, refused = server.target.nodes[0], (CLOSED, 400, 413, 414, 431)
    megabyte = "x" * 1_000_000
    for name in ("scope", "state", "redirect_uri", "client_id"):
        url = f"{server.target.authorize}?client_id={client.id}&{name}={megabyte}"
        assert send(node, get_request(url)).status_code in refused, name
        fields = {**client.refresh_fields("t"), name: megabyte}
        assert send(node, client.raw(fields)).status_code in refused, name
    many = {f"p{number}": "1" for number in range(10_000)}
    assert send(node, client.raw({**client.refresh_fields("t"), **many})).status_code in refused
    assert send(node, get_request(server.target.authorize, {"X-Large": "x" * 65_536})).status_code in refused
    many_headers = {f"X-Header-{number}": "x" * 60 for number in range(2_000)}
    assert send(node, get_request(server.target.authorize, many_headers)).status_code in refused
    lying = f"POST {urlsplit(server.target.token).path} HTTP/1.1\r\nHost: {node}\r\nContent-Length: 99999999999\r\n"
    assert send(node, f"{lying}\r\n".encode()).status_code in refused
    assert client.exchange(client.code()).status_code == 200


def test_s014_slow_connections_block_nobody(server: Server, client: Client) -> None:
    node = server.target.nodes[0]
    head = f"POST {urlsplit(server.target.token).path} HTTP/1.1\r\nHost: {node}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n"
    slow = [connect(node) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(b"GET / HT" if number % 2 else f"{head}Content-Length: 10000\r\n\r\ngrant".encode())
        assert client.exchange(client.code()).status_code == 200
        # They are closed in the end: the server answers or hangs up, though nothing more is ever sent.
        for connection in (slow[0], slow[1]):
            connection.settimeout(90)
            assert connection.recv(4096)[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 400"), "still waiting"
    except TimeoutError:
        pytest.fail("a connection that sends nothing is still open after 90 seconds")
    except ConnectionResetError:
        pass
    finally:
        for connection in slow:
            connection.close()


def test_s015_errors_give_nothing_away(server: Server, client: Client) -> None:
    http, nasty = server.http(), ("%27%22%3C%3E", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "{{7*7}}", "' OR 1=1 --")
    roots = (
        "/",
        f"{OAUTH}/",
        f"{OAUTH}/client/",
        "/rest/api/content/",
        "/rest/api/space/",
        "/static/",
        "/plugins/servlet/",
    )
    for root in roots:
        for text in nasty:
            for url in (server.url(root + text), server.url(f"{root}?start={text}&limit={text}&expand={text}")):
                answer = send(server.target.nodes[0], get_request(url.replace(" ", "%20")))
                assert answer.status_code < 500, url
                assert not LEAKS.search(answer.text), url
    json, page = (http.get(server.url(path), headers={"Accept": accept}) for path, accept in (
        ("/rest/no-such-thing", "application/json"), ("/no-such-page", "text/html")))  # fmt: skip
    assert (json.status_code, page.status_code) == (404, 404)
    assert json.headers["content-type"].startswith("application/json")
    assert page.headers["content-type"].startswith("text/html")
    for body in (b"{", b'{"type":[]}', b"\xff\xfe", b"[]" * 20_000, b'{"title":"\\ud800"}'):
        tokens = client.tokens(scope="WRITE")
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Content-Type": "application/json"}
        answer = http.post(server.url("/rest/api/content"), content=body, headers=headers)
        assert 400 <= answer.status_code < 500
        assert not LEAKS.search(answer.text)


@pytest.mark.last
def test_s016_secrets_leave_no_trace(server: Server, client: Client) -> None:
    """After everything else: what was secret in the whole run is in no log, no audit trail, no store, no error."""
    canary = "canary" + secrets.token_hex(16)
    server.secrets.add(canary)
    http = server.http()
    shown = [
        http.post(f"{server.target.token}?client_secret={canary}&code={canary}&refresh_token={canary}"),
        http.get(f"{server.target.token}?code={canary}"),
        http.get(f"{server.target.authorize}?client_id={canary}&client_secret={canary}"),
        http.get(server.url(f"/rest/api/user/current?access_token={canary}")),
        http.get(server.url("/rest/api/user/current"), headers={"Authorization": f"Bearer {canary}"}),
        http.post(server.target.token, headers={"Authorization": f"Basic {canary}"}),
        http.get(server.url("/no-such-page"), headers={"Authorization": f"Basic {canary}"}),
        client.post({**client.credentials, "grant_type": "password", "password": canary, "code_verifier": canary}),
        client.post({**client.refresh_fields(canary), "scope": "bad"}),
    ]
    assert [str(answer.url) for answer in shown if canary in answer.text] == []
    assert len(server.secrets) > 5
    for place, text in {"log": server.hooks.logs(), "store": server.hooks.dump()}.items():
        assert text, place
        found = [secret[:8] for secret in server.secrets if secret in text]
        assert found == [], place


def test_s017_tls_is_the_proxy_s(server: Server) -> None:
    """Served natively only if offered: here the port speaks plain HTTP and does not pretend otherwise."""
    host, _, port = server.target.nodes[0].rpartition(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(bytes.fromhex("160301002f0100002b0303") + bytes(36))  # the start of a TLS handshake
        answer = connection.recv(64)
    if answer[:1] == b"\x16":
        pytest.fail("TLS is offered: this row has to be written for it")
    assert not answer or answer.startswith(b"HTTP/1.1 400")
