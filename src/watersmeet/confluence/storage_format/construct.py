"""Constructs: the HTML of each element of the storage format that is none of HTML's own: links, images, tasks, layout.

Each function is given the rendering it takes part in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from watersmeet.confluence.storage_format.document import Element
from watersmeet.confluence.storage_format.macro import KNOWN, anchor_id, unknown
from watersmeet.confluence.storage_format.markup import element, safe_address, safe_attributes, tag, text
from watersmeet.confluence.storage_format.naming import content_number
from watersmeet.confluence.storage_format.text import attachment_reference, page_reference, user_reference

if TYPE_CHECKING:
    from watersmeet.confluence.storage_format.render import Rendering

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
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


# ---- links, images, people -------------------------------------------------------------------------------------------


def _link(rendering: Rendering, link: Element) -> str:
    target = next((one for one in link.elements() if one.name.startswith("ri:")), None)
    body = link.child("ac:link-body", "ac:plain-text-link-body")
    shown = rendering.inside(body) if body else ""
    anchor = link.get("ac:anchor").strip()
    if target is None:
        return element("a", shown or text(anchor), {"href": rendering.fragment(anchor) or "#"})
    way = _TARGETS.get(target.name)
    return way(rendering, target, shown, anchor) if way else shown


def _page_link(rendering: Rendering, target: Element, shown: str, anchor: str) -> str:
    reference = page_reference(target)
    name = shown or text(reference.title)
    found = rendering.resolver.page(reference)
    if found:
        return element("a", name, rendering.linked(found, f"#{quote(anchor_id(anchor))}" if anchor else ""))
    if rendering.form.is_page:
        return element("span", name, {"class": "createlink"})
    key, title = quote_plus(reference.space_key or rendering.place.space_key), quote_plus(reference.title)
    missing = f"{rendering.prefix}/pages/createpage.action?spaceKey={key}&title={title}"
    return element("a", name, {"href": missing, "class": "createlink"})


def _content_link(rendering: Rendering, target: Element, shown: str, anchor: str) -> str:
    number = content_number(target)
    found = rendering.resolver.content(number) if number is not None else None
    # What it is called is not in the body, so it counts.
    if not found or not rendering.budget.takes(len(found.path) + len(found.title)):
        return element("span", shown or text(target.get("ri:content-id")), {"class": "createlink"})
    fragment = f"#{quote(anchor_id(anchor))}" if anchor else ""
    return element("a", shown or text(found.title), rendering.linked(found, fragment))


def _file_link(rendering: Rendering, target: Element, shown: str, _: str) -> str:
    return rendering.file(attachment_reference(target), shown)


def _url_link(rendering: Rendering, target: Element, shown: str, _: str) -> str:
    address = safe_address(target.get("ri:value"))
    return rendering.outside(address, shown or text(address)) if address else shown


def _space_link(rendering: Rendering, target: Element, shown: str, _: str) -> str:
    key = target.get("ri:space-key")
    found = rendering.resolver.space(key)
    if not found or not rendering.budget.takes(len(found.path) + len(found.title)):
        return element("span", shown or text(key), {"class": "createlink"})
    return element("a", shown or text(found.title), {"href": rendering.prefix + found.path})


def _mention(rendering: Rendering, target: Element, shown: str, _: str = "") -> str:
    reference = user_reference(target)
    person = rendering.resolver.person(reference)
    if not person or not rendering.budget.takes(2 * len(person.username) + len(person.display_name)):
        name = "span" if rendering.form.is_page else "a"
        return element(name, shown or text(reference.username or "?"), {"class": "user-mention"})
    if rendering.form.is_page and not rendering.resolver.space(f"~{person.username}"):
        return element("span", shown or text(person.display_name), {"class": "user-mention"})
    path = f"{rendering.prefix}/display/~{quote(person.username)}"
    return element(
        "a",
        shown or text(person.display_name),
        {"class": "confluence-userlink user-mention", "data-username": person.username, "href": path},
    )


def _image(rendering: Rendering, image: Element) -> str:
    attributes = {"class": "confluence-embedded-image", "alt": image.get("ac:alt")}
    attached, address = image.child("ri:attachment"), image.child("ri:url")
    if attached:
        found = rendering.resolver.attachment(attachment_reference(attached))
        if not found:
            return element("span", text(attached.get("ri:filename")), {"class": "createlink"})
        attributes |= {key: value for key, value in rendering.linked(found).items() if key != "href"}
        attributes["src"] = rendering.prefix + found.path
    elif address and (source := safe_address(address.get("ri:value"))):
        attributes["src"] = source
    sizes = {key: image.get(f"ac:{key}") for key in ("width", "height", "title") if image.get(f"ac:{key}")}
    picture = rendering.picture(attributes | safe_attributes("img", sizes), image.get("ac:alt"))
    caption = image.child("ac:caption")
    return picture + (element("div", rendering.inside(caption), {"class": "caption"}) if caption else "")


def _emoticon(rendering: Rendering, emoticon: Element) -> str:
    name = emoticon.get("ac:name")
    fallback = emoticon.get("ac:emoji-fallback") or _EMOTICONS.get(name, f"({name})")
    if rendering.form.is_page:
        return element("span", text(fallback), {"class": "emoticon", "title": name})
    shortname = emoticon.get("ac:emoji-shortname") or f":{name}:"
    source = f"{rendering.prefix}/images/icons/emoticons/{quote(name)}.svg"
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


# ---- tasks, layout, comments -----------------------------------------------------------------------------------------


def _task_list(rendering: Rendering, tasks: Element) -> str:
    return element("ul", "".join(map(rendering.node, tasks.elements())), {"class": "inline-task-list"})


def _task(rendering: Rendering, task: Element) -> str:
    number, status = task.child("ac:task-id"), task.child("ac:task-status")
    attributes = {"data-inline-task-id": number.text().strip() if number else ""}
    if status and status.text().strip() == "complete":
        attributes["class"] = "checked"
    return element("li", rendering.inside(task.child("ac:task-body")), attributes)


def _layout_section(rendering: Rendering, section: Element) -> str:
    classes = f"columnLayout {section.get('ac:type')}".strip()
    cells = "".join(
        element("div", element("div", rendering.inside(cell), {"class": "innerCell"}), {"class": "cell"})
        for cell in section.elements()
        if cell.name == "ac:layout-cell"
    )
    return element("div", cells, {"class": classes, "data-layout": section.get("ac:type")})


def _marker(rendering: Rendering, marker: Element) -> str:
    return element(
        "span", rendering.inside(marker), {"class": "inline-comment-marker", "data-ref": marker.get("ac:ref")}
    )


def _time(rendering: Rendering, time: Element) -> str:
    """A date, which storage format has without words."""
    written = time.get("datetime")
    shown = rendering.inside(time) or text(_day(written))
    return element("time", shown, safe_attributes("time", time.attributes))


def _day(written: str) -> str:
    """``02 Mar 2026``, or what is written where that is no date."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return written
    return f"{day.day:02} {_MONTHS[day.month - 1]} {day.year}"


def _macro(rendering: Rendering, macro: Element) -> str:
    return KNOWN.get(macro.get("ac:name"), unknown)(rendering, macro)


_TARGETS: dict[str, Callable[[Rendering, Element, str, str], str]] = {
    "ri:page": _page_link,
    "ri:blog-post": _page_link,
    "ri:content-entity": _content_link,
    "ri:attachment": _file_link,
    "ri:url": _url_link,
    "ri:user": _mention,
    "ri:space": _space_link,
}
CONSTRUCTS: dict[str, Callable[[Rendering, Element], str]] = {
    "ac:link": _link,
    "ac:image": _image,
    "ac:emoticon": _emoticon,
    "ac:task-list": _task_list,
    "ac:task": _task,
    "time": _time,
    "ac:layout-section": _layout_section,
    "ac:inline-comment-marker": _marker,
    "ac:structured-macro": _macro,
    "ac:macro": _macro,
}
