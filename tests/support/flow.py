"""A browser's part of the flow over plain HTTP: sign in, answer the consent question, catch the redirect."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx
from lxml import html


def submit(browser: httpx.Client, page: httpx.Response, values: dict[str, str]) -> httpx.Response:
    """Fill in the page's main form and send it, hidden fields and all."""
    form = html.fromstring(page.content).xpath("//main//form[@data-flow]")[0]
    fields = {name: value or "" for name, value in form.form_values()}
    return browser.post(urljoin(str(page.url), form.get("action")), data=fields | values)


def follow(browser: httpx.Client, response: httpx.Response, until: str) -> httpx.Response:
    """Follow redirects, except the one that leaves for ``until``."""
    while response.is_redirect and not response.headers["location"].startswith(until):
        response = browser.get(urljoin(str(response.url), response.headers["location"]))
    return response


def callback_url(authorize_url: str, redirect_uri: str, username: str, decision: str = "allow") -> str:
    """Where the browser of a demo user ends up when it answers an authorization request."""
    with httpx.Client() as browser:
        page = follow(browser, browser.get(authorize_url), redirect_uri)
        if b'name="password"' in page.content:
            answer = submit(browser, page, {"username": username, "password": username})
            page = follow(browser, answer, redirect_uri)
        if b'name="decision"' in page.content:
            again = {"password": username} if b'name="password"' in page.content else {}
            page = submit(browser, page, {"decision": decision, **again})
        return page.headers["location"]
