"""Clients from the package indices, each in an environment of its own, as their users install them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.server import RunningServer

_UV = Path(__file__).parents[2] / ".tools" / "venv" / "bin" / "uv"


def installed(folder: Path, *requirements: str) -> Path:
    """The folder of the programs of a new environment that holds these packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    python = str(programs / "python")
    subprocess.run([str(_UV), "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    return programs


def installed_with_npm(folder: Path, project: Path) -> Path:
    """A new folder with the programs of a Node project, and what its ``package.json`` pins."""
    if "node" in os.environ.get("WATERSMEET_TEST_WITHOUT", "").split():
        pytest.skip("left out by choice: WATERSMEET_TEST_WITHOUT names node")
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("npm is missing (Debian's package npm); tools/machine.py installs it", pytrace=False)
    shutil.copytree(project, folder)
    command = [
        npm,
        "install",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        str(folder),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def token_of(server: RunningServer, *, user: str = "alice", scope: str = "WRITE") -> str:
    """An access token from a real code flow, got with our own command line."""
    command = [sys.executable, "-m", "watersmeet", "authorize", "--url", server.base_url]
    client = server.clients[0].client_id
    options = ["--client", client, "--user", user, "--scope", scope, "--pkce"]
    done = subprocess.run([*command, *options], check=True, capture_output=True)
    return str(json.loads(done.stdout)["access_token"])
