"""The log's start-up: what it does not import."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

_SCRIPT = """
import sys
from watersmeet.web import log
for log_format in ("text", "json"):
    log.configure(log_format)
assert not [name for name in sys.modules if name.split(".")[0] in ("rich", "pygments")]
import rich.traceback
"""


@pytest.mark.skipif(find_spec("rich") is None, reason="rich is not installed")
def test_0004_rich_is_not_imported_and_stays_importable() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
