"""Storage format: the XHTML that bodies are kept in, and the HTML they are shown as."""

from __future__ import annotations


def as_view(storage: str) -> str:
    """The HTML that a body is shown as: nothing in it can run, whoever wrote it.

    Elements of the storage format's own (``ac:``, ``ri:``) are left out, their text is kept.
    """
    import nh3  # loads a megabyte of Rust that only readers of rendered bodies need

    return nh3.clean(storage)
