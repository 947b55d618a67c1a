"""The pytest plugin, used as somebody else's tests use it: in a folder of its own, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from watersmeet.demo import CHALLENGE
from watersmeet.testing import Server, running_server
from watersmeet.testing.server import ServerFailed

_EXAMPLE = """
from urllib.parse import parse_qs, urlencode, urlsplit
import http.client


def test_a_page_is_read(watersmeet_server):
    tokens = watersmeet_server.authorize(user="alice", scope="READ")
    answer = watersmeet_server.request("GET", "/rest/api/content", headers=tokens.headers)
    assert answer.status == 200
    watersmeet_server.advance(3601)


def test_each_test_begins_with_the_first_state(watersmeet_server):
    assert watersmeet_server.request("GET", "/_dev/clock").json()["offset_seconds"] == 0
    assert watersmeet_server.base_url.endswith("/confluence")


def test_the_own_application_is_driven(watersmeet_server):
    client = watersmeet_server.register("App", ["http://localhost:3000/cb"])
    asked = {"client_id": client.client_id, "redirect_uri": "http://localhost:3000/cb", "response_type": "code",
             "scope": "WRITE", "state": "s1"}
    url = watersmeet_server.base_url + "/rest/oauth2/latest/authorize?" + urlencode(asked)
    sent_to = watersmeet_server.allow(url, user="bob")
    assert sent_to.startswith("http://localhost:3000/cb?code=")
    assert parse_qs(urlsplit(watersmeet_server.deny(url)).query)["error"] == ["access_denied"]
"""


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)


def test_the_fixture_works_in_any_project(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(_EXAMPLE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nwatersmeet_arguments = --context-path /confluence\n")
    done = _pytest(tmp_path, "-W", "error")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    listed = _pytest(tmp_path, "--fixtures").stdout
    assert "watersmeet_server" in listed


def test_a_project_that_does_not_use_it_imports_nothing_of_it(tmp_path: Path) -> None:
    test = (
        "import sys\n\ndef test(): assert not {'watersmeet.testing.server', 'lxml', 'msgspec'} & sys.modules.keys()\n"
    )
    (tmp_path / "test_other.py").write_text(test)
    done = _pytest(tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_server_without_pytest() -> None:
    with running_server() as server:
        assert server.request("GET", "/rest/api/content").status == 401
    with pytest.raises(ConnectionRefusedError):
        server.request("GET", "/rest/api/content")


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(ServerFailed, match="Unknown setting"), running_server(["-Dno.such.property=1"]):
        pass


def test_a_refused_command_says_why(watersmeet_server: Server) -> None:
    with pytest.raises(ServerFailed, match=r"Invalid enum value 'explode'.*There are status, .*drop-after"):
        watersmeet_server.fault("explode")


def test_an_unknown_user_is_answered_with_those_there_are(watersmeet_server: Server) -> None:
    for ask in (watersmeet_server.authorize, watersmeet_server.code):
        with pytest.raises(ServerFailed, match="no demo user 'nobody'; there are admin, alice, bob, viewer"):
            ask(user="nobody")


@pytest.mark.parametrize("press", [Server.allow, Server.deny])
def test_the_answer_is_what_the_application_sees(watersmeet_server: Server, press: Callable[..., str]) -> None:
    """The redirect of a strict link ends in ``#_``, which no browser sends on."""
    callback = "https://app.example/cb"
    client = watersmeet_server.register("Strict", [callback], profile="strict")
    asked = {"client_id": client.client_id, "redirect_uri": callback, "response_type": "code", "scope": "READ",
             "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
    url = f"{watersmeet_server.base_url}/rest/oauth2/latest/authorize?{urlencode(asked)}"
    sent_to = press(watersmeet_server, url)
    assert sent_to.startswith(callback + "?")
    assert "#" not in sent_to
