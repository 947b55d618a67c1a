"""Text that was sent, whatever it is for."""

from __future__ import annotations

from watersmeet.confluence.errors import BadBody


def check_text(text: str) -> str:
    """The text itself. Raises ``BadBody`` for what no database and no document can hold."""
    # XML, and so the storage format, has no way to say NUL; PostgreSQL cannot store it.
    if "\0" in text:
        raise BadBody("Text must not contain the character NUL.")
    return text
