"""Bearer access: the header, the challenge, and what a token is worth."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site, SiteFactory
from watersmeet.database.schema import users as user_table
from watersmeet.users.signin import disable_user

ME = "/rest/api/user/current"
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_s125_the_scheme_in_any_case(site: Site, scheme: str) -> None:
    token = site.tokens()["access_token"]
    assert site.new_browser().get(ME, headers={"Authorization": f"{scheme} {token}"}).status_code == 200


def test_s126_without_a_token_there_is_a_challenge_without_an_error(site: Site) -> None:
    answer = site.new_browser().get(ME)
    challenges = answer.headers.get_list("www-authenticate")
    assert answer.status_code == 401
    where = f"{site.base_url}/.well-known/oauth-protected-resource/rest/api"
    assert challenges[0] == f'Bearer realm="watersmeet", resource_metadata="{where}"'
    assert challenges[1].startswith('OAuth realm="http%3A%2F%2F127.0.0.1%3A8090')
    assert answer.json()["statusCode"] == 401


def test_s126_a_stranger_is_challenged_where_clients_probe(site: Site) -> None:
    for method, path in (("POST", "/rest/oauth2/latest/client"), ("POST", "/rest/oauth2/1.0/client")):
        stranger = site.new_browser().request(method, path, json={"name": "a probe"})
        assert stranger.status_code == 401, path
        assert stranger.headers["www-authenticate"].startswith("Bearer"), path
        known = site.request(method, path, user="admin", scope="ADMIN")
        assert (known.status_code, set(known.headers["allow"].split(", "))) == (405, {"GET", "HEAD"}), path


@pytest.mark.parametrize("token", ["", "x", "x" * 120, "eyJhbGciOiJub25lIn0.e30."])
def test_s126_a_bad_token_is_told_so(site: Site, token: str) -> None:
    answer = site.new_browser().get(ME, headers={"Authorization": f"Bearer {token}x"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_s124_only_the_header_carries_tokens(site: Site) -> None:
    token = site.tokens()["access_token"]
    assert site.new_browser().get(f"{ME}?access_token={token}").status_code == 401
    double = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert site.new_browser().get(ME, headers=double).status_code == 400  # S125
    both = site.new_browser().get(f"{ME}?access_token={token}", headers={"Authorization": f"Bearer {token}"})
    assert (both.status_code, 'error="invalid_request"' in both.headers["www-authenticate"]) == (400, True)


def test_s122_an_access_token_ends_to_the_second(site: Site) -> None:
    token = site.tokens()["access_token"]
    site.clock.advance(3599)
    assert site.bearer(token).status_code == 200
    site.clock.advance(1)
    assert site.bearer(token).status_code == 401


def test_s126_s127_a_read_token_does_not_write(site: Site) -> None:
    answer = site.post("/rest/api/content", scope="READ", json={})
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert 'scope="WRITE"' in answer.headers["www-authenticate"]
    assert answer.json()["message"] == "This needs the scope WRITE; the access token has READ."


@pytest.mark.parametrize(("user", "status"), [("admin", 200), ("alice", 403)])
def test_s127_a_scope_is_capped_by_what_the_user_may_do(site: Site, user: str, status: int) -> None:
    assert site.get("/rest/oauth2/latest/client", user=user, scope="SYSTEM_ADMIN").status_code == status


def test_s127_demoting_somebody_counts_on_the_next_call(site: Site) -> None:
    path = "/rest/oauth2/1.0/client"
    assert site.get(path, user="admin", scope="ADMIN").status_code == 200
    change = user_table.update().where(user_table.c.username == "admin").values(role="user")
    site.environment.database.write_now(lambda tx: tx.execute(change).rowcount)
    assert site.get(path, user="admin", scope="ADMIN").status_code == 403


def test_s067_disabling_somebody_ends_everything_at_once(site: Site) -> None:
    tokens, code, browser = site.tokens("bob"), site.code("bob"), site.signed_in("bob")
    site.environment.database.write_now(lambda tx: disable_user(tx, "bob", site.clock.now()))
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.exchange(code).json()["error"] == "invalid_grant"
    assert browser.get(AUTHORIZED).status_code == 302
    assert site.sign_in(site.new_browser(), "bob").status_code == 401


def test_s129_a_bearer_call_ignores_the_browser_s_session_and_ends_it(site: Site) -> None:
    browser, token = site.signed_in("alice"), site.tokens("bob")["access_token"]
    answer = browser.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["username"] == "bob"
    assert "set-cookie" not in answer.headers
    assert browser.get(AUTHORIZED).status_code == 302


def test_the_property_invalidate_session(site_under: SiteFactory) -> None:
    site = site_under(invalidate_session_enabled=False)
    browser, token = site.signed_in("alice"), site.tokens("bob")["access_token"]
    browser.get(ME, headers={"Authorization": f"Bearer {token}"})
    assert browser.get(AUTHORIZED).status_code == 200


def test_the_property_enable_access_tokens(site_under: SiteFactory) -> None:
    site = site_under(enable_access_tokens=False)
    assert site.bearer(site.tokens()["access_token"]).status_code == 401


def test_a_probe_learns_that_the_provider_is_there(site: Site) -> None:
    assert site.new_browser().get("/rest/oauth2/1.0/client").status_code == 401
