"""``Content-Disposition``: the name of a file on its way in (RFC 7578, RFC 5987) and out (RFC 6266)."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

# A quoted string as RFC 9110 has it; browsers write %22 for a quote in it, other clients a backslash.
_PARAMETER = re.compile(r';[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)", re.IGNORECASE)


def disposition_parameters(header: bytes) -> dict[str, str]:
    """The parameters of a part's header, by lower-case name; ``filename*`` wins over ``filename``.

    RFC 7578 forbids ``filename*`` in forms, yet clients of the original send it alone for names beyond ASCII.
    """
    text = header.decode("utf-8", "replace")
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(text):
        found.setdefault(name.lower(), re.sub(r'\\(["\\])', r"\1", quoted) if quoted else bare)
    extended = _EXTENDED.fullmatch(found.pop("filename*", ""))
    if extended:
        found["filename"] = unquote_to_bytes(extended[2]).decode(extended[1], "replace")
    elif "filename" in found:
        found["filename"] = found["filename"].replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
    return found


def disposition_header(name: str, *, inline: bool) -> str:
    """The header for a download: an approximation in ASCII, and the name itself in UTF-8 where they differ."""
    kind = "inline" if inline else "attachment"
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
