"""The command line's contract, with real processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.postgresql import PostgresqlServer
from tests.support.server import running_server
from watersmeet import demo
from watersmeet.cli.banner import banner
from watersmeet.settings import SAMPLE_SECRET

WATERSMEET = [sys.executable, "-m", "watersmeet"]
GOOD_SECRET = "0123456789abcdef0123456789abcdef0123"


def run(*words: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WATERSMEET, *words],
        check=False, capture_output=True, text=True, cwd=cwd, input=stdin, env={**os.environ, **(env or {})},
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- dev --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_dev_ends_with_0_within_two_seconds_even_with_an_open_connection(number: signal.Signals) -> None:
    with running_server() as server, httpx.Client() as client:
        client.get(f"{server.base_url}/login.action")  # keep-alive: the connection stays open
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(5) == 0
        assert time.monotonic() - began < 2


def test_dev_describes_itself_and_writes_the_same_to_the_ready_file(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with running_server(["--ready-file", str(ready), "--context-path", "wiki"]) as server:
        told = json.loads(ready.read_text())
        assert told["base_url"] == server.base_url
        assert told["base_url"].endswith("/wiki")
        assert told.keys() == {"base_url", "users", "clients", "pid"}
        assert told["pid"] == server.process.pid
        assert {user["username"] for user in told["users"]} == {"admin", "alice", "bob", "viewer"}
        assert told["clients"][0].keys() == {"name", "client_id", "client_secret", "redirect_uris", "scope"}


@pytest.mark.parametrize("options", [[], ["--no-banner"]])
def test_the_banner(tmp_path: Path, options: list[str]) -> None:
    command = [*WATERSMEET, "dev", "--port", "0", *options]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not (text := (tmp_path / "out").read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        assert process.wait(5) == 0
    if options:
        assert len(text.splitlines()) == 1
    else:
        for part in (demo.CLIENT_ID, demo.CLIENT_SECRET, "/_dev/", "authorize?client_id=", "grant_type=refresh_token"):
            assert part in text


@pytest.mark.parametrize(
    ("started_as", "on_path", "command"),
    [
        (".venv/bin/watersmeet", None, ".venv/bin/watersmeet"),
        ("src/watersmeet/__main__.py", None, f"{shlex.quote(sys.executable)} -m watersmeet"),
        (".venv/bin/watersmeet", "/usr/bin/watersmeet", "watersmeet"),
    ],
)
def test_the_banner_s_last_command_is_one_that_the_shell_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started_as: str, on_path: str | None, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / started_as)])
    monkeypatch.setattr("shutil.which", lambda _name: on_path)
    assert banner("http://127.0.0.1:8090").splitlines()[-1].startswith(f"{command} authorize --url")


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("dev", "--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert done.returncode == 1
    assert "Choose another --port" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["-Ddatabase_url=sqlite:///kept.db"], 1, "`dev` decides database_url itself"),
        (["-Dbase_url=https://wiki.example.com"], 1, "`dev` decides base_url itself"),
        (["--context-path", "/a//b"], 2, "use letters, digits"),
        (["--ready-file", "nowhere/ready.json"], 2, "there is no folder nowhere"),
        (["-Dno.such.thing=1"], 1, "Unknown setting no.such.thing"),
    ],
)
def test_dev_stays_a_demo_on_this_computer(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    done = run("dev", "--port", "0", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", [["dev", "--port", "0", "--json"], ["dev", "--port", "0"], ["settings"]])
def test_output_that_cannot_be_written_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*WATERSMEET, *words],
            check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "watersmeet: Standard output cannot be written: No space left on device.\n"
    assert list(tmp_path.iterdir()) == []


def test_dev_ends_with_0_and_tidies_up_also_before_it_is_ready(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([*WATERSMEET, "dev", "--port", "0", "--json"], stdout=subprocess.PIPE, env=env)
    deadline = time.monotonic() + 30
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


# ---- serve ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "No secret is set"),
        ({"WATERSMEET_SECRET": SAMPLE_SECRET}, "sample"),
        ({"WATERSMEET_SECRET": "short"}, "too easy to guess"),
        ({"WATERSMEET_SECRET": GOOD_SECRET, "WATERSMEET_BASE_URL": "http://wiki.example.com"}, "must be https"),
        ({"WATERSMEET_SECRET": GOOD_SECRET, "WATERSMEET_DATABASE_URL": "mysql://x/y"}, "database_url"),
        (
            {"WATERSMEET_SECRET": GOOD_SECRET, "WATERSMEET_DATABASE_URL": "sqlite:////nowhere/x.db"},
            "cannot be opened",
        ),
        ({"WATERSMEET_SECRET": GOOD_SECRET, "WATERSMEET_TYPO": "1"}, "WATERSMEET_TYPO"),
    ],
)
def test_serve_refuses_with_one_sentence(tmp_path: Path, env: dict[str, str], says: str) -> None:
    done = run("serve", cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_serve_refuses_a_database_that_dev_made(tmp_path: Path) -> None:
    with running_server(env={"TMPDIR": str(tmp_path)}):
        (file,) = tmp_path.glob("watersmeet-dev-*/dev.db")
        url = {"WATERSMEET_DATABASE_URL": f"sqlite:///{file}", "WATERSMEET_SECRET": GOOD_SECRET}
        done = run("serve", cwd=tmp_path, env=url)
    assert done.returncode == 1
    assert "made by `watersmeet dev`" in done.stderr


def test_serve_says_that_nobody_administers_it_yet(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("init", "--base-url", f"http://127.0.0.1:{port}", cwd=tmp_path).returncode == 0
        ended = run("serve", "--port", str(port), cwd=tmp_path)  # and then it cannot listen
        assert (ended.returncode, "no administrator yet: watersmeet user add" in ended.stderr) == (1, True), (
            ended.stderr
        )
        made = ["user", "add", "root", "--role", "administrator", "--password-stdin"]
        assert run(*made, cwd=tmp_path, stdin="pass word 1\n").returncode == 0
        ended = run("serve", "--port", str(port), cwd=tmp_path)
        assert (ended.returncode, "no administrator" in ended.stderr) == (1, False), ended.stderr


def test_serve_refuses_another_secret_than_the_database_knows(tmp_path: Path) -> None:
    assert run("user", "list", cwd=tmp_path, env={"WATERSMEET_SECRET": GOOD_SECRET}).returncode == 0
    done = run("serve", cwd=tmp_path, env={"WATERSMEET_SECRET": GOOD_SECRET[::-1]})
    assert "not the one this database was made with" in done.stderr


@contextmanager
def serving(folder: Path, port: int, env: dict[str, str] | None = None) -> Iterator[None]:
    command = [*WATERSMEET, "serve", "--port", str(port)]
    environment = {**os.environ, **(env or {})}
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    assert process.stdout is not None
    try:
        assert b"ready" in process.stdout.readline()
        yield
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_from_nothing_to_a_token_that_survives_a_restart(tmp_path: Path) -> None:
    port = free_port()
    base_url, callback = f"http://127.0.0.1:{port}", "http://127.0.0.1:7/callback"
    assert run("init", "--base-url", base_url, cwd=tmp_path).returncode == 0
    assert (tmp_path / "watersmeet.toml").stat().st_mode & 0o777 == 0o600
    assert run("init", cwd=tmp_path).returncode == 1
    added = run(
        "user", "add", "root", "--role", "administrator", "--password-stdin", cwd=tmp_path, stdin="pass word 1\n"
    )
    assert added.returncode == 0, added.stderr
    link = run("link", "add", "Sync", "--redirect-uri", callback, "--scope", "WRITE", "--json", cwd=tmp_path)
    client = json.loads(link.stdout)
    assert (tmp_path / "watersmeet.db").stat().st_mode & 0o077 == 0

    words = ["authorize", "--url", base_url, "--client", client["client_id"], "--redirect-uri", callback]
    words += ["--user", "root", "--scope", "WRITE", "--pkce"]
    secrets = {"WATERSMEET_PASSWORD": "pass word 1", "WATERSMEET_CLIENT_SECRET": client["client_secret"]}
    with serving(tmp_path, port):
        done = run(*words, cwd=tmp_path, env=secrets)
        assert done.returncode == 0, done.stderr
        tokens = json.loads(done.stdout)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    with serving(tmp_path, port):
        space = {"key": "OPS", "name": "Operations"}
        made = httpx.post(f"{base_url}/rest/api/space", json=space, headers=bearer)
        assert made.status_code == 200, made.text
        wrong = run(*words, cwd=tmp_path, env={**secrets, "WATERSMEET_PASSWORD": "wrong"})
        assert (wrong.returncode, "password is wrong" in wrong.stderr) == (1, True)
        denied = run(*words, "--deny", cwd=tmp_path, env=secrets)
        assert (denied.returncode, "access_denied" in denied.stderr) == (1, True)
        assert run("user", "disable", "root", cwd=tmp_path).returncode == 0  # while it is served
        assert httpx.get(f"{base_url}/rest/api/space", headers=bearer).status_code == 401


def test_the_same_on_postgresql(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    port, callback = free_port(), "http://127.0.0.1:7/callback"
    base_url = f"http://127.0.0.1:{port}"
    run("init", "--base-url", base_url, cwd=tmp_path)
    with postgresql_server.fresh_database() as url:
        env = {"WATERSMEET_DATABASE_URL": url}
        words = ["user", "add", "root", "--role", "administrator", "--password-stdin"]
        added = run(*words, cwd=tmp_path, env=env, stdin="pass word 1\n")
        assert added.returncode == 0, added.stderr
        link = run("link", "add", "Sync", "--redirect-uri", callback, "--public", "--json", cwd=tmp_path, env=env)
        words = ["authorize", "--url", base_url, "--client", json.loads(link.stdout)["client_id"]]
        words += ["--redirect-uri", callback, "--user", "root", "--scope", "READ", "--pkce"]
        with serving(tmp_path, port, env):
            done = run(*words, cwd=tmp_path, env={"WATERSMEET_PASSWORD": "pass word 1"})
            assert done.returncode == 0, done.stderr
            bearer = {"Authorization": f"Bearer {json.loads(done.stdout)['access_token']}"}
            assert httpx.get(f"{base_url}/rest/api/user/current", headers=bearer).json()["username"] == "root"


# ---- user, link -------------------------------------------------------------------------------------------


def test_users_and_links(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    assert run("user", "add", "ada", "--password-stdin", cwd=tmp_path, stdin="short\n").returncode == 1
    assert run("user", "add", "ada", "--password-stdin", cwd=tmp_path, stdin="long enough\n").returncode == 0
    assert run("user", "add", "Ada", "--password-stdin", cwd=tmp_path, stdin="long enough\n").returncode == 1
    assert run("user", "password", "ada", "--password-stdin", cwd=tmp_path, stdin="longer still\n").returncode == 0
    assert run("user", "disable", "nobody", cwd=tmp_path).returncode == 3
    assert run("user", "disable", "ada", cwd=tmp_path).returncode == 0
    (listed,) = json.loads(run("user", "list", "--json", cwd=tmp_path).stdout)
    assert (listed["username"], listed["enabled"]) == ("ada", False)
    add_root = ("user", "add", "root", "--role", "administrator", "--password-stdin")
    assert run(*add_root, cwd=tmp_path, stdin="long enough\n").returncode == 0
    unasked = run("user", "delete", "ada", cwd=tmp_path)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    deleted = run("user", "delete", "Ada", "--yes", cwd=tmp_path)
    assert (deleted.returncode, "Deleted ada." in deleted.stdout + deleted.stderr) == (0, True)
    assert [user["username"] for user in json.loads(run("user", "list", "--json", cwd=tmp_path).stdout)] == ["root"]
    assert run("user", "delete", "ada", "--yes", cwd=tmp_path).returncode == 3
    last = run("user", "delete", "root", "--yes", cwd=tmp_path)
    assert (last.returncode, "Make somebody else an administrator first" in last.stderr) == (1, True)
    assert run("user", "add", "ada", "--password-stdin", cwd=tmp_path, stdin="long enough\n").returncode == 0

    bad = run("link", "add", "Sync", "--redirect-uri", "http://sync.example.com/cb", cwd=tmp_path)
    assert (bad.returncode, "Use https" in bad.stderr) == (1, True)
    assert run("link", "add", "Sync", cwd=tmp_path).returncode == 2
    added = run("link", "add", "Sync", "--redirect-uri", "https://sync.example.com/cb", "--json", cwd=tmp_path)
    client_id = json.loads(added.stdout)["client_id"]
    shown = run("link", "show", client_id, "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["redirect_uris"] == ["https://sync.example.com/cb"]
    assert "client_secret" not in shown.stdout
    assert json.loads(run("link", "list", "--json", cwd=tmp_path).stdout) == [json.loads(shown.stdout)]
    rotated = run("link", "rotate-secret", client_id, "--overlap-hours", "2", "--json", cwd=tmp_path)
    assert len(json.loads(rotated.stdout)["client_secret"]) == 64
    for hours, rest in (("1", "works 1 hour more."), ("0", "works no more.")):
        assert rest in run("link", "rotate-secret", client_id, "--overlap-hours", hours, cwd=tmp_path).stdout
    for word, enabled in (("disable", False), ("enable", True)):
        assert run("link", word, client_id, cwd=tmp_path).returncode == 0
        assert json.loads(run("link", "show", client_id, "--json", cwd=tmp_path).stdout)["enabled"] is enabled
    assert run("link", "disable", "nobody", cwd=tmp_path).returncode == 3
    assert run("link", "delete", client_id, "--yes", cwd=tmp_path).returncode == 0
    assert run("link", "show", client_id, cwd=tmp_path).returncode == 3


@pytest.mark.parametrize("url", ['https://x"y', "https://wiki example.com", "http://wiki.example.com"])
def test_init_writes_no_file_that_serve_refuses(tmp_path: Path, url: str) -> None:
    done = run("init", "--base-url", url, cwd=tmp_path)
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_first_commands_at_the_same_time_all_work(tmp_path: Path) -> None:
    env = {**os.environ, "WATERSMEET_SECRET": GOOD_SECRET}
    command = [*WATERSMEET, "user", "list", "--json"]
    started = [
        subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in started:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, json.loads(out)) == (0, []), err


def test_without_a_terminal_commands_name_the_option_that_does_not_ask(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    asked = run("user", "add", "admin", cwd=tmp_path)
    assert (asked.returncode, "--password-stdin" in asked.stderr) == (2, True)
    made = run(
        "link",
        "add",
        "Sync",
        "--redirect-uri",
        "https://sync.example.com/cb",
        "--scope",
        "READ",
        "--json",
        cwd=tmp_path,
    )
    asked = run("link", "delete", json.loads(made.stdout)["client_id"], cwd=tmp_path)
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)


def test_the_rules_of_a_link(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    add = ("link", "add", "Sync", "--redirect-uri", "https://sync.example.com/cb", "--json")
    added = json.loads(run(*add, cwd=tmp_path).stdout)
    assert added["profile"] == "strict"
    client_id = added["client_id"]
    words = ("--profile", "atlassian-dc", "--require-pkce", "--refuse", "no-scope", "--introspection", "--json")
    changed = json.loads(run("link", "change", client_id, *words, cwd=tmp_path).stdout)
    assert (changed["profile"], changed["refuses"]) == ("atlassian-dc", ["no-pkce", "no-scope"])
    assert changed["may_introspect"] is True
    more = ("--accept", "no-scope", "--authentication", "client_secret_post", "--plain-answers")
    assert run("link", "change", client_id, *more, cwd=tmp_path).returncode == 0
    shown = json.loads(run("link", "show", client_id, "--json", cwd=tmp_path).stdout)
    assert (shown["profile"], shown["refuses"], shown["may_introspect"]) == ("atlassian-dc", ["no-pkce"], True)
    assert (shown["authentication"], shown["plain_answers"]) == ("client_secret_post", True)
    assert (shown["badges"], shown["legacy"], shown["can_require_pkce"]) == ([], {}, False)
    assert "profile       atlassian-dc" in run("link", "show", client_id, cwd=tmp_path).stdout
    lasts = json.loads(run("link", "change", client_id, "--expires", "2999-12-31", "--json", cwd=tmp_path).stdout)
    assert lasts["expires_at"] == 32503680000
    assert "expires       3000-01-01 00:00 UTC" in run("link", "show", client_id, cwd=tmp_path).stdout
    assert run("link", "change", client_id, "--expires", "2001-01-01", cwd=tmp_path).returncode == 1
    endless = json.loads(run("link", "change", client_id, "--expires", "never", "--json", cwd=tmp_path).stdout)
    assert endless["expires_at"] is None
    assert run("link", "change", client_id, "--profile", "lax", cwd=tmp_path).returncode == 2
    assert run("link", "change", "nobody", "--require-pkce", cwd=tmp_path).returncode == 3
    assert run("link", "change", client_id, cwd=tmp_path).returncode == 2


def test_settings_are_listed(tmp_path: Path) -> None:
    listed = json.loads(run("settings", "--json", cwd=tmp_path).stdout)
    defaults = {item["name"]: item["default"] for item in listed}
    assert defaults["atlassian.oauth2.provider.max.client.delay.seconds"] == 60
    # Beside a file that says otherwise, what is listed must not look like what is in force.
    assert "max.client.delay.seconds, by default 60\n" in run("settings", cwd=tmp_path).stdout
