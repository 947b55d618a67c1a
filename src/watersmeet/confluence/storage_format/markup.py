"""Markup: HTML that is safe by construction. Only what these tables name is ever written.

Elements outside the table lose their tags and keep their text; attributes outside it are left out; addresses have a
harmless scheme; styles have a harmless property and value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

VOID = frozenset(("br", "hr", "img", "col", "wbr"))
ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
        "font",
        "big",
        "center",
    ]
)
# Dropped with all they hold: their text is not for readers.
UNREADABLE = frozenset(
    [
        "script",
        "style",
        "template",
        "iframe",
        "object",
        "embed",
        "noscript",
        "title",
        "head",
        "textarea",
        "select",
        "svg",
        "math",
    ]
)

# Read by what is around it, and not shown itself.
UNSHOWN = frozenset(
    [
        "ac:parameter",
        "ac:default-parameter",
        "ac:placeholder",
        "ac:task-id",
        "ac:task-uuid",
        "ac:task-status",
        "at:declarations",
        "ac:adf-attribute",
        "ri:page",
        "ri:blog-post",
        "ri:attachment",
        "ri:url",
        "ri:user",
        "ri:space",
        "ri:content-entity",
        "ri:shortcut",
    ]
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}

_PLAIN = frozenset(
    [
        "title",
        "lang",
        "dir",
        "colspan",
        "rowspan",
        "scope",
        "abbr",
        "headers",
        "span",
        "start",
        "type",
        "value",
        "datetime",
        "alt",
    ]
)
_NUMBER = frozenset(("width", "height", "border"))
_ADDRESSES = {"a": "href", "img": "src"}
_SCHEMES = frozenset(("http", "https", "mailto", "ftp", "tel", "news", "irc", "sftp"))
_CLASSES = re.compile(r"[A-Za-z0-9_ -]{1,200}")
_LENGTH = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?(?:px|em|%|rem|pt)?")
_STYLE_VALUE = re.compile(r"[A-Za-z0-9#%., -]{1,80}|rgba?\([0-9., %]{1,40}\)")
_STYLES = frozenset(
    [
        "text-align",
        "color",
        "background-color",
        "width",
        "height",
        "min-width",
        "max-width",
        "margin-left",
        "padding-left",
        "vertical-align",
        "font-weight",
        "font-style",
        "text-decoration",
        "white-space",
        "list-style-type",
        "border-color",
        "letter-spacing",
    ]
)
# Characters that a browser skips in a scheme.
_SKIPPED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")


def text(value: str) -> str:
    """Characters as HTML."""
    return escape(value, quote=False)


def tag(name: str, attributes: Mapping[str, str] | None = None) -> str:
    """A start tag, closed where the element is void; the caller answers for names, values are escaped."""
    written = "".join(f' {key}="{escape(value)}"' for key, value in (attributes or {}).items())
    return f"<{name}{written} />" if name in VOID else f"<{name}{written}>"


def element(name: str, content: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element around content that is HTML already."""
    return f"{tag(name, attributes)}{content}</{name}>"


def safe_address(address: str) -> str:
    """The address, or the empty string where following it could do more than go there."""
    bare = _SKIPPED.sub("", address)
    scheme, colon, _ = bare.partition(":")
    if colon and not set(scheme) & set("/?#") and scheme.lower() not in _SCHEMES:
        return ""
    return address.strip()


def safe_attributes(name: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """What is kept of the attributes that an author wrote on an element."""
    kept: dict[str, str] = {}
    for key, value in attributes.items():
        if (
            (key in _PLAIN)
            or (key == "class" and _CLASSES.fullmatch(value))
            or (key in _NUMBER and _LENGTH.fullmatch(value))
        ):
            kept[key] = value
        elif key == "style" and (style := safe_style(value)):
            kept[key] = style
        elif key == _ADDRESSES.get(name) and (address := safe_address(value)):
            kept[key] = address
    if name == "a" and "href" in kept:
        kept["rel"] = "nofollow noopener noreferrer"
    return kept


def safe_style(style: str) -> str:
    """The declarations of a style that can only change how the element itself looks."""
    kept = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name.lower() in _STYLES and _STYLE_VALUE.fullmatch(value):
            kept.append(f"{name.lower()}: {value}")
    return "; ".join(kept)
