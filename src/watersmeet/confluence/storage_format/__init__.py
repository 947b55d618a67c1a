"""Storage format: the XHTML that bodies are kept in, what it says, and the HTML it is shown as.

Owns reading and validating bodies (``document``), what search and indexing take from them (``text``), rendering
(``render``) and conversion. Must not know where pages, files and people are kept: a ``Resolver`` says.
"""

from __future__ import annotations

from watersmeet.confluence.storage_format.document import parse, validate
from watersmeet.confluence.storage_format.text import (
    attachment_links,
    external_links,
    macro_names,
    mentioned_users,
    page_links,
    plain_text,
)

__all__ = [
    "attachment_links",
    "external_links",
    "macro_names",
    "mentioned_users",
    "page_links",
    "parse",
    "plain_text",
    "validate",
]


def as_view(storage: str) -> str:
    """The HTML that a body is shown as: nothing in it can run, whoever wrote it.

    Elements of the storage format's own (``ac:``, ``ri:``) are left out, their text is kept.
    """
    import nh3  # loads a megabyte of Rust that only readers of rendered bodies need

    return nh3.clean(storage)
