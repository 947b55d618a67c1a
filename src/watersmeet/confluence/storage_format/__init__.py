"""Storage format: the XHTML that bodies are kept in, what it says, and the HTML it is shown as.

Owns reading and validating bodies (``document``), what search and indexing take from them (``text``), rendering
(``render``). Must not know where pages, files and people are kept: a ``Resolver`` says.
"""

from __future__ import annotations

from watersmeet.confluence.storage_format.document import parse, validate
from watersmeet.confluence.storage_format.render import render
from watersmeet.confluence.storage_format.source import mark, marked_refs, without_markers
from watersmeet.confluence.storage_format.task import with_task
from watersmeet.confluence.storage_format.text import (
    attachment_links,
    external_links,
    macro_names,
    mentioned_users,
    page_links,
    plain_text,
)
from watersmeet.confluence.storage_format.variables import filled_in, options

__all__ = [
    "attachment_links",
    "external_links",
    "filled_in",
    "macro_names",
    "mark",
    "marked_refs",
    "mentioned_users",
    "options",
    "page_links",
    "parse",
    "plain_text",
    "render",
    "validate",
    "with_task",
    "without_markers",
]
