"""Text: what a body says, which macros it uses, whom it mentions and where it links to.

For search and indexing: every function takes a body as it is kept, and a malformed one (kept before bodies were
validated) is read leniently instead of being refused.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from watersmeet.confluence.errors import MalformedStorage
from watersmeet.confluence.storage_format.document import Element, parse

# Elements whose end ends a word and a line.
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "tr",
        "td",
        "th",
        "blockquote",
        "pre",
        "br",
        "hr",
        "caption",
        "ac:layout-section",
        "ac:layout-cell",
        "ac:structured-macro",
        "ac:macro",
        "ac:rich-text-body",
        "ac:plain-text-body",
        "ac:task",
        "ac:task-body",
        "ac:task-list",
        "ac:caption",
    ]
)
# What is in the storage but not said to the reader.
_UNSAID = frozenset(
    [
        "ac:parameter",
        "ac:default-parameter",
        "ac:task-id",
        "ac:task-uuid",
        "ac:task-status",
        "ac:placeholder",
        "at:declarations",
        "ac:adf-attribute",
        "script",
        "style",
    ]
)
# Macros whose parameter named here is shown.
_TITLES = {
    "status": "title",
    "panel": "title",
    "info": "title",
    "note": "title",
    "tip": "title",
    "warning": "title",
    "code": "title",
    "expand": "title",
    "details": "",
    "noformat": "title",
}
_MACROS = frozenset(("ac:structured-macro", "ac:macro"))
_TAG = re.compile(r"<!\[CDATA\[|\]\]>|<[^>]*>")


@dataclass(frozen=True, slots=True)
class UserReference:
    """Somebody named in a body, by key or by name; the other one is empty."""

    key: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True)
class PageReference:
    """A page or blog post named in a body; without a space key it is in the space of the body."""

    title: str
    space_key: str = ""
    type: str = "page"


@dataclass(frozen=True, slots=True)
class AttachmentReference:
    """A file named in a body: one of ``page``, or of the content itself."""

    filename: str
    page: PageReference | None = None


def plain_text(storage: str) -> str:
    """What a body says, without markup: one line for each block, words as they are read."""
    root = _read(storage)
    if root is None:
        return _squeezed(html.unescape(_TAG.sub(" ", storage)))
    parts: list[str] = []
    _say(root, parts)
    return _squeezed("".join(parts))


def macro_names(storage: str) -> frozenset[str]:
    """The names of all macros in a body."""
    return frozenset(element.get("ac:name") for element in _elements(storage) if element.name in _MACROS) - {""}


def mentioned_users(storage: str) -> frozenset[UserReference]:
    """Everybody a body names."""
    return frozenset(user_reference(element) for element in _elements(storage) if element.name == "ri:user")


def page_links(storage: str) -> frozenset[PageReference]:
    """The pages and blog posts a body names: link targets, owners of attachments, includes."""
    return frozenset(
        page_reference(element) for element in _elements(storage) if element.name in ("ri:page", "ri:blog-post")
    )


def attachment_links(storage: str) -> frozenset[AttachmentReference]:
    """The files a body names."""
    return frozenset(attachment_reference(element) for element in _elements(storage) if element.name == "ri:attachment")


def external_links(storage: str) -> frozenset[str]:
    """The addresses a body links to, as written."""
    return frozenset(
        address
        for element in _elements(storage)
        if (address := element.get("href" if element.name == "a" else "ri:value"))
        if element.name in ("a", "ri:url")
    )


def user_reference(element: Element) -> UserReference:
    """The person that an ``ri:user`` names."""
    key, username = element.get("ri:userkey"), element.get("ri:username")
    return UserReference(key=key) if key else UserReference(username=username)


def page_reference(element: Element) -> PageReference:
    """The content that an ``ri:page`` or ``ri:blog-post`` names."""
    content_type = "blogpost" if element.name == "ri:blog-post" else "page"
    return PageReference(element.get("ri:content-title"), element.get("ri:space-key"), content_type)


def attachment_reference(element: Element) -> AttachmentReference:
    """The file that an ``ri:attachment`` names."""
    owner = element.child("ri:page", "ri:blog-post")
    return AttachmentReference(element.get("ri:filename"), page_reference(owner) if owner else None)


def _read(storage: str) -> Element | None:
    try:
        return parse(storage)
    except MalformedStorage:
        return None


def _elements(storage: str) -> list[Element]:
    # Most bodies have none of it, and finding that out need not cost a parse.
    if "ac:" not in storage and "ri:" not in storage and "href" not in storage:
        return []
    root = _read(storage)
    return list(root.walk()) if root else []


def _say(element: Element, parts: list[str]) -> None:
    name = element.name
    if name in _UNSAID:
        return
    if name in _MACROS and (title := _TITLES.get(element.get("ac:name"))):
        parts.extend((parameter(element, title), " "))
    if name == "ac:link" and not element.child("ac:link-body", "ac:plain-text-link-body"):
        parts.append(_link_name(element))
    for child in element.children:
        if isinstance(child, str):
            parts.append(child)
        else:
            _say(child, parts)
    if name in _BLOCKS:
        parts.append("\n")


def _link_name(link: Element) -> str:
    """What a link without a body of its own is called."""
    target = next(link.elements(), None)
    if target is None:
        return ""
    return target.get("ri:content-title") or target.get("ri:filename") or target.get("ri:username")


def parameter(macro: Element, name: str) -> str:
    """The value of a macro's parameter; empty where there is none."""
    found = next((one for one in macro.elements() if one.name == "ac:parameter" and one.get("ac:name") == name), None)
    return found.text() if found else ""


def _squeezed(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
