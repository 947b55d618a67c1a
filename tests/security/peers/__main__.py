"""``python -m tests.security.peers``: the suite against npm's oidc-provider, to show that it can fail.

Installs the peer beside its ``package.json`` (which npm's ordinary client does), starts it, and writes
``docs/security/peer-oidc-provider.md``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.security.harness.watersmeet import free_port

_PEER = Path(__file__).parent / "oidc-provider"
_ROOT = Path(__file__).parents[3]


def main() -> int:
    """Install, start, judge, stop. The exit code is 0 when the report was written."""
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=_PEER, check=True)
    command = ["node", "server.mjs", str(free_port())]
    with subprocess.Popen(command, cwd=_PEER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as peer:
        try:
            assert peer.stdout is not None
            description = next(line for line in peer.stdout if line.startswith(b"{"))
            with tempfile.NamedTemporaryFile(suffix=".json") as file:
                Path(file.name).write_bytes(description)
                report = _ROOT / "docs" / "security" / "peer-oidc-provider.md"
                arguments = ["--target", file.name, "--write", "--output", str(report), "--no-timing", "--rounds", "20"]
                arguments += sys.argv[1:]
                subprocess.run([sys.executable, "-m", "tests.security", *arguments], cwd=_ROOT, check=False)
        finally:
            peer.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
