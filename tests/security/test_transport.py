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
from tests.security.harness.crawl import Seen, routes_of
from tests.security.harness.verdict import Row
from tests.security.harness.wire import CLOSED, connect, get_request, post_form, send, unfinished_post
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
    """The token endpoint and its neighbours: an answer of each class, by endpoint and class."""
    target, code = server.target, client.code()
    answers = {
        "token: exchange": client.exchange(code),
        "token: invalid_grant": client.exchange(code),
        "token: unsupported_grant_type": client.post({**client.credentials, "grant_type": "password"}),
        "token: refresh": client.refresh(client.tokens()["refresh_token"]),
    }
    if target.revoke:
        answers["revoke: done"] = client.revoke("unknown")
    if target.introspect:
        answers["introspect: inactive"] = client.introspect("unknown")
        answers["introspect: active"] = client.introspect(client.tokens()["access_token"])
    for name, url in {"token": target.token, "revoke": target.revoke, "introspect": target.introspect}.items():
        if url:
            rest = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
            answers |= {
                f"{name}: invalid_client": client.post({**client.credentials, "client_secret": "wrong", **rest}, url),
                f"{name}: invalid_request": client.post(client.credentials, url),
                f"{name}: no client": client.post(rest, url),
                f"{name}: wrong type": client.http.post(url, json=rest),
                f"{name}: too large": client.http.post(url, data={**rest, "scope": "x" * 100_000}),
                f"{name}: wrong method": client.http.get(url),
            }
    return answers


@pytest.mark.usefixtures("abandoned")  # from here on S014 waits
def test_s001_https_only_except_for_development(server: Server, secured: Server, staging: Server) -> None:
    client = secured.client()
    code, tokens = client.code(), client.tokens()
    # The server speaks plain http behind a proxy that ends TLS; the proxy says how the request had come to it.
    plain = secured.http(headers={"X-Forwarded-Proto": "http"})
    endpoints = {
        secured.target.token: client.exchange_fields(code),
        secured.target.revoke or "": {**client.credentials, "token": tokens["access_token"]},
        secured.target.introspect or "": {**client.credentials, "token": tokens["access_token"]},
        secured.url(secured.page("sign_in")): {},
    }
    answers = [plain.post(url, data=fields) for url, fields in endpoints.items()]
    answers.append(plain.get(client.url()))
    answers.append(plain.get(secured.url("/rest/api/user/current"), headers={"Authorization": "Bearer x"}))
    for answer in answers:
        assert answer.status_code in (400, 403, 404, 421, 426), f"{answer.url} was taken in over plain http"
        assert "https" in answer.text.lower()
    assert secured.works(tokens["access_token"]), "nor was anything revoked"
    assert client.exchange(code).status_code == 200, "and the code is still good, over https"
    status, output = server.hooks.command("serve", "-D", "base_url=http://wiki.example.com", "--port", "1")
    assert status == 1, output
    assert "https" in output
    # With the switch on it works, and says at the start what that means.
    assert staging.target.issuer.startswith("http://")
    assert staging.works(staging.client().tokens()["access_token"])
    assert "staging only" in staging.hooks.logs()


def test_s002_redirect_uris_are_https_or_local_or_private(server: Server, staging: Server) -> None:
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
    assert [uri for uri in refused if may_register(staging, uri)] == ["http://app.example/cb"], "the switch for staging"


FORGED = (
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Prefix",
    "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Ssl", "Forwarded", "X-Original-URL", "X-Rewrite-URL",
    "X-Original-Host", "X-Host", "X-HTTP-Host-Override", "X-Real-IP", "Front-End-Https",
)  # fmt: skip
FORGED_VALUES = {"X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.test;proto=gopher;for=9.9.9.9"}


def _shown(answer: httpx.Response) -> tuple[int, list[tuple[str, str]]]:
    """What must not depend on who is said to ask: status, redirect, challenges."""
    names = ("location", "www-authenticate", "link", "content-location", "strict-transport-security")
    return answer.status_code, [(name, value) for name, value in answer.headers.multi_items() if name in names]


def test_s003_the_host_of_a_request_decides_nothing(server: Server, client: Client, elsewhere: list[Server]) -> None:
    node = server.target.nodes[0]
    paths = ["/", server.page("sign_in"), server.page("authorized"), "/no-such-page", "/rest/api/user/current"]
    paths += [url.removeprefix(server.target.issuer) for url in [client.url(), *server.target.metadata]]
    for path in paths:
        plain = send(node, get_request(server.url(path)))
        for name in FORGED:
            answer = send(node, get_request(server.url(path), {name: FORGED_VALUES.get(name, "evil.test")}))
            assert _shown(answer) == _shown(plain), (path, name)
            assert "evil.test" not in answer.text
            assert "gopher" not in answer.text
    # A proxy that is listed is believed about the client's address, and about nothing else.
    for secured in elsewhere:
        for path in (
            "/",
            secured.page("authorized"),
            "/rest/api/user/current",
            "/.well-known/oauth-authorization-server",
        ):
            for name in ("X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Host"):
                answer = secured.http().get(secured.url(path), headers={name: "evil.test"})
                assert _shown(answer) == _shown(secured.http().get(secured.url(path))), (path, name)
                assert "evil.test" not in answer.text


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


def test_s005_nothing_with_credentials_is_stored(server: Server, client: Client, crawled: list[Seen]) -> None:
    tokens = answers_of_tokens(server, client)
    answers = {**tokens, **pages_of(server), "to the question": server.browser().get(client.url())}
    stored = [name for name, answer in answers.items() if "no-store" not in answer.headers.get("cache-control", "")]
    assert stored == []
    # Pragma is for caches of HTTP/1.0; S005 wants it of the token endpoint.
    of_token = {name: answer for name, answer in tokens.items() if name.startswith("token: ")}
    assert [name for name, answer in of_token.items() if answer.headers.get("pragma") != "no-cache"] == []
    assert [str(seen) for seen in crawled if "no-store" not in seen.answer.headers.get("cache-control", "")] == []


def test_s006_no_page_can_be_framed(server: Server, crawled: list[Seen]) -> None:
    answers = {**pages_of(server), **{str(seen): seen.answer for seen in crawled}}
    framed = [
        name
        for name, page in answers.items()
        if page.headers.get("x-frame-options", "").upper() != "DENY"
        or "frame-ancestors 'none'" not in page.headers.get("content-security-policy", "")
    ]
    assert framed == []


def policy_of(page: httpx.Response) -> dict[str, list[str]]:
    directives = [item.split() for item in page.headers["content-security-policy"].split(";") if item.strip()]
    assert len({name for name, *_ in directives}) == len(directives)
    return {name: sources for name, *sources in directives}


def test_s007_the_content_security_policy(server: Server, client: Client, crawled: list[Seen], row: Row) -> None:
    seen = {
        str(each): each.answer for each in crawled if each.answer.headers.get("content-type", "")[:9] == "text/html"
    }
    for name, page in {**pages_of(server), **seen}.items():
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
    if server.is_ours:
        row.note = (
            "form-action names the client's scheme, not its origin: Chromium would stop clients that redirect on, "
            "after their code was used (decision 0050, tried in tests/browser/test_redirecting_clients.py)"
        )


def test_s008_no_referrer(server: Server, client: Client, crawled: list[Seen]) -> None:
    answers: dict[str, httpx.Response] = {
        **pages_of(server),
        **{str(seen): seen.answer for seen in crawled},
        "to the client": client.authorize(),
        "to the question": server.browser().get(client.url()),
    }
    assert [name for name, page in answers.items() if page.headers.get("referrer-policy") != "no-referrer"] == []


def test_s009_no_sniffing_no_banner(server: Server, client: Client, https_node: str, crawled: list[Seen]) -> None:
    answers = {**pages_of(server), **answers_of_tokens(server, client), "call": server.call("bad")}
    answers |= {str(seen): seen.answer for seen in crawled}
    assert [name for name, page in answers.items() if page.headers.get("x-content-type-options") != "nosniff"] == []
    banners = [str(answer.headers.get(name, "")) for answer in answers.values() for name in ("server", "x-powered-by")]
    assert [text for text in banners if re.search(r"[0-9]|uvicorn|starlette|python", text, re.IGNORECASE)] == []
    secure = at_https(https_node, "/confluence/login.action", X_Forwarded_Proto="https")
    assert int(re.findall(r"max-age=(\d+)", secure.headers["strict-transport-security"])[0]) >= 15_768_000
    assert "strict-transport-security" not in answers["question"].headers, "not over http"


def test_s010_no_cross_origin_reading(server: Server, client: Client, crawled: list[Seen]) -> None:
    # Strangers came from https://evil.test and asked beforehand; browsers from "null".
    assert [
        str(seen) for seen in crawled if any(name.startswith("access-control-") for name in seen.answer.headers)
    ] == []
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


def test_s011_posts_redirect_with_303(server: Server, client: Client, crawled: list[Seen]) -> None:
    redirects = [seen for seen in crawled if seen.answer.is_redirect]
    assert [str(seen) for seen in redirects if seen.answer.status_code in (307, 308)] == []
    wrong = [seen for seen in redirects if seen.method not in ("GET", "HEAD") and seen.answer.status_code != 303]
    assert [str(seen) for seen in wrong] == []
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


def test_s012_wrong_methods(server: Server, client: Client, crawled: list[Seen]) -> None:
    http, routes = server.http(), routes_of(server)
    for seen in crawled:
        # The original tells strangers who post there 401, and clients probe it to learn that OAuth 2.0 is there.
        is_probed = seen.path.endswith("/client") and seen.method == "POST"
        if not seen.is_served and not is_probed:
            assert seen.answer.status_code == 405, seen
            # All of that route; perhaps another one serves more at the same address.
            served = {each.method for each in crawled if each.path == seen.path and each.is_served}
            own = next(set(route.methods) for route in routes if route.path == seen.path)
            assert own <= {each.strip() for each in seen.answer.headers["allow"].split(",")} <= served | {"HEAD"}, seen
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
    # Refused before any of it was kept: thirty times as much takes no more memory.
    assert client.exchange(client.code()).status_code == 200
    if not server.is_ours:
        return
    before = server.hooks.memory()
    for _ in range(30):
        assert send(node, client.raw({**client.refresh_fields("t"), "scope": megabyte})).status_code in refused
        assert send(node, get_request(f"{server.target.authorize}?state={megabyte}")).status_code in refused
    assert server.hooks.memory() - before < 16_000_000, "60 MB were sent"


@pytest.mark.last
def test_s014_slow_connections_block_nobody(
    server: Server, client: Client, abandoned: dict[str, socket.socket]
) -> None:
    node = server.target.nodes[0]
    slow = [connect(node) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(b"GET / HT" if number % 2 else unfinished_post(server.target))
        assert client.exchange(client.code()).status_code == 200
    finally:
        for connection in slow:
            connection.close()
    # They are closed in the end: the server answers or hangs up, though nothing more is ever sent.
    for what, connection in abandoned.items():
        connection.settimeout(90)
        try:
            assert connection.recv(4096)[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 400"), what
        except TimeoutError:
            pytest.fail(f"{what} is still open after 90 seconds")
        except ConnectionResetError:
            pass


def test_s015_errors_give_nothing_away(server: Server, client: Client, crawled: list[Seen]) -> None:
    errors = [seen for seen in crawled if seen.answer.status_code >= 400]
    assert [str(seen) for seen in errors if LEAKS.search(seen.answer.text)] == []
    assert [str(seen) for seen in errors if seen.answer.status_code >= 500 and seen.answer.status_code != 501] == []
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
    # Whoever brings a token or reads JSON alone is a program, wherever it asks; browsers read pages, and JSON too.
    for headers, kind in (
        ({"Authorization": "Bearer x"}, "application/json"), ({"Accept": "application/json"}, "application/json"),
        ({"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}, "text/html"),
        ({}, "text/html"),
    ):  # fmt: skip
        unknown = http.get(server.url("/no-such-page"), headers=headers)
        assert (unknown.status_code, unknown.headers["content-type"].split(";")[0]) == (404, kind), headers
    nasty_parts = [route for route in routes_of(server) if "{" in route.path]
    tokens = client.tokens(scope="WRITE")
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    for route in nasty_parts:
        for text in nasty:
            path = re.sub(r"\{[^}]*\}", lambda _: text.replace(" ", "%20"), route.path)  # noqa: B023
            for method in route.methods:
                answer = send(
                    server.target.nodes[0], get_request(server.url(path), bearer).replace(b"GET", method.encode(), 1)
                )
                assert answer.status_code < 500 or answer.status_code == 501, (method, path)
                assert not LEAKS.search(answer.text), (method, path)
    for body in (b"{", b'{"type":[]}', b"\xff\xfe", b"[]" * 20_000, b'{"title":"\\ud800"}'):
        headers = {**bearer, "Content-Type": "application/json"}
        answer = http.post(server.url("/rest/api/content"), content=body, headers=headers)
        assert 400 <= answer.status_code < 500
        assert not LEAKS.search(answer.text)


@pytest.mark.last
def test_s016_secrets_leave_no_trace(server: Server, client: Client, secured: Server, staging: Server) -> None:
    """After everything else: what was secret in the whole run is in no log, metric, error, audit export or store.

    Of any of the three servers that the suite runs: their logs, settings and addresses differ.
    """
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
    assert traces_of({canary}, f"a={canary}&b") == [canary[:8]], "it does find them"
    everything = server.secrets | secured.secrets | staging.secrets
    for each in (server, secured, staging):
        for place, text in outputs_of(each).items():
            assert text, place
            assert traces_of(everything, text) == [], (each.target.issuer, place)


_LETTERS = r"[A-Za-z0-9._~-]"
_SHORTEST = 20


def traces_of(secrets_of_the_run: set[str], text: str) -> list[str]:
    """The beginnings of the secrets that are somewhere in a text: thousands of them, in megabytes."""
    beginnings: dict[str, list[str]] = {}
    unusual = []
    for secret in secrets_of_the_run:
        if re.fullmatch(f"{_LETTERS}{{{_SHORTEST},}}", secret):
            beginnings.setdefault(secret[:_SHORTEST], []).append(secret)
        else:
            unusual.append(secret)
    found = [secret for secret in unusual if secret in text]
    for run in set(re.findall(f"{_LETTERS}{{{_SHORTEST},}}", text)):
        for start in range(len(run) - _SHORTEST + 1):
            candidates = beginnings.get(run[start : start + _SHORTEST], ())
            found += [secret for secret in candidates if run.startswith(secret, start)]
    return [secret[:8] for secret in found]


def outputs_of(server: Server) -> dict[str, str]:
    """Everything that leaves the server but the answers that hand out secrets."""
    hooks, admin = server.hooks, server.user("system-administrator")
    outputs = {
        "log": hooks.logs(),
        "store": hooks.dump(),
        "errors": "\n".join(server.errors),
        "metrics": hooks.command("database", "stats", "--prometheus")[1],
        "audit trail, JSON lines": hooks.command("audit", "--json")[1],
        "audit trail, CSV": hooks.command("audit", "--csv")[1],
        "audit trail, table": hooks.command("audit", "--limit", "100000")[1],
    }
    browser = server.signed_in(admin)
    server.open(browser, server.page("audit"), admin)
    for kind in ("csv", "jsonl"):
        outputs[f"audit export, {kind}"] = browser.get(f"{server.page('audit')}/export?format={kind}").text
    outputs["audit page"] = without_form_tokens(browser.get(server.page("audit")).text)
    token = server.client("administration").acting_for(admin).tokens(scope="ADMIN")["access_token"]
    outputs["audit API"] = server.http().get(
        server.url(f"{OAUTH}/audit"), headers={"Authorization": f"Bearer {token}"}
    ).text  # fmt: skip
    return outputs


def without_form_tokens(page: str) -> str:
    return re.sub(r'name="form_token" value="[^"]*"', "", page)


def test_s017_tls_is_the_proxy_s(server: Server, row: Row) -> None:
    """Served natively only if offered: here the port speaks plain HTTP and does not pretend otherwise."""
    row.not_supported("TLS ends at a proxy in front; the port speaks plain HTTP")
    host, _, port = server.target.nodes[0].rpartition(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(bytes.fromhex("160301002f0100002b0303") + bytes(36))  # the start of a TLS handshake
        answer = connection.recv(64)
    if answer[:1] == b"\x16":
        pytest.fail("TLS is offered: this row has to be written for it")
    assert not answer or answer.startswith(b"HTTP/1.1 400")
