"""Which hosts are answered, and whose word about the client's address is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.http.conftest import Site
from watersmeet import demo
from watersmeet.app import create_app
from watersmeet.database.audit import Query, search
from watersmeet.entropy import SystemEntropy
from watersmeet.settings import Settings
from watersmeet.web.log import RequestLog
from watersmeet.web.proxies import TrustedProxies

PUBLIC = "https://wiki.example.com"
PROXY, CLIENT, FORGED = "10.0.0.1", "203.0.113.9", "192.0.2.66"


def browser(site: Site, peer: str, base_url: str = PUBLIC, **changes: Any) -> TestClient:
    settings = replace(site.environment.settings, base_url=base_url, **changes)
    return TestClient(create_app(settings, clock=site.clock), base_url=base_url, client=(peer, 1))


def status(browser: TestClient, host: str, **headers: str) -> int:
    answer: httpx.Response = browser.get("/", headers={"Host": host, **headers})
    return answer.status_code


# ---- Host -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["wiki.example.com", "wiki.example.com:443", "WIKI.example.COM"])
def test_s004_a_public_server_answers_to_the_name_of_its_base_url(site: Site, host: str) -> None:
    assert status(browser(site, CLIENT), host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.test", "wiki.example.com.evil.test", "192.0.2.2", "wiki.example.com:8443", "wiki.example.com@evil.test",
        "", "wiki.example.com,evil.test", "localhost", "127.0.0.1:8090", "[::1]", "wiki.example.com.",
    ],
)  # fmt: skip
def test_s004_and_to_no_other(site: Site, host: str) -> None:
    answer = browser(site, CLIENT).get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "trusted_proxies" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_s004_two_host_headers_are_refused(site: Site) -> None:
    answer = browser(site, CLIENT).get("/", headers=[("Host", "wiki.example.com"), ("Host", "evil.test")])
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost", "[::1]:8090", "[::1]", "127.0.0.1"])
def test_s004_a_program_on_this_computer_may_ask_this_computer(site: Site, host: str) -> None:
    """Health checks, and proxies with their defaults: such a ``Host`` cannot come out of a rebound name."""
    assert status(browser(site, "127.0.0.1"), host) == 200
    assert status(browser(site, "127.0.0.1"), "evil.test") == 421


def test_s004_a_trusted_proxy_may_use_any_name_for_its_upstream_and_no_answer_is_built_from_it(site: Site) -> None:
    through = browser(site, PROXY, trusted_proxies="10.0.0.0/8")
    answer = through.get(
        "/plugins/servlet/oauth2/authorized-applications", headers={"Host": "upstream-7"}, follow_redirects=False
    )
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login.action?")
    assert "upstream-7" not in answer.text


def test_s001_what_a_proxy_took_in_without_tls_is_refused_before_anything_is_looked_at(site: Site) -> None:
    through = browser(site, PROXY, trusted_proxies=PROXY)
    path, code = "/rest/oauth2/latest/token", site.code()
    form = {
        "grant_type": "authorization_code", "client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET,
        "code": code, "redirect_uri": site.callback,
    }  # fmt: skip
    refused = through.post(path, data=form, headers={"X-Forwarded-Proto": "http"})
    assert refused.status_code == 403
    assert "https" in refused.text
    assert through.post(path, data=form, headers={"X-Forwarded-Proto": "https"}).status_code == 200


def test_s003_without_a_trusted_proxy_forwarded_headers_change_nothing(site: Site) -> None:
    forged = {
        "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http", "X-Forwarded-For": FORGED,
        "Forwarded": f"for={FORGED};host=evil.test;proto=http", "X-Original-URL": "/evil",
    }  # fmt: skip
    plain, spoken = browser(site, CLIENT), browser(site, CLIENT)
    path = "/plugins/servlet/oauth2/authorized-applications"
    first = plain.get(path, follow_redirects=False)
    second = spoken.get(path, headers=forged, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])


# ---- the client's address ---------------------------------------------------------------------------------


def address(peer: str, headers: list[tuple[str, str]], **changes: str) -> str:
    """The client's address as the rest of the application sees it."""

    async def echo(request: Request) -> PlainTextResponse:
        assert request.client is not None
        return PlainTextResponse(request.client.host)

    settings = replace(Settings(), **changes)  # type: ignore[arg-type]
    app = Starlette(
        routes=[Route("/", echo)],
        middleware=[Middleware(RequestLog, entropy=SystemEntropy()), Middleware(TrustedProxies, settings=settings)],
    )
    found: str = TestClient(app, client=(peer, 1)).get("/", headers=headers).text
    return found


@pytest.mark.parametrize(
    ("peer", "sent", "expected"),
    [
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{FORGED}, {CLIENT}", CLIENT),
        (PROXY, f"{FORGED}, {CLIENT}, 10.9.9.9", CLIENT),
        (PROXY, f"{FORGED},10.1.1.1, {CLIENT},10.2.2.2,10.3.3.3", CLIENT),
        (PROXY, f"{CLIENT}:4711", CLIENT),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        (PROXY, "[2001:DB8::7]:443", "2001:db8::7"),
        (PROXY, "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        (PROXY, "", PROXY),
        (PROXY, f"{FORGED}, unknown", PROXY),
        (PROXY, f"{FORGED}, ' or 1=1", PROXY),
        (PROXY, f"{CLIENT}, unknown, 10.2.2.2", "10.2.2.2"),
        (PROXY, "1.2.3.4.5", PROXY),
        (PROXY, "999.1.1.1", PROXY),
        ("::ffff:10.0.0.1", CLIENT, CLIENT),
        ("198.51.100.1", CLIENT, "198.51.100.1"),
    ],
)
def test_v31_the_client_is_the_right_most_address_that_is_no_trusted_proxy(peer: str, sent: str, expected: str) -> None:
    assert address(peer, [("X-Forwarded-For", sent)], trusted_proxies="10.0.0.0/8") == expected


def test_v31_header_lines_are_read_as_one_list() -> None:
    sent = [("X-Forwarded-For", FORGED), ("X-Forwarded-For", CLIENT)]
    assert address(PROXY, sent, trusted_proxies=PROXY) == CLIENT


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"for={FORGED}, For={CLIENT};proto=https;by=10.0.0.1", CLIENT),
        (f'for={FORGED}, for="{CLIENT}:4711"', CLIENT),
        ('for="[2001:db8::7]:4711";host=x', "2001:db8::7"),
        ("for=_hidden", PROXY),
        (f"for={FORGED}, for=unknown", PROXY),
        (f'for={FORGED}, host="x;for={FORGED}";for={CLIENT}', CLIENT),
        (f'for={CLIENT};host="x;for={FORGED}"', CLIENT),
        (f'for="{FORGED}, for={CLIENT};host="wiki"', PROXY),
        (f'for={FORGED};a=", for="[2001:db8::1]"', PROXY),  # a quotation that would swallow the proxy's own words
        (f"for={FORGED};for={CLIENT}", PROXY),
        (f"for={FORGED}, host=x", PROXY),
    ],
)
def test_v31_forwarded_if_the_settings_say_so(sent: str, expected: str) -> None:
    other = ("X-Forwarded-For", FORGED)
    trusted = {"trusted_proxies": PROXY, "proxy_header": "forwarded"}
    assert address(PROXY, [("Forwarded", sent), other], **trusted) == expected


def test_v31_a_line_of_the_client_s_cannot_change_what_the_proxy_s_line_means() -> None:
    sent = [("Forwarded", f'for={FORGED};a="'), ("Forwarded", 'for="[2001:db8::1]"')]
    assert address(PROXY, sent, trusted_proxies=PROXY, proxy_header="forwarded") == "2001:db8::1"


def test_v31_only_the_configured_header_counts() -> None:
    assert address(PROXY, [("Forwarded", f"for={FORGED}")], trusted_proxies=PROXY) == PROXY


def test_an_unlisted_proxy_is_named_in_the_log_once(capsys: pytest.CaptureFixture[str], site: Site) -> None:
    asking = browser(site, PROXY)
    for _ in range(3):
        asking.get("/", headers={"X-Forwarded-For": CLIENT})
    assert "".join(capsys.readouterr()).count("not in trusted_proxies") == 1


def test_v31_a_spoofed_header_resets_no_limit(site: Site) -> None:
    """Neither directly nor through the proxy does a client get a new counter by naming another address."""
    form = {"client_id": demo.CLIENT_ID, "client_secret": "wrong", "grant_type": "refresh_token", "refresh_token": "x"}
    for asking, own in ((browser(site, CLIENT), ""), (browser(site, PROXY, trusted_proxies=PROXY), "198.51.100.2")):
        answers = [
            asking.post(
                "/rest/oauth2/latest/token",
                data=form,
                headers={"X-Forwarded-For": f"192.0.2.{number}" + (f", {own}" if own else "")},
            ).status_code
            for number in range(11)
        ]
        assert answers == [401] * 10 + [429]
    entries = site.environment.database.read_now(lambda tx: search(tx, Query(event="client.")))
    assert {entry.address for entry in entries} == {CLIENT, "198.51.100.2"}


def test_the_list_of_sessions_believes_the_same_proxies_only(site: Site) -> None:
    forwarded = {"x-forwarded-for": CLIENT, "x-forwarded-proto": "https"}
    believed = browser(site, PROXY, trusted_proxies=PROXY)
    believed.headers.update(forwarded)
    site.sign_in(believed, "alice")
    assert "203.0.113.0/24" in believed.get("/account").text
    forging = browser(site, PROXY)
    forging.headers.update(forwarded)
    site.sign_in(forging, "bob")
    assert "203.0.113.0" not in forging.get("/account").text
    assert "10.0.0.0/24" in forging.get("/account").text
