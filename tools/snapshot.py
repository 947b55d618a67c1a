"""Snapshots: databases full of data, as a released version leaves them, for the tests of migrations.

``python -m tools.snapshot`` plays real flows over the application, in process, on SQLite and on PostgreSQL, and
writes ``tests/data/VERSION.{sqlite,postgresql}.sql`` with what each token in it is worth in ``VERSION.json``.
Run it once, at the commit that is released, and check the files in: later versions must upgrade them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from tests.http.conftest import SECRET, START, HandClock, Site
from tests.support.postgresql import postgresql_programs, running_postgresql

from watersmeet import __version__, demo
from watersmeet.app import create_app, create_environment, open_database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.settings import Settings
from watersmeet.users.signin import change_password, disable_user

DATA = Path(__file__).parents[1] / "tests" / "data"
BASE_URL = "http://127.0.0.1:8090"


def _fill(database_url: str) -> dict[str, Any]:
    """Live through everything that leaves a trace; what the tests need to know of it."""
    settings = Settings(base_url=BASE_URL, database_url=database_url, secret=SECRET)
    database, clock = open_database(settings), HandClock()
    environment = create_environment(settings, database, clock)
    # Its purpose is production: nobody upgrades a demo.
    prepare(database, Purpose.PRODUCTION, environment.keys.fingerprint)
    database.write_now(lambda tx: demo.add_demo(tx, environment, START))
    app = create_app(settings, database=database, clock=clock)
    site = Site(environment, clock, lambda: TestClient(app, base_url=BASE_URL, follow_redirects=False))
    try:
        return _live(site)
    finally:
        database.close()


def _live(site: Site) -> dict[str, Any]:
    database = site.environment.database
    site.signed_in("viewer")  # a session that has expired long before the end
    expired = site.tokens("alice", "READ")
    site.clock.advance(7_776_000 + 1)

    disabled, changed = site.tokens("viewer", "READ"), site.tokens("admin", "SYSTEM_ADMIN")
    database.write_now(lambda tx: disable_user(tx, "viewer", site.clock.now()))
    stored = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    database.write_now(lambda tx: change_password(tx, "admin", stored, site.clock.now()))

    revoked = site.tokens("bob", "READ")
    site.new_browser().post(
        "/rest/oauth2/latest/revoke",
        data={"client_id": demo.CLIENT_ID, "client_secret": demo.CLIENT_SECRET, "token": revoked["access_token"]},
    )
    replayed = site.tokens("bob", "READ")
    successor = site.refresh(replayed["refresh_token"]).json()
    assert site.refresh(replayed["refresh_token"]).status_code == 400
    spent = site.tokens("alice", "WRITE")
    live = site.refresh(spent["refresh_token"]).json()

    pages = site.post(
        "/rest/api/content",
        json={
            "type": "page",
            "title": "Written before the upgrade",
            "space": {"key": "DEMO"},
            "body": {"storage": {"value": "<p>first</p>", "representation": "storage"}},
        },
    ).json()
    site.put(
        f"/rest/api/content/{pages['id']}",
        json={
            "type": "page",
            "title": "Written before the upgrade",
            "version": {"number": 2},
            "body": {"storage": {"value": "<p>second</p>", "representation": "storage"}},
        },
    )
    trashed = site.post(
        "/rest/api/content",
        json={
            "type": "page",
            "title": "Trashed before the upgrade",
            "space": {"key": "DEMO"},
            "body": {"storage": {"value": "<p>gone</p>", "representation": "storage"}},
        },
    ).json()
    site.delete(f"/rest/api/content/{trashed['id']}")

    public = site.register("A public client", ["https://app.example/cb"], confidential=False)
    used_code = site.code("alice")
    of_used_code = site.exchange(used_code).json()
    denier = site.signed_in("bob")
    site.answer(denier, site.ask(denier), "deny")
    site.ask(denier, state="still open")
    browser = site.signed_in("alice")
    code = site.code("alice")
    return {
        "secret": SECRET,
        "base_url": BASE_URL,
        "now": site.clock.now(),
        "live": live,
        "spent": spent,
        "code": code,
        "used_code": used_code,
        "of_used_code": of_used_code,
        "dead": {
            "expired": expired,
            "of a disabled user": disabled,
            "before the password was changed": changed,
            "revoked": revoked,
            "replayed": replayed,
            "successor of a replayed one": successor,
        },
        "session_cookies": dict(browser.cookies),
        "public_client": public.client.client_id,
        "page": pages["id"],
    }


def _sqlite(fill: Callable[[str], dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        told = fill(f"sqlite:///{folder}/snapshot.db")
        connection = sqlite3.connect(f"{folder}/snapshot.db")
        try:
            return "\n".join(connection.iterdump()) + "\n", told
        finally:
            connection.close()


def _postgresql(fill: Callable[[str], dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    with running_postgresql() as server, server.fresh_database() as url:
        told = fill(url)
        words = ["--no-owner", "--no-privileges", "--inserts", "--dbname", url]
        dumped = subprocess.run(
            [str(postgresql_programs() / "pg_dump"), *words],
            check=True, capture_output=True, text=True, env={**os.environ, "PGUSER": "postgres"},
        ).stdout  # fmt: skip
    # What only psql understands, settings that older servers do not know, and the chatter.
    skipped = ("\\", "SET ", "--")
    lines = [line for line in dumped.splitlines() if line and not line.startswith(skipped)]
    return "\n".join(lines) + "\n", told


def main() -> None:
    """Write the snapshots of this version."""
    told: dict[str, Any] = {}
    for name, dump in (("sqlite", _sqlite), ("postgresql", _postgresql)):
        text, told[name] = dump(_fill)
        (DATA / f"{__version__}.{name}.sql").write_text(text)
    (DATA / f"{__version__}.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
