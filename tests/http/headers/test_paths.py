"""Paths with and without a slash at the end: served as they come, never redirected to an address made of ``Host``."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site, SiteFactory
from watersmeet import demo
from watersmeet.app import create_app

SECRET_IN_QUERY = "client_secret=do-not-leak"


@pytest.fixture(params=["", "/confluence"], ids=["root", "context-path"])
def either(request: pytest.FixtureRequest, site_under: SiteFactory) -> Site:
    return site_under(request.param)


@pytest.mark.parametrize("name", ["token", "revoke", "introspect"])
def test_the_oauth_endpoints_take_a_slash(either: Site, name: str) -> None:
    path = either.path(f"/rest/oauth2/latest/{name}")
    plain, slashed = (either.new_browser().post(path + slash, data={"client_id": "x"}) for slash in ("", "/"))
    assert (slashed.status_code, slashed.json()) == (plain.status_code, plain.json())
    assert slashed.json()["error"]


def test_pages_and_metadata_take_a_slash(either: Site) -> None:
    browser = either.new_browser()
    for path in ("/login.action", "/.well-known/oauth-authorization-server", "/rest/oauth2/1.0/openapi.json"):
        assert browser.get(either.path(path + "/")).status_code == 200, path
    asked = either.authorize_path().replace("/authorize?", "/authorize/?")
    assert browser.get(asked).headers["location"].startswith(either.path("/login.action?"))
    to_nowhere = browser.get(asked.replace(f"client_id={demo.CLIENT_ID}", "client_id=unknown"))
    assert (to_nowhere.status_code, to_nowhere.headers["content-type"]) == (400, "text/html; charset=utf-8")


def test_the_whole_flow_with_slashes(either: Site) -> None:
    browser = either.signed_in("alice")
    sent = browser.get(either.authorize_path().replace("/authorize?", "/authorize/?"))
    page = browser.get(sent.headers["location"].replace("/consent?", "/consent/?"))
    assert either.exchange(either.answer(browser, page)["code"]).status_code == 200


def test_a_path_is_never_redirected_to_its_other_spelling(either: Site) -> None:
    """A redirect would be built from ``Host`` and carry the query to it."""
    routes = create_app(either.environment.settings, database=either.environment.database).routes
    paths = {getattr(route, "path", "").replace("{client_id}", demo.CLIENT_ID) for route in routes}
    for path in sorted(paths - {""} | {"/static", "/rest/oauth2", "/_dev"}):
        for spelling in (path.rstrip("/") or "/", path.rstrip("/") + "/"):
            answer = either.new_browser().get(f"{spelling}?{SECRET_IN_QUERY}")
            location = answer.headers.get("location", "/")
            assert answer.status_code != 307, spelling
            assert location.startswith("/"), spelling


def test_the_bare_context_path_leads_home(site_under: SiteFactory) -> None:
    answer = site_under("/confluence").new_browser().get(f"/confluence?{SECRET_IN_QUERY}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/confluence/")


def test_other_paths_are_still_not_found(either: Site) -> None:
    for path in ("/login.action//", "/login.action/x", "/static", "/confluencex", "/rest/oauth2/latest/token%0a"):
        assert either.new_browser().get(either.path(path)).status_code == 404, path
