"""Redirection URIs at the authorization endpoint: the whole list of attack strings, and what may vary."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet import demo
from watersmeet.app import create_app
from watersmeet.confluence.scopes import Scope
from watersmeet.database import clients
from watersmeet.links.credentials import delete_link
from watersmeet.links.register import Registration, register, require_link
from watersmeet.oauth2.profile import Profile
from watersmeet.oauth2.redirect import RedirectUri
from watersmeet.settings import ProviderSettings

REGISTERED = "https://app.example/cb"

# Security dossier 2.20: what OAuch appends to the registered URI …
APPENDED = [
    "/FAKEPATH", "%2FFAKEPATH", "/..%2FFAKEPATH", "/%2e%2e%2FFAKEPATH", "/..%252FFAKEPATH", "/FAKEPATH/..",
    "%2FFAKEPATH%2F..", "/;/../../FAKEPATH", "/%3B/../../FAKEPATH", "%3B%2F..%2F..%2FFAKEPATH",
    "%0A%0D/../../FAKEPATH", "?code=attackercode", "?extra=oauch", "/Wrong",
]  # fmt: skip

# … and what broke the peers.
IN_PLACE = [
    "http://app.example/cb", "HTTPS://APP.EXAMPLE/cb", "https://app.example/CB", "https://app.example:443/cb",
    "https://app.example:444/cb", "https://app.example/cb/", "https://app.example/cb?", "https://app.example/cb#",
    "https://app.example/cb%23", "https://app.example/./cb", "//app.example/cb", "/cb", "https:/app.example/cb",
    "https:app.example/cb", "https://app.example/cb;x", "https://app.example/cb..;/x",
    "https://app.example%2f@evil.test/cb", "https://app.example@evil.test/cb", "https://a@b@app.example/cb",
    "https://evil.test\\@app.example/cb", "https://app.example\\.evil.test/cb", "https://app.example.evil.test/cb",
    "https://appXexample/cb", "https://xapp.example/cb", "https://evil.test/https://app.example/cb",
    "https://evil.test?https://app.example/cb", "https://evil.test#https://app.example/cb",
    "https://app.example/cb\x00.evil", "https://app.example/cb%00.evil", "https://app.example/cb\n",
    "https://app.example/cb%0a", "https://app.example/cb ", " https://app.example/cb", "https://app.example/cb\t",
    "https://app.example./cb", "https://\u0430pp.example/cb", "https://xn--pp-8cd.example/cb",
    "https://app\u3002example/cb", "https://[::1]/cb", "https://app.example/cb" + "x" * 65_000,
    "javascript://app.example/cb%0aalert(1)", "JaVaScRiPt://app.example/cb", "data:text/html,https://app.example/cb",
    "https://app.example/c", "https://app.example/", "https://app.example", "*", "null",
]  # fmt: skip


def _goes_nowhere(page: httpx.Response) -> None:
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "refresh" not in page.headers
    assert page.headers["content-type"].startswith("text/html")
    assert "http-equiv" not in page.text
    assert "evil" not in page.text
    assert "app.example" not in page.text  # S037: no link to follow, not even the text


@pytest.fixture
def query(site: Site) -> str:
    """An authorization request of a web application, up to its redirection URI."""
    client = site.register("Web application", [REGISTERED]).client
    fields = {"client_id": client.client_id, "response_type": "code", "scope": "READ", "state": "x"}
    return f"/rest/oauth2/latest/authorize?{urlencode(fields)}&redirect_uri="


@pytest.mark.parametrize("suffix", APPENDED)
def test_s032_appended_raw_and_appended_encoded(site: Site, query: str, suffix: str) -> None:
    browser = site.signed_in("alice")
    for value in (quote(REGISTERED, safe="") + suffix, quote(REGISTERED + suffix, safe="")):
        _goes_nowhere(browser.get(query + value))
        _goes_nowhere(site.client.get(query + value))  # S041: already before anybody signs in


@pytest.mark.parametrize("uri", IN_PLACE)
def test_s032_s036_in_place_of_the_registered_uri(site: Site, query: str, uri: str) -> None:
    _goes_nowhere(site.client.get(query + quote(uri, safe="")))
    _goes_nowhere(site.signed_in("alice").get(query + quote(uri, safe="")))


def test_s018_two_redirect_uris_in_either_order(site: Site, query: str) -> None:
    good, bad = quote(REGISTERED, safe=""), quote("https://evil.test/cb", safe="")
    browser = site.signed_in("alice")
    for first, second in ((good, bad), (bad, good), (good, good)):
        _goes_nowhere(browser.get(f"{query}{first}&redirect_uri={second}"))


@pytest.mark.parametrize(
    "changes",
    [
        {"response_type": "token"},
        {"response_type": None},
        {"scope": "NOTHING"},
        {"request": "x.y.z"},
        {"code_challenge": "c" * 43, "code_challenge_method": "S512"},
        {"prompt": "none", "scope": "NOTHING"},
        {"response_mode": "fragment"},
    ],
)
def test_s043_s044_no_error_leads_to_an_unregistered_uri(site: Site, changes: dict[str, str | None]) -> None:
    page = site.signed_in("alice").get(site.authorize_path(redirect_uri="https://evil.test/cb", **changes))
    _goes_nowhere(page)


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("http://127.0.0.1:5/callback", 302),
        ("http://127.0.0.1/callback", 302),
        ("http://127.0.0.1:65535/callback", 302),
        ("http://127.0.0.1:65536/callback", 400),
        ("http://127.0.0.1:5/callback/", 400),
        ("http://127.0.0.1:5/callback?x=1", 400),
        ("http://localhost:8091/callback", 302),
        ("http://localhost:5/callback", 400),
        ("http://[::1]:8091/callback", 400),
        ("http://[::ffff:127.0.0.1]:8091/callback", 400),
        ("https://127.0.0.1:8091/callback", 400),
        ("http://127.0.0.1:8091@evil.test/callback", 400),
    ],
)
def test_s033_only_the_port_of_a_loopback_address_may_differ(site: Site, uri: str, status: int) -> None:
    assert site.signed_in("alice").get(site.authorize_path(redirect_uri=uri)).status_code == status


def test_s033_s039_the_code_is_bound_to_the_port_that_was_asked_with(site: Site) -> None:
    asked = "http://127.0.0.1:5/callback"
    code = site.code(redirect_uri=asked)
    assert site.exchange(code, redirect_uri="http://127.0.0.1:6/callback").json()["error"] == "invalid_grant"
    assert site.exchange(code, redirect_uri=asked).status_code == 200


def test_s030_s051_the_answer_is_appended_to_a_registered_query(site: Site) -> None:
    uri = "https://app.example/cb?tenant=a%20b&x="
    client = site.register("With a query", [uri]).client
    browser = site.signed_in("alice")
    page = site.ask(browser, client_id=client.client_id, redirect_uri=uri, state="s")
    sent = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
    location = sent.headers["location"]
    assert location.startswith(uri + "&")
    names = [name for name, _ in parse_qsl(urlsplit(location).query, keep_blank_values=True)]
    assert names == ["tenant", "x", "code", "state", "iss"]
    assert not urlsplit(location).fragment


def test_s007_the_form_may_lead_to_an_application_s_own_scheme(site: Site) -> None:
    uri = "com.example.app:/callback"
    client = site.register("Telephone", [uri]).client
    browser = site.signed_in("alice")
    page = site.ask(browser, client_id=client.client_id, redirect_uri=uri)
    assert "form-action 'self' com.example.app:;" in page.headers["content-security-policy"]
    assert "com.example.app" in page.text
    sent = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
    assert sent.headers["location"].startswith(uri + "?code=")


def test_s041_a_uri_removed_between_asking_and_answering_gets_no_code(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser)
    site.environment.database.write_now(
        lambda tx: clients.change(
            tx,
            require_link(tx, demo.CLIENT_ID).id,
            name="Demo",
            scope=require_link(tx, demo.CLIENT_ID).scope,
            uris=[RedirectUri.register(REGISTERED)],
        )
    )
    for decision in ("deny", "allow"):
        sent = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": decision})
        assert sent.status_code == 400
        assert "location" not in sent.headers


def test_s099_a_link_deleted_between_asking_and_answering_gets_no_code(site: Site) -> None:
    browser = site.signed_in("alice")
    page = site.ask(browser)
    site.environment.database.write_now(lambda tx: delete_link(tx, require_link(tx, demo.CLIENT_ID), site.clock.now()))
    sent = browser.post("/plugins/servlet/oauth2/consent", data={**form_of(page), "decision": "allow"})
    assert sent.status_code == 400
    assert "location" not in sent.headers


def test_s041_http_elsewhere_is_refused_once_it_is_no_longer_allowed(site_under: SiteFactory) -> None:
    uri = "http://staging.example/cb"
    before = site_under(skip_redirect_url_https_requirement=True)
    checked = Registration.check(
        name="Staging", redirect_uris=[uri], scope=Scope.READ, allow_http=True, profile=Profile.ATLASSIAN_DC
    )
    environment = before.environment
    client = environment.database.write_now(
        lambda tx: register(
            tx,
            checked,
            confidential=True,
            created_by="admin",
            now=before.clock.now(),
            keys=environment.keys,
            entropy=environment.entropy,
        )
    ).client
    asked = {"client_id": client.client_id, "redirect_uri": uri}
    browser = before.signed_in("alice")
    page = before.ask(browser, **asked)
    assert before.answer(browser, page)["code"]

    # The same database, the property off: the site of after the restart.
    app = create_app(
        replace(environment.settings, provider=ProviderSettings()), database=environment.database, clock=before.clock
    )
    question = before.ask(browser, **asked)  # still open when the server starts again
    with_cookies = dict(browser.cookies)
    later = TestClient(app, base_url=before.base_url, follow_redirects=False, cookies=with_cookies)
    stranger = TestClient(app, base_url=before.base_url, follow_redirects=False)
    path = before.authorize_path(**asked)
    for refused in (
        stranger.get(path),
        later.get(path),
        later.get(path + "&response_type=token"),  # an error, which must not be redirected there either
        *(
            later.post("/plugins/servlet/oauth2/consent", data={**form_of(question), "decision": decision})
            for decision in ("allow", "deny")
        ),
    ):
        assert refused.status_code == 400
        assert "location" not in refused.headers
    assert "no longer allows" in later.get(path).text
    loopback = before.authorize_path()
    assert later.get(loopback).status_code == 302
