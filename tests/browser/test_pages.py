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
from tests.support.server import RunningServer
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
    page.get_by_role("button", name="Sign in").click()


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
    page.get_by_role("button", name="Switch user").click()
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
    page.get_by_text("This includes 3 lesser permissions").click()
    expect(page.get_by_text("View your content")).to_be_visible()
    screenshot(page, "consent-administration")


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
    page.get_by_role("link", name="Create link").click()
    page.get_by_label("Name").fill("Wiki sync")
    page.get_by_label("Redirect URL").fill("http://evil.example/cb")
    page.get_by_role("radio", name="Create, change").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Use https")
    expect(page.get_by_label("Name")).to_have_value("Wiki sync")
    expect(page.get_by_role("radio", name="Create, change")).to_be_checked()
    screenshot(page, "link-form")
    page.get_by_label("Redirect URL").fill("https://sync.example.com/cb\nhttp://127.0.0.1/cb")
    page.get_by_role("button", name="Save").click()
    secret = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", page.locator("pre").inner_text())
    assert secret
    screenshot(page, "link-created")

    page.get_by_role("link", name="Incoming links").click()
    page.get_by_role("link", name="Wiki sync").click()
    assert secret[1] not in page.content()
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.locator("pre")).not_to_contain_text(secret[1])
    expect(page.locator("pre")).to_contain_text("CLIENT_SECRET=")

    page.get_by_label("Type the name to confirm").fill("Wiki sink")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("type its name exactly")
    page.get_by_label("Type the name to confirm").fill("Wiki sync")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Wiki sync")).to_have_count(0)


def test_removing_an_application_ends_its_access_on_the_next_call(
    dev_server: RunningServer, page: Page, screenshot: Screenshot
) -> None:
    page.goto(_authorize_url(dev_server, scope="READ"))
    _sign_in(page, "bob")
    page.get_by_role("button", name="Allow").click()
    tokens = _exchange(dev_server, _code(page)["code"]).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    resource = f"{dev_server.base_url}/rest/api/user/current"
    assert httpx.get(resource, headers=bearer).status_code == 200

    page.goto(f"{dev_server.base_url}/")
    page.get_by_role("navigation").get_by_role("link", name="Authorized applications").click()
    screenshot(page, "authorized-applications")
    page.get_by_role("button", name="Remove access of Demo application").click()
    expect(page.get_by_text("No application can act for you.")).to_be_visible()
    assert httpx.get(resource, headers=bearer).status_code == 401


def test_signing_out_needs_the_password_again(dev_server: RunningServer, page: Page) -> None:
    page.goto(f"{dev_server.base_url}/login.action")
    _sign_in(page, "alice")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{dev_server.base_url}/plugins/servlet/oauth2/authorized-applications")
    expect(page).to_have_title(re.compile("^Sign in"))
