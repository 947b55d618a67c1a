"""What every answer carries, and what no log line does."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site, SiteFactory
from watersmeet import demo

ME = "/rest/api/user/current"
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
