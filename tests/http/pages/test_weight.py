"""How heavy the pages are, and what browsers may keep of them."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import httpx
import pytest
from starlette.testclient import TestClient

from tests.http.conftest import Site

BUDGET = 30_000  # bytes, with everything a page loads, uncompressed


def _loaded(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/[^"]*static/[^"]+)"', page)


def _weight(browser: TestClient, page: httpx.Response) -> dict[str, int]:
    """The bytes of a page and of all it loads, modules that are imported by modules included."""
    weights, ahead = {"the page": len(page.content)}, _loaded(page.text)
    while ahead:
        address = ahead.pop()
        if address not in weights:
            file = browser.get(address)
            assert file.status_code == 200, address
            weights[address] = len(file.content)
            if address.endswith(".js"):
                ahead += [
                    urljoin(address, name) for name in re.findall(r'^import .*?"(\./[^"]+)";$', file.text, re.MULTILINE)
                ]
    return weights


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login.action",
        "/account",
        "/plugins/servlet/oauth2/authorized-applications",
        "/plugins/servlet/applinks/listApplicationLinks",
        "/plugins/servlet/applinks/incoming",
        "/admin/audit",
        "/nothing",
        "/spacedirectory/view.action",
        "/display/DEMO",
        "/display/DEMO/Asking+for+a+token",
        "/pages/viewpreviousversions.action?pageId=1",
        None,
    ],
)
def test_a_page_weighs_at_most_30_kilobytes(site: Site, path: str | None) -> None:
    browser = site.new_browser() if path == "/login.action" else site.signed_in("admin")
    page = browser.get(path) if path else site.ask(browser, scope="SYSTEM_ADMIN")
    assert page.headers["content-type"].startswith("text/html")
    weights = _weight(browser, page)
    assert len(weights) >= 7
    assert sum(weights.values()) <= BUDGET, weights


def test_static_files_are_kept_under_a_fingerprint_and_only_there(site: Site) -> None:
    browser = site.client
    [style] = {address for address in _loaded(browser.get("/login.action").text) if address.endswith(".css")}
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
