"""Macros: the HTML of each that is known, and of those that are not.

Each function is given the rendering it takes part in. Sentences are English, as everything that the API says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from watersmeet.confluence.storage_format.document import Element
from watersmeet.confluence.storage_format.markup import HEADINGS, UNREADABLE, UNSHOWN, element, text
from watersmeet.confluence.storage_format.naming import MACROS, included_page, named_page, tree_depth, tree_root
from watersmeet.confluence.storage_format.resolver import Branch, Included
from watersmeet.confluence.storage_format.text import attachment_reference, parameter

if TYPE_CHECKING:
    from watersmeet.confluence.storage_format.render import Rendering

_Macro: TypeAlias = "Callable[[Rendering, Element], str]"

_LOZENGES = {"green": "success", "yellow": "current", "red": "error", "blue": "complete", "purple": "progress"}
_MORE = "<li>…</li>"  # what stands for the rest of a list where no more may be shown
_MORE_ROWS = "<tr><td>…</td></tr>"
_REPORT = {"cql": "cql", "headings": "headings", "sortBy": "sort-by", "reverseSort": "reverse-sort"}


def _macro(macro: Element, **attributes: str) -> dict[str, str]:
    """The attributes of what a macro becomes: converters look for its name."""
    return {key.rstrip("_"): value for key, value in attributes.items()} | {"data-macro-name": macro.get("ac:name")}


def unknown(rendering: Rendering, macro: Element) -> str:
    """A macro nobody here knows: its body, or its name in brackets."""
    plain = macro.child("ac:plain-text-body")
    body = element("pre", text(plain.text())) if plain else rendering.body(macro)
    content = body or element("span", text(f"[{macro.get('ac:name')}]"), {"class": "unknown-macro"})
    return element("div", content, _macro(macro, class_="ap-container") | {"data-hasbody": "true" if body else "false"})


# ---- boxes ------------------------------------------------------------------------------------------------


def _panel(rendering: Rendering, macro: Element) -> str:
    name, title = macro.get("ac:name"), parameter(macro, "title")
    header = element("div", element("b", text(title)), {"class": "panelHeader"}) if title else ""
    content = element("div", rendering.body(macro), {"class": "panelContent confluence-information-macro-body"})
    classes = "panel" if name == "panel" else f"panel confluence-information-macro confluence-information-macro-{name}"
    return element("div", header + content, _macro(macro, class_=classes))


def _expand(rendering: Rendering, macro: Element) -> str:
    title = parameter(macro, "title") or parameter(macro, "") or "Click here to expand..."
    if rendering.form.is_page:  # it opens without a script
        control = element("summary", text(title), {"class": "expand-control-text"})
        return element("details", control + rendering.body(macro), _macro(macro, class_="expand-container"))
    control = element("span", text(title), {"class": "expand-control-text"})
    body = element("div", rendering.body(macro), {"class": "expand-content"})
    return element("div", control + body, _macro(macro, class_="expand-container"))


def _code(rendering: Rendering, macro: Element) -> str:
    name, language = macro.get("ac:name"), parameter(macro, "language") or parameter(macro, "") or "java"
    attributes = {"class": "syntaxhighlighter-pre"} if name == "code" else {}
    if name == "code":
        attributes["data-syntaxhighlighter-params"] = f"brush: {language}; gutter: false; theme: Confluence"
    title = parameter(macro, "title")
    header = element("div", element("b", text(title)), {"class": "codeHeader panelHeader"}) if title else ""
    content = element("div", element("pre", rendering.body(macro), attributes), {"class": "codeContent panelContent"})
    return element("div", header + content, _macro(macro, class_=f"{name} panel"))


def _details(rendering: Rendering, macro: Element) -> str:
    return (
        ""
        if _is_hidden(macro)
        else element("div", rendering.body(macro), _macro(macro, class_="plugin-tabmeta-details"))
    )


def _excerpt(rendering: Rendering, macro: Element) -> str:
    return "" if _is_hidden(macro) else element("div", rendering.body(macro), _macro(macro))


def _is_hidden(macro: Element) -> bool:
    return parameter(macro, "hidden") == "true"


# ---- words ------------------------------------------------------------------------------------------------


def _status(_: Rendering, macro: Element) -> str:
    colour = parameter(macro, "colour") or parameter(macro, "color")
    kind = _LOZENGES.get(colour.lower())
    classes = "status-macro aui-lozenge" + (f" aui-lozenge-{kind}" if kind else "")
    return element("span", text(parameter(macro, "title") or colour), _macro(macro, class_=classes))


def _anchor(rendering: Rendering, macro: Element) -> str:
    identifier = rendering.id_prefix + anchor_id(anchor_name(macro))
    return element("span", "", _macro(macro, class_="confluence-anchor-link") | {"id": identifier})


def anchor_name(macro: Element) -> str:
    """The name that an anchor macro gives to its place."""
    return (parameter(macro, "") or parameter(macro, "name")).strip()


def anchor_id(name: str) -> str:
    """The id of an anchor: no space in it."""
    return "a-" + "-".join(name.split())


def _jira(_: Rendering, macro: Element) -> str:
    key = parameter(macro, "key")
    if key:
        issue = element("a", text(key), {"class": "jira-issue-key"})
        return element("span", issue, _macro(macro, class_="jira-issue") | {"data-jira-key": key})
    return element("div", text(parameter(macro, "jqlQuery")), _macro(macro, class_="jira-table"))


def _view_file(rendering: Rendering, macro: Element) -> str:
    named = next((one for one in macro.walk() if one.name == "ri:attachment"), None)
    return (
        element("div", rendering.file(attachment_reference(named)), _macro(macro))
        if named
        else unknown(rendering, macro)
    )


# ---- lists ------------------------------------------------------------------------------------------------


def headings_of(root: Element) -> Iterator[Element]:
    """The headings of a body that are shown, in their order; one within another is part of that."""
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if one.name in UNREADABLE or one.name in UNSHOWN or (one.name in MACROS and _hides(one)):
            continue
        if one.name in HEADINGS:
            yield one
            continue
        waiting.extend(reversed(list(one.elements())))


def _hides(macro: Element) -> bool:
    return macro.get("ac:name") in ("excerpt", "details") and _is_hidden(macro)


def _toc(rendering: Rendering, macro: Element) -> str:
    if not rendering.form.complete:  # the original leaves it to a script
        return element("div", "", _macro(macro, class_="toc-macro"))
    levels = range(_level(macro, "minLevel", 1), _level(macro, "maxLevel", 6) + 1)
    entries = rendering.outline.get(levels)
    if entries is None:  # asked for by all that show the same levels: it is put together once
        entries = rendering.outline[levels] = _outline(rendering, levels)
    elif not rendering.budget.takes(len(entries)):
        entries = _MORE
    return element("div", element("ul", entries) if entries else "", _macro(macro, class_="toc-macro"))


def _outline(rendering: Rendering, levels: range) -> str:
    """The entries of the headings of some levels."""
    entries = (
        element(
            "li",
            element("a", text(title), {"href": f"#{rendering.id_prefix}h-{place}"}),
            {"class": f"toc-level-{level}"},
        )
        for place, (level, title) in enumerate(rendering.headings.values(), 1)
        if level in levels
    )
    return rendering.budget.listed(entries, _MORE)


def _level(macro: Element, name: str, otherwise: int) -> int:
    written = parameter(macro, name).strip()
    return int(written) if written in ("1", "2", "3", "4", "5", "6") else otherwise


def _children(rendering: Rendering, macro: Element) -> str:
    branches = rendering.resolver.children(tree_root(macro))
    shown = _branches(rendering, branches, tree_depth(macro))
    return element(
        "div", shown, _macro(macro, class_="plugin_pagetree" if macro.get("ac:name") == "pagetree" else "children")
    )


def _branches(rendering: Rendering, branches: Sequence[Branch], depth: int) -> str:
    if not branches or depth == 0:
        return ""
    shown: list[str] = []
    for one in branches:
        way = element("a", text(one.page.title), rendering.linked(one.page))
        if not rendering.budget.takes(len(way)):
            shown.append(_MORE)
            break
        shown.append(element("li", way + _branches(rendering, one.children, depth - 1)))
    return element("ul", "".join(shown), {"class": "childpages-macro"})


def _attachments(rendering: Rendering, macro: Element) -> str:
    rows = (
        element(
            "tr",
            element("td", element("a", text(one.file.title), rendering.linked(one.file)), {"class": "filename-column"})
            + element("td", text(_day(one.when) + f" by {one.by.display_name}"), {"class": "modified-column"})
            + element("td", text("" if one.size is None else f"{one.size} bytes"), {"class": "size-column"}),
        )
        for one in rendering.resolver.files(named_page(macro, "page"))
    )
    columns = (("filename", "File"), ("modified", "Modified"), ("size", "Size"))
    head = "".join(element("th", title, {"class": f"{name}-column"}) for name, title in columns)
    table = element("thead", element("tr", head)) + element("tbody", rendering.budget.listed(rows, _MORE_ROWS))
    return element(
        "div", element("table", table, {"class": "attachments aui"}), _macro(macro, class_="attachments-container")
    )


def _day(when: int) -> str:
    return f"{datetime.fromtimestamp(when / 1000, tz=UTC):%Y-%m-%d}"


def _report(rendering: Rendering, macro: Element) -> str:
    """A report of page properties: what asks for it, and no rows."""
    asked = {f"data-{name}": parameter(macro, one) for one, name in _REPORT.items()}
    asked["data-current-space-key"] = rendering.place.space_key
    return element("table", "", _macro(macro, class_="metadata-summary-macro") | asked)


# ---- what other contents hold -----------------------------------------------------------------------------


def _include(rendering: Rendering, macro: Element) -> str:
    found = _included(rendering, macro)
    return _missing(macro) if found is None else _held(rendering, macro, found, rendering.included(found))


def _excerpt_include(rendering: Rendering, macro: Element) -> str:
    found = _included(rendering, macro)
    if found is None:
        return _missing(macro)
    excerpts = rendering.excerpts_of(found)
    if excerpts is None:
        return _held(rendering, macro, found, None)
    excerpt = excerpts.get(parameter(macro, "name"))
    if excerpt is None:
        return _missing(macro)
    return _held(rendering, macro, found, rendering.included(found, excerpt))


def _included(rendering: Rendering, macro: Element) -> Included | None:
    reference = included_page(macro)
    return rendering.resolver.included(reference) if reference else None


def _held(rendering: Rendering, macro: Element, included: Included, content: str | None) -> str:
    way = element("a", text(included.page.title), rendering.linked(included.page))
    if content is None:  # in itself already, too deep, or one too many: there is only the way to it
        return element("div", way, _macro(macro, class_="panel"))
    header = "" if parameter(macro, "nopanel") == "true" else element("div", way, {"class": "panelHeader"})
    return element("div", header + element("div", content, {"class": "panelContent"}), _macro(macro, class_="panel"))


def _missing(macro: Element) -> str:
    said = element("span", "The content to be shown here was not found.", {"class": "error"})
    return element("div", said, _macro(macro, class_="panel"))


KNOWN: dict[str, _Macro] = {
    **dict.fromkeys(("panel", "info", "note", "tip", "warning"), _panel),
    **dict.fromkeys(("code", "noformat"), _code),
    **dict.fromkeys(("children", "pagetree"), _children),
    **dict.fromkeys(("view-file", "viewpdf", "viewdoc", "viewxls", "viewppt"), _view_file),
    "anchor": _anchor,
    "attachments": _attachments,
    "details": _details,
    "detailssummary": _report,
    "excerpt": _excerpt,
    "excerpt-include": _excerpt_include,
    "expand": _expand,
    "include": _include,
    "jira": _jira,
    "status": _status,
    "toc": _toc,
}
