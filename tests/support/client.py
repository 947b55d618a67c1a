"""Clients from the package index, each in an environment of its own, as their users install them."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.server import RunningServer

_UV = Path(__file__).parents[2] / ".tools" / "venv" / "bin" / "uv"


def installed(folder: Path, *requirements: str) -> Path:
    """The folder of the programs of a new environment that holds these packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    python = str(programs / "python")
    subprocess.run([str(_UV), "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    return programs


def token_of(server: RunningServer, *, user: str = "alice", scope: str = "WRITE") -> str:
    """An access token from a real code flow, got with our own command line."""
    command = [sys.executable, "-m", "watersmeet", "authorize", "--url", server.base_url]
    client = server.clients[0].client_id
    options = ["--client", client, "--user", user, "--scope", scope, "--pkce"]
    done = subprocess.run([*command, *options], check=True, capture_output=True)
    return str(json.loads(done.stdout)["access_token"])
