"""Entropy: the only place that draws random bytes."""

from __future__ import annotations

import os
import secrets
import threading
from typing import Protocol

_BLOCK = 4096  # bytes


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def hex(self, size: int) -> str:
        """``size`` random bytes as lower-case hexadecimal digits (``2 * size`` of them)."""
        ...


class SystemEntropy:
    """The operating system's cryptographic random generator, drawn from a block at a time.

    A system call for every identifier would hand Python's lock to another thread each time. Every byte is given
    out once, and what a process drew before it forked only to itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process, self._block, self._used = 0, b"", 0

    def hex(self, size: int) -> str:
        """``size`` bytes from the operating system, in hexadecimal."""
        with self._lock:
            if len(self._block) - self._used < size or self._process != os.getpid():
                self._process, self._block, self._used = os.getpid(), secrets.token_bytes(max(_BLOCK, size)), 0
            self._used += size
            return self._block[self._used - size : self._used].hex()
