"""The OpenAPI description is valid, complete, and what the server does."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from tests.http.app import App
from tests.http.conftest import Site, SiteFactory
from watersmeet import demo
from watersmeet.app import create_app
from watersmeet.oauth2.profile import Profile


def _document(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.new_browser().get(site.path("/rest/oauth2/latest/openapi.json")).json()
    return found


def test_it_is_valid(site_under: SiteFactory) -> None:
    site = site_under("/confluence")
    document = _document(site)
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": site.base_url}]
    assert site.new_browser().get("/confluence/rest/oauth2/1.0/openapi.json").json() == document


def test_it_names_every_oauth_route_and_method_and_no_other(site: Site) -> None:
    app = create_app(site.environment.settings, database=site.environment.database)
    served = {
        (route.path, method)
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
        if route.path.startswith(("/rest/oauth2/latest/", "/.well-known/"))
    } - {("/.well-known/oauth-protected-resource/rest/api", "GET")}  # at the root of the host, not below the base URL
    described = {(path, method.upper()) for path, item in _document(site)["paths"].items() for method in item}
    assert served == described


def _check(site: Site, answer: httpx.Response, path: str, method: str = "post") -> None:
    """The answer's status is described, and its body fits the schema."""
    document = _document(site)
    described = document["paths"][path][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole).validate(answer.json())


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"client_id": "x", "token": "x", "grant_type": "refresh_token", "refresh_token": "x"},
        {"client_id": "x", "grant_type": "password", "token": "x" * 100_000},
    ],
)
def test_refusals_are_as_described(site: Site, endpoint: str, form: dict[str, str]) -> None:
    path = f"/rest/oauth2/latest/{endpoint}"
    _check(site, site.new_browser().post(path, data=form), path)


def test_successes_are_as_described(site: Site) -> None:
    base = "/rest/oauth2/latest"
    issued = site.exchange(site.code(scope="WRITE"))
    _check(site, issued, f"{base}/token")
    _check(site, site.refresh(issued.json()["refresh_token"]), f"{base}/token")
    _check(site, site.get(f"{base}/client", user="admin", scope="ADMIN"), f"{base}/client", "get")
    _check(site, site.get(f"{base}/client"), f"{base}/client", "get")
    _check(site, site.new_browser().get(f"{base}/client"), f"{base}/client", "get")
    service = App(site, Profile.STRICT)
    service.change(may_introspect=True)
    whose = {"client_id": service.client_id, "client_secret": str(service.secret)}
    for token in (site.tokens()["access_token"], "x"):
        sent = site.new_browser().post(f"{base}/introspect", data=whose | {"token": token})
        _check(site, sent, f"{base}/introspect")
    revoked = {"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET, "token": "x"}
    assert site.new_browser().post(f"{base}/revoke", data=revoked).status_code == 200
    for path in _document(site)["paths"]:
        if "well-known" in path or path.endswith("json"):
            _check(site, site.new_browser().get(path), path, "get")
