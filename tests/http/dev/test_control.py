"""Clock, faults and reset, as scripts use them, against a running ``watersmeet dev``."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from watersmeet.app import create_app, open_database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.oauth2.keys import Keys
from watersmeet.settings import Settings
from watersmeet.testing import Answer, Server, Tokens
from watersmeet.testing.flow import FlowFailed

CONTENT = "/rest/api/content"


def read(server: Server, tokens: Tokens, path: str = CONTENT) -> Answer:
    return server.request("GET", path, headers=tokens.headers)


def command(server: Server, path: str, sent: Any, method: str = "POST", **headers: str) -> Answer:
    return server.request(method, path, json=sent, headers=headers)


# ---- clock ------------------------------------------------------------------------------------------------


def test_the_clock_tells_and_is_moved(watersmeet_server: Server) -> None:
    before = watersmeet_server.now()
    told = command(watersmeet_server, "/_dev/clock", {"advance": 3600}).json()
    assert told.keys() == {"now", "epoch", "offset_seconds"}
    assert told["offset_seconds"] == 3600
    assert datetime.fromisoformat(told["now"]).timestamp() == told["epoch"]
    assert timedelta(hours=1) <= watersmeet_server.now() - before < timedelta(hours=1, minutes=2)

    watersmeet_server.set_time(datetime(2031, 5, 6, tzinfo=UTC))
    assert watersmeet_server.now().date().isoformat() == "2031-05-06"
    assert command(watersmeet_server, "/_dev/clock", {"reset": True}).json()["offset_seconds"] == 0


@pytest.mark.parametrize(
    "sent", [{}, {"advance": 1, "reset": True}, {"advance": "soon"}, {"set": "x"}, {"a": 1}, [], 1]
)
def test_a_change_of_the_clock_that_makes_no_sense_is_refused(watersmeet_server: Server, sent: Any) -> None:
    answer = command(watersmeet_server, "/_dev/clock", sent)
    assert answer.status == 400
    assert answer.json()["error"]
    assert watersmeet_server.request("GET", "/_dev/clock").json()["offset_seconds"] == 0


def test_every_lifetime_follows_the_clock(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    created = tokens.answer["created_at"]
    assert abs(created - watersmeet_server.now().timestamp()) < 60
    watersmeet_server.advance(tokens.expires_in - 60)
    assert read(watersmeet_server, tokens).status == 200
    watersmeet_server.advance(61)
    assert read(watersmeet_server, tokens).status == 401

    renewed = watersmeet_server.refresh(tokens)
    assert renewed.answer["created_at"] >= created + tokens.expires_in
    watersmeet_server.advance(timedelta(days=91))
    with pytest.raises(FlowFailed, match="invalid_grant"):
        watersmeet_server.refresh(renewed)


def test_what_is_written_later_carries_the_later_date(watersmeet_server: Server) -> None:
    watersmeet_server.set_time("2040-01-01T12:00:00Z")
    tokens = watersmeet_server.authorize(scope="WRITE")
    page = {"type": "page", "title": "Later", "space": {"key": "DEMO"}}
    answer = watersmeet_server.request("POST", CONTENT, json=page, headers=tokens.headers)
    assert answer.json()["history"]["createdDate"].startswith("2040-01-01T12:00")


# ---- faults -----------------------------------------------------------------------------------------------


def test_a_status_is_answered_so_many_times_without_carrying_the_request_out(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize(scope="WRITE")
    watersmeet_server.fault("status", path=CONTENT, method="POST", status=503, retry_after=7, times=2)
    page = {"type": "page", "title": "Third time lucky", "space": {"key": "DEMO"}}
    answers = [watersmeet_server.request("POST", CONTENT, json=page, headers=tokens.headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json()["error"] == "temporarily_unavailable"
    assert read(watersmeet_server, tokens).status == 200  # another method
    [fault] = watersmeet_server.faults()
    assert (fault["met"], fault["hit"]) == (3, 2)


def test_a_status_with_a_body_as_a_proxy_sends_it(watersmeet_server: Server) -> None:
    watersmeet_server.fault("status", status=502, body="<h1>Bad Gateway</h1>", content_type="text/html")
    answer = watersmeet_server.request("GET", CONTENT)
    assert (answer.status, answer.text, answer.headers["content-type"]) == (502, "<h1>Bad Gateway</h1>", "text/html")


def test_a_connection_dropped_before_leaves_nothing_behind(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.fault("drop-before", path="/rest/oauth2/latest/token", times=1)
    with pytest.raises(ConnectionError):
        token_request(watersmeet_server, tokens.refresh_token)
    assert token_request(watersmeet_server, tokens.refresh_token).status == 200


def test_a_lost_answer_was_committed(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.fault("drop-after", path="/rest/oauth2/latest/token", times=1)
    with pytest.raises(ConnectionError):
        token_request(watersmeet_server, tokens.refresh_token)
    assert read(watersmeet_server, tokens).status == 401, "the old pair was spent"


def token_request(server: Server, refresh_token: str) -> Answer:
    client = server.client
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client.client_id,
        "client_secret": client.client_secret or "",
    }
    return server.request("POST", "/rest/oauth2/latest/token", form=form)


def test_a_body_that_breaks_off(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.fault("cut-body", path=CONTENT)
    with pytest.raises(http.client.IncompleteRead) as cut:
        read(watersmeet_server, tokens)
    assert cut.value.partial.startswith(b'{"results"')
    assert cut.value.expected


def test_delays_and_slow_bodies_take_their_time_and_others_do_not_wait(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.fault("delay", path=CONTENT, seconds=0.6, times=1)
    watersmeet_server.fault("slow-body", path=CONTENT, after=1, seconds=0.6)
    began = time.monotonic()
    answers: list[Answer] = []
    slow = threading.Thread(target=lambda: answers.append(read(watersmeet_server, tokens)))
    slow.start()
    assert read(watersmeet_server, tokens, "/rest/api/user/current").status == 200
    slow.join()
    assert answers[0].status == 200
    assert time.monotonic() - began >= 0.6
    began = time.monotonic()
    assert read(watersmeet_server, tokens).json() == answers[0].json()
    assert time.monotonic() - began >= 0.55


def test_access_tokens_expire_in_the_middle_and_refreshing_helps(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.fault("expire-access-tokens", path=CONTENT, after=1, times=1)
    assert [read(watersmeet_server, tokens).status for _ in range(2)] == [200, 401]
    assert read(watersmeet_server, watersmeet_server.refresh(tokens)).status == 200


def test_revoked_tokens_stay_revoked(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.fault("revoke-tokens", path=CONTENT, times=1)
    assert read(watersmeet_server, tokens).status == 401
    with pytest.raises(FlowFailed, match="invalid_grant"):
        watersmeet_server.refresh(tokens)


def test_faults_are_listed_removed_and_cleared(watersmeet_server: Server) -> None:
    several = command(
        watersmeet_server, "/_dev/faults", [{"do": "delay", "path": "/a"}, {"do": "status", "path": "/b"}]
    )
    assert [fault["id"] for fault in several.json()["faults"]] == [1, 2]
    left = watersmeet_server.request("DELETE", "/_dev/faults/1").json()["faults"]
    assert [fault["path"] for fault in left] == ["/b"]
    watersmeet_server.clear_faults()
    assert watersmeet_server.faults() == []


def test_a_fault_never_locks_its_maker_out(watersmeet_server: Server) -> None:
    watersmeet_server.fault("drop-before")
    assert watersmeet_server.request("GET", "/_dev/").status == 200
    assert watersmeet_server.request("GET", "/static/watersmeet.css").status == 200


# ---- reset and seed ---------------------------------------------------------------------------------------


def test_a_reset_brings_the_first_state_back_at_once(watersmeet_server: Server) -> None:
    seed = watersmeet_server.request("GET", "/_dev/seed.json").json()
    tokens = watersmeet_server.authorize(scope="WRITE")
    page = {"type": "page", "title": "To be forgotten", "space": {"key": "DEMO"}}
    first = watersmeet_server.request("POST", CONTENT, json=page, headers=tokens.headers).json()
    watersmeet_server.register("Another", ["https://app.example/cb"])
    watersmeet_server.advance(5)
    watersmeet_server.fault("delay")

    began = time.monotonic()
    watersmeet_server.reset()
    assert time.monotonic() - began < 10  # 11 ms where this was written
    assert read(watersmeet_server, tokens).status == 401
    with pytest.raises(FlowFailed, match="invalid_grant"):
        watersmeet_server.refresh(tokens)
    assert watersmeet_server.faults() == []
    assert watersmeet_server.request("GET", "/_dev/clock").json()["offset_seconds"] == 0
    assert watersmeet_server.request("GET", "/_dev/seed.json").json() == seed

    tokens = watersmeet_server.authorize(scope="WRITE")
    again = watersmeet_server.request("POST", CONTENT, json=page, headers=tokens.headers).json()
    assert again["id"] == first["id"], "numbers are given out as on the first day"


def test_a_reset_signs_everybody_out(watersmeet_server: Server) -> None:
    import httpx

    from tests.support.flow import submit

    with httpx.Client(base_url=watersmeet_server.base_url) as browser:
        submit(browser, browser.get("/login.action"), {"username": "alice", "password": "alice"})
        assert "Alice Example" in browser.get("/").text
        watersmeet_server.reset()
        assert "Alice Example" not in browser.get("/").text


def test_the_seed_is_downloaded_as_json_and_the_present_as_a_database(
    watersmeet_server: Server, tmp_path: Path
) -> None:
    answer = watersmeet_server.request("GET", "/_dev/seed.json")
    assert "attachment" in answer.headers["content-disposition"]
    seed = answer.json()
    assert {user["username"] for user in seed["users"]} == watersmeet_server.users.keys()
    assert {space["key"] for space in seed["spaces"]} >= {"DEMO", "ENG"}
    assert all(item["storage"] for item in seed["content"])
    assert "password" not in answer.text
    assert "digest" not in answer.text

    (tmp_path / "copy.sqlite").write_bytes(watersmeet_server.request("GET", "/_dev/database.sqlite").body)
    with sqlite3.connect(tmp_path / "copy.sqlite") as copy:
        assert copy.execute("SELECT count(*) FROM users").fetchone() == (len(watersmeet_server.users),)
    copy.close()


# ---- clients ----------------------------------------------------------------------------------------------


def test_a_registered_client_works(watersmeet_server: Server) -> None:
    client = watersmeet_server.register("My app", ["http://localhost:3000/callback"], scope="READ")
    tokens = watersmeet_server.authorize(client, user="bob")
    assert read(watersmeet_server, tokens).status == 200
    assert watersmeet_server.refresh(tokens, client).scope == "READ"

    public = watersmeet_server.register("My public app", ["http://127.0.0.1/cb"], public=True)
    assert public.client_secret is None
    assert watersmeet_server.authorize(public, scope="WRITE").scope == "WRITE"
    answer = command(watersmeet_server, "/_dev/clients", {"name": "My app", "redirect_uris": ["https://a.example/"]})
    assert (answer.status, "error" in answer.json()) == (400, True)


@pytest.mark.parametrize("uri", ["http://app.example/cb", "javascript:alert(1)", "https://app.example/cb#x", ""])
def test_s035_a_client_is_held_to_the_rules_of_every_other_link(watersmeet_server: Server, uri: str) -> None:
    answer = command(watersmeet_server, "/_dev/clients", {"name": "Bad", "redirect_uris": [uri]})
    assert (answer.status, "error" in answer.json()) == (400, True)
    assert command(
        watersmeet_server, "/_dev/clients", {"name": "Bad", "redirect_uris": ["http://[::1]:1/cb"]}
    ).status == 200  # fmt: skip


def test_a_client_s_last_day_is_that_of_every_other_link(watersmeet_server: Server) -> None:
    today = watersmeet_server.now().date()
    client = watersmeet_server.register("Visitor", ["https://visitor.example/cb"], last_day=today)
    assert client.last_day == str(today)
    tokens = watersmeet_server.authorize(client)
    assert read(watersmeet_server, tokens).status == 200
    watersmeet_server.advance(86_400)
    assert read(watersmeet_server, tokens).status == 401
    assert watersmeet_server.requests()[0]["client"] == "Visitor"

    sent = {"name": "Late", "redirect_uris": ["https://late.example/cb"]}
    for wrong, says in ((str(today), "must not be over"), ("tomorrow", "like 2027-12-31")):
        answer = command(watersmeet_server, "/_dev/clients", sent | {"last_day": wrong})
        assert (answer.status, says in answer.json()["error"]) == (400, True), wrong
    answer = command(watersmeet_server, "/_dev/clients", sent)
    assert (answer.status, answer.json()["last_day"]) == (200, None)


# ---- other people's web pages -----------------------------------------------------------------------------

COMMANDS = [
    ("POST", "/_dev/clock", {"advance": 1}),
    ("POST", "/_dev/faults", {"do": "delay"}),
    ("POST", "/_dev/faults/clear", {}),
    ("DELETE", "/_dev/faults", {}),
    ("DELETE", "/_dev/faults/1", {}),
    ("POST", "/_dev/reset", {}),
    ("POST", "/_dev/clients", {"name": "x", "redirect_uris": ["https://a.example/"]}),
]
FOREIGN = [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]


@pytest.mark.parametrize(("method", "path", "sent"), COMMANDS)
def test_no_foreign_web_page_drives_a_server(watersmeet_server: Server, method: str, path: str, sent: Any) -> None:
    watersmeet_server.fault("delay", path="/nothing")
    for origin in FOREIGN:
        answer = command(watersmeet_server, path, sent, method, **origin)
        assert answer.status == 403, origin
    # What a page may send without asking first: a form, or plain text. Without our token neither does anything.
    body = json.dumps(sent)
    if method == "POST":
        for kind in ("application/x-www-form-urlencoded", "text/plain", ""):
            answer = watersmeet_server.request(method, path, body=body, headers={"Content-Type": kind})
            assert answer.status == 400, kind
        forged = {**dict.fromkeys(sent, "1"), "form_token": "forged"}
        assert watersmeet_server.request(method, path, form=forged).status == 403
    preflight = watersmeet_server.request("OPTIONS", path, headers={"Origin": "http://evil.example"})
    assert not any(name.startswith("access-control-") for name in preflight.headers)
    assert len(watersmeet_server.faults()) == 1
    assert watersmeet_server.request("GET", "/_dev/clock").json()["offset_seconds"] == 0


def test_a_foreign_host_name_is_refused(watersmeet_server: Server) -> None:
    answer = command(watersmeet_server, "/_dev/reset", {}, Host="evil.example")
    assert answer.status == 421


def test_serve_has_none_of_it(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/x.db", secret="s" * 32)
    database = open_database(settings)
    prepare(database, Purpose.PRODUCTION, Keys.derive(settings.secret).fingerprint)
    with TestClient(create_app(settings, database=database), base_url=settings.base_url) as browser:
        for path in ("/_dev/", "/_dev/clock", "/_dev/requests", "/_dev/playground", "/_dev/callback"):
            assert browser.get(path).status_code == 404
        for method, path, sent in COMMANDS:
            assert browser.request(method, path, json=sent).status_code == 404
    database.close()
