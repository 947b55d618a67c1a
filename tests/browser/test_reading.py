"""Reading in a real browser: the way in, what people wrote under the policy of our pages, and what axe-core says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import axe_violations
from tests.support.browser import fresh_page
from tests.support.client import token_of
from tests.support.server import RunningServer

Screenshot = Callable[[Page, str], Path]

_STATES = {"Grey": "Idea", "Blue": "Planned", "Purple": "Begun", "Yellow": "At risk", "Red": "Late", "Green": "Done"}
_STORY = (
    '<ac:structured-macro ac:name="toc" /><h2>Before you begin</h2>'
    '<p>Read <ac:link><ri:page ri:content-title="Asking for a token" /></ac:link> first, and not '
    '<ac:link><ri:page ri:content-title="A page that was never written" /></ac:link>. Ask '
    '<ac:link><ri:user ri:username="admin" /></ac:link>, or '
    '<a href="https://elsewhere.example/">somebody elsewhere</a>.</p>'
    '<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">Good to know</ac:parameter>'
    "<ac:rich-text-body><p>A panel, as people use them.</p></ac:rich-text-body></ac:structured-macro>"
    + "".join(
        f'<ac:structured-macro ac:name="{kind}"><ac:rich-text-body><p>One to {kind}.</p></ac:rich-text-body>'
        "</ac:structured-macro>"
        for kind in ("tip", "note", "warning")
    )
    + "<h2>Steps</h2><ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status>"
    "<ac:task-body>Register the link</ac:task-body></ac:task><ac:task><ac:task-id>2</ac:task-id>"
    "<ac:task-status>incomplete</ac:task-status><ac:task-body>Rotate its secret on "
    '<time datetime="2026-12-01" /></ac:task-body></ac:task></ac:task-list>'
    "<table><tbody><tr><th>Scope</th><th>State</th></tr><tr><td>READ</td><td>"
    + "".join(
        f'<ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">{colour}</ac:parameter>'
        f'<ac:parameter ac:name="title">{word}</ac:parameter></ac:structured-macro> '
        for colour, word in _STATES.items()
    )
    + "</td></tr></tbody></table>"
    '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">sh</ac:parameter><ac:plain-text-body>'
    "<![CDATA[curl -H 'Authorization: Bearer …' https://wiki.example/rest/api/content]]></ac:plain-text-body>"
    "</ac:structured-macro>"
    '<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">Why?</ac:parameter><ac:rich-text-body>'
    "<p>Because it is written here.</p></ac:rich-text-body></ac:structured-macro>"
)
_HOSTILE = (
    '<script>document.title = "taken"</script><p style="position: fixed; top: 0" onclick="alert(1)">styled</p>'
    '<div class="notice problem" role="alert">Sign in again</div><img src="https://elsewhere.example/x.png" alt="x" />'
)


@dataclass(frozen=True)
class Shelf:
    """Contents to read, and how they were written."""

    server: RunningServer
    token: str

    def write(self, **content: Any) -> dict[str, Any]:
        url = f"{self.server.base_url}/rest/api/content"
        answer = httpx.post(url, json=content, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def page(self, title: str, storage: str) -> dict[str, Any]:
        return self.write(type="page", title=title, space={"key": "DEMO"}, body=_body(storage))

    def address(self, content: dict[str, Any]) -> str:
        return self.server.base_url + str(content["_links"]["webui"])


def _body(storage: str) -> dict[str, Any]:
    return {"storage": {"value": storage, "representation": "storage"}}


@pytest.fixture(scope="module")
def shelf(dev_server: RunningServer) -> Shelf:
    return Shelf(dev_server, token_of(dev_server))


@pytest.fixture(scope="module")
def story(shelf: Shelf) -> dict[str, Any]:
    """A page with everything around it."""
    made = shelf.page("Rolling out a client", _STORY)
    url = f"{shelf.server.base_url}/rest/api/content/{made['id']}"
    headers = {"Authorization": f"Bearer {shelf.token}"}
    change = {"type": "page", "title": made["title"], "version": {"number": 2, "message": "Steps added"}}
    httpx.put(url, json=change | {"body": _body(_STORY)}, headers=headers).raise_for_status()
    httpx.post(f"{url}/label", json=[{"name": "rollout"}, {"name": "oauth"}], headers=headers).raise_for_status()
    child = {"type": "page", "title": "Rolling it back", "space": {"key": "DEMO"}, "ancestors": [{"id": made["id"]}]}
    shelf.write(**child, body=_body("<p>Back.</p>"))
    container = {"id": made["id"], "type": "page"}
    first = shelf.write(type="comment", container=container, body=_body("<p>When is the second step due?</p>"))
    shelf.write(type="comment", container=container, body=_body("<p>In December.</p>"), ancestors=[{"id": first["id"]}])
    return made


def _sign_in(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(username)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_from_a_link_by_way_of_signing_in_to_an_old_version(
    shelf: Shelf, story: dict[str, Any], page: Page, screenshot: Screenshot
) -> None:
    page.goto(shelf.server.base_url + story["_links"]["tinyui"])
    _sign_in(page, "alice")
    expect(page).to_have_url(shelf.address(story))
    expect(page.get_by_role("heading", level=1)).to_have_text("Rolling out a client")
    page.set_viewport_size({"width": 1024, "height": 1500})
    screenshot(page, "reading")
    page.get_by_role("link", name="Steps", exact=True).click()
    expect(page).to_have_url(re.compile("#h-2$"))
    page.get_by_text("Why?").click()
    expect(page.get_by_text("Because it is written here.")).to_be_visible()
    page.get_by_role("link", name="history").click()
    expect(page.get_by_text("Steps added")).to_be_visible()
    screenshot(page, "reading-history")
    page.get_by_role("link", name="Version 1").click()
    expect(page.get_by_text("which is not the present one")).to_be_visible()
    page.get_by_role("link", name="Read the present version").click()
    page.get_by_role("link", name="Asking for a token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Asking for a token")
    page.get_by_role("navigation", name="Where this page is").get_by_role(
        "link", name="Demonstration", exact=True
    ).click()
    expect(page.get_by_role("heading", name="Newest blog posts")).to_be_visible()
    screenshot(page, "reading-space")
    page.set_viewport_size({"width": 1024, "height": 500})
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Spaces").click()
    expect(page.get_by_role("link", name="Demonstration")).to_be_visible()
    screenshot(page, "reading-spaces")


def test_kinds_of_panels_and_states_differ_in_words_and_colours(
    shelf: Shelf, story: dict[str, Any], page: Page
) -> None:
    page.goto(shelf.address(story))
    _sign_in(page, "alice")
    panels = page.locator(".reading .confluence-information-macro")
    expect(panels).to_have_count(4)
    shown = "(all, part) => all.map((one) => getComputedStyle(one, part)[part ? 'content' : 'borderTopColor'])"
    assert panels.evaluate_all(shown, "::before") == ['"info"', '"tip"', '"note"', '"warning"']
    assert len(set(panels.evaluate_all(shown))) == 4
    states = page.locator(".reading .status-macro")
    assert states.all_text_contents() == list(_STATES.values())
    assert len(set(states.evaluate_all(shown))) == len(_STATES)


def test_what_people_wrote_stays_in_its_frame(shelf: Shelf, page: Page) -> None:
    """No script of theirs runs, nothing is loaded from elsewhere, and the policy has nothing to complain of."""
    made = shelf.page("Hostile", _HOSTILE + "<p>the end</p>")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(shelf.address(made))
    _sign_in(page, "alice")
    expect(page.get_by_text("the end")).to_be_visible()
    expect(page).to_have_title(re.compile("^Hostile"))
    assert all(url.startswith(shelf.server.base_url) for url in asked), asked
    assert page.get_by_role("alert").count() == 0
    frame, styled = page.locator(".reading").bounding_box(), page.get_by_text("styled").bounding_box()
    assert frame is not None
    assert styled is not None
    assert styled["y"] >= frame["y"]
    assert page.evaluate("getComputedStyle(document.querySelector('.reading div')).borderInlineStartWidth") == "0px"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1024), ("dark", 320)])
def test_no_page_of_reading_has_a_violation(
    shelf: Shelf, story: dict[str, Any], browser: Browser, scheme: str, width: int
) -> None:
    found = {}
    addresses = {
        "page": shelf.address(story),
        "old version": f"{shelf.address(story)}?version=1",
        "history": f"{shelf.server.base_url}/pages/viewpreviousversions.action?pageId={story['id']}",
        "space": f"{shelf.server.base_url}/display/DEMO",
        "nothing": f"{shelf.server.base_url}/display/DEMO/Nothing",
    }
    with fresh_page(browser, locale="de-DE" if width == 320 else "en-GB") as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(shelf.server.base_url + "/login.action")
        page.locator("input[name=username]").fill("alice")
        page.locator("input[name=password]").fill("alice")
        page.locator("main form[data-flow] button[type=submit]").first.click()
        page.locator("header .sign-out").wait_for()
        for name, address in addresses.items():
            page.goto(address)
            violations = axe_violations(page)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                violations.append("the page is wider than the screen (WCAG 1.4.10)")
            if violations:
                found[name] = violations
    assert found == {}
