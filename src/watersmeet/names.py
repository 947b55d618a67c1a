"""Names: what people and applications may be called, so that nobody passes for somebody else (S059)."""

from __future__ import annotations

import unicodedata


def has_deceptive_characters(name: str) -> bool:
    """Whether invisible, control or direction-changing characters make the name look like another."""
    return any(unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for character in name)
