"""How long tokens and grants live, for whom, and where it is told (S115, S122, note N9)."""

from __future__ import annotations

import re

import pytest

from tests.http.app import App
from tests.http.conftest import Site, SiteFactory
from watersmeet.confluence.scopes import Scope
from watersmeet.database import clients
from watersmeet.oauth2.profile import Profile

DAY = 86_400
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"
IDLE = "The refresh token was not used for too long; the user must authorize the application again."


def _refresh(app: App, refresh_token: str, **more: str) -> dict[str, object]:
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": app.client_id}
    body: dict[str, object] = app.post(fields | {"client_secret": app.secret or ""} | more).json()
    return body


def _tokens(app: App, **asked: str) -> dict[str, object]:
    body: dict[str, object] = app.post(app.parameters(app.code(**asked))).json()
    return body


def _administered(site: Site, profile: Profile) -> App:
    """An application that may have administration, at an administrator's."""
    app = App(site, profile)
    change = app.stored
    site.environment.database.write_now(
        lambda tx: clients.change(
            tx, change.id, name=change.name, scope=Scope.SYSTEM_ADMIN.as_set, uris=change.redirect_uris
        )
    )
    app.browser = site.signed_in("admin")
    return app


def test_s115_a_strict_client_s_grant_ends_after_30_days_without_a_refresh(site: Site) -> None:
    app = App(site, Profile.STRICT)
    unused, used = _tokens(app), _tokens(app)
    site.clock.advance(30 * DAY - 1)
    used = _refresh(app, str(used["refresh_token"]))
    site.clock.advance(1)
    refused = _refresh(app, str(unused["refresh_token"]))
    assert (refused["error"], refused["error_description"]) == ("invalid_grant", IDLE)
    assert "access_token" in _refresh(app, str(used["refresh_token"]))


def test_s115_a_legacy_client_s_lasts_as_the_original_s(site: Site) -> None:
    app = App(site, Profile.ATLASSIAN_DC)
    issued = _tokens(app)
    site.clock.advance(90 * DAY - 1)
    assert "access_token" in _refresh(app, str(issued["refresh_token"]))


def test_s115_a_legacy_client_s_ends_sooner_if_the_operator_says_so(site_under: SiteFactory) -> None:
    site = site_under(legacy_refresh_idle_days=2)
    app = App(site, Profile.ATLASSIAN_DC)
    issued = _tokens(app)
    site.clock.advance(2 * DAY)
    assert _refresh(app, str(issued["refresh_token"]))["error_description"] == IDLE


def test_s115_where_no_legacy_is_allowed_every_grant_ends_as_a_strict_one_s(site_under: SiteFactory) -> None:
    # The clock of these tests starts on 15 January 2027, 08:00 UTC.
    site = site_under(legacy_profile_until="2027-02-20", refresh_idle_days=10)
    app = App(site, Profile.ATLASSIAN_DC)
    issued = _tokens(app)
    site.clock.advance(30 * DAY)
    issued = _refresh(app, str(issued["refresh_token"]))
    assert "Demo" not in (page := site.signed_in("alice").get(AUTHORIZED).text)
    assert "App atlassian-dc" in page
    site.clock.advance(10 * DAY)
    assert _refresh(app, str(issued["refresh_token"]))["error_description"] == IDLE
    assert "App atlassian-dc" not in site.signed_in("alice").get(AUTHORIZED).text


def test_s115_pages_say_when_a_grant_ends_without_use(site: Site) -> None:
    app, lenient = App(site, Profile.STRICT), App(site, Profile.ATLASSIAN_DC)
    question = "It ends after 30 days without use."
    for each, says in ((app, True), (lenient, False)):
        page = each.browser.get(each.ask(code_challenge="A" * 43, code_challenge_method="S256").headers["location"])
        assert (question in page.text) is says
        link = site.signed_in("admin").get(f"/plugins/servlet/applinks/incoming/{each.client_id}").text
        assert ("end after 30 days without use" in link) is says
    for each in (app, lenient):
        _tokens(each)
    rows = re.findall(r'<th scope="row">App ([^<]*)</th>.*?data-label="Expires">(.*?)</td>', _one_line(app, AUTHORIZED))
    shown = {name: " ".join(re.sub("<[^>]*>", " ", cell).split()) for name, cell in rows}
    assert shown == {"atlassian-dc": "15 April 2027", "strict": "15 April 2027 14 February 2027 if it is not used"}
    site.clock.advance(30 * DAY)
    app.browser = site.signed_in("alice")
    assert "App strict" not in _one_line(app, AUTHORIZED)
    assert "App atlassian-dc" in _one_line(app, AUTHORIZED)
    counted = re.findall(
        r'class="number">(\d+)<', site.signed_in("admin").get("/plugins/servlet/applinks/listApplicationLinks").text
    )
    assert counted.count("1") == 2, "one person and one grant, of the one that holds"


def _one_line(app: App, path: str) -> str:
    page: str = app.browser.get(path).text
    return page.replace("\n", " ")


def test_s122_administration_is_for_a_quarter_of_an_hour(site: Site) -> None:
    strict = _administered(site, Profile.STRICT)
    issued = _tokens(strict, scope="SYSTEM_ADMIN")
    assert issued["expires_in"] == 900
    assert _refresh(strict, str(issued["refresh_token"]), scope="WRITE")["expires_in"] == 3600
    assert _tokens(strict, scope="WRITE")["expires_in"] == 3600
    introspected = strict.site.new_browser().post(
        "/rest/oauth2/latest/introspect",
        data={
            "token": str((admin := _tokens(strict, scope="ADMIN"))["access_token"]),
            "client_id": strict.client_id,
            "client_secret": strict.secret,
        },
    )
    assert introspected.json()["exp"] == int(str(admin["created_at"])) + 900
    site.clock.advance(899.999)
    assert site.bearer(str(admin["access_token"])).status_code == 200
    site.clock.advance(0.001)
    assert site.bearer(str(admin["access_token"])).status_code == 401
    assert _tokens(_administered(site, Profile.ATLASSIAN_DC), scope="ADMIN")["expires_in"] == 3600
    page = site.signed_in("admin").get(f"/plugins/servlet/applinks/incoming/{strict.client_id}").text
    assert "those for administration for 15 minutes" in page


@pytest.mark.parametrize(
    ("settings", "lifetime"),
    [
        ({"admin_token_minutes": 0}, 3600),
        ({"admin_token_minutes": 2}, 120),
        ({"access_token_expiration_seconds": 60}, 60),
    ],
)
def test_s122_the_quarter_of_an_hour_is_a_setting_that_never_makes_longer(
    site_under: SiteFactory, settings: dict[str, int], lifetime: int
) -> None:
    app = _administered(site_under(**settings), Profile.STRICT)
    assert _tokens(app, scope="ADMIN")["expires_in"] == lifetime
