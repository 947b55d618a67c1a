"""Macros in wiki markup: ``{name:parameters}``, and what they become in storage format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

MACRO = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]{0,60})(?::([^{}\n]{0,1000}))?\}")

VERBATIM = frozenset(("code", "noformat", "html", "plantuml", "mathblock", "markdown", "style", "latex"))
"""Macros whose body is no markup."""
BARE = frozenset(
    [
        "toc", "anchor", "status", "children", "include", "excerpt-include", "jira", "attachments", "pagetree",
        "viewpdf", "view-file", "gallery", "contentbylabel", "recently-updated", "livesearch", "widget", "profile",
        "detailssummary",
    ]
)  # fmt: skip
"""Macros without a body: what follows them is no part of them."""
# The name of what stands in front of all ``name=value`` pairs.
_FIRST = {"code": "language", "status": "title", "jira": "key", "view-file": "name", "viewpdf": "name"}
_PAGES = frozenset(("include", "excerpt-include"))
_FILES = frozenset(("view-file", "viewpdf"))


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro as it is opened: its name, and its parameters in order."""

    name: str
    parameters: dict[str, str]

    @classmethod
    def of(cls, found: re.Match[str]) -> Macro:
        """The macro of a match of ``MACRO``."""
        name, written = found[1], found[2] or ""
        parameters: dict[str, str] = {}
        for part in filter(None, written.split("|")):
            key, equals, value = part.partition("=")
            if equals and key.strip():
                parameters[key.strip()] = value.strip()
            else:
                parameters.setdefault(_FIRST.get(name, ""), part.strip())
        return cls(name, parameters)

    def storage(self, body: str = "") -> str:
        """The element; ``body`` is one of ``rich`` and ``plain``, or nothing."""
        parameters = "".join(
            f'<ac:parameter ac:name="{escape(key)}">{self._value(key, value)}</ac:parameter>'
            for key, value in self.parameters.items()
        )
        attributes = f'ac:name="{escape(self.name)}" ac:schema-version="1"'
        return f"<ac:structured-macro {attributes}>{parameters}{body}</ac:structured-macro>"

    def _value(self, key: str, value: str) -> str:
        if self.name in _PAGES and key == "":
            space, colon, title = value.partition(":")
            named = f' ri:space-key="{escape(space)}"' if colon else ""
            return f'<ac:link><ri:page{named} ri:content-title="{escape(title if colon else value)}" /></ac:link>'
        if self.name in _FILES and key == "name":
            return f'<ri:attachment ri:filename="{escape(value.removeprefix("^"))}" />'
        return escape(value, quote=False)


def rich(storage: str) -> str:
    """The body of a macro that is storage format."""
    return f"<ac:rich-text-body>{storage}</ac:rich-text-body>"


def plain(text: str, element: str = "ac:plain-text-body") -> str:
    """The body of a macro, or of a link, that is text."""
    return f"<{element}><![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]></{element}>"
