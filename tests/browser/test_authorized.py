"""What can act for somebody, in a real browser: making and ending tokens, remembered consent, ending everything."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.support.axe import axe_violations
from tests.support.browser import fresh_page
from tests.support.flow import callback_url
from tests.support.in_process import running_in_process
from tests.support.server import RunningServer
from watersmeet.demo import CHALLENGE

Screenshot = Callable[[Page, str], Path]

AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"
APP = "https://app.example/cb"


def _sign_in(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(username)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _status_of(server: RunningServer, token: str) -> int:
    return httpx.get(
        f"{server.base_url}/rest/api/user/current", headers={"Authorization": f"Bearer {token}"}
    ).status_code


def _make_token(page: Page, name: str, password: str) -> None:
    page.get_by_text("Make a token").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Days until it expires").fill("7")
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name="Make the token").click()


def _grant(server: RunningServer, username: str) -> None:
    """Somebody authorizes the demo application."""
    client = server.clients[0]
    query = {"client_id": client.client_id, "redirect_uri": client.redirect_uris[0], "response_type": "code"}
    address = f"{server.base_url}/rest/oauth2/latest/authorize?{urlencode({**query, 'scope': 'READ'})}"
    code = parse_qs(urlsplit(callback_url(address, client.redirect_uris[0], username)).query)["code"][0]
    secret = {"client_id": client.client_id, "client_secret": client.client_secret}
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uris[0]}
    httpx.post(f"{server.base_url}/rest/oauth2/latest/token", data=secret | exchange).raise_for_status()


def test_a_token_s_life_on_the_page(dev_server: RunningServer, page: Page, screenshot: Screenshot) -> None:
    _grant(dev_server, "viewer")
    page.goto(f"{dev_server.base_url}/plugins/personalaccesstokens/usertokens.action")
    _sign_in(page, "viewer")
    expect(page).to_have_url(re.compile(rf"{AUTHORIZED}$"))
    _make_token(page, "Nightly export", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("The password is wrong. No token was made.")
    expect(page).to_have_title(re.compile("^No token was made"))
    expect(page.get_by_label("Name")).to_have_value("Nightly export")
    page.get_by_label("Your password").fill("viewer")
    page.get_by_role("button", name="Make the token").click()
    shown = page.locator("figure.copyable pre")
    expect(shown).to_have_text(re.compile(r"^wmpat_[0-9a-f]{64}$"))
    expect(page.get_by_role("button", name="Copy: Nightly export")).to_be_visible()
    token = shown.inner_text()
    assert _status_of(dev_server, token) == 200

    page.goto(dev_server.base_url + AUTHORIZED)
    expect(page.locator("figure.copyable")).to_have_count(0)
    screenshot(page, "authorized-applications")
    page.get_by_role("button", name="Revoke Nightly export").click()
    expect(page.get_by_role("status").first).to_contain_text("refused with the next call")
    expect(page.get_by_text("Nightly export")).to_have_count(0)
    assert _status_of(dev_server, token) == 401


def test_without_javascript_in_the_dark_in_german_on_a_narrow_screen(
    dev_server: RunningServer, browser: Browser
) -> None:
    context = browser.new_context(
        java_script_enabled=False, color_scheme="dark", viewport={"width": 320, "height": 800}, locale="de-DE"
    )
    with contextlib.closing(context):
        page = context.new_page()
        page.goto(dev_server.base_url + AUTHORIZED)
        page.get_by_label("Benutzername").fill("viewer")
        page.get_by_label("Passwort").fill("viewer")
        page.get_by_role("button", name="Anmelden", exact=True).click()
        page.get_by_text("Ein Token erstellen").click()
        page.get_by_label("Name").fill("Sicherung")
        page.get_by_label("Ihr Passwort").fill("viewer")
        button = page.get_by_role("button", name="Token erstellen", exact=True)
        box = button.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 320
        button.click()
        token = page.locator("figure.copyable pre").inner_text()
        assert _status_of(dev_server, token) == 200
        page.get_by_role("button", name="Sicherung widerrufen").click()
        expect(page.get_by_role("status").first).to_contain_text("Widerrufen")
        assert _status_of(dev_server, token) == 401


def test_the_keyboard_alone_makes_a_token(dev_server: RunningServer, page: Page) -> None:
    page.goto(dev_server.base_url + AUTHORIZED)
    _sign_in(page, "viewer")
    summary = page.locator("summary", has_text="Make a token")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # from reading to writing
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your password")).to_be_focused()
    page.keyboard.type("viewer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The token is ready.")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="By keyboard")
    expect(row).to_contain_text("Create, change and delete content")
    page.get_by_role("button", name="Revoke By keyboard").click()


def test_everything_ends_at_once_but_this_browser(dev_server: RunningServer, browser: Browser, page: Page) -> None:
    page.goto(dev_server.base_url + AUTHORIZED)
    _sign_in(page, "viewer")
    with fresh_page(browser) as other:
        other.goto(f"{dev_server.base_url}/account")
        _sign_in(other, "viewer")
        expect(other.get_by_role("heading", name="Profile")).to_be_visible()
        _make_token(page, "Lost with the device", "viewer")
        token = page.locator("figure.copyable pre").inner_text()
        page.get_by_text("Everything at once").click()
        page.get_by_role("button", name="End everything").click()
        expect(page.get_by_role("status").first).to_contain_text("Everything has ended but this browser.")
        assert _status_of(dev_server, token) == 401
        other.reload()
        expect(other).to_have_title(re.compile("^Sign in"))


# ---- remembered consent -----------------------------------------------------------------------------------


@pytest.fixture
def remembering(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server whose operator lets consent be remembered, and the client ID of an application on another server."""
    with running_in_process(tmp_path, remember_consent_days=30) as (base_url, _):
        with httpx.Client(base_url=base_url) as admin:
            form = _fields(admin.get("/login.action").text) | {"username": "admin", "password": "admin"}
            admin.post("/login.action", data=form)
            new = "/plugins/servlet/applinks/incoming"
            form = {"form_token": _form_token(admin.get(new).text), "name": "Wiki sync", "redirect_uris": APP}
            made = admin.post(new, data=form | {"scope": "WRITE", "type": "confidential", "profile": "strict"})
        [client_id] = {*re.findall(r"<code>([0-9a-f]{32})</code>", made.text)}
        yield base_url, client_id


def _form_token(page: str) -> str:
    return str(re.findall(r'name="form_token" value="(\w+)"', page)[-1])


def _fields(page: str) -> dict[str, str]:
    return {"form_token": _form_token(page), "os_destination": "/"}


def _question(client_id: str, scope: str = "WRITE", **more: str) -> str:
    query = {"client_id": client_id, "redirect_uri": APP, "response_type": "code", "scope": scope, "state": "xyz"}
    query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", **more}
    return f"/rest/oauth2/latest/authorize?{urlencode(query)}"


def _told(tab: Page, act: Callable[[], object]) -> str:
    """The code that the application is sent to fetch. It is on no computer that could answer, so the tab is closed."""
    with tab.expect_request(re.compile(r"^https://app\.example/cb\?")) as sent, contextlib.suppress(PlaywrightError):
        act()
    code = parse_qs(urlsplit(sent.value.url).query)["code"][0]
    tab.close()
    return code


_NOBODY_THERE = (r"net::ERR_(NAME_NOT_RESOLVED|INTERNET_DISCONNECTED|FAILED|ADDRESS_UNREACHABLE|CONNECTION)",)


def _remember(page: Page, address: str, screenshot: Callable[[Page], object] = lambda _: None) -> str:
    """Sign in, allow, and choose not to be asked again; the code."""
    page.goto(address)
    _sign_in(page, "alice")
    box = page.get_by_label("Do not ask me again for 30 days")
    expect(box).not_to_be_checked()
    box.check()
    screenshot(page)
    return _told(page, page.get_by_role("button", name="Allow").click)


def test_who_chooses_so_is_not_asked_again_and_can_take_that_back(
    remembering: tuple[str, str], browser: Browser, screenshot: Screenshot
) -> None:
    base_url, client_id = remembering

    def look(page: Page) -> None:
        assert axe_violations(page) == []
        screenshot(page, "consent-remember")

    with fresh_page(browser, expected=_NOBODY_THERE) as page:
        people = page.context
        first = _remember(page, base_url + _question(client_id), look)
        tab = people.new_page()
        second = _told(tab, lambda: tab.goto(base_url + _question(client_id, "READ")))
        assert second != first, "less, without a question"
        tab = people.new_page()
        tab.goto(base_url + _question(client_id, prompt="consent"))
        expect(tab.get_by_role("button", name="Allow")).to_be_visible()

        tab.goto(base_url + AUTHORIZED)
        expect(tab.get_by_role("row").filter(has_text="Wiki sync")).to_contain_text("Without asking until")
        assert axe_violations(tab) == []
        tab.get_by_role("button", name="Wiki sync: ask me again").click()
        expect(tab.get_by_role("status").first).to_contain_text("asks you again the next time")
        tab.goto(base_url + _question(client_id))
        expect(tab.get_by_role("button", name="Allow")).to_be_visible()


def test_right_after_signing_in_it_goes_on_without_a_question(remembering: tuple[str, str], browser: Browser) -> None:
    """Chromium holds the redirects after the sign-in form to its form-action: the application is among them (S007)."""
    base_url, client_id = remembering
    with fresh_page(browser, expected=_NOBODY_THERE) as page:
        first = _remember(page, base_url + _question(client_id))
    with fresh_page(browser, expected=_NOBODY_THERE) as elsewhere:
        elsewhere.goto(base_url + _question(client_id))
        assert _told(elsewhere, lambda: _sign_in(elsewhere, "alice")) != first
