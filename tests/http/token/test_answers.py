"""What token endpoint, revocation and introspection answer, header by header, when something stands in the way."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from tests.http.app import App
from tests.http.conftest import START, VERIFIER, Site, SiteFactory
from tests.support.log import captured
from watersmeet import demo
from watersmeet.clock import SECOND
from watersmeet.database.audit import Query, search
from watersmeet.errors import ServiceUnavailable
from watersmeet.oauth2.errors import RefreshTokenUnknown
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.tokens import http as module
from watersmeet.web import deprecation
from watersmeet.web.bearer import Caller

ENDPOINTS = ["token", "revoke", "introspect"]
BASES = ["/rest/oauth2/latest", "/rest/oauth2/1.0"]
DEMO = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET}
SCRIPT = "https://script.example"


def basic(client_id: str = demo.CLIENT_ID, secret: str = demo.CLIENT_SECRET) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def form(endpoint: str) -> dict[str, str]:
    """The parameters of an ordinary request of the demo client."""
    grant = {"grant_type": "refresh_token", "refresh_token": "x"} if endpoint == "token" else {"token": "x"}
    return DEMO | grant


def post(site: Site, endpoint: str, data: dict[str, str], **options: Any) -> httpx.Response:
    answer: httpx.Response = site.new_browser().post(f"/rest/oauth2/latest/{endpoint}", data=data, **options)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    return answer


# ---- scripts of other origins (S107) ------------------------------------------------------------------------


@pytest.fixture
def public(site: Site) -> Site:
    """A site with public clients: of a script, of a program on the user's computer, and of an installed one."""
    uris = [f"{SCRIPT}/cb", "http://localhost:3000/cb", "com.example.app:/cb"]
    site.register("Script", uris, confidential=False, profile=Profile.STRICT)
    return site


@pytest.mark.parametrize("origin", [SCRIPT, "http://localhost:3000"])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_s107_scripts_of_a_public_client_s_origin_may_ask_and_read_the_answer(
    public: Site, base: str, endpoint: str, origin: str
) -> None:
    browser, headers = public.new_browser(), {"Origin": origin}
    may_i = browser.options(f"{base}/{endpoint}", headers=headers | {"Access-Control-Request-Method": "POST"})
    assert (may_i.status_code, may_i.headers["access-control-allow-origin"]) == (204, origin)
    answer = browser.post(f"{base}/{endpoint}", data=form(endpoint), headers=headers)
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", "http://script.example", "null", "com.example.app:", "ftp://script.example", "HTTPS://x"],
)
@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_s010_scripts_of_no_other_origin_may(public: Site, endpoint: str, origin: str) -> None:
    browser, headers = public.new_browser(), {"Origin": origin}
    may_i = browser.options(f"/rest/oauth2/latest/{endpoint}", headers=headers)
    answer = browser.post(f"/rest/oauth2/latest/{endpoint}", data=form(endpoint), headers=headers)
    assert (may_i.status_code, may_i.headers["allow"]) == (405, "POST")
    for each in (may_i, answer):
        assert "access-control-allow-origin" not in each.headers


def test_s107_introspection_is_for_servers(public: Site) -> None:
    browser, headers = public.new_browser(), {"Origin": SCRIPT}
    may_i = browser.options("/rest/oauth2/latest/introspect", headers=headers)
    answer = browser.post("/rest/oauth2/latest/introspect", data=form("introspect"), headers=headers)
    assert (may_i.status_code, may_i.headers["allow"]) == (405, "POST")
    for each in (may_i, answer):
        assert "access-control-allow-origin" not in each.headers


# ---- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_s018_one_authorization_header(site: Site, endpoint: str) -> None:
    twice = [("Authorization", basic()), ("Authorization", basic())]
    answer = post(site, endpoint, form(endpoint), headers=twice)
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "invalid_request", "error_description": "Send one Authorization header."},
    )


@pytest.mark.parametrize(
    ("endpoint", "data", "headers", "challenge"),
    [
        ("token", DEMO | {"client_secret": "x"}, {}, None),
        ("token", {}, {"Authorization": basic(secret="x")}, 'Basic realm="watersmeet"'),
        ("token", {}, {"Authorization": basic(secret="x").replace("Basic", "BASIC")}, 'Basic realm="watersmeet"'),
        ("token", DEMO | {"client_secret": "x"}, {"Authorization": "Bearer x"}, None),
        ("revoke", DEMO | {"client_secret": "x"}, {}, None),
        ("introspect", DEMO | {"client_secret": "x"}, {}, 'Basic realm="watersmeet"'),
        ("introspect", {"client_id": ""}, {}, 'Basic realm="watersmeet"'),
    ],
)
def test_a_client_that_does_not_authenticate_is_challenged_where_it_tried_basic_or_nobody_asks_anonymously(
    site: Site, endpoint: str, data: dict[str, str], headers: dict[str, str], challenge: str | None
) -> None:
    grant = {name: value for name, value in form(endpoint).items() if name not in DEMO}
    answer = post(site, endpoint, grant | data, headers=headers)
    assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, challenge)
    assert answer.json() == {"error": "invalid_client", "error_description": "Client authentication failed."}


@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_a_request_without_a_client_is_merely_incomplete_where_public_clients_ask(site: Site, endpoint: str) -> None:
    answer = post(site, endpoint, {"token": "x"})
    assert answer.status_code == 400
    assert answer.json()["error_description"] == "The parameter client_id is required."
    assert "www-authenticate" not in answer.headers


def test_a_malformed_request_for_introspection_is_no_anonymous_one(site: Site) -> None:
    answer = post(site, "introspect", form("introspect") | {"client_secret": "y"}, headers={"Authorization": basic()})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_s150_who_is_refused_before_naming_a_client_is_in_the_trail_by_the_cause(site: Site) -> None:
    post(site, "token", form("token") | {"client_secret": "y"}, headers={"Authorization": basic()})
    post(site, "introspect", {"token": "x"})
    found = site.environment.database.read_now(lambda tx: search(tx, Query(event="client.refused")))
    assert [(each.detail, each.address) for each in reversed(found)] == [
        ({"cause": "TwoClientAuthentications"}, "127.0.0.1"),
        ({"cause": "InvalidClient"}, "127.0.0.1"),
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_s096_a_throttled_client_is_told_when_to_come_back(site_under: SiteFactory, endpoint: str) -> None:
    site = site_under(throttle_attempts=1, throttle_minutes=15)
    wrong = [post(site, endpoint, form(endpoint) | {"client_secret": "x"}).status_code for _ in range(2)]
    assert wrong == [401, 429]
    site.clock.advance(30)
    answer = post(site, endpoint, form(endpoint))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(15 * 60 - 30))
    assert answer.json() == {
        "error": "temporarily_unavailable",
        "error_description": "Too many failed attempts. Try again in 15 minutes.",
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_s105_a_busy_database_is_told_with_when_to_come_back(
    site: Site, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise ServiceUnavailable

    for name in ("write_together", "write", "read"):
        monkeypatch.setattr(site.environment.database, name, busy)
    answer = post(site, endpoint, form(endpoint))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {
        "error": "temporarily_unavailable",
        "error_description": "The service is busy. Nothing was changed; try again shortly.",
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_s013_a_body_that_is_too_large_is_refused_in_oauth_s_own_words(site: Site, endpoint: str) -> None:
    answer = post(site, endpoint, {"token": "x" * 100_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")
    assert answer.json().keys() == {"error", "error_description"}


def test_n16_of_several_things_that_are_allowed_nobody_the_first_is_named(site_under: SiteFactory) -> None:
    site = site_under(legacy_profile=False)
    app = App(site, Profile.ATLASSIAN_DC)
    both = {"client_id": app.client_id, "client_secret": str(app.secret), "grant_type": "refresh_token"}
    answer = app.post(both, {"refresh_token": "x"}, app.basic())
    assert answer.json()["error_description"] == (
        "Send client_secret, code, code_verifier and tokens in the body, not in the URL."
    )
    alone = app.post(both | {"refresh_token": "x"}, None, app.basic())
    assert alone.json()["error_description"].startswith("Authenticate the client either with HTTP Basic")


# ---- success ------------------------------------------------------------------------------------------------


def test_n1_what_was_accepted_for_compatibility_is_told_to_client_and_log(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = captured(monkeypatch, deprecation)
    issued, code = site.tokens(), site.code(pkce=True)
    logged.clear()
    grant = {"grant_type": "authorization_code", "redirect_uri": site.callback, "code_verifier": VERIFIER}
    exchanged = site.new_browser().post(f"/rest/oauth2/latest/token?code={code}", data=DEMO | grant)
    revoked = site.new_browser().post(f"/rest/oauth2/latest/revoke?token={issued['access_token']}", data=DEMO)
    for answer in (exchanged, revoked):
        assert (answer.status_code, answer.headers["deprecation"]) == (200, "@1735689600")
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    told = {"event": "legacy accepted", "client": demo.CLIENT_ID, "kinds": ["credential-in-query"]}
    assert logged == [told | {"log_level": "warning"}] * 2


def test_n1_n11_everything_that_was_accepted_is_told_and_counted(site: Site) -> None:
    app = App(site, Profile.ATLASSIAN_DC)
    parameters = app.parameters(app.code())
    code = {"code": parameters.pop("code")}
    assert app.post(parameters, code, app.basic()).status_code == 200
    assert app.counted == {Legacy.CREDENTIAL_IN_QUERY: 1, Legacy.TWO_AUTHENTICATIONS: 1}


def test_s150_a_revocation_is_in_the_trail_with_the_address_it_came_from(site: Site) -> None:
    post(site, "revoke", DEMO | {"token": site.tokens()["access_token"]})
    [found] = site.environment.database.read_now(lambda tx: search(tx, Query(event="tokens.revoked")))
    assert (found.client_id, found.address, found.request_id is None) == (demo.CLIENT_ID, "127.0.0.1", False)


def test_s150_an_exchange_and_a_refresh_are_in_the_trail_with_the_address_they_came_from(site: Site) -> None:
    site.refresh(site.tokens()["refresh_token"])
    for event in ("tokens.issued", "tokens.refreshed"):
        [found] = site.environment.database.read_now(partial(search, query=Query(event=event)))
        assert (found.client_id, found.address, found.request_id is None) == (demo.CLIENT_ID, "127.0.0.1", False)


def test_s139_a_token_request_may_name_the_resource_there_is_and_no_other(site: Site) -> None:
    issued = site.tokens()
    refused = site.refresh(issued["refresh_token"], resource="https://elsewhere.example/rest/api")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    assert site.refresh(issued["refresh_token"], resource=f"{site.base_url}/rest/api").status_code == 200


def test_every_write_here_is_a_brief_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are: each is a handful of point look-ups, so none needs to wait for a thread (docs/decisions/0051)."""
    database, told = site.environment.database, list[object]()
    issued, code = site.tokens(), site.code(pkce=True)

    def noting(write: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        def noted(*arguments: object, **named: object) -> Awaitable[object]:
            told.append(named.get("brief"))
            return write(*arguments, **named)

        return noted

    for name in ("write", "write_together"):
        monkeypatch.setattr(database, name, noting(getattr(database, name)))
    following = site.refresh(issued["refresh_token"]).json()
    assert site.exchange(code, code_verifier=VERIFIER).status_code == 200
    assert post(site, "revoke", DEMO | {"token": following["access_token"]}).status_code == 200
    assert told == [True] * 3


def test_what_may_not_be_kept_is_marked_in_every_answer(site: Site) -> None:
    issued = site.tokens()
    post(site, "token", form("token") | {"refresh_token": issued["refresh_token"], "redirect_uri": site.callback})
    other = site.tokens()
    active = post(site, "introspect", DEMO | {"token": other["access_token"]})
    assert active.json()["active"] is True
    assert post(site, "introspect", DEMO | {"token": "x"}).json() == {"active": False}
    ended = post(site, "revoke", DEMO | {"token": other["access_token"]})
    assert (ended.status_code, ended.content) == (200, b"")


def test_s072_s115_how_long_tokens_live_is_a_setting_in_seconds(site_under: SiteFactory) -> None:
    site = site_under(access_token_expiration_seconds=90, refresh_token_expiration_seconds=600)
    issued = site.tokens()
    assert issued["expires_in"] == 90
    site.clock.advance(599)
    following = site.refresh(issued["refresh_token"])
    assert (following.status_code, following.json()["expires_in"]) == (200, 1)
    site.clock.advance(1)
    assert site.refresh(following.json()["refresh_token"]).json()["error_description"] == (
        "The refresh token has expired; the user must authorize the application again."
    )


def test_s111_the_grace_is_a_setting_in_seconds(site_under: SiteFactory) -> None:
    site = site_under(refresh_grace_seconds=2)
    issued = site.tokens()
    first = site.refresh(issued["refresh_token"])
    site.clock.advance(1.9)
    assert site.refresh(issued["refresh_token"]).json() == first.json()


def test_a_wrong_redirect_uri_of_a_refresh_is_told_apart_from_a_wrong_one_of_an_exchange(site: Site) -> None:
    answer = site.refresh(site.tokens()["refresh_token"], redirect_uri="https://evil.test/")
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "redirect_uri is not registered for this client.",
    }


# ---- the Bearer check ---------------------------------------------------------------------------------------


def test_s136_the_latest_use_of_a_grant_is_noted_with_the_address_it_came_from(site: Site) -> None:
    token, uses = site.tokens()["access_token"], site.environment.uses
    site.clock.advance(5)
    browser = site.new_browser("203.0.113.9")
    answer = browser.get("/rest/api/user/current", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    [(family, used_at)] = uses.families.items()
    assert (used_at, uses.addresses) == (START + 5 * SECOND, {family: "203.0.113.9"})


def personal_token(site: Site) -> str:
    alice = {"Authorization": basic("alice", "alice")}
    made = site.new_browser().post("/rest/pat/latest/tokens", json={"name": "A script"}, headers=alice)
    return str(made.json()["rawToken"])


@pytest.mark.parametrize("personal", [False, True])
def test_a_request_from_no_address_is_noted_without_one(site: Site, personal: bool) -> None:
    """As from a socket of the file system."""
    token, uses = personal_token(site) if personal else site.tokens()["access_token"], site.environment.uses
    nowhere = Request({"type": "http", "headers": [], "client": None})

    async def check() -> Caller:
        return await module.token_verifier(site.environment)(token, nowhere)

    assert asyncio.run(check()).user.username == "alice"
    assert uses.addresses == {}
    if personal:
        assert list(uses.personal.values()) == [(site.clock.now(), None)]
    else:
        assert list(uses.families.values()) == [site.clock.now()]


@pytest.mark.parametrize("personal", [False, True])
@pytest.mark.parametrize(
    ("cookie", "enabled", "ends"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_s129_only_the_session_that_came_along_ends_and_only_where_the_property_says_so(
    site_under: SiteFactory, cookie: bool, enabled: bool, ends: bool, personal: bool
) -> None:
    site = site_under(invalidate_session_enabled=enabled)
    alice, carol = site.signed_in("alice"), site.signed_in("bob")
    token = personal_token(site) if personal else site.tokens()["access_token"]
    caller = alice if cookie else site.new_browser()
    caller.get("/rest/api/user/current", headers={"Authorization": f"Bearer {token}"})
    page = "/plugins/servlet/oauth2/authorized-applications"
    assert (alice.get(page).status_code == 302) is ends
    assert carol.get(page).status_code != 302


def test_a_server_that_takes_no_tokens_says_so(site_under: SiteFactory) -> None:
    site = site_under(enable_access_tokens=False)
    answer = site.bearer(site.tokens()["access_token"])
    assert answer.status_code == 401
    assert 'error_description="This server does not accept access tokens."' in answer.headers["www-authenticate"]


def test_log_and_inspector_hear_of_the_cause(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    logged, noted = captured(monkeypatch, module), list[type[Exception]]()
    monkeypatch.setattr(module, "note_cause", lambda _request, error: noted.append(type(error)))
    post(site, "token", form("token"))
    assert noted == [RefreshTokenUnknown]
    assert logged == [
        {
            "event": "token request refused",
            "cause": "RefreshTokenUnknown",
            "detail": "not a refresh token of this server",
            "log_level": "info",
        }
    ]
