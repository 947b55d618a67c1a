"""Render: storage format as the HTML that people and converters read (S6.3).

The representations differ in two things: ``export_view`` and ``anonymous_export_view`` have absolute addresses and a
real table of contents. Macros that are not known show their body and their name in ``data-macro-name``.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, quote_plus

from watersmeet.confluence.errors import MalformedStorage
from watersmeet.confluence.storage_format.document import Element, Node, parse
from watersmeet.confluence.storage_format.markup import (
    ELEMENTS,
    UNREADABLE,
    VOID,
    element,
    safe_address,
    safe_attributes,
    tag,
    text,
)
from watersmeet.confluence.storage_format.resolver import NothingKnown, Resolver, Target
from watersmeet.confluence.storage_format.text import (
    attachment_reference,
    page_reference,
    parameter,
    user_reference,
)

_ABSOLUTE = frozenset(("export_view", "anonymous_export_view"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LOZENGES = {"green": "success", "yellow": "current", "red": "error", "blue": "complete", "purple": "progress"}
_EMOTICONS = {
    "smile": "🙂",
    "sad": "🙁",
    "cheeky": "😛",
    "laugh": "😀",
    "wink": "😉",
    "thumbs-up": "👍",
    "thumbs-down": "👎",
    "information": "ℹ️",
    "tick": "✅",
    "cross": "❌",
    "warning": "⚠️",
    "plus": "➕",
    "minus": "➖",
    "question": "❓",
    "light-on": "💡",
    "light-off": "💡",
    "heart": "❤️",
    "broken-heart": "💔",
    "blue-star": "⭐",
    "yellow-star": "⭐",
    "red-star": "⭐",
    "green-star": "⭐",
}
_UNSHOWN = frozenset(
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


def render(
    storage: str,
    representation: str = "view",
    resolver: Resolver | None = None,
    base_url: str = "",
    space_key: str = "",
) -> str:
    """The HTML of a body. ``base_url`` goes in front of paths where the representation wants absolute addresses."""
    try:
        root = parse(storage)
    except MalformedStorage:
        # Kept before bodies were validated: shown as a sanitizer leaves it.
        import nh3  # loads a megabyte of Rust that only such bodies need

        return nh3.clean(storage)
    prefix = base_url if representation in _ABSOLUTE else ""
    return _Rendering(root, resolver or NothingKnown(), prefix, space_key, full=representation in _ABSOLUTE).html()


class _Rendering:
    """One rendering of one body."""

    def __init__(self, root: Element, resolver: Resolver, prefix: str, space_key: str, *, full: bool) -> None:
        self.root, self.resolver, self.prefix, self.space_key, self.full = root, resolver, prefix, space_key, full
        self.heading = 0

    def html(self) -> str:
        return self.inside(self.root)

    def inside(self, parent: Element | None) -> str:
        return "".join(map(self.node, parent.children)) if parent else ""

    def node(self, node: Node) -> str:
        if isinstance(node, str):
            return text(node)
        name = node.name
        if name in UNREADABLE or name in _UNSHOWN:
            return ""
        if (special := _SPECIAL.get(name)) is not None:
            return special(self, node)
        if name in _HEADINGS:
            self.heading += 1
            return element(
                name, self.inside(node), safe_attributes(name, node.attributes) | {"id": f"h-{self.heading}"}
            )
        if name not in ELEMENTS:
            return self.inside(node)
        attributes = safe_attributes(name, node.attributes)
        if name in VOID:
            return tag(name, attributes) if name != "img" or "src" in attributes else text(node.get("alt"))
        return element(name, self.inside(node), attributes)

    # ---- links, images, people --------------------------------------------------------------------------

    def link(self, link: Element) -> str:
        target = next((one for one in link.elements() if one.name.startswith("ri:")), None)
        body = link.child("ac:link-body", "ac:plain-text-link-body")
        shown = self.inside(body) if body else ""
        anchor = f"#{quote(link.get('ac:anchor'))}" if link.get("ac:anchor") else ""
        if target is None:
            return element("a", shown or text(link.get("ac:anchor")), {"href": anchor or "#"})
        if target.name == "ri:user":
            return self.mention(target, shown)
        if target.name in ("ri:page", "ri:blog-post"):
            return self.page_link(target, shown, anchor)
        if target.name == "ri:attachment":
            found = self.resolver.attachment(attachment_reference(target))
            name = shown or text(target.get("ri:filename"))
            return element("a", name, self.linked(found)) if found else element("span", name, {"class": "createlink"})
        if target.name == "ri:url" and (address := safe_address(target.get("ri:value"))):
            return element(
                "a",
                shown or text(address),
                {"href": address, "class": "external-link", "rel": "nofollow noopener noreferrer"},
            )
        if target.name == "ri:space" and (key := target.get("ri:space-key")):
            return element("a", shown or text(key), {"href": f"{self.prefix}/display/{quote(key, safe='~')}"})
        return shown

    def page_link(self, target: Element, shown: str, anchor: str) -> str:
        reference = page_reference(target)
        name = shown or text(reference.title)
        found = self.resolver.page(reference)
        if found:
            return element("a", name, self.linked(found, anchor))
        key, title = quote_plus(reference.space_key or self.space_key), quote_plus(reference.title)
        missing = f"{self.prefix}/pages/createpage.action?spaceKey={key}&title={title}"
        return element("a", name, {"href": missing, "class": "createlink"})

    def linked(self, found: Target, anchor: str = "") -> dict[str, str]:
        attributes = {"href": self.prefix + found.path + anchor, "data-linked-resource-type": found.type}
        return attributes if found.id is None else attributes | {"data-linked-resource-id": str(found.id)}

    def mention(self, target: Element, shown: str) -> str:
        reference = user_reference(target)
        person = self.resolver.person(reference)
        if not person:
            return element("a", shown or text(reference.username or "?"), {"class": "user-mention"})
        path = f"{self.prefix}/display/~{quote(person.username)}"
        return element(
            "a",
            shown or text(person.display_name),
            {"class": "confluence-userlink user-mention", "data-username": person.username, "href": path},
        )

    def image(self, image: Element) -> str:
        attributes = {"class": "confluence-embedded-image", "alt": image.get("ac:alt")}
        attached, address = image.child("ri:attachment"), image.child("ri:url")
        if attached:
            found = self.resolver.attachment(attachment_reference(attached))
            if not found:
                return element("span", text(attached.get("ri:filename")), {"class": "createlink"})
            attributes |= {key: value for key, value in self.linked(found).items() if key != "href"}
            attributes["src"] = self.prefix + found.path
        elif address and (source := safe_address(address.get("ri:value"))):
            attributes["src"] = source
        else:
            return text(image.get("ac:alt"))
        sizes = {key: image.get(f"ac:{key}") for key in ("width", "height", "title") if image.get(f"ac:{key}")}
        picture = tag("img", attributes | safe_attributes("img", sizes))
        caption = image.child("ac:caption")
        return picture + (element("div", self.inside(caption), {"class": "caption"}) if caption else "")

    def emoticon(self, emoticon: Element) -> str:
        name = emoticon.get("ac:name")
        fallback = emoticon.get("ac:emoji-fallback") or _EMOTICONS.get(name, f"({name})")
        shortname = emoticon.get("ac:emoji-shortname") or f":{name}:"
        source = f"{self.prefix}/images/icons/emoticons/{quote(name)}.svg"
        return tag(
            "img",
            {
                "class": f"emoticon emoticon-{quote(name)}",
                "src": source,
                "alt": fallback,
                "data-emoji-id": emoticon.get("ac:emoji-id") or name,
                "data-emoji-shortname": shortname,
                "data-emoji-fallback": fallback,
            },
        )

    # ---- tasks, layout, comments ------------------------------------------------------------------------

    def task_list(self, tasks: Element) -> str:
        return element("ul", "".join(map(self.node, tasks.elements())), {"class": "inline-task-list"})

    def task(self, task: Element) -> str:
        number, status = task.child("ac:task-id"), task.child("ac:task-status")
        attributes = {"data-inline-task-id": number.text().strip() if number else ""}
        if status and status.text().strip() == "complete":
            attributes["class"] = "checked"
        return element("li", self.inside(task.child("ac:task-body")), attributes)

    def layout_section(self, section: Element) -> str:
        classes = f"columnLayout {section.get('ac:type')}".strip()
        cells = "".join(
            element("div", element("div", self.inside(cell), {"class": "innerCell"}), {"class": "cell"})
            for cell in section.elements()
            if cell.name == "ac:layout-cell"
        )
        return element("div", cells, {"class": classes, "data-layout": section.get("ac:type")})

    def marker(self, marker: Element) -> str:
        return element(
            "span", self.inside(marker), {"class": "inline-comment-marker", "data-ref": marker.get("ac:ref")}
        )

    # ---- macros -----------------------------------------------------------------------------------------

    def macro(self, macro: Element) -> str:
        name = macro.get("ac:name")
        return _MACROS.get(name, _Rendering.unknown)(self, macro)

    def body(self, macro: Element) -> str:
        plain = macro.child("ac:plain-text-body")
        return text(plain.text()) if plain else self.inside(macro.child("ac:rich-text-body"))

    def unknown(self, macro: Element) -> str:
        name = macro.get("ac:name")
        plain = macro.child("ac:plain-text-body")
        body = element("pre", text(plain.text())) if plain else self.body(macro)
        content = body or element("span", text(f"[{name}]"), {"class": "unknown-macro"})
        return element(
            "div",
            content,
            {"class": "ap-container", "data-macro-name": name, "data-hasbody": "true" if body else "false"},
        )

    def panel(self, macro: Element) -> str:
        name, title = macro.get("ac:name"), parameter(macro, "title")
        header = element("div", element("b", text(title)), {"class": "panelHeader"}) if title else ""
        content = element("div", self.body(macro), {"class": "panelContent confluence-information-macro-body"})
        classes = (
            "panel" if name == "panel" else f"panel confluence-information-macro confluence-information-macro-{name}"
        )
        return element("div", header + content, {"class": classes, "data-macro-name": name})

    def expand(self, macro: Element) -> str:
        title = parameter(macro, "title") or "Click here to expand..."
        control = element("span", text(title), {"class": "expand-control-text"})
        body = element("div", self.body(macro), {"class": "expand-content"})
        return element("div", control + body, {"class": "expand-container", "data-macro-name": "expand"})

    def code(self, macro: Element) -> str:
        name, language = macro.get("ac:name"), parameter(macro, "language") or "java"
        attributes = {"class": "syntaxhighlighter-pre"} if name == "code" else {}
        if name == "code":
            attributes["data-syntaxhighlighter-params"] = f"brush: {language}; gutter: false; theme: Confluence"
        title = parameter(macro, "title")
        header = element("div", element("b", text(title)), {"class": "codeHeader panelHeader"}) if title else ""
        content = element("div", element("pre", self.body(macro), attributes), {"class": "codeContent panelContent"})
        return element("div", header + content, {"class": f"{name} panel", "data-macro-name": name})

    def status(self, macro: Element) -> str:
        colour = parameter(macro, "colour") or parameter(macro, "color")
        kind = _LOZENGES.get(colour.lower())
        classes = "status-macro aui-lozenge" + (f" aui-lozenge-{kind}" if kind else "")
        return element(
            "span", text(parameter(macro, "title") or colour), {"class": classes, "data-macro-name": "status"}
        )

    def anchor(self, macro: Element) -> str:
        name = parameter(macro, "") or parameter(macro, "name")
        return element(
            "span", "", {"class": "confluence-anchor-link", "id": f"a-{quote(name)}", "data-macro-name": "anchor"}
        )

    def jira(self, macro: Element) -> str:
        key = parameter(macro, "key")
        if key:
            return element(
                "span",
                element("a", text(key), {"class": "jira-issue-key"}),
                {"class": "jira-issue", "data-macro-name": "jira", "data-jira-key": key},
            )
        query = text(parameter(macro, "jqlQuery"))
        return element("div", query, {"class": "jira-table", "data-macro-name": "jira"})

    def toc(self, _: Element) -> str:
        entries = ""
        if self.full:
            headings = [one for one in self.root.walk() if one.name in _HEADINGS]
            entries = element(
                "ul",
                "".join(
                    element(
                        "li",
                        element("a", text(one.text()), {"href": f"#h-{number}"}),
                        {"class": f"toc-level-{_HEADINGS[one.name]}"},
                    )
                    for number, one in enumerate(headings, 1)
                ),
            )
        return element("div", entries, {"class": "toc-macro", "data-macro-name": "toc"})

    def excerpt(self, macro: Element) -> str:
        hidden = parameter(macro, "hidden") == "true"
        return "" if hidden else element("div", self.body(macro), {"data-macro-name": macro.get("ac:name")})

    def details(self, macro: Element) -> str:
        hidden = parameter(macro, "hidden") == "true"
        return (
            ""
            if hidden
            else element("div", self.body(macro), {"class": "plugin-tabmeta-details", "data-macro-name": "details"})
        )


_SPECIAL: dict[str, Callable[[_Rendering, Element], str]] = {
    "ac:link": _Rendering.link,
    "ac:image": _Rendering.image,
    "ac:emoticon": _Rendering.emoticon,
    "ac:task-list": _Rendering.task_list,
    "ac:task": _Rendering.task,
    "ac:layout-section": _Rendering.layout_section,
    "ac:inline-comment-marker": _Rendering.marker,
    "ac:structured-macro": _Rendering.macro,
    "ac:macro": _Rendering.macro,
}
_MACROS: dict[str, Callable[[_Rendering, Element], str]] = {
    **dict.fromkeys(("panel", "info", "note", "tip", "warning"), _Rendering.panel),
    **dict.fromkeys(("code", "noformat"), _Rendering.code),
    **dict.fromkeys(("excerpt",), _Rendering.excerpt),
    "expand": _Rendering.expand,
    "status": _Rendering.status,
    "anchor": _Rendering.anchor,
    "jira": _Rendering.jira,
    "toc": _Rendering.toc,
    "details": _Rendering.details,
}
