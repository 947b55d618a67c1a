"""The seed's command lines, literally, in the seed's order, with real curl: only its placeholders are filled in."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.support.server import RunningServer
from watersmeet.demo import CHALLENGE, VERIFIER

HOST = "https://atlassian.example.com"
AUTHORIZE = (
    f"curl {HOST}/rest/oauth2/latest/authorize?client_id=CLIENT_ID&redirect_uri=REDIRECT_URI&response_type=code"
    "&state=STATE&scope=SCOPE"
)
CONSENT = (
    f"{HOST}/plugins/servlet/oauth2/consent?client_id=CLIENT_ID&redirect_uri=REDIRECT_URI&response_type=code"
    "&scope=SCOPE&state=STATE"
)
TOKEN = (
    f"curl -X POST {HOST}/rest/oauth2/latest/token?client_id=CLIENT_ID&client_secret=CLIENT_SECRET&code=CODE"
    "&grant_type=authorization_code&redirect_uri=REDIRECT_URI"
)
REFRESH = (
    f"curl -X POST {HOST}/rest/oauth2/latest/token?client_id=CLIENT_ID&client_secret=CLIENT_SECRET"
    "&refresh_token=REFRESH_TOKEN&grant_type=refresh_token&redirect_uri=REDIRECT_URI"
)
READ = 'curl --header "Authorization: Bearer OAUTH2-TOKEN" "http://atlassian.example.com/confluence/rest/api/content/"'
SUCCESS_MEMBERS = {"access_token", "token_type", "expires_in", "refresh_token", "created_at"}


def fill_in(line: str, server: RunningServer, **values: str) -> str:
    """A line of the seed for this server."""
    line = line.replace("http://atlassian.example.com/confluence", server.base_url).replace(HOST, server.base_url)
    for name in sorted(values, key=len, reverse=True):
        line = line.replace(name.replace("OAUTH2_TOKEN", "OAUTH2-TOKEN"), values[name])
    return line


class Curl:
    """curl, with the cookies of one person's browser where that is what the line stands for."""

    def __init__(self, folder: Path) -> None:
        self._jar = str(folder / "cookies")
        self._body = str(folder / "body")

    def run(self, line: str, *options: str, cookies: bool = False) -> tuple[int, str, str]:
        """Status, redirect target and body of a command line, which is split as a shell would, but for ``&``."""
        _, *words = shlex.split(line)
        jar = ["--cookie", self._jar, "--cookie-jar", self._jar] if cookies else []
        command = ["curl", "--silent", "--output", self._body, "--write-out", "%{http_code} %{redirect_url}"]
        done = subprocess.run([*command, *jar, *options, *words], check=True, capture_output=True, text=True)
        status, _, location = done.stdout.partition(" ")
        return int(status), location, Path(self._body).read_text()

    def submit(self, address: str, page: str, **values: str) -> str:
        """Send a page's form; where the answer leads."""
        form = re.search(r'<form[^>]*action="([^"]+)" data-flow.*?</form>', page, re.DOTALL)
        assert form
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
        fields = {name: value.replace("&amp;", "&") for name, value in hidden.items()} | values
        options = [part for item in fields.items() for part in ("--data-urlencode", "=".join(item))]
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        return self.run(f"curl {origin}{form[1]}", *options, cookies=True)[1]


@pytest.fixture(params=["dev_server", "dev_server_under_context_path"])
def server(request: pytest.FixtureRequest) -> RunningServer:
    found: RunningServer = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("with_pkce", [True, False], ids=["pkce", "plain-code"])
def test_the_seed_s_lines_in_the_seed_s_order(server: RunningServer, tmp_path: Path, with_pkce: bool) -> None:
    curl, client = Curl(tmp_path), server.clients[0]
    values = {
        "CLIENT_ID": client.client_id,
        "CLIENT_SECRET": client.client_secret,
        "REDIRECT_URI": quote(client.redirect_uris[0], safe=""),
        "STATE": "%22quoted%22%20and%25more",
        "SCOPE": "WRITE",
        "CODE_CHALLENGE_METHOD": "S256",
        "CODE_CHALLENGE": CHALLENGE,
        "CODE_VERIFIER": VERIFIER,
    }
    pkce = "&code_challenge=CODE_CHALLENGE&code_challenge_method=S256" if with_pkce else ""
    authorize = fill_in(AUTHORIZE + pkce, server, **values)

    # Nobody is signed in: to the sign-in page and back.
    status, location, _ = curl.run(authorize, cookies=True)
    assert (status, urlsplit(location).path) == (302, urlsplit(server.base_url).path + "/login.action")
    _, _, page = curl.run(f"curl '{location}'", cookies=True)
    back = curl.submit(location, page, username="alice", password="alice")
    assert back == shlex.split(authorize)[1]

    # 302 to the consent page, carrying the same parameters.
    status, location, _ = curl.run(authorize, cookies=True)
    assert status == 302
    consent = fill_in(
        CONSENT + ("&code_challenge_method=S256&code_challenge=CODE_CHALLENGE" if with_pkce else ""), server, **values
    )
    assert location.split("?")[0] == consent.split("?")[0]
    assert parse_qs(urlsplit(location).query) == parse_qs(urlsplit(consent).query)
    _, _, page = curl.run(f"curl '{location}'", cookies=True)
    answer = parse_qs(urlsplit(curl.submit(location, page, decision="allow")).query)
    assert answer["state"] == ['"quoted" and%more']

    verifier = "&code_verifier=CODE_VERIFIER" if with_pkce else ""
    values = {"CODE": answer["code"][0], **values}
    status, _, body = curl.run(fill_in(TOKEN + verifier, server, **values))
    tokens = json.loads(body)
    assert status == 200
    assert tokens.keys() == SUCCESS_MEMBERS | {"scope"}
    assert (tokens["token_type"], tokens["expires_in"], len(tokens["access_token"])) == ("bearer", 3600, 120)

    status, _, body = curl.run(fill_in(REFRESH, server, REFRESH_TOKEN=tokens["refresh_token"], **values))
    renewed = json.loads(body)
    assert status == 200
    assert renewed["access_token"] != tokens["access_token"]

    status, _, body = curl.run(fill_in(READ, server, OAUTH2_TOKEN=renewed["access_token"]))
    assert status == 200
    assert json.loads(body)["results"]
    status, _, _ = curl.run(fill_in(READ, server, OAUTH2_TOKEN=tokens["access_token"]))
    assert status == 401
