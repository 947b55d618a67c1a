"""NUL in a form, a query or a path is refused on both engines: PostgreSQL takes it in no parameter (S024)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.http.conftest import SECRET, START, HandClock, Site, form_of
from watersmeet import demo
from watersmeet.app import create_app
from watersmeet.database.engine import Database
from watersmeet.settings import Settings


@pytest.fixture
def stored_site(database_url: str, database: Database) -> Site:
    """A site with demo data, once for each engine."""
    settings = Settings(base_url="http://127.0.0.1:8090", database_url=database_url, secret=SECRET)
    clock = HandClock()
    app = create_app(settings, database=database, clock=clock)
    environment = app.state.environment
    database.write_now(lambda tx: demo.add_demo(tx, environment, START))

    def new_browser(address: str = "127.0.0.1") -> TestClient:
        return TestClient(app, base_url=settings.base_url, follow_redirects=False, client=(address, 50_000))

    return Site(environment, clock, new_browser)


def test_s024_forms(stored_site: Site) -> None:
    browser = stored_site.new_browser()
    signing_in = form_of(browser.get("/login.action")) | {"username": "al\0ice", "password": "alice"}
    assert browser.post("/login.action", data=signing_in).status_code == 400
    admin = stored_site.signed_in("admin")
    for path, field in (
        ("/plugins/servlet/oauth2/authorized-applications", "client_id"),
        ("/account", "display_name"),
        ("/account/sessions", "session"),
    ):
        assert admin.post(path, data={field: "a\0b"}).status_code == 400


def test_s024_paths_and_queries(stored_site: Site) -> None:
    admin = stored_site.signed_in("admin")
    for path in (
        "/admin/audit?user=%00",
        "/admin/audit/export?client=a%00b",
        "/plugins/servlet/applinks/listApplicationLinks?q=%00",
        "/plugins/servlet/applinks/incoming/%00",
    ):
        assert admin.get(path).status_code == 400, path
    for path in ("/rest/api/space/%00", "/rest/api/content?spaceKey=%00"):
        assert stored_site.get(path).status_code == 400, path


def test_s024_the_request_that_waits_for_a_sign_in(stored_site: Site) -> None:
    asked = quote("/rest/oauth2/latest/authorize?client_id=%00&redirect_uri=x", safe="")
    page = stored_site.client.get(f"/login.action?os_destination={asked}")
    assert page.status_code == 200
    done = stored_site.client.post("/login.action", data=form_of(page) | {"username": "alice", "password": "alice"})
    assert stored_site.client.get(done.headers["location"]).status_code == 400
