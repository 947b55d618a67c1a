"""``watersmeet audit`` and ``watersmeet keys``, with real processes on a real database."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.test_commands import GOOD_SECRET, free_port, run, serving
from tests.support.grants import ENTROPY, KEYS, LIFETIMES, Grants
from tests.support.server import running_server
from watersmeet.clock import SECOND, SystemClock
from watersmeet.confluence.scopes import Scope
from watersmeet.database.engine import Database
from watersmeet.database.properties import Purpose, prepare
from watersmeet.database.transaction import Transaction
from watersmeet.oauth2.envelope import is_genuine
from watersmeet.oauth2.response import IssuedTokens
from watersmeet.oauth2.vocabulary import TokenKind
from watersmeet.tokens import keys
from watersmeet.users.personal_token import NewToken, Wanted, create_token
from watersmeet.users.signin import require_user


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The settings of a production database in a folder of its own."""
    return {
        "WATERSMEET_SECRET": GOOD_SECRET,
        "WATERSMEET_DATABASE_URL": f"sqlite:///{tmp_path / 'watersmeet.db'}",
    }


def test_permissions_on_the_command_line(tmp_path: Path, env: dict[str, str]) -> None:
    def done(*words: str, stdin: str = "", code: int = 0) -> str:
        finished = run(*words, cwd=tmp_path, env=env, stdin=stdin)
        assert finished.returncode == code, finished.stderr
        return finished.stdout + finished.stderr

    done("user", "add", "ada", "--role", "administrator", "--password-stdin", stdin="correct horse battery")
    done("permission", "grant", "use", "--anonymous")
    done("permission", "grant", "create-space", "--user", "Ada")
    found = json.loads(done("permission", "list", "--json"))
    assert {"subject": "everybody", "name": None, "permission": "use"} in found
    assert {"subject": "user", "name": "ada", "permission": "create-space"} in found
    assert ["everybody", "use"] in [line.split() for line in done("permission", "list").splitlines()]
    assert "Nothing changed" in done("permission", "grant", "use", "--anonymous")
    assert "Revoked." in done("permission", "revoke", "use", "--anonymous")
    assert "Nothing changed" in done("permission", "revoke", "use", "--anonymous")
    assert "everybody" not in done("permission", "list")
    assert "No space with key : DOCS" in done("permission", "grant", "view", "--anonymous", "--space", "DOCS", code=3)
    done("permission", "grant", "use", "--user", "nobody", code=3)
    assert "--space KEY" in done("permission", "grant", "view", "--user", "ada", code=2)
    assert "leave --space out" in done("permission", "grant", "use", "--user", "ada", "--space", "DOCS", code=2)
    done("permission", "grant", "use", "--group", "nobodies", code=3)
    assert "no permission 'view' there" in done("permission", "grant", "view", "--anonymous", code=2)
    assert "one of --user" in done("permission", "grant", "use", code=2)
    done("permission", "grant", "create-space", "--anonymous", code=1)
    events = [json.loads(line) for line in done("audit", "--json", "--event", "permission.").splitlines()]
    assert [(event["event"], event["actor"]) for event in events] == [
        ("permission.revoked", "the command line"),
        ("permission.granted", "the command line"),
        ("permission.granted", "the command line"),
    ]


def test_the_audit_log_on_the_command_line(tmp_path: Path, env: dict[str, str]) -> None:
    def done(*words: str, stdin: str = "") -> str:
        ran = run(*words, cwd=tmp_path, env=env, stdin=stdin)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    done("user", "add", "carol", "--password-stdin", stdin="correct horse battery\n")
    made = json.loads(
        done("link", "add", "=cmd", "--redirect-uri", "https://app.example/cb", "--scope", "READ", "--json")
    )
    lines = [json.loads(line) for line in done("audit", "--json").splitlines()]
    assert [line["event"] for line in lines] == ["link.created", "user.created"]
    assert {line["actor"] for line in lines} == {"the command line"}
    assert lines[1]["user"] == "carol"
    [record] = csv.DictReader(io.StringIO(done("audit", "--csv", "--client", made["client_id"])))
    assert (record["event"], record["client"]) == ("link.created", "'=cmd")
    table = done("audit", "--user", "carol", "--since", "1h", "--limit", "5").splitlines()
    assert table[0].split() == ["TIME", "(UTC)", "EVENT", "BY", "USER", "APPLICATION", "ADDRESS", "DETAIL"]
    assert len(table) == 2
    assert made["client_secret"] not in done("audit", "--json")
    refused = run("audit", "--since", "soon", cwd=tmp_path, env=env)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "A time looks like" in refused.stderr
    assert run("audit", "--json", "--csv", cwd=tmp_path, env=env).returncode == 2


def test_an_operator_ends_a_user_s_personal_access_tokens(tmp_path: Path, env: dict[str, str]) -> None:
    def done(*words: str, stdin: str = "") -> str:
        ran = run("token", *words, cwd=tmp_path, env=env, stdin=stdin)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    run("user", "add", "carol", "--password-stdin", cwd=tmp_path, env=env, stdin="correct horse battery\n")
    database = Database(env["WATERSMEET_DATABASE_URL"])
    now = SystemClock().now()

    def make(tx: Transaction) -> NewToken:
        wanted = Wanted("A script", Scope.READ, 30)
        return create_token(tx, require_user(tx, "carol"), wanted, now=now, keys=KEYS, entropy=ENTROPY)

    first, *others = (database.write_now(make) for _ in range(3))
    database.close()
    listed = json.loads(done("list", "carol", "--json"))
    assert [each["id"] for each in listed] == [new.token.id for new in (*reversed(others), first)]
    assert first.raw not in done("list", "carol", "--json")
    assert done("list", "carol").splitlines()[1].split()[1:5] == ["A", "script", "READ", listed[0]["expiringAt"][:10]]
    assert done("revoke", "carol", str(first.token.id)) == "Ended 1 personal access token of carol.\n"
    assert run("token", "revoke", "carol", str(first.token.id), cwd=tmp_path, env=env).returncode == 3
    assert run("token", "list", "nobody", cwd=tmp_path, env=env).returncode == 3
    for wrong in ((), (str(first.token.id), "--all")):
        assert run("token", "revoke", "carol", *wrong, cwd=tmp_path, env=env).returncode == 2
    assert done("revoke", "carol", "--all") == "Ended 2 personal access tokens of carol.\n"
    assert done("list", "carol", "--json").strip() == "[]"
    events = run("audit", "--json", "--event", "personal-token.revoked", cwd=tmp_path, env=env).stdout.splitlines()
    assert [json.loads(event)["detail"] for event in events] == [
        {"personal_tokens_ended": 2}, {"token": first.token.id}
    ]  # fmt: skip


def test_what_is_weaker_than_advised_is_said(tmp_path: Path, env: dict[str, str]) -> None:
    fine = run("settings", "--check", cwd=tmp_path, env=env)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert "usable" in fine.stdout
    weak = env | {"ATLASSIAN_OAUTH2_PROVIDER_ACCESS_TOKEN_EXPIRATION_SECONDS": "3601"}
    warned = run("settings", "--check", cwd=tmp_path, env=weak)
    assert warned.returncode == 0
    assert "access.token.expiration.seconds is above 3600" in warned.stderr
    refused = run("settings", "--check", cwd=tmp_path, env=env | {"WATERSMEET_SECRET": "short"})
    assert refused.returncode == 1


def test_a_grace_of_its_own_on_the_command_line(tmp_path: Path, env: dict[str, str]) -> None:
    def done(*words: str) -> str:
        ran = run("link", *words, cwd=tmp_path, env=env)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    made = json.loads(done("add", "App", "--redirect-uri", "https://app.example/cb", "--scope", "READ", "--json"))
    client_id = made["client_id"]
    assert "strict: a token works once (the server's setting)" in done("show", client_id)
    done("change", client_id, "--refresh-grace", "2")
    assert "grace of 2 s (its own)" in done("show", client_id)
    done("change", client_id, "--refresh-grace", "default")
    assert json.loads(done("show", client_id, "--json"))["refresh_grace_seconds"] is None


def test_how_long_a_link_s_tokens_live_on_the_command_line(tmp_path: Path, env: dict[str, str]) -> None:
    def shown(name: str, *words: str, **more: str) -> list[str]:
        uri = ("--redirect-uri", "https://app.example/cb")
        made = run("link", "add", name, *uri, *words, "--json", cwd=tmp_path, env=env)
        assert made.returncode == 0, made.stderr
        ran = run("link", "show", json.loads(made.stdout)["client_id"], cwd=tmp_path, env=env | more)
        return [" ".join(line.split()) for line in ran.stdout.splitlines()]

    strict = shown("Strict", "--scope", "ADMIN")
    assert "grants end after 30 days without a refresh" in strict
    assert strict[-2:] == ["access token lives 3600 s", "900 s with ADMIN or SYSTEM_ADMIN"]
    writer = shown("Writer", "--scope", "WRITE", WATERSMEET_REFRESH_IDLE_DAYS="0")
    assert writer[-1] == "access token lives 3600 s"
    assert "grants" not in " ".join(writer)
    old = shown("Old", "--scope", "ADMIN", "--profile", "atlassian-dc", WATERSMEET_LEGACY_REFRESH_IDLE_DAYS="60")
    assert old[-2:] == ["grants end after 60 days without a refresh", "access token lives 3600 s"]


def test_keys_on_the_command_line(tmp_path: Path, env: dict[str, str]) -> None:
    def done(*words: str) -> str:
        ran = run("keys", *words, cwd=tmp_path, env=env)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert done("list").splitlines()[1].split() == ["original", "the", "beginning", "not", "planned"]
    newest = json.loads(done("rotate", "--json"))
    old, new = json.loads(done("list", "--json"))
    assert (old["id"], new["id"], new["retires_at"]) == ("original", newest["id"], None)
    assert old["retires_at"] > new["signs_from"] == newest["signs_from"]
    assert run("keys", "rotate", "--now", cwd=tmp_path, env=env, stdin="n\n").returncode == 1
    done("rotate", "--now", "--yes")
    assert len(json.loads(done("list", "--json"))) == 1


# ---- rotation under load ----------------------------------------------------------------------------------

SECRET_OF_GRANTS = "the secret of these tests, long enough to be one"
WORKERS = 4


class Worker:
    """A client that refreshes at one process and uses the access token at the other, on and on."""

    def __init__(self, pair: IssuedTokens, grants: Grants, urls: list[str], host: str) -> None:
        self.access, self._refresh_token = pair.access_token, pair.refresh_token
        self._grants, self._urls, self._host = grants, urls, host
        self.answers: list[int] = []
        self.rounds_with_new_key = 0

    def run(self, stop: threading.Event) -> None:
        with httpx.Client(headers={"Host": self._host}, timeout=30) as client:
            while not stop.is_set():
                self._urls.reverse()
                self._round(client, *self._urls)

    def _round(self, client: httpx.Client, first: str, second: str) -> None:
        credentials = self._grants.credentials
        form = {
            "grant_type": "refresh_token", "refresh_token": self._refresh_token,
            "client_id": credentials.client_id, "client_secret": str(credentials.client_secret),
        }  # fmt: skip
        answer = client.post(f"{first}/rest/oauth2/latest/token", data=form)
        self.answers.append(answer.status_code)
        answer.raise_for_status()
        self.access, self._refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
        bearer = {"Authorization": f"Bearer {self.access}"}
        self.answers.append(client.get(f"{second}/rest/api/user/current", headers=bearer).status_code)
        self.rounds_with_new_key += not is_genuine(self.access, TokenKind.ACCESS, KEYS)


@contextmanager
def two_processes(tmp_path: Path, database_url: str) -> Iterator[tuple[list[str], str]]:
    """Two servers on one database: their URLs, and the ``Host`` that both answer to."""
    ports = [free_port(), free_port()]
    host = f"127.0.0.1:{ports[0]}"
    env = {
        "WATERSMEET_SECRET": SECRET_OF_GRANTS,
        "WATERSMEET_DATABASE_URL": database_url,
        "WATERSMEET_BASE_URL": f"http://{host}",
    }
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(serving(tmp_path, port, env))
        yield [f"http://127.0.0.1:{port}" for port in ports], host


def test_s149_keys_rotate_under_load_over_two_processes_without_one_failed_request(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watersmeet.db'}"
    database = Database(url)
    prepare(database, Purpose.PRODUCTION, KEYS.fingerprint)
    grants = [Grants.prepare(database, f"App{number}") for number in range(WORKERS)]
    pairs = [(each, each.exchange(each.code())) for each in grants]
    with two_processes(tmp_path, url) as (urls, host), ThreadPoolExecutor(WORKERS) as threads:
        workers = [Worker(pair, each, [*urls], host) for each, pair in pairs if isinstance(pair, IssuedTokens)]
        stop = threading.Event()
        running = [threads.submit(worker.run, stop) for worker in workers]
        try:
            now = SystemClock().now()
            database.write_now(
                lambda tx: keys.rotate(tx, now=now, lifetimes=LIFETIMES, entropy=ENTROPY, ahead=6 * SECOND)
            )
            deadline = time.monotonic() + 120
            while any(worker.rounds_with_new_key < 10 for worker in workers) and time.monotonic() < deadline:
                if any(each.done() for each in running):
                    break
                time.sleep(0.1)
        finally:
            stop.set()
        for each in running:
            each.result()
    database.close()
    assert len(workers) == WORKERS
    assert all(worker.rounds_with_new_key >= 10 for worker in workers), "the running servers took the new key over"
    assert {status for worker in workers for status in worker.answers} == {200}


# ---- dev --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"), [([], [401] * 15), (["-Dthrottle_attempts=2"], [401, 401] + [429] * 13)]
)
def test_dev_throttles_only_if_it_is_told_to(options: list[str], expected: list[int]) -> None:
    with running_server(options) as server:
        form = {"client_id": server.clients[0].client_id, "client_secret": "wrong", "grant_type": "refresh_token",
                "refresh_token": "x"}  # fmt: skip
        url = f"{server.base_url}/rest/oauth2/latest/token"
        assert [httpx.post(url, data=form, timeout=30).status_code for _ in range(15)] == expected
