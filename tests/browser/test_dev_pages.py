"""The developer pages in a real browser: every button, without scripts too, on a narrow screen, in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import axe_violations
from tests.support.browser import fresh_page
from watersmeet.testing import Server

Screenshot = Callable[[Page, str], Path]
PATIENCE = 30_000  # ms; the machine may be busy


def _sign_in_and_allow(page: Page, username: str = "alice") -> None:
    page.get_by_role("link", name="Go to sign-in and consent").click()
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(username)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow").click()


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def _refusals(server: Server) -> None:
    """A few requests that tell a story."""
    tokens = server.authorize(user="alice", scope="READ")
    server.request("GET", "/rest/api/content?limit=2", headers=tokens.headers)
    page = {"type": "page", "title": "Minutes", "space": {"key": "DEMO"}}
    server.request("POST", "/rest/api/content", json=page, headers=tokens.headers)
    server.advance(tokens.expires_in + 12)
    server.request("GET", "/rest/api/content?limit=2", headers=tokens.headers)
    server.refresh(tokens)
    client = server.client
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    credentials = {"client_id": client.client_id, "client_secret": client.client_secret or ""}
    server.request("POST", "/rest/oauth2/latest/token", form=credentials | form)


@contextmanager
def _page_without_scripts(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1024, "height": 768})
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


# ---- panel --------------------------------------------------------------------------------------------------


def test_the_levers_of_the_panel(watersmeet_server: Server, page: Page, screenshot: Screenshot) -> None:
    page.goto(watersmeet_server.base_url)
    page.get_by_role("link", name="Developer pages").click()
    expect(page.get_by_text("It shows the system's time.")).to_be_visible()
    _press(page, "+ 1 hour")
    expect(page.get_by_role("status").filter(has_text="The clock was set.")).to_be_visible()
    expect(page.get_by_text("It is 1 h ahead of the system's.")).to_be_visible()
    page.get_by_label("Set it to (UTC)").fill("2031-02-03T04:05:06")
    _press(page, "Set")
    expect(page.locator(".big")).to_contain_text("3 Feb 2031, 04:05")  # the reader's zone is UTC here
    expect(page.locator(".big time")).to_have_attribute("datetime", re.compile("^2031-02-03T04:05"))
    page.get_by_label("Set it to (UTC)").fill("tomorrow")
    _press(page, "Set")
    expect(page.get_by_role("alert")).to_contain_text("between 1970 and 9999")
    expect(page).to_have_title(re.compile("^Problem"))
    _press(page, "System's time")
    expect(page.get_by_text("It shows the system's time.")).to_be_visible()

    page.get_by_label("What happens").select_option("status")
    page.get_by_label("How many times").fill("2")
    page.get_by_label("Retry-After, seconds").fill("3")
    _press(page, "Put it in force")
    expect(page.get_by_role("row", name="status 503")).to_contain_text("2 times")
    answer = watersmeet_server.request("GET", "/rest/api/content")
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    page.set_viewport_size({"width": 1024, "height": 1150})
    page.goto(f"{watersmeet_server.base_url}/_dev/")
    page.locator("summary").click()
    screenshot(page, "dev-panel")
    _press(page, "Clear the faults")
    expect(page.get_by_text("None: everything works.")).to_be_visible()
    assert watersmeet_server.request("GET", "/rest/api/content").status == 401


def test_a_reset_takes_a_confirmation(watersmeet_server: Server, page: Page) -> None:
    tokens = watersmeet_server.authorize()
    page.goto(f"{watersmeet_server.base_url}/_dev/")
    _press(page, "Reset")  # the browser itself asks for the tick
    assert watersmeet_server.request("GET", "/rest/api/content", headers=tokens.headers).status == 200
    page.get_by_label("Yes, forget what was done here").check()
    _press(page, "Reset")
    expect(page.get_by_role("status").filter(has_text="Everything is as it was at the start.")).to_be_visible()
    assert watersmeet_server.request("GET", "/rest/api/content", headers=tokens.headers).status == 401


# ---- playground ---------------------------------------------------------------------------------------------


def test_the_playground_by_every_button(watersmeet_server: Server, page: Page, screenshot: Screenshot) -> None:
    page.goto(f"{watersmeet_server.base_url}/_dev/")
    page.get_by_role("link", name="Playground", exact=True).click()
    screenshot(page, "dev-playground")
    page.get_by_role("checkbox", name="WRITE").check()
    _press(page, "Start")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("asks for READ, WRITE, with PKCE S256$"))
    _sign_in_and_allow(page)
    expect(page.locator("#step-2")).to_contain_text("The browser comes back with a code")
    _press(page, "Exchange the code")
    expect(page.locator("#step-3")).to_contain_text("200")
    for number, (button, status) in enumerate(
        [
            ("Read content", "200"),
            ("Write a page", "200"),
            ("Ask who I am", "200"),
            ("Refresh", "200"),
            ("Use the old refresh token again", "400"),
            ("Use the code again", "400"),
            ("Revoke", "200"),
        ],
        start=4,
    ):
        _press(page, button)
        expect(page.locator(f"#step-{number} .status")).to_have_text(status, timeout=PATIENCE)
    page.set_viewport_size({"width": 1024, "height": 1000})
    page.locator("#step-8").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('step-8').scrollIntoView()")
    screenshot(page, "dev-run")
    page.locator("#step-8").get_by_role("link", name="What the server made of it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("400")


def test_a_copy_button_copies_and_says_so(watersmeet_server: Server, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{watersmeet_server.base_url}/_dev/")
    copy = page.get_by_role("button", name="Copy: Back to the first state")
    copy.click()
    expect(copy).to_have_text("Copied")
    expect(page.locator("#status")).to_have_text("Back to the first state: Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"curl --json '{{}}' {watersmeet_server.base_url}/_dev/reset"


# ---- inspector ----------------------------------------------------------------------------------------------


def test_the_inspector_keeps_up_filters_and_pauses(
    watersmeet_server: Server, page: Page, screenshot: Screenshot
) -> None:
    _refusals(watersmeet_server)
    page.goto(f"{watersmeet_server.base_url}/_dev/requests?status=4xx&path=%2Frest")
    expect(page.get_by_label("Status")).to_have_value("4xx")
    rows = page.locator("#requests tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.last).to_contain_text("403: this route needs WRITE; the token has READ")
    screenshot(page, "dev-requests")

    watersmeet_server.request("GET", "/rest/api/content")
    expect(rows).to_have_count(4, timeout=PATIENCE)
    expect(page.locator("#status")).to_have_text(re.compile("new request"))
    expect(rows.first).to_contain_text("no access token came")

    _press(page, "Pause")
    watersmeet_server.request("GET", "/rest/api/content")
    with page.expect_response(re.compile("/_dev/requests"), timeout=PATIENCE):
        _press(page, "Go on")  # nothing was asked for meanwhile
    expect(rows).to_have_count(5, timeout=PATIENCE)

    page.get_by_label("Client, ID or name").fill("demo")
    _press(page, "Filter")
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("#count")).to_contain_text("requests")


def test_a_refused_request_in_full(watersmeet_server: Server, page: Page, screenshot: Screenshot) -> None:
    _refusals(watersmeet_server)
    page.goto(f"{watersmeet_server.base_url}/_dev/requests?status=403")
    page.get_by_role("link", name="POST /rest/api/content").click()
    expect(page).to_have_title(re.compile("^403 POST /rest/api/content"))
    expect(page.locator(".notice")).to_contain_text("this route needs WRITE; the token has READ")
    expect(page.get_by_text("POST /rest/api/content needs WRITE", exact=True)).to_be_visible()
    expect(page.get_by_label("As a pytest test", exact=True)).to_contain_text("def test_post_rest_api_content")
    expect(page.get_by_label(re.compile("^Body sent, 62 bytes"))).to_contain_text('"title": "Minutes"')
    page.set_viewport_size({"width": 1024, "height": 1100})
    screenshot(page, "dev-request")
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("link", name="Download the test").click()
    assert download.value.suggested_filename == "test_recorded.py"


# ---- everywhere ---------------------------------------------------------------------------------------------


def _paths(server: Server) -> list[str]:
    _refusals(server)
    number = server.requests(status="403")[0]["id"]
    return ["/_dev/", "/_dev/playground", "/_dev/requests", f"/_dev/requests/{number}"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1024), ("dark", 320)])
def test_axe_finds_no_violation(watersmeet_server: Server, browser: Browser, scheme: str, width: int) -> None:
    found = {}
    with fresh_page(browser) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{watersmeet_server.base_url}/_dev/requests")
        found["nothing yet"] = axe_violations(page)
        for path in [*_paths(watersmeet_server), "/_dev/callback?code=abc&state=x"]:
            page.goto(watersmeet_server.base_url + path)
            found[path] = axe_violations(page)
        page.goto(f"{watersmeet_server.base_url}/_dev/playground")
        _press(page, "Start")
        _sign_in_and_allow(page)
        _press(page, "Exchange the code")
        _press(page, "Write a page")
        expect(page.locator("#step-4 .status")).to_have_text("403")
        found["run"] = axe_violations(page)
    assert not any(found.values()), found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_does_not_scroll_sideways(watersmeet_server: Server, browser: Browser, scheme: str) -> None:
    watersmeet_server.fault("delay", path="/rest/api/a/rather/long/path/of/the/api/*")
    with fresh_page(browser) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": 320, "height": 640})
        for path in _paths(watersmeet_server):
            page.goto(watersmeet_server.base_url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            small = page.eval_on_selector_all(
                "main button, main select, main input:not([type=hidden])",
                "all => all.map(e => e.closest('label') ?? e)"
                ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 24).length",
            )
            assert small == 0, path
        page.goto(f"{watersmeet_server.base_url}/_dev/playground")
        _press(page, "Start")
        _sign_in_and_allow(page)
        _press(page, "Exchange the code")
        expect(page.locator("#step-3 .status")).to_have_text("200")
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_german_fits_a_phone(watersmeet_server: Server, browser: Browser) -> None:
    with fresh_page(browser, locale="de-DE", timezone_id="Asia/Tokyo") as page:
        page.set_viewport_size({"width": 320, "height": 640})
        words = ("Zurücksetzen", "Wer fragt, und wonach", "diese Route braucht WRITE", "Noch einmal senden")
        for path, word in zip(_paths(watersmeet_server), words, strict=True):
            page.goto(watersmeet_server.base_url + path)
            expect(page.locator("html")).to_have_attribute("lang", "de")
            expect(page.get_by_text(word).first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.goto(f"{watersmeet_server.base_url}/_dev/requests")
        expect(page.locator("#requests time").first).to_have_attribute("title", re.compile(r"^[\d:]{8} UTC$"))
        instant = page.locator("#requests time").first.get_attribute("datetime") or ""
        tokyo = datetime.fromisoformat(instant).astimezone(ZoneInfo("Asia/Tokyo"))
        expect(page.locator("#requests time").first).to_have_text(f"{tokyo:%H:%M:%S}")
        _press(page, "Anhalten")
        expect(page.locator("#status")).to_have_text("Aktualisierung angehalten")
        page.goto(f"{watersmeet_server.base_url}/_dev/playground")
        _press(page, "Beginnen")
        expect(page.locator("#step-1")).to_contain_text("Um Autorisierung bitten")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_everything_works_without_scripts(watersmeet_server: Server, browser: Browser) -> None:
    with _page_without_scripts(browser) as page:
        page.goto(f"{watersmeet_server.base_url}/_dev/")
        _press(page, "+ 1 day")
        expect(page.get_by_text("It is 1 d ahead of the system's.")).to_be_visible()
        page.get_by_label("What happens").select_option("delay")
        _press(page, "Put it in force")
        _press(page, "Clear the faults")
        page.get_by_role("link", name="Playground", exact=True).click()
        _press(page, "Start")
        _sign_in_and_allow(page, "bob")
        for button in ("Exchange the code", "Write a page", "Refresh", "Revoke"):
            _press(page, button)
        expect(page.locator("#step-4 .status")).to_have_text("403")
        page.get_by_role("link", name="Requests", exact=True).click()
        page.get_by_label("Status").select_option("4xx")
        _press(page, "Filter")
        page.get_by_role("link", name="POST /rest/api/content").click()
        expect(page.locator(".notice")).to_contain_text("this route needs WRITE")
        page.goto(f"{watersmeet_server.base_url}/_dev/")
        page.get_by_label("Yes, forget what was done here").check()
        _press(page, "Reset")
        expect(page.get_by_text("It shows the system's time.")).to_be_visible()


def test_the_keyboard_reaches_every_control_in_order(watersmeet_server: Server, page: Page) -> None:
    page.goto(f"{watersmeet_server.base_url}/_dev/")
    page.get_by_role("button", name="+ 1 minute").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="+ 1 hour")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is 1 h ahead of the system's.")).to_be_visible()
