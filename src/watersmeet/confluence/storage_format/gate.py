"""Gate: the last look at rendered HTML before one of our own pages holds it.

What is rendered cannot run already (``markup``). Here another parser, with the rules of browsers, reads it once more.
It lets through only what the renderer itself writes: elements, attributes, and classes by name. An author's own classes
stay outside, so nothing that people wrote can look like a part of the page around it; so do styles, which the policy of
our pages refuses anyway.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from watersmeet.confluence.storage_format.markup import ELEMENTS, UNREADABLE

if TYPE_CHECKING:
    import nh3

_CLASSES = frozenset(
    [
        "panel", "panelHeader", "panelContent", "confluence-information-macro", "confluence-information-macro-body",
        "confluence-information-macro-info", "confluence-information-macro-note", "confluence-information-macro-tip",
        "confluence-information-macro-warning", "expand-container", "expand-control-text", "expand-content", "code",
        "codeHeader", "codeContent", "status-macro", "aui-lozenge", "aui-lozenge-success", "aui-lozenge-current",
        "aui-lozenge-error", "aui-lozenge-complete", "aui-lozenge-progress", "jira-issue", "jira-issue-key",
        "jira-table", "toc-macro", "childpages-macro", "attachments", "filename-column", "modified-column",
        "size-column", "error", "ap-container", "unknown-macro", "createlink", "external-link", "user-mention",
        "confluence-embedded-image", "caption", "emoticon", "inline-task-list", "checked", "columnLayout", "cell",
        "innerCell", "single", "two_equal", "two_left_sidebar", "two_right_sidebar", "three_equal",
        "three_with_sidebars", "inline-comment-marker",
    ]
)  # fmt: skip
_ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir", "data-macro-name"},
    "a": {"href", "rel"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope", "abbr", "headers"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "li": {"value"},
    "time": {"datetime"},
}


def admitted(html: str) -> str:
    """The part of rendered HTML that one of our pages may hold."""
    return _cleaner().clean(html)


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    import nh3  # a megabyte that a process without readers does not need

    tags = set(ELEMENTS) | {"details"}
    return nh3.Cleaner(
        tags=tags,
        clean_content_tags=set(UNREADABLE) - tags,
        attributes={name: set(values) for name, values in _ATTRIBUTES.items()},
        allowed_classes={tag: set(_CLASSES) for tag in tags},
        url_schemes={"http", "https", "mailto", "ftp", "tel", "news", "irc", "sftp"},
        link_rel=None,
        strip_comments=True,
    )
