"""The audit page, its exports and the API resource: administrators only, searchable, safe to open."""

from __future__ import annotations

import csv
import io
import json

import pytest
from lxml import html
from starlette.testclient import TestClient

from tests.http.conftest import Site
from watersmeet import demo
from watersmeet.audit.export import in_words
from watersmeet.database import audit
from watersmeet.database.audit import Event, Origin
from watersmeet.database.transaction import Transaction

PAGE, EXPORT, API = "/admin/audit", "/admin/audit/export", "/rest/oauth2/latest/audit"


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin")


def fill(site: Site, number: int, event: Event = Event.TOKENS_REFRESHED, **origin: str) -> None:
    def write(tx: Transaction) -> None:
        for _ in range(number):
            audit.record(tx, event, Origin(**origin), site.clock.now(), client_id=demo.CLIENT_ID)

    site.environment.database.write_now(write)


def events(page: str) -> list[str]:
    return [cell.text_content() for cell in html.fromstring(page).xpath("//tbody//th")]


def test_only_administrators_see_it(site: Site) -> None:
    for path in (PAGE, EXPORT):
        assert site.new_browser().get(path).headers["location"].startswith("/login.action?")
        refused = site.signed_in("alice").get(path)
        assert refused.status_code == 403
        assert "sign-in.succeeded" not in refused.text


def test_the_api_needs_the_scope_admin(site: Site) -> None:
    assert site.new_browser().get(API).status_code == 401
    assert site.get(API, user="admin", scope="WRITE").status_code == 403
    assert site.get(API, user="alice", scope="ADMIN").status_code == 403, "the scope is capped by the user's rights"
    found = site.get(API, user="admin", scope="ADMIN", params={"event": "tokens.issued", "user": "admin"}).json()
    assert [(entry["event"], entry["user"]) for entry in found["results"]] == [("tokens.issued", "admin")] * 2
    assert found["next"] is None


def test_the_page_shows_the_newest_first_with_names(site: Site, admin: TestClient) -> None:
    site.tokens("alice")
    shown = admin.get(PAGE).text
    assert events(shown)[:5] == [
        "tokens.issued", "consent.allowed", "legacy.accepted", "sign-in.succeeded", "sign-in.succeeded",
    ]  # fmt: skip
    row = html.fromstring(shown).xpath("//tbody/tr[2]")[0].text_content()
    assert demo.CLIENT_NAME in row
    assert "alice" in row
    assert "scope: READ" in row
    assert 'href="/admin/audit"' in admin.get("/").text, "administrators find it in the navigation"
    assert "/admin/audit" not in site.signed_in("alice").get("/").text


def test_filters_narrow_and_are_kept(site: Site, admin: TestClient) -> None:
    fill(site, 2)
    fill(site, 1, Event.SIGNED_OUT, actor="bob")
    assert events(admin.get(PAGE, params={"event": "tokens."}).text) == ["tokens.refreshed"] * 2
    assert events(admin.get(PAGE, params={"user": "Bob"}).text) == ["sign-out", "user.created"]
    assert events(admin.get(PAGE, params={"client": demo.CLIENT_ID, "since": "1h"}).text)[-1] == "tokens.refreshed"
    assert "No event fits" in admin.get(PAGE, params={"until": "2001-01-01"}).text
    page = html.fromstring(admin.get(PAGE, params={"user": "<b>"}).text)
    assert page.xpath("//input[@name='user']/@value") == ["<b>"]


@pytest.mark.parametrize("typed", [{"since": "yesterday"}, {"event": "nothing"}, {"before": "x"}, {"since": "9" * 9}])
def test_a_filter_that_means_nothing_is_explained(admin: TestClient, typed: dict[str, str]) -> None:
    answer = admin.get(PAGE, params=typed)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Export JSON lines" in answer.text


def test_pages_lead_to_the_end_of_the_log(site: Site, admin: TestClient) -> None:
    fill(site, 250)
    seen, path = 0, PAGE + "?event=tokens.refreshed"
    while path:
        page = html.fromstring(admin.get(path).text)
        seen += len(page.xpath("//tbody/tr"))
        older = page.xpath("//a[text()='Older events']/@href")
        path = PAGE + older[0] if older else ""
    assert seen == 250


def test_the_api_pages_too(site: Site) -> None:
    fill(site, 150)
    ask = {"event": "tokens.refreshed"}
    first = site.get(API, user="admin", scope="ADMIN", params=ask).json()
    second = site.get(API, user="admin", scope="ADMIN", params={**ask, "before": first["next"]}).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 50, None)
    assert not {entry["id"] for entry in first["results"]} & {entry["id"] for entry in second["results"]}
    assert site.get(API, user="admin", scope="ADMIN", params={"since": "x"}).status_code == 400


def test_json_lines_hold_every_event_that_fits(site: Site, admin: TestClient) -> None:
    fill(site, 2500)
    answer = admin.get(EXPORT, params={"format": "jsonl", "event": "tokens.refreshed"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["content-disposition"] == 'attachment; filename="watersmeet-audit.jsonl"'
    assert answer.headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len({line["id"] for line in lines}) == 2500
    assert lines[0]["time"] == "2027-01-15T08:00:00.000+00:00"
    assert lines[0]["client"] == demo.CLIENT_NAME
    assert events(admin.get(PAGE).text)[0] == "audit.exported"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_a_csv_export_can_become_a_formula(site: Site, admin: TestClient, start: str) -> None:
    hostile = start + 'HYPERLINK("https://evil.test","x")'
    fill(site, 1, Event.LINK_CHANGED, actor=hostile)
    answer = admin.get(EXPORT, params={"format": "csv", "event": "link.changed"})
    assert answer.headers["content-type"].startswith("text/csv")
    [record] = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert record["actor"] == "'" + hostile
    assert record["client_id"] == demo.CLIENT_ID
    assert record["detail"] == ""


def test_exports_and_wrong_filters(admin: TestClient) -> None:
    assert admin.get(EXPORT, params={"since": "?"}).status_code == 400


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({}, ""),
        ({"scope": "READ", "redirect_host": "app.example"}, "scope: READ; redirect_host: app.example"),
        ({"before": {"scope": "READ"}, "after": {"scope": "WRITE"}}, "scope: READ → WRITE"),
        ({"after": {"name": "App", "redirect_uris": ["https://a", "https://b"]}},
         "name: App; redirect_uris: https://a https://b"),
        ({"before": {"read": [], "update": []}, "after": {"read": [], "update": ["user alice"]}, "content": 7},
         "update: – → user alice; content: 7"),
        ({"before": {"refresh_grace_seconds": 5, "may_introspect": False},
          "after": {"refresh_grace_seconds": None, "may_introspect": True}},
         "refresh_grace_seconds: 5 → –; may_introspect: no → yes"),
        ({"after": {"refuses": [], "may_introspect": False, "refresh_grace_seconds": None, "used": 0}},
         "may_introspect: no; used: 0"),
        ({"signs_from": 1795577884231}, "signs_from: 2026-11-25 03:38:04"),
    ],
)  # fmt: skip
def test_details_in_words(detail: dict[str, object], words: str) -> None:
    assert in_words(detail) == words
