"""Redirection URIs: S031 to S041."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import httpx
from lxml import html

from tests.security.harness.browser import Browser
from tests.security.harness.client import Client, Server, is_refused
from tests.security.harness.wire import CLOSED, get_request, send

# Appended to a registered URI and sent as they are: escapes stay escapes for whoever decodes twice.
APPENDED_RAW = (
    "/FAKEPATH", "%2FFAKEPATH", "/..%2FFAKEPATH", "/%2e%2e%2FFAKEPATH", "/..%252FFAKEPATH", "/FAKEPATH/..",
    "%2FFAKEPATH%2F..", "/;/../../FAKEPATH", "/%3B/../../FAKEPATH", "%3B%2F..%2F..%2FFAKEPATH",
    "%0A%0D/../../FAKEPATH", "?code=attackercode", "?extra=oauch", "/Wrong",
)  # fmt: skip
# Values of redirect_uri where https://app.example/cb is registered.
LOOKALIKES: tuple[str, ...] = (
    "http://app.example/cb", "HTTPS://APP.EXAMPLE/cb", "https://app.example/CB", "https://app.example:443/cb",
    "https://app.example:444/cb", "https://app.example/cb/", "https://app.example/cb?", "https://app.example/cb#",
    "https://app.example/./cb", "//app.example/cb", "/cb", "https:/app.example/cb", "https:app.example/cb",
    "https://app.example/cb;x", "https://app.example/cb..;/x", "https://app.example%2f@evil.test/cb",
    "https://app.example@evil.test/cb", "https://a@b@app.example/cb", "https://evil.test\\@app.example/cb",
    "https://app.example\\.evil.test/cb", "https://app.example.evil.test/cb", "https://appXexample/cb",
    "https://xapp.example/cb", "https://evil.test/https://app.example/cb", "https://evil.test?https://app.example/cb",
    "https://evil.test#https://app.example/cb", "https://app.example/cb%00.evil", "https://app.example/cb%0a",
    "https://app.example/cb ", " https://app.example/cb", "https://app.example/cb\t", "\thttps://app.example/cb",
    "https://app.example/cb\n", "https://app.example./cb", "https://\u0430pp.example/cb",
    "https://xn--pp-8cd.example/cb", "https://app\u3002example/cb", "https://[::1]/cb",
    "https://app.example/" + "c" * 65536, "javascript://app.example/cb%0aalert(1)",
    "JaVaScRiPt://app.example/cb%0aalert(1)", "data:text/html,<script>alert(1)</script>",
    "https://app.example/cb%23", "https://app.example/cb#x",
)  # fmt: skip
# V05 and V03: every letter in the other case, and lines of which one would do.
_REGISTERED = "https://app.example/cb"
LOOKALIKES += tuple(
    _REGISTERED[:i] + _REGISTERED[i].swapcase() + _REGISTERED[i + 1 :]
    for i in range(len(_REGISTERED))
    if _REGISTERED[i].isalpha()
)
LOOKALIKES += tuple(
    text
    for end in ("\n", "\r\n", "\r", "\u2028", "\x0b", "\x0c", "\x85")
    for text in (f"https://evil.test/{end}{_REGISTERED}", f"{_REGISTERED}{end}https://evil.test/")
)
NEVER_REGISTERED: tuple[str, ...] = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "javascript://app.example/%0aalert(1)",
    "data:text/html,x", "DATA:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://app.example/1",
    "about:blank", "https://user@app.example/cb", "https://user:pw@app.example/cb", "https:///cb", "/cb",
    "//app.example/cb", "https://app.example/cb#", "https://app.example/cb#x",
)  # fmt: skip
# V08: each dangerous scheme as browsers still read it, in any letter case and with what they skip inside and before.
NEVER_REGISTERED += tuple(
    spelled
    for scheme in ("javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem")
    for word in (
        scheme.upper(),
        scheme.title(),
        f" {scheme}",
        f"\t{scheme}",
        f"\x01{scheme}",
        f"{scheme[:4]}\n{scheme[4:]}",
    )
    for spelled in (f"{word}:x", f"{word}://app.example/x")
)


def get_authorize(browser: Browser, query: str) -> httpx.Response:
    """An authorization request whose query is sent byte for byte."""
    url = f"{browser.target.authorize}?{query}"
    return send(browser.target.nodes[0], get_request(url, browser.cookies_for(url)))


def is_stopped(page: httpx.Response) -> bool:
    """Whether a request ended on an error page: no redirect, no code, no refresh, no link that leads away."""
    if page.status_code not in (CLOSED, 400, 413, 414, 431) or "location" in page.headers or "refresh" in page.headers:
        return False
    if not page.headers.get("content-type", "").startswith("text/html"):
        return True
    tree = html.fromstring(page.content)
    leads_away = [url for url in tree.xpath("//@href | //@src | //@action") if "://" in url or "script:" in url.lower()]
    return not tree.xpath("//meta[translate(@http-equiv, 'REFSH', 'refsh')='refresh']") and not leads_away


def query_without_redirect_uri(client: Client) -> str:
    parameters = client.parameters("v" * 43)
    del parameters["redirect_uri"]
    return urlencode(parameters)


def test_s031_without_a_registered_uri_nothing_goes_anywhere(server: Server, client: Client) -> None:
    page = client.authorize(redirect_uri="https://never-registered.example/cb")
    assert is_stopped(page)
    code, output = server.hooks.command("link", "add", "Without a redirect URL")
    assert code != 0, output


def test_s032_only_the_exact_uri_matches(server: Server) -> None:
    client = server.client("plain")
    assert client.redirect_uri == _REGISTERED or not server.is_ours
    browser, start = server.signed_in(client.user), query_without_redirect_uri(client)
    assert client.authorize().is_redirect, "the registered URI itself works"
    registered = client.redirect_uri
    queries = [f"{start}&redirect_uri={quote(registered, safe='')}{tail}" for tail in APPENDED_RAW]
    queries += [f"{start}&redirect_uri={registered}{tail}" for tail in APPENDED_RAW]
    queries += [f"{start}&redirect_uri={quote(value, safe='')}" for value in LOOKALIKES]
    queries += [f"{start}&redirect_uri={quote(value, safe='/:?#@;%=[]')}" for value in LOOKALIKES if "%" in value]
    good, evil = quote(registered, safe=""), quote("https://evil.test/cb", safe="")
    queries += [f"{start}&redirect_uri={good}&redirect_uri={evil}", f"{start}&redirect_uri={evil}&redirect_uri={good}"]
    passed = [query[-120:] for query in queries if not is_stopped(get_authorize(browser, query))]
    assert not passed


def test_s033_only_the_port_of_a_loopback_address_may_differ(server: Server) -> None:
    def asked(registered: str, presented: str) -> bool:
        client = server.new_client(redirect_uris=[registered])
        page = client.ask(redirect_uri=presented)
        assert is_stopped(page) or server.browser().question(page), page.status_code
        return not is_stopped(page)

    same = {"http://127.0.0.1:5/cb": "http://127.0.0.1:6/cb", "http://[::1]:5/cb": "http://[::1]:61000/cb"}
    assert all(asked(registered, presented) for registered, presented in same.items())
    different = [
        ("http://127.0.0.1:5/cb", other)
        for other in (
            "http://localhost:5/cb", "http://127.1:5/cb", "http://0.0.0.0:5/cb", "http://2130706433:5/cb",
            "http://[::ffff:127.0.0.1]:5/cb", "http://127.0.0.1:5/CB", "http://127.0.0.1:5/cb?x=1",
            "https://127.0.0.1:5/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:/cb", "http://u@127.0.0.1:5/cb",
            "http://127.0.0.1:5@evil.test/cb", "http://127.0.0.1.evil.test:5/cb",
        )
    ]  # fmt: skip
    different += [
        ("http://localhost:5/cb", "http://localhost:6/cb"),
        ("http://localhost:5/cb", "http://127.0.0.1:5/cb"),
        ("https://127.0.0.1:5/cb", "https://127.0.0.1:6/cb"),
    ]
    assert [pair for pair in different if asked(*pair)] == []


def may_register(server: Server, uri: str) -> bool:
    """Whether the command line registers a redirection URI."""
    code, output = server.hooks.command("link", "add", f"Try {abs(hash(uri))}", "--redirect-uri", uri, "--json")
    assert code in (0, 1, 2), output
    return code == 0


def test_s034_no_fragments(server: Server, client: Client) -> None:
    fragments = ["https://app.example/cb#", "https://app.example/cb#x", "https://app.example/cb%23x#"]
    assert [uri for uri in fragments if may_register(server, uri)] == []
    assert all(is_stopped(client.authorize(redirect_uri=client.redirect_uri + tail)) for tail in ("#", "#x", "%23x"))


def link_form(server: Server, page: str = "new_link", client_id: str = "") -> tuple[Browser, dict[str, str]]:
    """The administrator's form for a client."""
    admin = server.user("administrator")
    browser = server.signed_in(admin)
    form = browser.form(server.open(browser, server.page(page, client_id), admin), "redirect_uris")
    assert form
    return browser, form


def test_s035_dangerous_uris_cannot_be_registered(server: Server) -> None:
    assert [uri for uri in NEVER_REGISTERED if may_register(server, uri)] == []
    browser, form = link_form(server)
    filled = {**form, "name": "Dangerous", "scope": "READ", "type": "confidential"}
    by_page = [uri for uri in NEVER_REGISTERED if browser.post({**filled, "redirect_uris": uri}).status_code != 400]
    assert by_page == []
    # The other two ways of the specification, a REST resource that writes and dynamic registration, do not exist.
    answer = server.http().post(server.url("/rest/oauth2/latest/client"), json={"redirect_uris": ["javascript:1"]})
    assert answer.status_code in (401, 404, 405)


def test_s036_hosts_are_plain_ascii(server: Server) -> None:
    refused = (
        "https://\u0430pp.example/cb", "https://app.example./cb", "https:\\\\app.example\\cb",
        "https://app.example\\@evil.test/cb", "https://app .example/cb", "https://app.example/c b",
        "https://app\u3002example/cb", "https://app.example\u200b/cb", "https://APP.example/cb", "https://a%2eb/cb",
    )  # fmt: skip
    assert [uri for uri in refused if may_register(server, uri)] == []
    assert may_register(server, "https://xn--pp-8cd.example/cb")
    client = server.new_client(redirect_uris=["https://xn--pp-8cd.example/cb"])
    assert "xn--pp-8cd.example" in client.ask().text


def test_s037_a_wrong_client_or_uri_ends_on_a_page(client: Client) -> None:
    evil = 'https://evil.test/"><script>alert(1)</script>'
    for page in (client.authorize(redirect_uri=evil), client.authorize(client_id='"><script>alert(1)</script>')):
        assert page.status_code == 400
        assert is_stopped(page)
        assert page.headers["content-type"].startswith("text/html")
        assert b"<script>alert" not in page.content
        assert not [link for link in html.fromstring(page.content).xpath("//a/@href") if "evil.test" in link]


def test_s038_the_uri_must_be_named(server: Server, client: Client) -> None:
    # Several are registered, or one: there the standard lets it be left out, and we do not.
    for each in (client, *([server.client("plain")] if server.is_ours else [])):
        assert is_stopped(each.authorize(redirect_uri=None))
        assert is_stopped(each.authorize(redirect_uri=""))


def test_s039_the_exchange_names_the_same_uri(client: Client) -> None:
    code = client.code()
    assert is_refused(client.exchange(code, redirect_uri=client.redirect_uri + "/x"), "invalid_grant")
    assert is_refused(client.exchange(code, redirect_uri=None), "invalid_grant", "invalid_request")
    for registered in client.registration.redirect_uris[1:]:
        assert is_refused(client.exchange(code, redirect_uri=registered), "invalid_grant")
    assert client.exchange(code).status_code == 200


def test_s040_no_uri_is_learnt_from_a_request(server: Server) -> None:
    client = server.new_client()
    elsewhere = "https://first-use.example/cb"
    assert is_stopped(client.authorize(redirect_uri=elsewhere))
    assert is_stopped(client.authorize(redirect_uri=elsewhere))


def test_s041_the_registration_of_the_moment_counts(server: Server) -> None:
    client = server.new_client(redirect_uris=["https://old.example/cb"])
    browser = server.signed_in(client.user)
    question = browser.question(client.ask(browser=browser))
    assert question
    admin, form = link_form(server, "edit_link", client.id)
    assert admin.post({**form, "redirect_uris": "https://new.example/cb"}).status_code == 303
    answer = browser.answer(question)
    assert not answer.is_redirect
    assert answer.status_code in (400, 403, 409)
    assert is_stopped(client.authorize())
    code = client.code(redirect_uri="https://new.example/cb")
    # Nor does signing in carry an address over that was taken away in the meantime.
    stranger = server.browser()
    sign_in = stranger.follow(stranger.get(client.url(redirect_uri="https://new.example/cb")))
    admin, form = link_form(server, "edit_link", client.id)
    assert admin.post({**form, "redirect_uris": "https://third.example/cb"}).status_code == 303
    assert is_stopped(stranger.follow(stranger.sign_in(sign_in, client.user)))
    assert is_refused(client.exchange(code), "invalid_grant"), "and a code that went there is worth nothing"
