"""``pip install .`` into an empty virtual environment, then ``watersmeet dev``: the way without make."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

_REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
def test_pip_install_brings_a_command_that_serves(tmp_path: Path) -> None:
    bin_folder = tmp_path / "venv" / "bin"
    _run([sys.executable, "-m", "venv", str(tmp_path / "venv")])
    _run([str(bin_folder / "pip"), "install", "--quiet", "--disable-pip-version-check", str(_REPOSITORY)])

    process = subprocess.Popen(
        [str(bin_folder / "watersmeet"), "dev", "--port", "0", "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=tmp_path, env=_environment(),
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], 15)
            assert readable, "no ready line within 15 s"
            assert b"<form" in _sign_in_page(json.loads(process.stdout.readline()))
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
        finally:
            process.kill()


def _sign_in_page(announced: dict[str, Any]) -> bytes:
    """What a browser sees that asks for authorization: it takes templates, which the wheel must bring."""
    client = announced["clients"][0]
    query = urllib.parse.urlencode(
        {
            "client_id": client["client_id"],
            "redirect_uri": client["redirect_uris"][0],
            "response_type": "code",
            "scope": "READ",
            "state": "s",
        }
    )
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(f"{announced['base_url']}/rest/oauth2/latest/authorize?{query}", timeout=5) as response:
        page: bytes = response.read()
    return page


def _environment() -> dict[str, str]:
    """The environment of the tests, less what would lend the new one something of this checkout."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env=_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
