"""Attachments: their names, and what a browser may do with what they hold."""

from __future__ import annotations

import re

from watersmeet.confluence.content import File

MAX_MEDIA_TYPE = 255
OCTETS = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
# What says nothing of what it is: clients send these where they do not know.
_UNTOLD = frozenset({"", OCTETS, "application/binary", "binary/octet-stream", "application/unknown"})

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# What a browser shows and never runs. No SVG, HTML, XML or PDF: those have scripts (V: stored cross-site scripting).
_HARMLESS = _PICTURES | {
    "image/bmp", "image/avif", "text/plain", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm",
    "video/mp4", "video/ogg", "video/webm",
}  # fmt: skip


def base_name(sent: str) -> str:
    """The name of a file without the folders that some browsers send along (RFC 7578 §4.2); it may be empty."""
    name = re.split(r"[/\\]", sent)[-1].strip()
    return "" if name in (".", "..") else name


def media_type_of(sent: str, guessed: str | None) -> str:
    """The media type a client sent, without parameters; where that says nothing, the one guessed from the name."""
    plain = sent.partition(";")[0].strip().lower()
    told = plain if _MEDIA_TYPE.fullmatch(plain) and len(plain) <= MAX_MEDIA_TYPE else ""
    return (guessed or OCTETS) if told in _UNTOLD else told


def has_thumbnail(file: File) -> bool:
    """Whether small pictures are made of a file: it says that it is a picture, and begins as one."""
    return file.pictorial and file.media_type in _PICTURES


def is_harmless(media_type: str) -> bool:
    """Whether a browser may show a file of that type instead of downloading it."""
    return media_type in _HARMLESS
