"""Clients whose callback sends the browser on to another origin, as most do after they have exchanged the code.

Chromium holds every redirect that follows a form to the form's page (``form-action``), the client's own too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import fresh_page
from tests.support.server import RunningServer


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler], name: str) -> Iterator[str]:
    """The origin of a small server under that name of this computer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield f"http://{name}:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _Application(_Quiet):
    def do_GET(self) -> None:
        body = b"<!doctype html><html lang=en><link rel=icon href='data:,'><title>The application</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def application() -> Iterator[str]:
    """Where the client's people work: a third origin, and another site."""
    with _listening(_Application, "localhost") as origin:
        yield origin


@pytest.fixture(scope="module")
def callback(application: str) -> Iterator[str]:
    """The client's redirection URI, a second origin, which sends the browser on with what it was told."""

    class Callback(_Quiet):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("location", f"{application}/app?{urlsplit(self.path).query}")
            self.send_header("content-length", "0")
            self.end_headers()

    with _listening(Callback, "127.0.0.1") as origin:
        yield f"{origin}/callback"


def _ask(page: Page, server: RunningServer, callback: str, **more: str) -> None:
    query = {
        "client_id": server.clients[0].client_id,
        "redirect_uri": callback,
        "response_type": "code",
        "scope": "READ",
        "state": "xyz",
        **more,
    }
    page.goto(f"{server.base_url}/rest/oauth2/latest/authorize?{urlencode(query)}")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("alice")
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.parametrize(("button", "told"), [("Allow", "code=[0-9a-f]+"), ("Deny", "error=access_denied")])
def test_s007_an_answer_gets_through_a_client_that_redirects_on(
    dev_server: RunningServer, page: Page, application: str, callback: str, button: str, told: str
) -> None:
    _ask(page, dev_server, callback)
    page.get_by_role("button", name=button).click()
    expect(page).to_have_url(re.compile(rf"^{re.escape(application)}/app\?{told}&state=xyz"))
    expect(page).to_have_title("The application")


def test_s007_an_error_after_sign_in_gets_through_too(
    dev_server: RunningServer, page: Page, application: str, callback: str
) -> None:
    _ask(page, dev_server, callback, response_type="token")
    expect(page).to_have_url(re.compile(rf"^{re.escape(application)}/app\?error=unsupported_response_type"))
    expect(page).to_have_title("The application")


# ---- why the policy names schemes (docs/decisions/0050) -----------------------------------------------------


@contextmanager
def _asking(form_action: str, status: int, answer: dict[str, str]) -> Iterator[str]:
    """A page that asks as ours does, with a policy and an answer of one's choice."""

    class Question(_Quiet):
        def do_GET(self) -> None:
            self._answer(200, {}, b"<form method=post><button>Allow</button></form>")

        def do_POST(self) -> None:
            self._answer(status, answer, b"")

        def _answer(self, status: int, headers: dict[str, str], form: bytes) -> None:
            body = b"<!doctype html><html lang=en><link rel=icon href='data:,'><title>The question</title>" + form
            policy = f"default-src 'none'; img-src data:; form-action {form_action}"
            fixed = {"content-type": "text/html", "content-security-policy": policy}
            self.send_response(status)
            for name, value in {**fixed, "content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with _listening(Question, "127.0.0.1") as origin:
        yield origin


def test_s007_naming_the_client_s_origin_stops_whoever_redirects_on_after_the_code_was_used(
    browser: Browser, callback: str
) -> None:
    """If this fails, Chromium has changed: the policy can name the origin, as the specification would like it."""
    origin = callback.removesuffix("/callback")
    with (
        _asking(f"'self' {origin}", 303, {"location": f"{callback}?code=1"}) as question,
        fresh_page(browser, expected=("form-action",)) as page,
    ):
        page.goto(question)
        with (
            page.expect_console_message(lambda message: "form-action" in message.text),
            page.expect_request(f"{callback}?code=1"),
        ):
            page.get_by_role("button", name="Allow").click(no_wait_after=True)
        expect(page).to_have_title("The question")


@pytest.mark.parametrize("by", ["redirect", "refresh"])
def test_s007_a_page_that_refreshes_to_the_client_would_get_through_but_not_as_what_the_user_did(
    page: Page, callback: str, by: str
) -> None:
    """The other way to hold the policy to the origin: it costs the click, which browsers ask for to open programs."""
    to = f"{callback}?code=1"
    form_action, status, answer = {
        "redirect": ("'self' http:", 303, {"location": to}),
        "refresh": ("'self'", 200, {"refresh": f"0;url={to}"}),
    }[by]
    with _asking(form_action, status, answer) as question:
        page.goto(question)
        with page.expect_request(to) as asked:
            page.get_by_role("button", name="Allow").click(no_wait_after=True)
        expect(page).to_have_title("The application")
        assert asked.value.all_headers().get("sec-fetch-user") == ("?1" if by == "redirect" else None)
