"""Every page does its work where no script runs, on a narrow screen too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from watersmeet.testing import Server


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A page of a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    context.set_default_timeout(20_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def _sign_in(page: Page, username: str, password: str | None = None) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password or username)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_an_administrator_works_with_links_and_the_audit_log(watersmeet_server: Server, plain: Page) -> None:
    plain.goto(watersmeet_server.base_url)
    plain.get_by_role("link", name="Sign in").click()
    _sign_in(plain, "admin", "wrong")
    expect(plain.get_by_role("alert")).to_contain_text("wrong")
    _sign_in(plain, "admin")
    plain.get_by_role("navigation").get_by_role("link", name="Incoming links").click()
    plain.get_by_role("link", name="Create link").click()
    plain.get_by_label("Name").fill("Plain")
    plain.get_by_label("Redirect URL").fill("http://plain.example/cb\nhttps://plain.example/#x")
    _press(plain, "Save")
    expect(plain.locator("#redirect_uris-findings li")).to_have_text([re.compile("Use https"), re.compile("fragment")])
    expect(plain.get_by_label("Redirect URL")).to_have_attribute("aria-invalid", "true")
    plain.get_by_label("Redirect URL").fill("https://plain.example/cb")
    _press(plain, "Save")
    expect(plain.get_by_label("For an .env file", exact=True)).to_contain_text("CLIENT_SECRET=")
    plain.get_by_label("Grace for refreshes").select_option("1")
    plain.locator("section", has_text="When an answer is lost").get_by_role("button", name="Save").click()
    expect(plain.get_by_label("Grace for refreshes")).to_have_value("1")
    _press(plain, "Allow introspection")
    _press(plain, "Take it back")
    plain.get_by_label("Hours for which the old secret works on").fill("0")
    _press(plain, "Make a new secret")
    expect(plain.get_by_text("There is a new secret.")).to_be_visible()
    expect(plain.get_by_text("An old secret")).to_have_count(0)  # it is over
    _press(plain, "Disable")
    _press(plain, "Enable")
    plain.get_by_role("link", name="Edit").click()
    plain.get_by_label("Last day").fill("2099-12-31")
    _press(plain, "Save")
    expect(plain.locator("dd", has_text="1 January 2100, 00:00 UTC")).to_be_visible()
    plain.get_by_label("Type the name to confirm").fill("Plain")
    _press(plain, "Delete")
    plain.get_by_role("navigation").get_by_role("link", name="Audit log").click()
    plain.get_by_label("Event", exact=True).fill("link")
    _press(plain, "Filter")
    expect(plain.get_by_role("region", name="Events")).to_contain_text("link.deleted")


def test_a_user_allows_removes_and_changes_the_account(watersmeet_server: Server, plain: Page) -> None:
    watersmeet_server.authorize(user="bob")
    plain.goto(f"{watersmeet_server.base_url}/plugins/servlet/oauth2/authorized-applications")
    _sign_in(plain, "bob")
    plain.get_by_role("button", name="Remove access of Demo application").click()
    expect(plain.get_by_text("No application can act for you.")).to_be_visible()
    plain.goto(f"{watersmeet_server.base_url}/account")
    plain.get_by_label("Display name").fill("Robert Example")
    _press(plain, "Save")
    expect(plain.get_by_role("banner")).to_contain_text("Robert Example")
    expect(plain.locator("time").first).to_contain_text("UTC")  # in the reader's zone where scripts run
    plain.goto(f"{watersmeet_server.base_url}/rest/oauth2/latest/authorize?client_id=nobody")
    expect(plain.get_by_label("Details for the developer", exact=True)).to_contain_text("parameter: client_id")
    plain.goto(f"{watersmeet_server.base_url}/account")
    _press(plain, "Sign out")
    plain.goto(f"{watersmeet_server.base_url}/account")
    expect(plain).to_have_title(re.compile("^Sign in"))
