"""confluence.js from npm, unmodified: spaces, contents and searches with a Bearer token from a real code flow."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.client import installed_with_npm, token_of
from tests.support.server import RunningServer

_PROJECT = Path(__file__).with_name("confluence_js")


def test_version_2(dev_server: RunningServer, tmp_path: Path) -> None:
    program = installed_with_npm(tmp_path / "client", _PROJECT) / "client.mjs"
    command = ["node", str(program), dev_server.base_url, token_of(dev_server)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {"DEMO", "ENG"} <= set(told.pop("spaces"))
    assert told == {
        "homepage": "Demonstration Home",
        "space": "DEMO",
        "first": "<p>first</p>",
        "view": "<p>first</p>",
        "version": 2,
        "second": "<p>second fjord</p>",
        "old": "<p>first</p>",
        "history": 2,
        "conflict": 409,
        "children": ["Child of confluence.js"],
        "label": ["Written by confluence.js"],
        "text": ["Written by confluence.js"],
        "user": "alice",
        "page": 200,
        "gone": 404,
    }
