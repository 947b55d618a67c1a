"""What is in a line of wiki markup: emphasis, links, images, emoticons, macros without a body of their own."""

from __future__ import annotations

import re
from html import escape

from watersmeet.confluence.wiki_markup.macro import BARE, MACRO, Macro, plain, rich

_MAX_PHRASE = 500  # characters: what is longer between two signs is no phrase
_MAX_DEPTH = 12

_PHRASES = {
    "*": ("<strong>", "</strong>"),
    "_": ("<em>", "</em>"),
    "-": ("<del>", "</del>"),
    "+": ("<u>", "</u>"),
    "^": ("<sup>", "</sup>"),
    "~": ("<sub>", "</sub>"),
    "??": ("<cite>", "</cite>"),
}
_EMOTICONS = {
    ":)": "smile", ":-)": "smile", ":(": "sad", ":-(": "sad", ":P": "cheeky", ":p": "cheeky", ":D": "laugh",
    ";)": "wink", ";-)": "wink", "(y)": "thumbs-up", "(n)": "thumbs-down", "(i)": "information", "(/)": "tick",
    "(x)": "cross", "(!)": "warning", "(+)": "plus", "(-)": "minus", "(?)": "question", "(on)": "light-on",
    "(off)": "light-off", "(*)": "yellow-star", "(*y)": "yellow-star", "(*r)": "red-star", "(*g)": "green-star",
    "(*b)": "blue-star",
}  # fmt: skip
_SIGN = "|".join(re.escape(sign) for sign in _PHRASES)
_TOKEN = re.compile(
    rf"""
      \\\\(?P<break>)(?!\\)
    | \\(?P<escaped>[^\w\s])
    | \{{\{{(?P<mono>[^\n]{{1,{_MAX_PHRASE}}}?)\}}\}}
    | (?P<macro>\{{[A-Za-z][^{{}}\n]{{0,1000}}\}})
    | \[(?P<link>[^\[\]\n]{{1,{_MAX_PHRASE}}})\]
    | !(?P<image>[^!\s|][^!\n|]{{0,500}}(?:\|[^!\n]{{0,500}})?)!(?!\w)
    | (?<![\w@/.])(?P<address>(?:https?|ftp)://[^\s\[\]{{}}|"<>]{{1,{_MAX_PHRASE}}})
    | (?<!\w)(?P<emoticon>{"|".join(sorted(map(re.escape, _EMOTICONS), key=len, reverse=True))})(?!\w)
    | (?<=\s)(?P<dash>---?)(?=\s)
    | (?<=\w)(?P<script>[\^~])(?P<scripted>[^\s\^~]{{1,100}})(?P=script)
    | (?<![\w\\])(?P<sign>{_SIGN})(?=\S)(?P<phrase>[^\n]{{1,{_MAX_PHRASE}}}?)(?<=[^\s\\])(?P=sign)(?!\w)
    """,
    re.VERBOSE,
)
_COLOUR = re.compile(r"[A-Za-z]{1,30}|#[0-9A-Fa-f]{3,8}")
_SCHEME = re.compile(r"(?:https?|ftp|mailto|file|tel):|//", re.IGNORECASE)
_POSTED = re.compile(r"/(\d{4}/\d{2}/\d{2})/(.+)")
_SIZED = frozenset(("width", "height", "align", "alt", "title", "border", "vspace", "hspace"))


def inline(text: str, depth: int = 0) -> str:
    """A piece of wiki markup without line breaks of its own, as storage format."""
    if depth > _MAX_DEPTH:
        return escape(text, quote=False)
    parts, position = [], 0
    while found := _TOKEN.search(text, position):
        parts.append(escape(text[position : found.start()], quote=False))
        storage, position = _token(text, found, depth)
        parts.append(storage)
    return "".join(parts) + escape(text[position:], quote=False)


def _token(text: str, found: re.Match[str], depth: int) -> tuple[str, int]:
    """What a match becomes, and where to go on."""
    match found.lastgroup:
        case "break":
            storage = "<br />"
        case "escaped":
            storage = escape(found["escaped"], quote=False)
        case "mono":
            storage = f"<code>{inline(found['mono'], depth + 1)}</code>"
        case "link":
            storage = _link(found["link"], depth)
        case "image":
            storage = _image(found["image"])
        case "address":
            storage = f'<a href="{escape(found["address"])}">{escape(found["address"], quote=False)}</a>'
        case "emoticon":
            storage = f'<ac:emoticon ac:name="{_EMOTICONS[found["emoticon"]]}" />'
        case "dash":
            storage = "—" if found["dash"] == "---" else "–"
        case "macro":
            return _macro(text, found, depth)
        case _:
            storage = _phrase(found, depth)
    return storage, found.end()


def _phrase(found: re.Match[str], depth: int) -> str:
    """What is emphasized: between words or, where it is raised or lowered, within one."""
    opening, closing = _PHRASES[found["sign"] or found["script"]]
    return opening + inline(found["phrase"] or found["scripted"], depth + 1) + closing


def _macro(text: str, found: re.Match[str], depth: int) -> tuple[str, int]:
    opened = MACRO.fullmatch(found["macro"])
    if not opened:
        return escape(found["macro"], quote=False), found.end()
    macro = Macro.of(opened)
    closing = f"{{{macro.name}}}"
    end = -1 if macro.name in BARE else text.find(closing, found.end(), found.end() + _MAX_PHRASE)
    if end < 0:
        return ("" if macro.name == "color" else macro.storage()), found.end()
    inner = inline(text[found.end() : end], depth + 1)
    if macro.name == "color":
        colour = macro.parameters.get("", "")
        storage = f'<span style="color: {colour};">{inner}</span>' if _COLOUR.fullmatch(colour) else inner
    else:
        storage = macro.storage(rich(f"<p>{inner}</p>"))
    return storage, end + len(closing)


def _link(written: str, depth: int) -> str:
    shown, bar, rest = written.partition("|")
    target = (rest.partition("|")[0] if bar else shown).strip()
    shown = shown.strip() if bar else ""
    if not target:
        return escape(f"[{written}]", quote=False)
    if _SCHEME.match(target):
        words = inline(shown, depth + 1) if shown else escape(target.removeprefix("mailto:"), quote=False)
        return f'<a href="{escape(target)}">{words}</a>'
    resource, anchor = _resource(target)
    body = plain(shown, "ac:plain-text-link-body") if shown else ""
    named = f' ac:anchor="{escape(anchor)}"' if anchor else ""
    return f"<ac:link{named}>{resource}{body}</ac:link>"


def _resource(target: str) -> tuple[str, str]:
    """The element that names the target of a link, nothing for one in the page itself; and the anchor."""
    if target.startswith("~"):
        return f'<ri:user ri:username="{escape(target[1:])}" />', ""
    if target.startswith("$") and target[1:].isdigit():
        return f'<ri:content-entity ri:content-id="{target[1:]}" />', ""
    page, hat, filename = target.partition("^")
    if hat:
        return _attachment(page, filename), ""
    page, _, anchor = target.partition("#")
    return (_page(page.strip()) if page.strip() else ""), anchor.strip()


def _page(written: str, content: str = "") -> str:
    key, colon, title = written.partition(":")
    if colon and not title and not content:
        return f'<ri:space ri:space-key="{escape(key)}" />'
    space, title = (f' ri:space-key="{escape(key)}"', title) if colon else ("", written)
    if posted := _POSTED.fullmatch(title):
        day, title = posted[1], posted[2]
        return f'<ri:blog-post{space} ri:content-title="{escape(title)}" ri:posting-day="{day}" />'
    return f'<ri:page{space} ri:content-title="{escape(title)}" />'


def _attachment(page: str, filename: str) -> str:
    named = f'ri:filename="{escape(filename.strip())}"'
    holder = _page(page.strip(), named) if page.strip() else ""
    return f"<ri:attachment {named}>{holder}</ri:attachment>" if holder else f"<ri:attachment {named} />"


def _image(written: str) -> str:
    source, _, rest = written.partition("|")
    attributes = {}
    for part in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = part.partition("=")
        if part == "thumbnail":
            attributes["ac:thumbnail"] = "true"
        elif equals and key.strip() in _SIZED:
            attributes[f"ac:{key.strip()}"] = value.strip().strip('"')
    if _SCHEME.match(source):
        resource = f'<ri:url ri:value="{escape(source)}" />'
    else:
        page, hat, filename = source.rpartition("^")
        resource = _attachment(page if hat else "", filename)
    written_attributes = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<ac:image{written_attributes}>{resource}</ac:image>"
