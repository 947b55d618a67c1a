"""Introspection (RFC 7662): who may ask, and what is said."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.app import App
from tests.http.conftest import Site
from watersmeet import demo
from watersmeet.database import users
from watersmeet.oauth2.profile import Profile

INTROSPECT = "/rest/oauth2/latest/introspect"


class Service(App):
    """A service that accepts the demo client's tokens."""

    def __init__(self, site: Site, profile: Profile = Profile.STRICT) -> None:
        super().__init__(site, profile)
        self.change(may_introspect=True)

    def introspect(self, token: str, **more: str) -> httpx.Response:
        form = {"token": token, "client_id": self.client_id, "client_secret": str(self.secret)} | more
        answer: httpx.Response = self.site.new_browser().post(INTROSPECT, data=form)
        return answer


@pytest.fixture
def service(site: Site) -> Service:
    return Service(site)


def _body(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_s148_a_working_access_token_is_told_as_it_is_enforced(service: Service) -> None:
    issued = service.site.tokens("alice", "WRITE")
    user = service.site.environment.database.read_now(lambda tx: users.find_by_name(tx, "alice"))
    assert user is not None
    answer = service.introspect(issued["access_token"], token_type_hint="refresh_token")
    assert answer.headers["cache-control"] == "no-store"
    assert _body(answer) == {
        "active": True,
        "scope": "READ WRITE",
        "client_id": demo.CLIENT_ID,
        "username": "alice",
        "sub": user.user_key,
        "token_type": "bearer",
        "iat": issued["created_at"],
        "exp": issued["created_at"] + issued["expires_in"],
        "iss": service.site.base_url,
    }


def test_s135_scope_is_what_the_user_and_the_link_allow_now(service: Service) -> None:
    token = service.site.tokens("alice", "SYSTEM_ADMIN")["access_token"]
    assert _body(service.introspect(token))["scope"] == "READ WRITE"
    assert _body(service.introspect(service.site.tokens("admin", "ADMIN")["access_token"]))["scope"] == (
        "READ WRITE ADMIN"
    )


def test_s134_whatever_does_not_work_is_told_in_the_same_bytes(service: Service) -> None:
    site = service.site
    spent = site.tokens()
    fresh = site.refresh(spent["refresh_token"]).json()
    revoked = site.tokens("bob")
    site.new_browser().post(
        "/rest/oauth2/latest/revoke",
        data={"token": revoked["access_token"], "client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET},
    )
    old = site.tokens("viewer")["access_token"]
    disabled = site.tokens("viewer")["access_token"]
    texts = {
        service.introspect(token).text
        for token in (
            spent["access_token"],
            fresh["refresh_token"],
            revoked["access_token"],
            fresh["access_token"][:-1],
            fresh["access_token"] + "x",
            "x",
            "é",
        )
    }
    assert _body(service.introspect(disabled))["active"]
    viewer = site.environment.database.read_now(lambda tx: users.find_by_name(tx, "viewer"))
    assert viewer is not None
    site.environment.database.write_now(lambda tx: users.set_enabled(tx, viewer.id, enabled=False))
    texts.add(service.introspect(disabled).text)
    site.clock.advance(3600)
    texts.add(service.introspect(old).text)
    texts.add(service.introspect(fresh["access_token"]).text)
    assert texts == {'{"active":false}'}


def test_s134_nobody_asks_anonymously(site: Site) -> None:
    answer = site.new_browser().post(INTROSPECT, data={"token": "x"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_s134_without_permission_foreign_tokens_are_inactive_and_one_s_own_are_not(service: Service) -> None:
    foreign = service.site.tokens()["access_token"]
    own = service.post(service.parameters(service.code())).json()["access_token"]
    assert service.introspect(foreign, client_secret="wrong").json()["error"] == "invalid_client"
    service.change(may_introspect=False)
    assert service.introspect(foreign).text == '{"active":false}'
    assert _body(service.introspect(own))["client_id"] == service.client_id


def test_s023_even_a_legacy_client_keeps_tokens_out_of_the_url(site: Site) -> None:
    service = Service(site, Profile.ATLASSIAN_DC)
    form = {"client_id": service.client_id, "client_secret": str(service.secret)}
    answer = site.new_browser().post(f"{INTROSPECT}?token={site.tokens()['access_token']}", data=form)
    assert answer.json()["error"] == "invalid_request"
    assert site.new_browser().get(INTROSPECT).status_code == 405


def test_the_link_s_page_allows_it_and_takes_it_back(site: Site) -> None:
    app = App(site, Profile.STRICT)
    admin, link = site.signed_in("admin"), f"/plugins/servlet/applinks/incoming/{app.client_id}"
    for value, allowed in (("yes", True), ("no", False)):
        token = admin.get(link).text.split('name="form_token" value="')[-1].split('"')[0]
        assert admin.post(f"{link}/rules", data={"may_introspect": value, "form_token": token}).status_code == 303
        assert app.stored.may_introspect is allowed


def test_a_public_client_can_never_introspect(site: Site) -> None:
    app = App(site, Profile.STRICT, confidential=False)
    admin, link = site.signed_in("admin"), f"/plugins/servlet/applinks/incoming/{app.client_id}"
    page = admin.get(link).text
    assert "Introspection" not in page
    token = page.split('name="form_token" value="')[-1].split('"')[0]
    assert admin.post(f"{link}/rules", data={"may_introspect": "yes", "form_token": token}).status_code == 400
    asked = site.new_browser().post(INTROSPECT, data={"token": "x", "client_id": app.client_id})
    assert (asked.status_code, asked.json()["error"]) == (400, "unauthorized_client")
