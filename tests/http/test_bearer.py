"""Bearer access, browser sessions, incoming links, and what every answer carries."""

from __future__ import annotations

import re
from typing import Any

import pytest

from watersmeet import demo
from watersmeet.database import users
from watersmeet.database.schema import users as user_table
from watersmeet.users.signin import disable_user

from .conftest import Site, SiteFactory, form_of

ME = "/rest/api/user/current"
LINKS = "/plugins/servlet/applinks/listApplicationLinks"
NEW_LINK = "/plugins/servlet/applinks/incoming"
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


# ---- Bearer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_s125_the_scheme_in_any_case(site: Site, scheme: str) -> None:
    token = site.tokens()["access_token"]
    assert site.new_browser().get(ME, headers={"Authorization": f"{scheme} {token}"}).status_code == 200


def test_s126_without_a_token_there_is_a_challenge_without_an_error(site: Site) -> None:
    answer = site.new_browser().get(ME)
    challenges = answer.headers.get_list("www-authenticate")
    assert answer.status_code == 401
    assert challenges[0] == 'Bearer realm="watersmeet"'
    assert challenges[1].startswith('OAuth realm="http%3A%2F%2F127.0.0.1%3A8090')
    assert answer.json()["statusCode"] == 401


@pytest.mark.parametrize("token", ["", "x", "x" * 120, "eyJhbGciOiJub25lIn0.e30."])
def test_s126_a_bad_token_is_told_so(site: Site, token: str) -> None:
    answer = site.new_browser().get(ME, headers={"Authorization": f"Bearer {token}x"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_s124_only_the_header_carries_tokens(site: Site) -> None:
    token = site.tokens()["access_token"]
    assert site.new_browser().get(f"{ME}?access_token={token}").status_code == 401
    double = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert site.new_browser().get(ME, headers=double).status_code == 401


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


# ---- signing in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_s063_the_session_cookie(site_under: SiteFactory, scheme: str) -> None:
    site = site_under(scheme=scheme)
    cookie = site.sign_in(site.new_browser(), "alice").headers.get_list("set-cookie")[0]
    name = "__Host-watersmeet-session" if scheme == "https" else "watersmeet-session-8090"
    assert re.match(rf"{name}=[0-9a-f]{{64}}; ", cookie)
    assert {"httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
    assert ("Secure" in cookie) == (scheme == "https")


def test_s062_a_session_is_renewed_at_sign_in_and_dies_at_sign_out(site: Site) -> None:
    browser = site.signed_in("alice")
    first = browser.cookies["watersmeet-session-8090"]
    page = browser.get("/")
    token = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert token
    assert browser.post("/logout.action", data={"form_token": token[1]}).status_code == 303
    site.sign_in(browser, "alice")
    assert browser.cookies["watersmeet-session-8090"] != first
    old = site.new_browser()
    old.cookies["watersmeet-session-8090"] = first
    assert old.get(AUTHORIZED).status_code == 302


def test_a_session_ends(site: Site) -> None:
    browser = site.signed_in("alice")
    site.clock.advance(12 * 3600)
    assert browser.get(AUTHORIZED).status_code == 302


def test_s065_an_unknown_user_and_a_wrong_password_look_alike(site: Site) -> None:
    texts = set()
    for username in ("alice", "nobody"):
        browser = site.new_browser()
        fields = form_of(browser.get("/login.action")) | {"username": username, "password": "wrong"}
        answer = browser.post("/login.action", data=fields)
        assert answer.status_code == 401
        texts.add(re.sub(r'value="(alice|nobody|[0-9a-f]{64})"', "", answer.text))
    assert len(texts) == 1


@pytest.mark.parametrize(
    "destination", ["//evil.test", "/\\evil.test", "https://evil.test", "https:evil.test", "/\tevil", "", "x"]
)
def test_s066_only_local_destinations(site: Site, destination: str) -> None:
    browser = site.new_browser()
    fields = form_of(browser.get("/login.action")) | {"username": "alice", "password": "alice"}
    answer = browser.post("/login.action", data=fields | {"os_destination": destination})
    assert answer.headers["location"] == "/"


def test_s054_signing_in_needs_the_browser_s_own_form(site: Site) -> None:
    fields = form_of(site.new_browser().get("/login.action")) | {"username": "alice", "password": "alice"}
    assert site.new_browser().post("/login.action", data=fields).status_code == 403


# ---- incoming links and authorized applications -----------------------------------------------------------


def _form(site: Site, browser: Any, path: str) -> dict[str, str]:
    tokens = re.findall(r'name="form_token" value="(\w+)"', browser.get(path).text)
    return {"form_token": tokens[-1]}


def _create(site: Site, browser: Any, **fields: str) -> Any:
    right = {"name": "Sync", "redirect_uris": "https://sync.example.com/cb", "scope": "READ", "type": "confidential"}
    return browser.post(NEW_LINK, data=_form(site, browser, NEW_LINK) | right | fields)


def test_only_administrators_manage_links(site: Site) -> None:
    assert site.new_browser().get(LINKS).headers["location"].startswith("/login.action?")
    alice = site.signed_in("alice")
    for path in (LINKS, NEW_LINK, f"{NEW_LINK}/{demo.CLIENT_ID}"):
        assert alice.get(path).status_code == 400
    assert alice.post(f"{NEW_LINK}/{demo.CLIENT_ID}/delete", data={"name": demo.CLIENT_NAME}).status_code == 400


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "1 to 80"),
        ({"name": "demo APPLICATION"}, "already"),
        ({"name": "evil\u202e"}, "invisible"),
        ({"redirect_uris": ""}, "at least one"),
        ({"redirect_uris": "http://sync.example.com/cb"}, "Use https"),
        ({"redirect_uris": "https://sync.example.com/cb#x"}, "fragment"),
        ({"scope": "EVERYTHING"}, "permissions"),
    ],
)
def test_a_wrong_link_is_explained_and_nothing_typed_is_lost(site: Site, fields: dict[str, str], says: str) -> None:
    answer = _create(site, site.signed_in("admin"), **fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert fields.get("redirect_uris", "https://sync.example.com/cb") in answer.text


def test_s097_rotating_a_secret_with_overlap(site: Site) -> None:
    admin = site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    answer = admin.post(f"{path}/rotate-secret", data=_form(site, admin, path) | {"overlap_hours": "1"})
    new = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", answer.text)
    assert new
    tokens = site.tokens()  # with the old secret
    tokens = site.refresh(tokens["refresh_token"], client_secret=new[1]).json()
    site.clock.advance(3600)
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    assert site.refresh(tokens["refresh_token"], client_secret=new[1]).status_code == 200


def test_s099_deleting_a_link_kills_its_codes_and_tokens(site: Site) -> None:
    tokens, code, admin = site.tokens(), site.code(), site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}"
    form = _form(site, admin, path)
    assert admin.post(f"{path}/delete", data=form | {"name": "wrong"}).status_code == 400
    assert admin.post(f"{path}/delete", data=form | {"name": demo.CLIENT_NAME}).status_code == 303
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.exchange(code).json()["error"] == "invalid_client"


def test_s093_a_secret_is_shown_once(site: Site) -> None:
    admin = site.signed_in("admin")
    secret = re.search(r"CLIENT_SECRET=([0-9a-f]{64})", _create(site, admin).text)
    assert secret
    listed = site.get("/rest/oauth2/latest/client", user="admin", scope="ADMIN")
    assert {link["name"] for link in listed.json()} == {demo.CLIENT_NAME, "Sync"}
    assert secret[1] not in listed.text + admin.get(LINKS).text


def test_narrowing_a_link_narrows_its_tokens_at_once(site: Site) -> None:
    admin = site.signed_in("admin")
    path = f"{NEW_LINK}/{demo.CLIENT_ID}/edit"
    site.post("/rest/api/content", json={})  # a WRITE token is in use
    fields = {"name": "Demo", "redirect_uris": site.callback, "scope": "READ"}
    assert admin.post(path, data=_form(site, admin, path) | fields).status_code == 303
    assert site.post("/rest/api/content", json={}).status_code == 403


def test_s070_taking_access_back(site: Site) -> None:
    tokens, bystander, browser = site.tokens("bob"), site.tokens("alice"), site.signed_in("bob")
    assert "Demo application" in browser.get(AUTHORIZED).text
    browser.post(AUTHORIZED, data=_form(site, browser, AUTHORIZED) | {"client_id": demo.CLIENT_ID})
    assert site.bearer(tokens["access_token"]).status_code == 401
    assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(bystander["access_token"]).status_code == 200
    assert "No application can act for you." in browser.get(AUTHORIZED).text


# ---- every answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/login.action", "/nothing", "/rest/api/nothing", ME, "/static/watersmeet.css", AUTHORIZED]
)
def test_s005_s009_headers_of_every_answer(site: Site, path: str) -> None:
    headers = site.new_browser().get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_s009_strict_transport_under_https(site_under: SiteFactory) -> None:
    assert "strict-transport-security" in site_under(scheme="https").new_browser().get("/").headers


def test_errors_are_json_for_programs_and_pages_for_people(site: Site) -> None:
    assert site.new_browser().get("/rest/api/nothing").json()["statusCode"] == 404
    assert "There is nothing here" in site.new_browser().get("/nothing").text


def test_s004_a_foreign_host_is_refused(site: Site) -> None:
    for host in ("evil.test", "evil.test:8090", "127.0.0.1:1"):
        assert site.new_browser().get("/", headers={"Host": host}).status_code == 421


def test_s003_forwarded_headers_change_nothing(site: Site) -> None:
    forged = {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.test"}
    answer = site.get("/rest/api/content", headers=forged)
    assert "evil" not in answer.text


def test_s016_the_log_names_no_credential(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    code = site.code(pkce=True)
    site.exchange(code)
    tokens = site.tokens()
    site.bearer(tokens["access_token"])
    site.refresh(tokens["refresh_token"])
    site.new_browser().post(f"/rest/oauth2/latest/token?client_secret={demo.CLIENT_SECRET}&code={code}")
    written = "".join(capsys.readouterr())
    assert "request" in written
    for credential in (code, demo.CLIENT_SECRET, tokens["access_token"], tokens["refresh_token"]):
        assert credential not in written


def test_a_user_is_found_in_any_letter_case(site: Site) -> None:
    assert site.environment.database.read_now(lambda tx: users.find_by_name(tx, "ALICE"))
