"""The machine: the programs that the tests need from outside the package index, and how they get there.

``python tools/machine.py`` installs what is missing with apt-get and says what it did. It exits 0 even when
it could not: the tests that need the thing then fail and name it, the others still run.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_APT_LOG = Path(".tools") / "apt.log"
_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@dataclass(frozen=True, slots=True)
class _Need:
    """One Debian package, and what shows that the machine has it."""

    package: str
    needed_for: str
    is_met: bool


def chromium() -> Path | None:
    """The browser for the tests: ``WATERSMEET_TEST_CHROMIUM``, or where distributions put it."""
    named = os.environ.get("WATERSMEET_TEST_CHROMIUM")
    candidates = (named,) if named else _CHROMIUM
    return next((Path(path) for path in candidates if shutil.which(path)), None)


def _has_a_font() -> bool:
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    return any(next(folder.rglob("DejaVu*.ttf"), None) for folder in folders if folder.is_dir())


def _has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _needs() -> list[_Need]:
    left_out = os.environ.get("WATERSMEET_TEST_WITHOUT", "").split()
    needs = [_Need("curl", "the tests of the documented command lines", shutil.which("curl") is not None)]
    if "node" not in left_out:
        needs += [
            _Need("nodejs", "the comparison with the WHATWG parsers", shutil.which("node") is not None),
            _Need("npm", "the client from npm", shutil.which("npm") is not None),
        ]
    if "browser" not in left_out:
        needs += [
            _Need("chromium", "the browser tests", chromium() is not None),
            _Need("fonts-dejavu-core", "readable screenshots", _has_a_font()),
            _Need("libatomic1", "the program that drives the browser", _has_library("libatomic.so.1")),
        ]
    return needs


def _root_prefix() -> list[str] | None:
    """What to put before a command so that it runs as root; ``None`` when that cannot be had silently."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    return sudo if shutil.which("sudo") and _succeeds([*sudo, "true"], subprocess.DEVNULL) else None


def _succeeds(command: list[str], output: IO[str] | int) -> bool:
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    return done.returncode == 0


def _install(packages: list[str], prefix: list[str]) -> bool:
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    commands = (["apt-get", "update"], ["env", "DEBIAN_FRONTEND=noninteractive", *install])
    _APT_LOG.parent.mkdir(exist_ok=True)
    with _APT_LOG.open("w") as log:
        return all(_succeeds([*prefix, *command], log) for command in commands)


def main() -> None:
    """Install what is missing, and say so in one line each."""
    missing = [need for need in _needs() if not need.is_met]
    if not missing:
        return
    packages = [need.package for need in missing]
    prefix = _root_prefix()
    command = f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    if prefix is None or shutil.which("apt-get") is None:
        why = "apt-get or root's rights are missing"
    else:
        print(f"machine: installing {', '.join(packages)} with apt-get …", flush=True)
        if _install(packages, prefix):
            for need in missing:
                print(f"machine: installed {need.package}, for {need.needed_for}.", flush=True)
            return
        why = f"apt-get failed, see {_APT_LOG}"
    for need in missing:
        print(f"machine: NOT INSTALLED: {need.package}, for {need.needed_for} ({why}).", file=sys.stderr)
    print(f"machine: run: {command}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
