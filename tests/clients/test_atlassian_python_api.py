"""atlassian-python-api, two of its major versions: reading and writing a page with a Bearer token."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.client import installed, token_of
from tests.support.server import RunningServer

# Run by an interpreter that has the wanted version; nothing of the library is patched.
_SCRIPT = """
import json, sys
from atlassian import Confluence

base_url, token = sys.argv[1:]
confluence = Confluence(url=base_url, token=token, cloud=False)
space = confluence.get_space("DEMO")
title = "Written by " + sys.version.split()[0] + " and " + __import__("importlib.metadata").metadata.version(
    "atlassian-python-api")
made = confluence.create_page("DEMO", title, "<p>first</p>")
again = confluence.get_page_by_id(made["id"], expand="body.storage,version,space")
changed = confluence.update_page(made["id"], title, "<p>second</p>")
found = confluence.get_page_by_title("DEMO", title, expand="body.storage,version")
found = found["results"][0] if "results" in found else found  # version 5 hands on the list, 4 its first item
confluence.remove_page(made["id"])
print(json.dumps({
    "space": space["key"], "first": again["body"]["storage"]["value"], "version": changed["version"]["number"],
    "second": found["body"]["storage"]["value"], "gone": not confluence.page_exists("DEMO", title),
}))
"""
_EXPECTED = {"space": "DEMO", "first": "<p>first</p>", "version": 2, "second": "<p>second</p>", "gone": True}


@pytest.fixture(scope="module")
def token(dev_server: RunningServer) -> str:
    return token_of(dev_server)


def _run(python: str, server: RunningServer, token: str) -> object:
    done = subprocess.run([python, "-c", _SCRIPT, server.base_url, token], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_version_5(dev_server: RunningServer, token: str) -> None:
    assert _run(sys.executable, dev_server, token) == _EXPECTED


def test_version_4(dev_server: RunningServer, token: str, tmp_path: Path) -> None:
    python = str(installed(tmp_path / "venv", "atlassian-python-api==4.0.7") / "python")
    assert _run(python, dev_server, token) == _EXPECTED
