"""The examples of README and quickstart do what they say, against a server of today."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.flow import callback_url
from tests.support.server import RunningServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
QUICKSTART = (ROOT / "docs" / "quickstart.md").read_text()


def _here(text: str, server: RunningServer) -> str:
    """An example with the port of the server under test, plain or percent-encoded."""
    port = str(urlsplit(server.base_url).port)
    return text.replace("127.0.0.1:8090", f"127.0.0.1:{port}").replace("127.0.0.1%3A8090", f"127.0.0.1%3A{port}")


def _shell(script: str, folder: Path) -> str:
    """What a shell prints that runs the commands as they stand; it stops at the first that fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=script, check=False, capture_output=True, text=True, cwd=folder, env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _readme_curl(containing: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    found: str = next(block.strip() for block in blocks if "curl" in block and containing in block)
    return found


def test_the_quickstart_is_a_session_that_runs(dev_server: RunningServer, tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- run -->\n```sh\n(.*?)```", QUICKSTART, re.DOTALL)
    assert len(blocks) == QUICKSTART.count("```sh"), "every block of the quickstart is run"
    printed = _shell(_here("\n".join(blocks), dev_server), tmp_path)
    assert printed.startswith("WRITE\n")
    assert '"username":"alice"' in printed
    assert "Written with a token" in printed
    assert printed.endswith("400\n401\n")


def test_the_readme_s_address_for_the_browser_leads_to_a_code(dev_server: RunningServer) -> None:
    found = re.search(r"http://127\.0\.0\.1:8090/rest/oauth2/latest/authorize\?\S+", README)
    assert found
    address = _here(found[0], dev_server)
    answer = callback_url(address, parse_qs(urlsplit(address).query)["redirect_uri"][0], "alice")
    assert parse_qs(urlsplit(answer).query).keys() == {"code", "state", "iss"}


def test_the_readme_s_curl_lines_read_and_refresh(dev_server: RunningServer, tmp_path: Path) -> None:
    client_id = dev_server.clients[0].client_id
    tokens = json.loads(
        _shell(
            f"watersmeet authorize --url {dev_server.base_url} --client {client_id} --user alice --scope READ", tmp_path
        )
    )
    read = _here(_readme_curl("OAUTH2-TOKEN"), dev_server).replace("OAUTH2-TOKEN", tokens["access_token"])
    assert "results" in json.loads(_shell(read, tmp_path))

    refresh = _here(_readme_curl("REFRESH_TOKEN"), dev_server).replace("REFRESH_TOKEN", tokens["refresh_token"])
    refreshed = json.loads(_shell(refresh, tmp_path))
    assert refreshed["refresh_token"] != tokens["refresh_token"]


@pytest.mark.parametrize("document", ["README.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))])
def test_no_document_names_a_machine(document: str) -> None:
    assert not re.search(r"/(?:home|root|work|tmp)/|\w+@\w+\.(?!example)", (ROOT / document).read_text())
