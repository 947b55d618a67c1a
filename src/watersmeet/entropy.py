"""Entropy: the only place that draws random bytes."""

from __future__ import annotations

import secrets
from typing import Protocol


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def hex(self, size: int) -> str:
        """``size`` random bytes as lower-case hexadecimal digits (``2 * size`` of them)."""
        ...


class SystemEntropy:
    """The operating system's cryptographic random generator."""

    def hex(self, size: int) -> str:
        """``size`` bytes from the operating system, in hexadecimal."""
        return secrets.token_hex(size)
