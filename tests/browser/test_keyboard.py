"""Whole journeys without a mouse: whatever has the focus can be seen (WCAG 2.1.1, 2.4.7, 2.4.11)."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.support.keyboard import press, tab_to, write
from watersmeet.testing import Server


@pytest.fixture(params=[1024, 320])
def page(page: Page, request: pytest.FixtureRequest) -> Page:
    page.set_viewport_size({"width": request.param, "height": 640})
    page.emulate_media(reduced_motion="reduce")
    return page


def _sign_in(page: Page, username: str) -> None:
    expect(page.get_by_label("User name")).to_be_focused()  # a moment after the page has loaded
    page.keyboard.type(username)
    write(page, page.get_by_label("Password"), username)
    page.keyboard.press("Enter")


def test_an_administrator_s_life_of_a_link(watersmeet_server: Server, page: Page) -> None:
    page.goto(f"{watersmeet_server.base_url}/plugins/servlet/applinks/listApplicationLinks")
    _sign_in(page, "admin")
    press(page, page.get_by_role("link", name="Create link"))
    write(page, page.get_by_label("Name"), "By keyboard")
    write(page, page.get_by_label("Redirect URL"), "https://keys.example/cb")
    tab_to(page, page.get_by_role("radio", name="View content"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Create, change")).to_be_checked()
    press(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("The link is ready.")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, page.get_by_role("button", name="Copy: Client secret"))
    expect(page.locator("#status")).to_have_text("Client secret: Copied")

    press(page, page.get_by_role("link", name="Edit"))
    write(page, page.get_by_label("Name"), "By keyboard only")
    press(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", level=1)).to_have_text("By keyboard only")
    press(page, page.get_by_role("button", name="Make a new secret"))
    expect(page.get_by_text("There is a new secret.")).to_be_visible()
    press(page, page.get_by_role("button", name="Disable"))
    press(page, page.get_by_role("button", name="Enable"))
    write(page, page.get_by_label("Type the name to confirm"), "By keyboard only")
    press(page, page.get_by_role("button", name="Delete"))
    expect(page).to_have_url(re.compile("listApplicationLinks$"))
    expect(page.get_by_role("link", name="By keyboard only")).to_have_count(0)


def test_an_application_is_allowed_and_removed(watersmeet_server: Server, page: Page) -> None:
    client = watersmeet_server.client
    asked = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "WRITE",
        "state": "s",
    }
    page.goto(f"{watersmeet_server.base_url}/rest/oauth2/latest/authorize?{urlencode(asked)}")
    _sign_in(page, "bob")
    press(page, page.locator("summary"))
    tab_to(page, page.get_by_role("radio", name="All of it"))
    page.keyboard.press("ArrowDown")
    press(page, page.get_by_role("button", name="Allow"))
    expect(page.get_by_role("heading", name="The code is here")).to_be_visible()
    tokens = watersmeet_server.authorize(user="bob")  # somewhere else, so that there is something to remove

    page.goto(watersmeet_server.base_url)
    press(page, page.get_by_role("navigation").get_by_role("link", name="Authorized applications"))
    press(page, page.get_by_role("button", name="Remove access of Demo application"))
    expect(page.get_by_text("No application can act for you.")).to_be_visible()
    assert watersmeet_server.request("GET", "/rest/api/content", headers=tokens.headers).status == 401


def test_a_developer_walks_through_the_playground_and_moves_the_clock(watersmeet_server: Server, page: Page) -> None:
    page.goto(f"{watersmeet_server.base_url}/_dev/playground")
    press(page, page.get_by_role("button", name="Start"))
    press(page, page.get_by_role("link", name="Go to sign-in and consent"))
    _sign_in(page, "alice")
    press(page, page.get_by_role("button", name="Allow"))
    press(page, page.get_by_role("button", name="Exchange the code"))
    expect(page.locator("#step-3 .status")).to_have_text("200")
    press(page, page.get_by_role("button", name="Write a page"))
    expect(page.locator("#step-4 .status")).to_have_text("403")
    press(page, page.locator("#step-4").get_by_role("link", name="What the server made of it"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("403")
    press(page, page.get_by_role("navigation").get_by_role("link", name="Panel"))
    press(page, page.get_by_role("button", name="+ 1 day"))
    expect(page.get_by_text("It is 1 d ahead of the system's.")).to_be_visible()
    press(page, page.get_by_label("Yes, forget what was done here"), "Space")
    press(page, page.get_by_role("button", name="Reset"))
    expect(page.get_by_text("It shows the system's time.")).to_be_visible()
