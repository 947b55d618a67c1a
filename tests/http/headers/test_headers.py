"""What every answer carries, and what no log line does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.http.conftest import Site, SiteFactory, form_of
from watersmeet import demo
from watersmeet.links.credentials import delete_link

ME = "/rest/api/user/current"
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"


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
    page = site.new_browser().get("/nothing").text
    assert "There is nothing here" in page
    main = page[page.index("<main") :]
    assert main.count("There is nothing here") == 1, "the heading says it, the text does not say it again"


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


# ---- every answer, whatever it is -------------------------------------------------------------------------

BAD_AUTHORIZE = "/rest/oauth2/latest/authorize?client_id=unknown"
TOKEN, REVOKE = "/rest/oauth2/latest/token", "/rest/oauth2/latest/revoke"


def answers(site: Site) -> Iterator[tuple[str, httpx.Response]]:
    """An answer of every kind the server gives, by its name."""
    anybody, admin = site.new_browser(), site.signed_in("admin")
    for path in ("/", "/login.action", "/static/watersmeet.css", "/static/nothing", "/nothing", ME, BAD_AUTHORIZE):
        yield f"GET {path}", anybody.get(path)
    yield "to the sign-in page", anybody.get(AUTHORIZED)
    yield "wrong method", anybody.put("/login.action")
    yield "wrong method of the API", anybody.put(ME)
    yield "foreign host", anybody.get("/", headers={"Host": "evil.test"})
    yield "token refused", anybody.post(TOKEN)
    yield "token too large", anybody.post(TOKEN, content=b"a" * 70_000)
    yield "form too large", anybody.post("/login.action", content=b"a" * 70_000, headers=FORM_TYPE)
    yield "form without its token", anybody.post("/login.action", data={"username": "x"})
    yield "consent", site.ask(admin)
    yield "links", admin.get("/plugins/servlet/applinks/listApplicationLinks")
    yield "audit log", admin.get("/admin/audit")
    yield "audit export", admin.get("/admin/audit/export?format=csv")
    yield "tokens", site.exchange(site.code())
    yield "API", site.get(ME)
    yield "API refused", site.get("/rest/oauth2/latest/client", scope="READ")
    guess = {"client_id": "x", "client_secret": "y", "grant_type": "refresh_token", "refresh_token": "z"}
    yield "throttled", [anybody.post(TOKEN, data=guess) for _ in range(11)][-1]
    site.environment.database.write_now(lambda tx: tx.exec_driver_sql("UPDATE users SET role = 'none that is known'"))
    yield "our own failure", admin.get("/admin/audit")
    site.environment.database.write_now(lambda tx: tx.exec_driver_sql("DROP TABLE sessions"))
    yield "the store's failure", admin.get("/admin/audit")


def test_s005_s011_every_answer_carries_every_header(site: Site) -> None:
    seen = dict(answers(site))
    assert {answer.status_code for answer in seen.values()} >= {
        200,
        302,
        400,
        401,
        403,
        404,
        405,
        413,
        421,
        429,
        500,
        503,
    }
    for name, answer in seen.items():
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff", name
        assert headers["x-frame-options"] == "DENY", name
        assert headers["referrer-policy"] == "no-referrer", name
        assert headers["cache-control"] == "no-store", name
        assert "server" not in headers, name
        assert not [header for header in headers if header.startswith("access-control-")], name
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'", name
        assert policy["script-src"] == policy["style-src"] == "'self'", name
        if answer.status_code == 405:
            assert headers["allow"], name


def test_s007_only_the_consent_page_names_another_origin(site: Site) -> None:
    for name, answer in answers(site):
        policy = answer.headers["content-security-policy"]
        assert ("form-action 'self' http" in policy) == (name == "consent"), name


def test_s005_the_token_endpoint_says_pragma_too(site: Site) -> None:
    for answer in (site.exchange(site.code()), site.new_browser().post(TOKEN), site.new_browser().post(REVOKE)):
        assert (answer.headers["pragma"], answer.headers["cache-control"]) == ("no-cache", "no-store")


def test_s011_what_follows_a_post_is_303(site: Site) -> None:
    browser = site.new_browser()
    assert site.sign_in(browser, "alice").status_code == 303
    page = site.ask(browser)
    denied = {**form_of(page), "decision": "deny"}
    assert browser.post("/plugins/servlet/oauth2/consent", data=denied).status_code == 303
    token = re.findall(r'name="form_token" value="(\w+)"', browser.get("/").text)[-1]
    assert browser.post("/logout.action", data={"form_token": token}).status_code == 303


@pytest.mark.parametrize(
    ("failure", "status"), [("DROP TABLE sessions", 503), ("UPDATE users SET role = 'none that is known'", 500)]
)
def test_s015_our_own_failure_tells_nothing(
    site: Site, capsys: pytest.CaptureFixture[str], failure: str, status: int
) -> None:
    browser = site.signed_in("alice")
    browser.cookies["canary"] = "canary"
    site.environment.database.write_now(lambda tx: tx.exec_driver_sql(failure))
    answer = browser.get(AUTHORIZED)
    assert answer.status_code == status
    for word in ("Traceback", "sessions", "SELECT", "sqlalchemy", "canary", ".py", "known"):
        assert word not in answer.text
    assert "canary" not in "".join(capsys.readouterr())


# ---- other origins (S010, S107) ---------------------------------------------------------------------------


def test_s010_no_other_origin_reads_anything(site: Site) -> None:
    browser = site.new_browser()
    for origin in ("https://evil.test", "null", "https://app.example", site.base_url):
        for path in ("/", "/login.action", BAD_AUTHORIZE, ME, TOKEN, REVOKE, "/static/watersmeet.css", "/nothing"):
            for method in ("GET", "POST", "OPTIONS"):
                answer = browser.request(method, path, headers={"Origin": origin})
                assert not [name for name in answer.headers if name.startswith("access-control-")], (origin, path)


def test_s107_scripts_of_public_clients_read_the_token_endpoint_and_nothing_else(site: Site) -> None:
    site.register("Browser app", ["https://spa.example/cb", "com.example.app:/cb"], confidential=False)
    site.register("Server app", ["https://server.example/cb"])
    browser = site.new_browser()
    for path in (TOKEN, REVOKE, TOKEN.replace("latest", "1.0")):
        asked = browser.options(
            path, headers={"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}
        )
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-methods"] == "POST"
        answer = browser.post(path, headers={"Origin": "https://spa.example"})
        assert answer.headers["access-control-allow-origin"] == "https://spa.example"
        assert "access-control-allow-credentials" not in answer.headers
        assert "origin" in answer.headers["vary"].lower()
        for origin in ("https://server.example", "https://spa.example.evil.test", "https://spa.example:8443", "null",
                       "http://spa.example", "HTTPS://SPA.EXAMPLE", "com.example.app:", ""):  # fmt: skip
            refused = browser.post(path, headers={"Origin": origin})
            assert "access-control-allow-origin" not in refused.headers, origin
            assert browser.options(path, headers={"Origin": origin}).status_code == 405, origin
    assert "access-control-allow-origin" not in browser.get(ME, headers={"Origin": "https://spa.example"}).headers


def test_s107_a_client_that_is_gone_takes_its_origin_along(site: Site) -> None:
    made = site.register("Browser app", ["https://spa.example/cb"], confidential=False)
    site.environment.database.write_now(lambda tx: delete_link(tx, made.client, site.clock.now()))
    answer = site.new_browser().post(TOKEN, headers={"Origin": "https://spa.example"})
    assert "access-control-allow-origin" not in answer.headers
