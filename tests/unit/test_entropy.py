"""The system's entropy, drawn a block at a time: nothing is given out twice."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from watersmeet.entropy import SystemEntropy


def test_identifiers_have_the_size_that_was_asked_for() -> None:
    entropy = SystemEntropy()
    assert [len(entropy.hex(size)) for size in (1, 16, 32, 10_000)] == [2, 32, 64, 20_000]


def test_threads_never_share_bytes() -> None:
    entropy = SystemEntropy()
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: entropy.hex(16), range(4000)))
    assert len(set(drawn)) == 4000


_FORKS = """
import os
from watersmeet.entropy import SystemEntropy
entropy = SystemEntropy()
entropy.hex(16)
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, entropy.hex(16).encode())
    os._exit(0)
os.wait()
print(os.read(reading, 100).decode(), entropy.hex(16))
"""


def test_a_forked_process_does_not_repeat_its_parent() -> None:
    ended = subprocess.run([sys.executable, "-c", _FORKS], capture_output=True, text=True, check=True, timeout=60)
    child, parent = ended.stdout.split()
    assert len(child) == len(parent) == 32
    assert child != parent
