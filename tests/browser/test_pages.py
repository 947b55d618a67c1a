"""People's way through the pages, in a real browser: the CSP, the redirects and the cookies are Chromium's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import fresh_page
from tests.support.in_process import running_in_process
from tests.support.server import RunningServer
from watersmeet import demo
from watersmeet.demo import CHALLENGE, VERIFIER

Screenshot = Callable[[Page, str], Path]


def _authorize_url(server: RunningServer, scope: str = "WRITE", state: str = "xyz", **more: str) -> str:
    client = server.clients[0]
    query = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "state": state,
        "scope": scope,
        **more,
    }
    return f"{server.base_url}/rest/oauth2/latest/authorize?{urlencode(query)}"


def _sign_in(page: Page, username: str, password: str | None = None) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password or username)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _code(page: Page) -> dict[str, str]:
    expect(page).to_have_url(re.compile(r"/_dev/callback\?"))
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def _exchange(server: RunningServer, code: str, **more: str) -> httpx.Response:
    client = server.clients[0]
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "redirect_uri": client.redirect_uris[0],
        "code": code,
        **more,
    }
    return httpx.post(f"{server.base_url}/rest/oauth2/latest/token", data=form)


@pytest.fixture(params=["", "/confluence"], ids=["root", "context-path"])
def server(request: pytest.FixtureRequest) -> RunningServer:
    name = "dev_server_under_context_path" if request.param else "dev_server"
    found: RunningServer = request.getfixturevalue(name)
    return found


def test_from_the_authorize_url_to_a_page_read_with_the_token(
    server: RunningServer, page: Page, screenshot: Screenshot
) -> None:
    state = 'a b+c&d=e#f%25"é'
    page.goto(_authorize_url(server, state=state, code_challenge=CHALLENGE, code_challenge_method="S256"))
    expect(page).to_have_title(re.compile("^Sign in"))
    screenshot(page, "sign-in")

    _sign_in(page, "alice", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("User name")).to_have_value("alice")
    _sign_in(page, "alice")

    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Demo application wants to read and change content as Alice Example (alice)")
    expect(page.locator(".address")).to_contain_text(urlsplit(server.base_url).netloc)
    expect(page.get_by_text("an app on this computer")).to_be_visible()
    if not urlsplit(server.base_url).path:
        screenshot(page, "consent")

    page.get_by_role("button", name="Allow").click()
    answer = _code(page)
    assert answer["state"] == state
    screenshot(page, "dev-callback")

    tokens = _exchange(server, answer["code"], code_verifier=VERIFIER).json()
    read = httpx.get(
        f"{server.base_url}/rest/api/content/", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert read.status_code == 200
    assert read.json()["results"]


def test_deny_tells_the_client(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, state="s1"))
    _sign_in(page, "bob")
    page.get_by_role("button", name="Deny").click()
    assert _code(page) == {"error": "access_denied", "state": "s1", "iss": dev_server.base_url}


def test_a_bad_redirect_uri_is_explained_and_goes_nowhere(
    dev_server: RunningServer, page: Page, screenshot: Screenshot
) -> None:
    page.goto(_authorize_url(dev_server, redirect_uri="https://evil.example/cb"))
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work")
    expect(page.locator("main code").first).to_have_text("redirect_uri")
    assert page.url.startswith(dev_server.base_url)
    screenshot(page, "error")


def test_switching_the_user_asks_the_other_user_the_same_question(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    _sign_in(page, "bob")
    page.get_by_role("button", name="Switch account").click()
    _sign_in(page, "viewer")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vera Viewer (viewer)")
    page.get_by_role("button", name="Allow").click()
    tokens = _exchange(dev_server, _code(page)["code"]).json()
    me = httpx.get(
        f"{dev_server.base_url}/rest/api/user/current",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert me.json()["username"] == "viewer"


def test_going_back_to_an_answered_question_is_friendly(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, state="once"))
    _sign_in(page, "alice")
    question = page.url
    page.get_by_role("button", name="Allow").click()
    _code(page)
    page.goto(question)
    expect(page.locator("main")).to_contain_text("has been answered")
    expect(page.get_by_role("button", name="Allow")).to_have_count(0)


def test_two_tabs_do_not_disturb_each_other(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, state="first"))
    _sign_in(page, "alice")
    other = page.context.new_page()
    other.goto(_authorize_url(dev_server, state="second"))
    page.get_by_role("button", name="Allow").click()
    other.get_by_role("button", name="Allow").click()
    assert _code(page)["state"] == "first"
    assert _code(other)["state"] == "second"


def test_the_keyboard_alone_is_enough(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    # Chromium gives the focus a moment after the page has loaded; keys typed before it go nowhere.
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("alice")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "allow":
            break
    page.keyboard.press("Enter")
    assert "code" in _code(page)


def test_administration_scopes_warn_and_say_what_the_user_lacks(
    dev_server: RunningServer, page: Page, screenshot: Screenshot
) -> None:
    page.goto(_authorize_url(dev_server, scope="SYSTEM_ADMIN"))
    _sign_in(page, "alice")
    expect(page.get_by_text("This is far-reaching.")).to_be_visible()
    expect(page.get_by_text("You do not have all of these rights yourself")).to_be_visible()
    page.set_viewport_size({"width": 1024, "height": 1180})
    screenshot(page, "consent-administration")
    page.get_by_text("This includes 3 lesser permissions").click()
    expect(page.get_by_text("View your content")).to_be_visible()

    # S068: not without the password, and not with a wrong one; the question stays open meanwhile.
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("alert")).to_contain_text("type your password")
    password = page.get_by_label("Your password, to allow it")
    expect(password).to_be_focused()
    password.fill("wrong")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("alert")).to_contain_text("The password is wrong")
    page.get_by_label("Your password, to allow it").fill("alice")
    page.get_by_role("button", name="Allow").click()
    assert _exchange(dev_server, _code(page)["code"]).json()["scope"] == "SYSTEM_ADMIN"


def test_less_can_be_allowed_than_was_asked(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="ADMIN"))
    _sign_in(page, "alice")
    page.get_by_text("This includes 2 lesser permissions").click()
    page.get_by_role("radio", name="View your content").check()
    expect(page.get_by_label("Your password, to allow it")).to_be_hidden()
    page.get_by_role("button", name="Allow").click()
    assert _exchange(dev_server, _code(page)["code"]).json()["scope"] == "READ"


def test_without_javascript_in_the_dark_and_on_a_narrow_screen(
    dev_server: RunningServer, browser: Browser, screenshot: Screenshot
) -> None:
    with fresh_page(browser) as plain:
        context = browser.new_context(
            java_script_enabled=False, color_scheme="dark", viewport={"width": 320, "height": 640}
        )
        page = context.new_page()
        page.goto(_authorize_url(dev_server, scope="READ"))
        _sign_in(page, "alice")
        allow = page.get_by_role("button", name="Allow")
        box = allow.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 320
        screenshot(page, "consent-narrow-dark")
        allow.click()
        assert "code" in _code(page)
        context.close()
        plain.close()


def test_an_administrator_s_life_of_a_link(dev_server: RunningServer, page: Page, screenshot: Screenshot) -> None:
    page.goto(f"{dev_server.base_url}/plugins/servlet/applinks/listApplicationLinks")
    _sign_in(page, "admin")
    screenshot(page, "links")
    page.goto(f"{dev_server.base_url}/")
    screenshot(page, "home")
    page.get_by_role("navigation").get_by_role("link", name="Incoming links").click()
    page.get_by_role("link", name="Create link").click()
    page.get_by_label("Name").fill("Wiki sync")
    page.get_by_label("Redirect URL").fill("http://evil.example/cb")
    # The server's own sentence, said while it is typed, before anything is saved.
    findings = page.locator("#redirect_uris-findings li")
    expect(findings).to_have_text(re.compile("^http://evil.example/cb Use https"))
    expect(page.get_by_label("Redirect URL")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#last_day-findings li")).to_have_count(0)  # nothing about what was not touched yet
    page.get_by_label("Redirect URL").fill("https://evil.example/cb")
    expect(findings).to_have_count(0)
    expect(page.get_by_label("Redirect URL")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Redirect URL").fill("http://evil.example/cb")
    page.get_by_role("radio", name="Create, change").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Use https")
    expect(page).to_have_title(re.compile("^Not saved"))
    expect(page.get_by_label("Name")).to_have_value("Wiki sync")
    expect(page.get_by_role("radio", name="Create, change")).to_be_checked()
    screenshot(page, "link-form")
    page.get_by_label("Redirect URL").fill("https://sync.example.com/cb\nhttp://127.0.0.1/cb")
    page.get_by_role("button", name="Save").click()
    settings = page.get_by_label("For an .env file", exact=True)
    secret = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", settings.inner_text())
    assert secret
    screenshot(page, "link-created")
    shown = page.get_by_label("Client secret", exact=True)
    expect(shown).to_be_visible()
    page.emulate_media(media="print")
    expect(shown).to_be_hidden()  # a secret is not for paper
    expect(settings).to_be_hidden()
    page.emulate_media(media="screen")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy: Client secret").click()
    expect(page.locator("#status")).to_have_text("Client secret: Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret[1]

    page.get_by_role("navigation").get_by_role("link", name="Incoming links").click()
    page.get_by_role("link", name="Wiki sync").click()
    assert secret[1] not in page.content()
    page.set_viewport_size({"width": 1024, "height": 1500})
    screenshot(page, "link")
    page.set_viewport_size({"width": 1024, "height": 768})
    page.get_by_role("button", name="Make a new secret").click()
    expect(settings).not_to_contain_text(secret[1])
    expect(settings).to_contain_text("CLIENT_SECRET=")

    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Disabled")
    page.get_by_role("link", name="Incoming links").first.click()
    page.get_by_role("searchbox").fill("sync.example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row", name="Wiki sync")).to_contain_text("Disabled")
    expect(page.get_by_role("link", name="Demo application")).to_have_count(0)
    screenshot(page, "links-search")
    page.get_by_role("link", name="Wiki sync").click()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="Disable")).to_be_visible()

    page.get_by_label("Type the name to confirm").fill("Wiki sink")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("type its name exactly")
    page.get_by_label("Type the name to confirm").fill("Wiki sync")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Wiki sync")).to_have_count(0)


def test_the_audit_log_says_who_did_what(dev_server: RunningServer, page: Page, screenshot: Screenshot) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    _sign_in(page, "admin")
    page.get_by_role("button", name="Allow").click()
    _exchange(dev_server, _code(page)["code"]).raise_for_status()
    page.goto(f"{dev_server.base_url}/")
    page.get_by_role("navigation").get_by_role("link", name="Audit log").click()
    page.get_by_label("User", exact=True).fill("admin")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row", name="consent.allowed").first).to_contain_text("Demo application")
    screenshot(page, "audit")
    page.get_by_label("Event", exact=True).fill("tokens")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row", name="tokens.issued").first).to_be_visible()
    expect(page.get_by_role("row", name="consent.allowed")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    text = download.value.path().read_text()
    assert "tokens.issued" in text
    assert "consent.allowed" not in text


def test_removing_an_application_ends_its_access_on_the_next_call(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    _sign_in(page, "bob")
    page.get_by_role("button", name="Allow").click()
    tokens = _exchange(dev_server, _code(page)["code"]).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    resource = f"{dev_server.base_url}/rest/api/user/current"
    assert httpx.get(resource, headers=bearer).status_code == 200

    page.goto(f"{dev_server.base_url}/")
    page.get_by_role("navigation").get_by_role("link", name="Authorized applications").click()
    page.get_by_role("button", name="Remove access of Demo application").click()
    expect(page.get_by_text("No application can act for you.")).to_be_visible()
    assert httpx.get(resource, headers=bearer).status_code == 401


def test_signing_out_needs_the_password_again(dev_server: RunningServer, page: Page) -> None:
    page.goto(f"{dev_server.base_url}/login.action")
    _sign_in(page, "alice")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{dev_server.base_url}/plugins/servlet/oauth2/authorized-applications")
    expect(page).to_have_title(re.compile("^Sign in"))


def test_an_error_reaches_the_client_right_after_sign_in(dev_server: RunningServer, page: Page) -> None:
    # Another origin: the policy of the sign-in page must let the redirect through (S007).
    elsewhere = "http://127.0.0.1:8091/callback"
    page.route(f"{elsewhere}*", lambda route: route.fulfill(body="the application"))
    page.goto(_authorize_url(dev_server, redirect_uri=elsewhere, response_type="token"))
    _sign_in(page, "alice")
    expect(page).to_have_url(re.compile(r"^http://127\.0\.0\.1:8091/callback\?error=unsupported_response_type"))


def test_a_demo_user_is_one_click_away(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    expect(page.get_by_text("to continue to Demo application")).to_be_visible()
    page.get_by_role("button", name="Vera Viewer").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vera Viewer (viewer)")


def test_the_password_can_be_looked_at_and_the_focus_is_not_lost(dev_server: RunningServer, page: Page) -> None:
    page.goto(f"{dev_server.base_url}/login.action")
    expect(page.get_by_label("User name")).to_be_focused()
    password = page.get_by_label("Password")
    password.fill("secret")
    page.get_by_role("button", name="Show").click()
    expect(password).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide").click()
    expect(password).to_have_attribute("type", "password")


def test_nothing_about_allow_is_easier_than_deny(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    _sign_in(page, "alice")
    deny, allow = page.get_by_role("button", name="Deny"), page.get_by_role("button", name="Allow")
    boxes = deny.bounding_box(), allow.bounding_box()
    assert boxes[0]
    assert boxes[1]
    assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert page.evaluate("[...document.querySelectorAll('[name=decision]')].map((button) => button.value)") == [
        "deny",
        "allow",
    ]


def test_the_back_button_leads_to_a_question_that_is_over(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, state="back"))
    _sign_in(page, "alice")
    page.get_by_role("button", name="Deny").click()
    _code(page)
    page.go_back()
    # Whether Chromium shows what it had or asks again: nothing can be allowed any more.
    allow = page.get_by_role("button", name="Allow")
    expect(allow.or_(page.get_by_label("Details for the developer", exact=True))).to_be_visible()
    if allow.count():
        allow.click()
    expect(page.locator("main")).to_contain_text("has been answered, has expired")
    expect(page.get_by_label("Details for the developer", exact=True)).to_contain_text("request: ")


def test_a_question_left_open_too_long_says_so(page: Page, tmp_path: Path) -> None:
    with running_in_process(tmp_path) as (base_url, clock):
        query = {
            "client_id": demo.CLIENT_ID,
            "redirect_uri": demo.redirect_uris(base_url)[0],
            "response_type": "code",
            "scope": "READ",
        }
        page.goto(f"{base_url}/rest/oauth2/latest/authorize?{urlencode(query)}")
        _sign_in(page, "alice")
        clock.advance(600)
        page.get_by_role("button", name="Allow").click()
        expect(page.locator("main")).to_contain_text("has expired")
        page.goto(f"{base_url}/rest/oauth2/latest/authorize?{urlencode(query)}")
        clock.advance(12 * 3600)
        page.get_by_role("button", name="Allow").click()  # the sign-in has ended meanwhile, too
        expect(page.locator("main")).to_contain_text("belongs to another sign-in")


def test_a_german_reader_is_answered_in_german(
    dev_server: RunningServer, browser: Browser, screenshot: Screenshot
) -> None:
    with fresh_page(browser, locale="de-DE", timezone_id="Europe/Berlin") as page:
        page.goto(_authorize_url(dev_server))
        expect(page.locator("html")).to_have_attribute("lang", "de")
        page.get_by_label("Benutzername").fill("alice")
        page.get_by_label("Passwort").fill("alice")
        page.get_by_role("button", name="Anmelden", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Demo application möchte als Alice Example (alice) Inhalte lesen und ändern"
        )
        screenshot(page, "consent-german")
        page.get_by_role("button", name="Erlauben").click()
        assert "code" in _code(page)


def test_times_are_the_reader_s_own(dev_server: RunningServer, browser: Browser) -> None:
    with fresh_page(browser, timezone_id="Asia/Tokyo") as page:
        page.goto(f"{dev_server.base_url}/login.action")
        page.get_by_role("button", name="Ada Admin").click()
        for path, exactness in (("/account", "short"), ("/admin/audit", "medium"), ("/_dev/", "medium")):
            page.goto(dev_server.base_url + path)
            time = page.locator("time").first
            expected = page.evaluate(
                "([instant, exactness]) => new Intl.DateTimeFormat('en-GB',"
                "{dateStyle: 'medium', timeStyle: exactness, timeZone: 'Asia/Tokyo'}).format(new Date(instant))",
                [time.get_attribute("datetime"), exactness],
            )
            expect(time).to_have_text(expected)
            expect(time).to_have_attribute("title", re.compile("UTC$"))


def test_the_account_page_changes_what_it_says(
    dev_server: RunningServer, browser: Browser, page: Page, screenshot: Screenshot
) -> None:
    page.goto(f"{dev_server.base_url}/account")
    _sign_in(page, "viewer")
    expect(page.get_by_text("this browser")).to_be_visible()
    screenshot(page, "account")
    with fresh_page(browser) as other:
        other.goto(f"{dev_server.base_url}/account")
        _sign_in(other, "viewer")
        expect(other.get_by_role("heading", name="Profile")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="Sign out everywhere else").click()
        expect(page.get_by_role("status").first).to_contain_text("Signed out there.")
        other.reload()
        expect(other).to_have_title(re.compile("^Sign in"))
    page.get_by_label("Display name").fill("Vera V. Viewer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("banner")).to_contain_text("Vera V. Viewer")
    page.get_by_label("Display name").fill("Vera Viewer")  # as the demo has it, for whoever comes next
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("banner")).to_contain_text("Vera Viewer")


def test_the_whole_way_by_keyboard_even_where_the_password_is_wanted(dev_server: RunningServer, page: Page) -> None:
    page.goto(_authorize_url(dev_server, scope="ADMIN"))
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("admin")
    page.keyboard.press("Enter")
    password = page.get_by_label("Your password, to allow it")
    expect(password).to_be_visible()
    _tab_to(page, "document.activeElement.id === 'password'")
    page.keyboard.type("admin")
    _tab_to(page, "document.activeElement.value === 'allow'")
    page.keyboard.press("Enter")
    assert "code" in _code(page)


def _tab_to(page: Page, condition: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        # Wherever the focus is, it can be seen (WCAG 2.4.11).
        assert page.evaluate("document.activeElement.getBoundingClientRect().height") > 0
        if page.evaluate(condition):
            return
    raise AssertionError(f"the keyboard does not get there: {condition}")
