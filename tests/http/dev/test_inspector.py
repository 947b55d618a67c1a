"""The inspector says why, and what it hands out to send a request again works."""

from __future__ import annotations

import ast
import http.client
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from watersmeet.testing import Answer, Server
from watersmeet.testing.flow import FlowFailed

CONTENT = "/rest/api/content"
TOKEN = "/rest/oauth2/latest/token"
PAGE = {"type": "page", "title": "Über „Dinge“", "space": {"key": "DEMO"}}

# ---- scenarios: each ends with the request that is looked at ------------------------------------------------


def client_form(server: Server, **more: str) -> dict[str, str]:
    return {"client_id": server.client.client_id, "client_secret": server.client.client_secret or "", **more}


def exchange(server: Server, code: str, **more: str) -> Answer:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": server.client.redirect_uris[0], **more}
    return server.request("POST", TOKEN, form=client_form(server, **form))


def refresh(server: Server, refresh_token: str, **more: str) -> Answer:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}
    return server.request("POST", TOKEN, form=client_form(server, **form))


def a_read_that_works(server: Server) -> None:
    server.request("GET", CONTENT + "?limit=1", headers=server.authorize(user="bob").headers)


def a_write_with_a_reading_token(server: Server) -> None:
    server.request("POST", CONTENT, json=PAGE, headers=server.authorize().headers)


def a_write_with_a_token_of_the_whole_system(server: Server) -> None:
    server.request("POST", CONTENT, json=PAGE, headers=server.authorize(user="admin", scope="SYSTEM_ADMIN").headers)


def no_token(server: Server) -> None:
    server.request("GET", CONTENT)


def the_wrong_scheme(server: Server) -> None:
    server.request("GET", CONTENT, headers={"Authorization": "Basic YTpi"})


def a_made_up_token(server: Server) -> None:
    server.request("GET", CONTENT, headers={"Authorization": "Bearer made-up"})


def a_refresh_token_where_an_access_token_belongs(server: Server) -> None:
    server.request("GET", CONTENT, headers={"Authorization": f"Bearer {server.authorize().refresh_token}"})


def an_expired_token(server: Server) -> None:
    tokens = server.authorize()
    server.advance(tokens.expires_in + 60)
    server.request("GET", CONTENT, headers=tokens.headers)


def a_token_that_was_refreshed(server: Server) -> None:
    tokens = server.authorize()
    server.refresh(tokens)
    server.request("GET", CONTENT, headers=tokens.headers)


def a_token_that_was_given_back(server: Server) -> None:
    tokens = server.authorize()
    server.revoke(tokens)
    server.request("GET", CONTENT, headers=tokens.headers)


def a_refresh(server: Server) -> None:
    refresh(server, server.authorize(scope="WRITE").refresh_token, scope="READ")


def a_refresh_of_another_client(server: Server) -> None:
    client = server.register("Mine", ["https://mine.example/cb"])
    refresh(server, server.authorize(client).refresh_token)


def a_replayed_refresh_token(server: Server) -> None:
    tokens = server.authorize()
    server.refresh(tokens)
    refresh(server, tokens.refresh_token)


def an_expired_refresh_token(server: Server) -> None:
    tokens = server.authorize()
    server.advance(90 * 86_400 + 30)
    refresh(server, tokens.refresh_token)


def an_exchange(server: Server) -> None:
    granted = server.code(scope="WRITE")
    exchange(server, granted.code, code_verifier=granted.verifier or "")


def a_replayed_code(server: Server) -> None:
    granted = server.code(pkce=False)
    exchange(server, granted.code)
    exchange(server, granted.code)


def an_expired_code(server: Server) -> None:
    granted = server.code(pkce=False)
    server.advance(75)
    exchange(server, granted.code)


def a_wrong_verifier(server: Server) -> None:
    exchange(server, server.code().code, code_verifier="wrong-" * 10)


def a_wrong_secret(server: Server) -> None:
    exchange(server, server.code(pkce=False).code, client_secret="wrong")


def an_unknown_code(server: Server) -> None:
    exchange(server, "0" * 64)


def parameters_in_the_query(server: Server) -> None:
    token = server.authorize().refresh_token
    server.request("POST", f"{TOKEN}?{urlencode(client_form(server, grant_type='refresh_token', refresh_token=token))}")


def an_unknown_grant(server: Server) -> None:
    server.request("POST", TOKEN, form=client_form(server, grant_type="password"))


def a_stranger_who_asks_to_authorize(server: Server) -> None:
    server.request("GET", "/rest/oauth2/latest/authorize?client_id=nobody&redirect_uri=https%3A%2F%2Fa.example")


def a_page_that_is_not_there(server: Server) -> None:
    server.request("GET", CONTENT + "/4711", headers=server.authorize().headers)


def nothing_there(server: Server) -> None:
    server.request("GET", "/nothing")


def a_post_to_the_home_page(server: Server) -> None:
    server.request("POST", "/")


def a_fault(server: Server) -> None:
    server.fault("status", path=CONTENT, status=503, retry_after=2)
    server.request("GET", CONTENT, headers=server.authorize().headers)


def a_lost_answer(server: Server) -> None:
    token = server.authorize().refresh_token
    server.fault("drop-after", path=TOKEN)
    with pytest.raises(ConnectionError):
        refresh(server, token)


def a_body_cut_short(server: Server) -> None:
    tokens = server.authorize()
    server.fault("cut-body", path=CONTENT)
    with pytest.raises(http.client.IncompleteRead):
        server.request("GET", CONTENT, headers=tokens.headers)


def a_client_of_one_s_own(server: Server) -> None:
    client = server.register("Mine", ["https://mine.example/cb"], scope="READ", public=True)
    server.request("POST", CONTENT, json=PAGE, headers=server.authorize(client).headers)


Scenario = Callable[[Server], None]
SCENARIOS: list[tuple[Scenario, str | None, dict[str, Any]]] = [
    (a_read_that_works, None, {"status": 200, "user": "bob", "rule": "GET /rest/api/content needs READ"}),
    (
        a_write_with_a_reading_token,
        "403: this route needs WRITE; the token has READ",
        {
            "user": "alice",
            "client": "Demo application",
            "scope": "READ",
            "rule": "POST /rest/api/content needs WRITE",
            "cause": "InsufficientScope",
        },
    ),
    (a_write_with_a_token_of_the_whole_system, None, {"status": 200, "scope": "SYSTEM_ADMIN"}),
    (
        no_token,
        "401: no access token came in the header Authorization: Bearer",
        {"user": None, "cause": "TokenMissing"},
    ),
    (the_wrong_scheme, "401: the header Authorization says 'Basic', not Bearer", {}),
    (a_made_up_token, "401: the access token was not made by this server since it started", {"cause": "TokenInvalid"}),
    (
        a_refresh_token_where_an_access_token_belongs,
        "401: the access token is a refresh token, which opens nothing by itself",
        {},
    ),
    (an_expired_token, r"401: the access token expired \d+ min( \d+ s)? ago", {"user": "alice"}),
    (
        a_token_that_was_refreshed,
        "401: the access token was replaced by a newer one when the pair was refreshed",
        {"user": "alice"},
    ),
    (
        a_token_that_was_given_back,
        r"401: the access token was revoked \d+ s ago, because the client gave it back",
        {"user": "alice"},
    ),
    (a_refresh, None, {"status": 200, "user": "alice", "scope": "WRITE"}),
    (
        a_refresh_of_another_client,
        "400 invalid_grant: the refresh token was given to another client: to Mine, not to Demo application",
        {"client": "Demo application", "cause": "RefreshTokenUnknown"},
    ),
    (
        a_replayed_refresh_token,
        "400 invalid_grant: the refresh token was used before, so everything that came of it has been revoked",
        {"cause": "Replayed", "user": "alice"},
    ),
    # Meanwhile the sweep may have deleted the family: then nobody knows any more whose it was.
    (
        an_expired_refresh_token,
        r"400 invalid_grant: the refresh token (expired .+ ago|is gone: .+)",
        {"status": 400},
    ),
    (an_exchange, None, {"status": 200, "user": "alice", "scope": "WRITE"}),
    (
        a_replayed_code,
        "400 invalid_grant: the code was used before, so everything that came of it has been revoked",
        {"cause": "Replayed"},
    ),
    (an_expired_code, r"400 invalid_grant: the code expired (\d+ min )?\d+ s ago", {"cause": "CodeExpired"}),
    (
        a_wrong_verifier,
        "400 invalid_grant: code_verifier does not match: its S256 is .{43}, and the code_challenge was .{43}",
        {"user": "alice"},
    ),
    (a_wrong_secret, "401 invalid_client: the secret that came is not that of Demo application", {}),
    (an_unknown_code, "400 invalid_grant: the code is unknown: .+", {"client": "Demo application"}),
    (parameters_in_the_query, None, {"status": 200, "user": "alice"}),
    (
        an_unknown_grant,
        "400 unsupported_grant_type: grant_type is password; supported is authorization_code, refresh_token",
        {"client": "Demo application", "cause": "UnsupportedGrantType"},
    ),
    (
        a_stranger_who_asks_to_authorize,
        "400 invalid_request: no incoming link has the client_id nobody",
        {"client_id": "nobody", "client": None, "cause": "UnknownClient"},
    ),
    (
        a_page_that_is_not_there,
        "404: No content found with id: .+",
        {"rule": f"GET {CONTENT}/{{content_id}} needs READ"},
    ),
    (nothing_there, "404: nothing is at this path", {}),
    (a_post_to_the_home_page, "405: this path takes GET", {}),
    (a_fault, "503: fault 1 answered in its place; the request was not carried out", {"user": "alice"}),
    (
        a_lost_answer,
        "No answer: fault 1 cut the connection; the request was carried out, its answer was lost",
        {"status": None},
    ),
    (
        a_body_cut_short,
        "200: fault 1 cut the connection half-way through the body; the request was carried out",
        {"status": 200},
    ),
    (a_client_of_one_s_own, "403: this route needs WRITE; the token has READ", {"client": "Mine"}),
]


def _name(value: Any) -> str | None:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize(("scenario", "why", "more"), SCENARIOS, ids=_name)
def test_it_says_who_and_why(
    watersmeet_server: Server, scenario: Scenario, why: str | None, more: dict[str, Any]
) -> None:
    scenario(watersmeet_server)
    record = watersmeet_server.requests()[0]
    if why is None:
        assert record["why"] is None
    else:
        assert re.fullmatch(why, record["why"]), record["why"]
    assert {name: record[name] for name in more} == more


def test_a_refusal_by_redirect_has_its_reason_though_it_is_no_4xx(watersmeet_server: Server) -> None:
    with pytest.raises(FlowFailed):
        watersmeet_server.code(scope="EVERYTHING")
    assert watersmeet_server.requests(status="4xx") == []
    newest = next(seen for seen in watersmeet_server.requests() if seen["why"])
    assert newest["status"] == 302
    assert newest["why"].startswith("302 invalid_scope: ")


def test_every_recorded_request_becomes_a_test_that_runs(watersmeet_server: Server, tmp_path: Path) -> None:
    """All of them in one pytest of its own, as somebody would run what they downloaded."""
    for number, (scenario, _, _) in enumerate(SCENARIOS):
        watersmeet_server.reset()
        scenario(watersmeet_server)
        record = watersmeet_server.requests()[0]
        answer = watersmeet_server.request("GET", f"/_dev/requests/{record['id']}/test")
        assert answer.status == 200, scenario.__name__
        ast.parse(answer.text)
        (tmp_path / f"test_{number:02}_{scenario.__name__}.py").write_text(answer.text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert f"{len(SCENARIOS)} passed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    "scenario", [a_read_that_works, a_write_with_a_reading_token, a_wrong_secret, an_unknown_grant, no_token]
)
def test_the_curl_line_sends_the_same_again(watersmeet_server: Server, scenario: Scenario) -> None:
    scenario(watersmeet_server)
    before = watersmeet_server.requests()[0]
    line = watersmeet_server.request("GET", f"/_dev/requests/{before['id']}/curl").text
    done = subprocess.run(
        [*shlex.split(line.replace("\\\n", " ")), "--silent"], check=True, capture_output=True, text=True
    )
    assert f" {before['status']} " in done.stdout.splitlines()[0]
    after = watersmeet_server.requests()[0]
    same = ("method", "path", "query", "status", "user", "client", "scope", "why")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


# ---- the list -----------------------------------------------------------------------------------------------


def test_a_request_is_recorded_before_its_answer_is_complete(watersmeet_server: Server) -> None:
    for number in range(20):
        watersmeet_server.request("GET", f"/nothing/{number}")
        assert watersmeet_server.requests()[0]["path"] == f"/nothing/{number}"


def test_the_list_is_filtered(watersmeet_server: Server) -> None:
    a_write_with_a_reading_token(watersmeet_server)
    no_token(watersmeet_server)

    def found(**wanted: str) -> list[tuple[str, int]]:
        return [(record["path"], record["status"]) for record in watersmeet_server.requests(**wanted)]

    assert found(status="403") == [(CONTENT, 403)]
    assert found(status="4xx") == [(CONTENT, 401), (CONTENT, 403)]
    assert {path for path, _ in found(path="login")} == {"/login.action"}
    assert found(status="4xx", client="demo app") == [(CONTENT, 403)]
    assert found(status="4xx", client=watersmeet_server.client.client_id) == [(CONTENT, 403)]
    assert found(status="none") == []
    page = watersmeet_server.request("GET", "/_dev/requests?status=4xx").text
    assert "this route needs WRITE" in page
    assert "/login.action" not in page


def test_memory_is_bounded(watersmeet_server: Server) -> None:
    for _ in range(205):
        watersmeet_server.request("POST", "/login.action", body=b"x" * 20_000)
    records = watersmeet_server.requests()
    assert len(records) == 200
    newest = records[0]["id"]
    page = watersmeet_server.request("GET", f"/_dev/requests/{newest}").text
    assert "Body sent, 20000 bytes, the beginning" in page
    assert watersmeet_server.request("GET", f"/_dev/requests/{newest}/test").status == 400
    assert watersmeet_server.request("GET", f"/_dev/requests/{newest - 200}").status == 400


def test_a_reset_forgets_and_old_links_show_nothing_else(watersmeet_server: Server) -> None:
    no_token(watersmeet_server)
    number = watersmeet_server.requests()[0]["id"]
    watersmeet_server.reset()
    assert watersmeet_server.requests() == []
    no_token(watersmeet_server)
    assert watersmeet_server.request("GET", f"/_dev/requests/{number}").status == 400


def test_the_pages_show_no_whole_credential_but_in_the_curl_line(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize(scope="WRITE")
    refresh(watersmeet_server, tokens.refresh_token)
    client_secret = watersmeet_server.client.client_secret or ""
    for record in watersmeet_server.requests():
        page = watersmeet_server.request("GET", f"/_dev/requests/{record['id']}").text
        before_curl, _, _ = page.partition("As curl")
        for secret in (tokens.access_token, tokens.refresh_token, client_secret, "password=alice"):
            assert secret not in before_curl
    assert tokens.refresh_token not in watersmeet_server.request("GET", "/_dev/requests.json").text


def test_what_a_page_shows_is_escaped(watersmeet_server: Server) -> None:
    watersmeet_server.request("POST", "/<script>alert(1)</script>", body="<script>alert(2)</script>")
    record = watersmeet_server.requests()[0]
    for path in ("/_dev/requests", f"/_dev/requests/{record['id']}"):
        assert "<script>alert" not in watersmeet_server.request("GET", path).text


def test_developer_pages_are_not_recorded(watersmeet_server: Server) -> None:
    for path in ("/_dev/", "/_dev/requests", "/static/dev.css"):
        watersmeet_server.request("GET", path)
    assert watersmeet_server.requests() == []
