"""The page of everything that can act for somebody: applications, tokens of their own, browsers."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from lxml import html
from starlette.testclient import TestClient

from tests.http.app import URI, App
from tests.http.audit.test_trail import trail
from tests.http.authorize.test_remembered_consent import remember, unasked
from tests.http.conftest import Site, SiteFactory
from tests.http.pat.test_personal_tokens import make, works
from watersmeet.oauth2.profile import Profile
from watersmeet.users.http_password import prove_again
from watersmeet.users.signin import change_password

AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"
RIGHT = {"name": "Nightly export", "scope": "READ", "days": "30", "password": "alice"}


def _post(browser: TestClient, path: str = AUTHORIZED, **fields: str) -> httpx.Response:
    tokens = re.findall(r'name="form_token" value="(\w+)"', browser.get(AUTHORIZED).text)
    answer: httpx.Response = browser.post(path, data={"form_token": tokens[-1], **fields})
    return answer


def _make(browser: TestClient, **fields: str) -> httpx.Response:
    return _post(browser, f"{AUTHORIZED}/tokens", **(RIGHT | fields))


def _text(page: httpx.Response) -> str:
    return " ".join(html.fromstring(page.content).text_content().split())


def _raw(page: httpx.Response) -> str:
    [found] = re.findall(r"wmpat_[0-9a-f]{64}", page.text)
    return str(found)


def test_a_token_is_made_with_the_password_and_shown_once(site: Site) -> None:
    alice = site.signed_in("alice")
    answer = _make(alice)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "The token is ready" in answer.text
    token = _raw(answer)
    assert works(site, token)
    refused = site.new_browser().post("/rest/api/content", headers={"Authorization": f"Bearer {token}"}, json={})
    assert refused.status_code == 403, "for reading only"
    again = alice.get(AUTHORIZED)
    assert "wmpat_" not in again.text
    assert "Nightly export View your content 15 January 2027 not yet 14 February 2027 Revoke" in _text(again)
    assert "Nightly export" not in site.signed_in("bob").get(AUTHORIZED).text
    created = trail(site)[-2]
    assert (created.event, created.actor, created.address) == ("personal-token.created", "alice", "127.0.0.1")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"password": "wrong"}, "The password is wrong. No token was made."),
        ({"password": ""}, "The password is wrong. No token was made."),
        ({"name": ""}, "1 to 80 visible characters"),
        ({"name": "evil\u202e"}, "1 to 80 visible characters"),
        ({"days": "366"}, "within 1 to 365 days"),
        ({"days": "0"}, "within 1 to 365 days"),
        ({"days": "soon"}, "within 1 to 365 days"),
        ({"days": "9" * 5000}, "within 1 to 365 days"),
        ({"scope": "ALL"}, "Choose one of the permissions."),
    ],
)
def test_what_is_wrong_is_explained_and_nothing_typed_is_lost(site: Site, fields: dict[str, str], says: str) -> None:
    alice = site.signed_in("alice")
    answer = _make(alice, **fields)
    assert answer.status_code == 400
    assert says in _text(answer)
    assert "wmpat_" not in answer.text
    page = html.fromstring(answer.content)
    assert page.xpath("//input[@id='name']/@value") == [fields.get("name", "Nightly export")]
    assert page.xpath("//input[@id='days']/@value") == [fields.get("days", "30")]
    assert page.xpath("//input[@type='radio'][@checked]/@value") == ([] if "scope" in fields else ["READ"])
    assert page.xpath("//details[@open]//input[@id='password'][not(@value)]"), "only the password is to be typed again"
    assert page.xpath("//title")[0].text.startswith("No token was made")


def test_s054_its_forms_carry_a_token_of_the_session(site: Site) -> None:
    alice = site.signed_in("alice")
    for path in (AUTHORIZED, f"{AUTHORIZED}/tokens"):
        assert alice.post(path, data={"form_token": "x", **RIGHT}).status_code == 403
        assert site.client.post(path, data=RIGHT).headers["location"].startswith("/login.action?")
        cross = {"Sec-Fetch-Site": "cross-site"}
        token = re.findall(r'name="form_token" value="(\w+)"', alice.get(AUTHORIZED).text)[-1]
        assert alice.post(path, data={"form_token": token, **RIGHT}, headers=cross).status_code == 403
    assert "Nightly export" not in alice.get(AUTHORIZED).text


def test_s067_who_proved_it_before_a_new_password_makes_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def prove_and_lose(*arguments: Any) -> Any:
        proven = await prove_again(*arguments)
        await site.environment.database.write(
            lambda tx: change_password(tx, "alice", "$argon2id$other", site.clock.now())
        )
        return proven

    monkeypatch.setattr("watersmeet.links.http_authorized.prove_again", prove_and_lose)
    answer = _make(site.signed_in("alice"))
    assert answer.headers["location"].startswith("/login.action?")
    assert [entry.event for entry in trail(site)].count("personal-token.created") == 0


def test_each_token_can_be_revoked_and_nobody_else_s(site: Site) -> None:
    mine, other, hers = make(site), make(site, name="Another"), make(site, "bob")
    alice = site.signed_in("alice")
    for wrong in (str(hers["id"]), "x", "-1", "9" * 40, "²"):
        assert _post(alice, token=wrong).status_code == 303
    answer = _post(alice, token=str(mine["id"]))
    assert answer.headers["location"] == f"{AUTHORIZED}?done=token"
    assert "refused with the next call" in alice.get(answer.headers["location"]).text
    assert [works(site, each["rawToken"]) for each in (mine, other, hers)] == [False, True, True]
    make(site, name="A third")
    assert "All 2 tokens stop working at once." in alice.get(AUTHORIZED).text
    _post(alice, all="tokens")
    assert [works(site, each["rawToken"]) for each in (mine, other, hers)] == [False, False, True]


def test_browsers_are_listed_and_signed_out(site: Site) -> None:
    here, there = site.signed_in("alice"), site.signed_in("alice")
    page = here.get(AUTHORIZED)
    assert _text(page).count("this browser") == 1
    [session] = re.findall(r'name="session" value="([0-9a-f]{16})"', page.text)
    assert _post(here, session=session).headers["location"] == f"{AUTHORIZED}?done=session"
    assert there.get(AUTHORIZED).status_code == 302
    assert here.get(AUTHORIZED).status_code == 200
    assert trail(site)[-1].event == "session.ended"
    others = [site.signed_in("alice") for _ in range(2)]
    assert "Sign out everywhere else" in here.get(AUTHORIZED).text
    _post(here, session="others")
    assert [browser.get(AUTHORIZED).status_code for browser in (*others, here)] == [302, 302, 200]
    assert "Sign out everywhere else" not in here.get(AUTHORIZED).text


def test_everything_can_be_ended_but_this_browser(site_under: SiteFactory) -> None:
    site = site_under(remember_consent_days=30)
    token, access = make(site)["rawToken"], site.tokens("alice")["access_token"]
    hers, her_access = make(site, "bob")["rawToken"], site.tokens("bob")["access_token"]
    app = App(site, Profile.STRICT)
    remember(app)
    here = site.signed_in("alice")
    assert "End everything" in here.get(AUTHORIZED).text
    assert _post(here, all="everything").headers["location"] == f"{AUTHORIZED}?done=everything"
    assert [works(site, each) for each in (token, access, hers, her_access)] == [False, False, True, True]
    assert app.browser.get(AUTHORIZED).status_code == 302, "signed out elsewhere"
    app.browser = here
    assert unasked(app) is None
    page = here.get(AUTHORIZED)
    assert "End everything" not in page.text
    assert "No application can act for you." in page.text


def test_an_application_that_need_not_ask_is_listed_without_a_grant(site_under: SiteFactory) -> None:
    site = site_under(remember_consent_days=30)
    app = App(site, Profile.STRICT)
    remember(app, scope="WRITE")
    shown = _text(app.browser.get(AUTHORIZED))
    assert "Without asking until 14 February 2027." in shown
    assert "Create, change and delete content" in shown
    assert f"App {Profile.STRICT.value}" in shown
    answer = _post(app.browser, ask_again=app.client_id)
    assert answer.headers["location"] == f"{AUTHORIZED}?done=ask"
    after = app.browser.get(answer.headers["location"])
    assert "asks you again the next time" in after.text
    assert "Without asking" not in after.text
    assert unasked(app) is None
    assert URI not in after.text


def test_guides_for_data_center_lead_to_the_tokens(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    answer = site.client.get("/confluence/plugins/personalaccesstokens/usertokens.action")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/confluence{AUTHORIZED}#tokens")


def test_switched_off_it_says_so(site_under: SiteFactory) -> None:
    site = site_under(personal_token_max_days=0)
    site.signed_in("alice")  # elsewhere, so that the page has a form
    alice = site.signed_in("alice")
    assert "switched off" in alice.get(AUTHORIZED).text
    assert _make(alice).status_code == 400


def test_the_page_with_much_on_it_stays_light(site_under: SiteFactory) -> None:
    site = site_under(remember_consent_days=30)
    for number in range(3):
        make(site, name=f"A script with a name of some length {number}")
        site.signed_in("alice")
    app = App(site, Profile.STRICT)
    remember(app)
    site.tokens("alice")
    page = app.browser.get(AUTHORIZED, headers={"Accept-Language": "de"})
    files = re.findall(r'(?:href|src)="(/[^"]*static/[^"]+)"', page.text)
    assert "wieder fragen" in page.text
    assert len(page.content) + sum(len(app.browser.get(address).content) for address in set(files)) <= 30_000
