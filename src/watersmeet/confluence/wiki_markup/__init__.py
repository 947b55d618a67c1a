"""Wiki markup: the notation that people typed before there was an editor, as storage format.

Owns reading it (``block``: lines, ``inline``: what is in them, ``macro``: what stands in braces). Whatever is no
markup is text, so there is no wiki markup that cannot be read; what comes out is well-formed.
"""

from __future__ import annotations

from watersmeet.confluence.wiki_markup.block import storage_of

MAX_WIKI = 200_000
"""How many characters of wiki markup are read at once."""

__all__ = ["MAX_WIKI", "storage_of"]
