"""Consent that is remembered: chosen, narrow, taken back with everything else, and off unless the operator wants it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.http.app import URI, WITH_PKCE, App
from tests.http.audit.test_trail import trail
from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet.confluence.scopes import Scope
from watersmeet.database import consents
from watersmeet.links.credentials import disable_link, enable_link
from watersmeet.links.register import Registration, edit
from watersmeet.oauth2.profile import Legacy, Profile
from watersmeet.tokens.revoke import end_everything
from watersmeet.users.signin import change_password, disable_user, enable_user

AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"
CONSENT = "/plugins/servlet/oauth2/consent"
DAY = 86_400
TICK = 'name="remember"'


@pytest.fixture
def site(site_under: SiteFactory) -> Site:
    return site_under(remember_consent_days=30)


@pytest.fixture
def app(site: Site) -> App:
    return App(site, Profile.STRICT)


def question(app: App, **parameters: str | None) -> httpx.Response:
    """The consent page of a request; fails where nobody is asked."""
    onward = app.ask(**(WITH_PKCE | parameters)).headers["location"]
    assert onward.startswith(CONSENT), onward
    page: httpx.Response = app.browser.get(onward)
    return page


def unasked(app: App, **parameters: str | None) -> dict[str, str] | None:
    """What the client is told without anybody being asked; ``None`` where the question is asked."""
    onward = app.ask(**(WITH_PKCE | parameters))
    assert onward.status_code == 302, onward.text
    location = onward.headers["location"]
    return dict(parse_qsl(urlsplit(location).query)) if location.startswith(URI) else None


def allow(app: App, page: httpx.Response, **more: str) -> dict[str, str]:
    sent = app.browser.post(CONSENT, data={**form_of(page), "decision": "allow", "remember": "yes", **more})
    assert sent.status_code == 303, sent.text
    return dict(parse_qsl(urlsplit(sent.headers["location"]).query))


def remember(app: App, **parameters: str | None) -> None:
    page = question(app, **parameters)
    assert TICK in page.text
    assert "code" in allow(app, page)
    assert unasked(app, **parameters)


def run(site: Site, operation: Callable[[Any], object]) -> None:
    site.environment.database.write_now(operation)


def test_s057_who_wants_it_is_not_asked_again_for_the_same_or_less(app: App) -> None:
    page = question(app, scope="WRITE")
    assert re.search(r'<input type="checkbox" name="remember" value="yes"(?! checked)', page.text), "nobody chose yet"
    assert "Do not ask me again for 30 days" in page.text
    allow(app, page)
    for scope in ("WRITE", "READ"):
        told = unasked(app, scope=scope, state="a b%25")
        assert told
        assert (told["state"], told["iss"]) == ("a b%25", app.site.base_url)
        tokens = app.post(app.parameters(told["code"])).json()
        assert tokens["scope"] == scope


def test_whoever_does_not_tick_is_asked_again(app: App) -> None:
    allow(app, question(app), remember="")
    assert unasked(app) is None


@pytest.mark.parametrize("days", [0, 1])
def test_only_the_operator_allows_it_and_for_how_long(site_under: SiteFactory, days: int) -> None:
    app = App(site_under(remember_consent_days=days), Profile.STRICT)
    page = question(app)
    assert (TICK in page.text) == bool(days)
    allow(app, page)  # a forged tick remembers no more than the page offers
    assert bool(unasked(app)) == bool(days)
    app.site.clock.advance(DAY)
    app.browser = app.site.signed_in("alice")
    assert unasked(app) is None


def test_s057_it_ends_to_the_second(app: App) -> None:
    remember(app)
    app.site.clock.advance(30 * DAY - 1)
    app.browser = app.site.signed_in("alice")
    assert unasked(app)
    app.site.clock.advance(1)
    assert unasked(app) is None


def test_s057_more_is_asked(app: App) -> None:
    remember(app, scope="READ")
    assert unasked(app, scope="WRITE") is None
    assert unasked(app, scope="READ")
    allow(app, question(app, scope="WRITE"), granted_scope="READ")
    assert unasked(app, scope="WRITE") is None, "what was given is remembered, not what was asked"


def test_s057_at_another_of_its_addresses_it_asks(site: Site) -> None:
    app = App(site, Profile.STRICT)
    other = f"{URI}?other=1"
    run(site, lambda tx: edit(tx, app.client_id, _registration(uris=[URI, other]), site.clock.now()))
    remember(app)
    assert unasked(app, redirect_uri=other) is None


def _registration(
    *,
    name: str = "App strict",
    uris: list[str] | None = None,
    scope: Scope = Scope.WRITE,
    profile: Profile = Profile.STRICT,
) -> Registration:
    return Registration.check(name=name, redirect_uris=uris or [URI], scope=scope, allow_http=False, profile=profile)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Another name"}, {"uris": [URI, "https://app.example/more"]}, {"scope": Scope.READ},
        {"profile": Profile.ATLASSIAN_DC},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_s057_a_client_that_changed_asks_even_when_it_is_changed_back(app: App, changed: dict[str, Any]) -> None:
    remember(app)
    site, now = app.site, app.site.clock.now()
    run(site, lambda tx: edit(tx, app.client_id, _registration(**changed), now))
    assert unasked(app) is None
    run(site, lambda tx: edit(tx, app.client_id, _registration(), now))
    assert unasked(app) is None


def test_saving_a_link_as_it_is_changes_nothing(app: App) -> None:
    remember(app)
    run(app.site, lambda tx: edit(tx, app.client_id, _registration(), app.site.clock.now()))
    assert unasked(app)
    app.change(may_introspect=True)
    assert unasked(app) is None


@pytest.mark.parametrize(
    ("uri", "confidential"),
    [
        (URI, False),
        ("http://127.0.0.1:7000/cb", True), ("https://127.0.0.1:7000/cb", True), ("http://localhost/cb", True),
        ("https://[::1]/cb", True), ("com.example.app:/cb", True),
    ],
)  # fmt: skip
def test_s056_never_for_who_could_be_impersonated(site: Site, uri: str, confidential: bool) -> None:
    made = site.register("Device", [uri], confidential=confidential, profile=Profile.STRICT)
    browser = site.signed_in("alice")
    for _ in range(2):
        sent = browser.get(site.authorize_path(client_id=made.client.client_id, redirect_uri=uri, **WITH_PKCE))
        page = browser.get(sent.headers["location"])
        assert TICK not in page.text
        fields = {**form_of(page), "decision": "allow", "remember": "yes"}
        assert browser.post(CONSENT, data=fields).headers["location"].startswith(uri)
    assert site.environment.database.read_now(lambda tx: consents.list_of(tx, 1, site.clock.now())) == []


def test_s068_never_administration(site: Site) -> None:
    made = site.register("Admin tool", [URI], scope="SYSTEM_ADMIN", profile=Profile.STRICT)
    browser = site.signed_in("admin")
    asked = site.authorize_path(client_id=made.client.client_id, redirect_uri=URI, scope="ADMIN", **WITH_PKCE)
    for granted in ("ADMIN", "WRITE"):
        page = browser.get(browser.get(asked).headers["location"])
        assert TICK not in page.text
        fields = {
            **form_of(page),
            "decision": "allow",
            "remember": "yes",
            "password": "admin",
            "granted_scope": granted,
        }
        assert browser.post(CONSENT, data=fields).headers["location"].startswith(URI)
    assert browser.get(asked).headers["location"].startswith(CONSENT)


def test_a_request_that_anybody_could_have_forged_is_shown(site: Site) -> None:
    app = App(site, Profile.ATLASSIAN_DC)
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    remember(app, **without)
    page = question(app, **without, state=None)
    assert TICK not in page.text
    allow(app, page)
    assert unasked(app, **without, state=None) is None
    assert unasked(app, **without)


@pytest.mark.parametrize("prompt", ["consent", "login", "select_account", "login consent"])
def test_a_client_can_insist(app: App, prompt: str) -> None:
    remember(app)
    assert unasked(app, prompt=prompt) is None
    assert unasked(app, prompt="none")


def test_the_switch_over_all_profiles_makes_it_another_client(site_under: SiteFactory) -> None:
    site = site_under(remember_consent_days=30, legacy_profile_until="2027-01-20")
    app = App(site, Profile.ATLASSIAN_DC)
    remember(app)
    site.clock.advance(5 * DAY)
    app.browser = site.signed_in("alice")
    assert unasked(app) is None


def test_it_is_each_users_own(app: App) -> None:
    remember(app)
    app.browser = app.site.signed_in("bob")
    assert unasked(app) is None


def test_whoever_denies_is_asked_again(app: App) -> None:
    remember(app)
    fields = {**form_of(question(app, prompt="consent")), "decision": "deny"}
    assert "access_denied" in app.browser.post(CONSENT, data=fields).headers["location"]
    assert unasked(app) is None


def _removed(app: App) -> None:
    _post(app, client_id=app.client_id)


def _everything_removed(app: App) -> None:
    _post(app, all="yes")


def _asked_again(app: App) -> None:
    _post(app, ask_again=app.client_id)


def _post(app: App, **fields: str) -> None:
    token = re.findall(r'name="form_token" value="(\w+)"', app.browser.get(AUTHORIZED).text)[-1]
    assert app.browser.post(AUTHORIZED, data={"form_token": token, **fields}).status_code == 303


def _password_changed(app: App) -> None:
    run(app.site, lambda tx: change_password(tx, "alice", "$argon2id$other", app.site.clock.now()))


def _disabled_and_enabled(app: App) -> None:
    for change in (disable_user, enable_user):
        run(app.site, lambda tx, change=change: change(tx, "alice", app.site.clock.now()))  # type: ignore[misc]


def _link_disabled_and_enabled(app: App) -> None:
    for change in (disable_link, enable_link):
        run(app.site, lambda tx, change=change: change(tx, app.stored, app.site.clock.now()))  # type: ignore[misc]


def _everything_ended(app: App) -> None:
    run(app.site, lambda tx: end_everything(tx, app.site.clock.now()))


@pytest.mark.parametrize(
    "end",
    [
        _removed, _everything_removed, _asked_again, _password_changed, _disabled_and_enabled,
        _link_disabled_and_enabled, _everything_ended,
    ],
)  # fmt: skip
def test_s067_s070_s117_it_ends_with_what_ends_access(app: App, end: Callable[[App], None]) -> None:
    remember(app)
    end(app)
    listed = app.site.environment.database.read_now(lambda tx: consents.list_of(tx, 2, app.site.clock.now()))
    assert listed == []
    now = app.site.clock.now()
    assert not app.site.environment.database.read_now(lambda tx: consents.any_expired(tx, now + 31 * DAY * 1000))


def test_asking_again_leaves_what_was_given(app: App) -> None:
    told = allow(app, question(app))
    token = app.post(app.parameters(told["code"])).json()["access_token"]
    _asked_again(app)
    assert app.site.bearer(token).status_code == 200
    assert unasked(app) is None
    _asked_again(app)  # there is nothing left to forget
    assert [entry.event for entry in trail(app.site)].count("consent.forgotten") == 1


def test_s150_it_is_written_down(app: App) -> None:
    remember(app, scope="WRITE")
    allowed, reused = (entry for entry in trail(app.site) if entry.event.startswith("consent."))
    end = app.site.clock.now() + 30 * DAY * 1000
    host = {"redirect_host": "app.example"}
    assert (allowed.event, allowed.detail) == ("consent.allowed", {"scope": "WRITE", **host, "remembered_until": end})
    assert (reused.event, reused.detail) == ("consent.reused", {"scope": "WRITE", **host})
    assert (reused.actor, reused.client_id) == ("alice", app.client_id)
    _asked_again(app)
    assert trail(app.site)[-1].event == "consent.forgotten"


def test_what_the_client_may_no_longer_do_is_refused_before_anything_is_remembered(site: Site) -> None:
    app = App(site, Profile.ATLASSIAN_DC)
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    remember(app, **without)
    app.change(refuse=[Legacy.NO_PKCE])
    assert app.refusal(**without) == "invalid_request"


def test_expired_ones_are_swept(app: App) -> None:
    remember(app)
    database, now = app.site.environment.database, app.site.clock.now() + 31 * DAY * 1000
    assert database.write_now(lambda tx: consents.prune(tx, now, 20)) == 1
    assert not database.read_now(lambda tx: consents.any_expired(tx, now))
