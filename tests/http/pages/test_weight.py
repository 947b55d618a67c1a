"""How heavy the pages are, and what browsers may keep of them."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.http.conftest import Site
from tests.support.weight import BUDGET, loaded, weights
from watersmeet import demo
from watersmeet.web.language import LANGUAGES


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login.action",
        "/account",
        "/plugins/servlet/oauth2/authorized-applications",
        "/plugins/servlet/applinks/listApplicationLinks",
        "/plugins/servlet/applinks/incoming",
        f"/plugins/servlet/applinks/incoming/{demo.CLIENT_ID}",
        f"/plugins/servlet/applinks/incoming/{demo.CLIENT_ID}/edit",
        "/admin/audit",
        "/nothing",
        "/rest/oauth2/latest/authorize?client_id=x",
        "/spacedirectory/view.action",
        "/display/DEMO",
        "/display/DEMO/Asking+for+a+token",
        "/pages/viewpreviousversions.action?pageId=1",
        None,
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_weighs_at_most_30_kilobytes(site: Site, path: str | None, language: str) -> None:
    browser = site.new_browser() if path == "/login.action" else site.signed_in("admin")
    browser.headers["accept-language"] = language
    page = browser.get(path) if path else site.ask(browser, scope="SYSTEM_ADMIN")
    assert page.headers["content-language"] == language
    assert page.headers["content-type"].startswith("text/html")
    found = weights(page.text, lambda address: _file(browser, address))
    assert len(found) >= 7
    assert sum(found.values()) <= BUDGET, found


def _file(browser: TestClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    text: str = answer.text
    return text


def test_static_files_are_kept_under_a_fingerprint_and_only_there(site: Site) -> None:
    browser = site.client
    [style] = {address for address in loaded(browser.get("/login.action").text) if address.endswith(".css")}
    assert re.fullmatch(r"/static/[0-9a-f]{12}/watersmeet\.css", style)
    kept = browser.get(style)
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"].startswith("text/css")
    assert kept.headers["x-content-type-options"] == "nosniff"
    assert browser.get("/static/watersmeet.css").headers["cache-control"] == "no-store"
    assert browser.get("/static/0123456789ab/watersmeet.css").status_code == 404
    missing = browser.get(style.replace("watersmeet.css", "nothing.css"))
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    outside = browser.get(style.replace("watersmeet.css", "..%2F..%2Fapp.py"))
    assert outside.status_code == 404


@pytest.mark.parametrize("context_path", ["", "/confluence"])
def test_everything_a_page_names_is_there_under_any_path(site_under: object, context_path: str) -> None:
    site: Site = site_under(context_path)  # type: ignore[operator]
    browser = site.signed_in("admin")
    home = browser.get(site.path("/"))
    links = set(re.findall(r'href="([^"#]+)"', home.text))
    assert len(links) >= 5
    for address in links:
        assert browser.get(address).status_code == 200, address
