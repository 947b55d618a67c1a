"""A store that is broken, on both engines: everybody is told 503, the log tells all, and nothing is lost (S132)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient
from structlog.typing import EventDict

from tests.http.conftest import HandClock
from tests.support.grants import NOW, REDIRECT_URI, VERIFIER, Grants
from tests.support.log import captured
from watersmeet.app import create_app
from watersmeet.database.engine import Database
from watersmeet.errors import StorageFailed
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.settings import Settings
from watersmeet.web import log as web_log

SECRET = "the secret of these tests, long enough to be one"  # as in tests.support.grants
AUTHORIZED = "/plugins/servlet/oauth2/authorized-applications"
BUSY_SINCE = "The database does not work as it should. Nothing was changed; whoever runs this server must look."

# How a schema breaks, and how it is mended.
BROKEN = {
    "a table is missing": (
        "ALTER TABLE token_pairs RENAME TO token_pairs_elsewhere",
        "ALTER TABLE token_pairs_elsewhere RENAME TO token_pairs",
    ),
    "a column is missing": (
        "ALTER TABLE token_pairs RENAME COLUMN family_id TO family_elsewhere",
        "ALTER TABLE token_pairs RENAME COLUMN family_elsewhere TO family_id",
    ),
}


class Service:
    """The application on a database of either engine, and one user's requests."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.grants = Grants.prepare(database)
        self.code = self.grants.code()
        issued = self.grants.tokens()
        assert isinstance(issued, IssuedTokens)
        self.issued = issued
        app = create_app(Settings(secret=SECRET), database=database, clock=HandClock(NOW))
        self.client = TestClient(app, base_url="http://127.0.0.1:8090", follow_redirects=False)
        self.client.cookies["watersmeet-session-8090"] = self.grants.session_id

    def execute(self, statement: str) -> None:
        self.database.write_now(lambda tx: tx.exec_driver_sql(statement))

    def post(self, endpoint: str, **fields: str) -> httpx.Response:
        credentials = self.grants.credentials
        proof = {"client_id": credentials.client_id, "client_secret": credentials.client_secret or ""}
        answer: httpx.Response = self.client.post(f"/rest/oauth2/latest/{endpoint}", data=proof | fields)
        return answer

    def exchange(self) -> httpx.Response:
        grant = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": REDIRECT_URI}
        return self.post("token", **grant, code_verifier=VERIFIER)

    def refresh(self) -> httpx.Response:
        return self.post("token", grant_type="refresh_token", refresh_token=self.issued.refresh_token)

    def revoke(self) -> httpx.Response:
        return self.post("revoke", token=self.issued.refresh_token)

    def introspect(self) -> httpx.Response:
        return self.post("introspect", token=self.issued.access_token)

    def call(self) -> httpx.Response:
        # Without the cookie, so that the call ends no session.
        header = {"Authorization": f"Bearer {self.issued.access_token}", "Cookie": ""}
        answer: httpx.Response = self.client.get("/rest/api/user/current", headers=header)
        return answer

    def look(self) -> httpx.Response:
        answer: httpx.Response = self.client.get(AUTHORIZED)
        return answer


@pytest.fixture
def service(database: Database) -> Service:
    return Service(database)


REQUESTS: list[Callable[[Service], httpx.Response]] = [
    Service.exchange, Service.refresh, Service.revoke, Service.introspect, Service.call, Service.look
]  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_s132_everybody_is_told_503_and_then_all_is_as_it_was(
    service: Service, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it, mend_it = BROKEN[how]
    logged = captured(monkeypatch, web_log)
    service.execute(break_it)
    for request in REQUESTS:
        logged.clear()
        check(request(service), logged)
    service.execute(mend_it)
    assert service.call().status_code == 200
    assert service.introspect().json()["active"] is True
    assert "App" in service.look().text
    assert service.exchange().status_code == 200, "the code had not been consumed"
    assert service.refresh().status_code == 200, "nor had the refresh token"
    assert service.revoke().status_code == 200


def check(answer: httpx.Response, logged: list[EventDict]) -> None:
    """An answer of 503 in the words of its endpoint, and the traceback in the log, but in no answer."""
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), answer.text
    path = answer.request.url.path
    if path == AUTHORIZED:
        assert BUSY_SINCE in answer.text
        assert "Something went wrong on our side" in answer.text
    elif path.startswith("/rest/oauth2/"):
        assert answer.json() == {"error": "temporarily_unavailable", "error_description": BUSY_SINCE}
        assert answer.headers["cache-control"] == "no-store"
    else:
        assert (answer.json()["statusCode"], answer.json()["message"]) == (503, BUSY_SINCE)
    [failure] = [event for event in logged if event["event"] == "failed"]
    assert (failure["cause"], failure["log_level"]) == ("StorageFailed", "error")
    assert "Traceback" in failure["exception"]
    assert re.search("token_pairs", failure["exception"]), "it names the statement"
    assert not re.search("token_|SELECT|Traceback|sqlalchemy", answer.text)


def test_s132_one_request_that_breaks_a_rule_of_the_schema_is_no_broken_store(database: Database) -> None:
    """What a statement was refused by a constraint is our own fault: 500, not "try again"."""
    service = Service(database)
    with pytest.raises(Exception, match=r"(?i)unique") as failure:
        service.execute("INSERT INTO properties (name, value) VALUES ('same', 'a'), ('same', 'b')")
    assert not isinstance(failure.value, StorageFailed)


def test_s132_scripts_of_other_origins_are_told_in_the_endpoint_s_own_words(service: Service) -> None:
    service.execute("ALTER TABLE redirect_uris RENAME TO redirect_uris_elsewhere")
    told = service.client.post(
        "/rest/oauth2/latest/revoke", data={"token": "x", "client_id": "y"}, headers={"Origin": "https://app.example"}
    )
    assert (told.status_code, told.json()["error"]) == (503, "temporarily_unavailable")
    assert "access-control-allow-origin" not in told.headers
    asked = service.client.options("/rest/oauth2/latest/revoke", headers={"Origin": "https://app.example"})
    assert asked.status_code == 503


# ---- a damaged file -----------------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path: Path, _sqlite_template: Path, request: pytest.FixtureRequest) -> Iterator[Service]:
    """The application on a SQLite file that was damaged while nobody had it open."""
    file = tmp_path / "watersmeet.db"
    file.write_bytes(_sqlite_template.read_bytes())
    before = Database(f"sqlite:///{file}")
    service = Service(before)
    before.close()
    content = bytearray(file.read_bytes())
    content[request.param :] = b"\xa5" * (len(content) - request.param)
    file.write_bytes(content)
    database = Database(f"sqlite:///{file}")
    app = create_app(Settings(secret=SECRET), database=database, clock=HandClock(NOW))
    service.client = TestClient(app, base_url="http://127.0.0.1:8090", follow_redirects=False)
    service.client.cookies["watersmeet-session-8090"] = service.grants.session_id
    yield service
    database.close()


@pytest.mark.parametrize("damaged", [4096, 0], ids=["all but its beginning", "no database at all"], indirect=True)
@pytest.mark.parametrize("request_of", REQUESTS, ids=lambda request: request.__name__)
def test_s132_a_damaged_file_is_no_other(
    damaged: Service, request_of: Callable[[Service], httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = captured(monkeypatch, web_log)
    answer = request_of(damaged)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), answer.text
    [failure] = [event for event in logged if event["event"] == "failed"]
    assert re.search("malformed|not a database", failure["exception"])
