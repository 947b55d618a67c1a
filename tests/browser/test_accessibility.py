"""axe-core finds no violation of WCAG 2.2 A and AA, on any page, in light and in dark, wide and at 320 px."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.support.axe import axe_violations
from tests.support.browser import fresh_page
from tests.support.flow import callback_url
from tests.support.server import RunningServer

Screenshot = Callable[[Page, str], Path]

_LINKS = "/plugins/servlet/applinks/listApplicationLinks"
_LINK = "/plugins/servlet/applinks/incoming"
_AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


def _authorize(server: RunningServer, scope: str, **more: str) -> str:
    client = server.clients[0]
    query = {"client_id": client.client_id, "redirect_uri": client.redirect_uris[0], "response_type": "code"}
    return f"/rest/oauth2/latest/authorize?{urlencode({**query, 'scope': scope, **more})}"


def _pages(server: RunningServer, page: Page) -> Iterator[str]:
    """Go through every page, as one person after the other; what each is called."""
    page.goto(server.base_url + "/")
    yield "home, nobody signed in"
    page.goto(server.base_url + _authorize(server, "READ", redirect_uri="https://evil.example/"))
    yield "error"
    page.goto(server.base_url + _authorize(server, "WRITE"))
    yield "sign-in"
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("alert").wait_for()
    yield "sign-in failed"
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow").wait_for()
    yield "consent"
    page.goto(server.base_url + _authorize(server, "SYSTEM_ADMIN"))
    page.locator("summary").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("alert").wait_for()
    yield "consent to administration, the password missing"
    for path, name in (("/", "home"), (_LINKS, "links"), (_LINKS + "?q=nothing", "no link"), (_LINK, "link form"),
                       (f"{_LINK}/{server.clients[0].client_id}", "link"), (_AUTHORIZED, "authorized"),
                       ("/admin/audit", "audit log"), ("/admin/audit?since=x", "audit log, not searched"),
                       ("/account", "account"), ("/account?done=password", "password changed"),
                       ("/nothing", "nothing there")):  # fmt: skip
        page.goto(server.base_url + path)
        yield name
    page.goto(server.base_url + _AUTHORIZED)
    page.get_by_text("Make a token").click()
    page.get_by_label("Name").fill("Checked by axe")
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_role("alert").wait_for()
    yield "no token made"
    page.get_by_label("Your password").fill("admin")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_text("The token is ready.").wait_for()
    for summary in page.locator("summary").all():
        summary.click()
    yield "token made"
    page.get_by_role("button", name="Revoke Checked by axe").first.click()
    page.get_by_role("status").first.wait_for()
    yield "token revoked"
    page.goto(server.base_url + _LINK)
    page.get_by_label("Name").fill("Checked by axe")
    page.get_by_label("Redirect URL").fill("http://a.example/cb")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    yield "link form, something wrong"
    page.get_by_label("Redirect URL").fill("https://a.example/cb")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The link is ready.").wait_for()
    yield "link created"
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("button", name="Enable").wait_for()
    yield "link disabled"
    page.get_by_label("Type the name to confirm").fill("Checked by axe")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"**{_LINKS}")


@pytest.fixture(scope="module")
def server_in_use(dev_server: RunningServer) -> RunningServer:
    """A server where somebody has authorized something, so that no list is empty."""
    client = dev_server.clients[0]
    answer = callback_url(dev_server.base_url + _authorize(dev_server, "WRITE"), client.redirect_uris[0], "admin")
    code = httpx.URL(answer).params["code"]
    credentials = {"client_id": client.client_id, "client_secret": client.client_secret}
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uris[0]}
    httpx.post(f"{dev_server.base_url}/rest/oauth2/latest/token", data=credentials | exchange).raise_for_status()
    return dev_server


@pytest.mark.parametrize(("scheme", "width"), [("light", 1024), ("dark", 320)])
def test_no_page_has_a_violation(server_in_use: RunningServer, browser: Browser, scheme: str, width: int) -> None:
    found = {}
    with fresh_page(browser) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        for name in _pages(server_in_use, page):
            violations = axe_violations(page)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                violations.append("the page is wider than the screen (WCAG 1.4.10)")
            if violations:
                found[name] = violations
    assert found == {}


@pytest.mark.parametrize("width", [320, 360])
def test_german_fits_a_phone(dev_server: RunningServer, browser: Browser, width: int) -> None:
    """WCAG 1.4.10 with the longer words: the consent page, and the sign-in page with the demo's people."""
    new = {"name": f"Neu {width}", "redirect_uris": dev_server.clients[0].redirect_uris, "scope": "SYSTEM_ADMIN"}
    made = httpx.post(f"{dev_server.base_url}/_dev/clients", json=new).raise_for_status().json()
    with fresh_page(browser, locale="de-DE") as page:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(dev_server.base_url + _authorize(dev_server, "SYSTEM_ADMIN", client_id=made["client_id"]))
        page.get_by_text("liest nur den Bereich DEMO").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Ada Admin").click()
        page.get_by_text("Sie haben diese Anwendung noch nie benutzt").wait_for()
        page.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


_CLIPPED = """[...document.querySelectorAll(".scroll")]
    .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)"""


@pytest.mark.parametrize("width", [320, 800, 1004])  # 1004: just wide enough for a table
def test_no_table_hides_what_it_offers(server_in_use: RunningServer, browser: Browser, width: int) -> None:
    """With the longer words of German and the longest names, all of a row is seen without scrolling the table."""
    long = {
        "name": f"Donaudampfschifffahrtsgesellschaftskapitän{'s' * 30} {width}",
        "redirect_uris": [f"https://{'a' * 60}.synchronisation.example.com/callback"],
        "scope": "SYSTEM_ADMIN",
    }
    httpx.post(f"{server_in_use.base_url}/_dev/clients", json=long).raise_for_status()
    with fresh_page(browser, locale="de-DE") as page, fresh_page(browser, locale="de-DE") as elsewhere:
        for each in (elsewhere, page):  # two sessions: one of them can be ended
            each.goto(server_in_use.base_url + "/login.action")
            each.get_by_role("button", name="Ada Admin").click()
            each.get_by_role("button", name="Abmelden").first.wait_for()
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/account", _AUTHORIZED, _LINKS, "/admin/audit"):
            page.goto(server_in_use.base_url + path)
            page.locator(".scroll tbody tr").first.wait_for()
            assert page.evaluate(_CLIPPED) == [], path


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.set_content("<html><title>x</title><body><img src=x><p style='color:#aaa'>pale</p></body></html>")
    assert {violation.split(":")[0] for violation in axe_violations(page)} >= {"image-alt", "color-contrast"}


def test_forced_colours_keep_every_control_visible(dev_server: RunningServer, browser: Browser) -> None:
    with fresh_page(browser) as page:
        page.emulate_media(forced_colors="active")
        page.goto(dev_server.base_url + "/login.action")
        for control in (page.get_by_label("User name"), page.get_by_role("button", name="Sign in", exact=True)):
            border = control.evaluate("(element) => getComputedStyle(element).borderTopWidth")
            assert border != "0px"
        page.get_by_role("button", name="Ada Admin").click()
        page.get_by_role("button", name="Sign out").wait_for()
        for path in (_LINKS, _LINK, f"{_LINK}/{dev_server.clients[0].client_id}", _AUTHORIZED, "/account",
                     "/admin/audit", "/_dev/", "/_dev/playground", "/_dev/requests"):  # fmt: skip
            page.goto(dev_server.base_url + path)
            bare = page.evaluate(
                """[...document.querySelectorAll("button:not(.link), .button, select, textarea, input")]
                .filter((each) => each.checkVisibility() && !["radio", "checkbox", "hidden"].includes(each.type))
                .filter((each) => getComputedStyle(each).borderTopWidth === "0px").map((each) => each.outerHTML)"""
            )
            assert bare == [], path


def test_every_target_is_large_enough(dev_server: RunningServer, page: Page) -> None:
    """WCAG 2.5.8: at least 24 by 24 CSS pixels, links within sentences excepted."""
    page.goto(dev_server.base_url + _authorize(dev_server, "SYSTEM_ADMIN"))
    page.get_by_role("button", name="Alice Example").click()
    page.locator("summary").click()
    small = page.evaluate(
        """[...document.querySelectorAll("button, input:not([type=hidden]):not([hidden]), summary, .site a")]
        .map((each) => [each.outerHTML, (each.closest("label") ?? each).getBoundingClientRect()])
        .filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)"""
    )
    assert small == []
