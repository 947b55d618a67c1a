"""The head of a file: whether it is that of a picture which thumbnails are made of, seen when the file comes.

So that nobody is offered a thumbnail of what only calls itself a picture, or of one that is too large. A picture that
is broken further behind is offered one and has none.
"""

from __future__ import annotations

import re

from watersmeet.content.thumbnail import MAX_FILE, MAX_PIXELS, MAX_PIXELS_JPEG

MAX_HEAD = 64 * 1024
"""How many of its first bytes are looked at: cameras write their notes before the size."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_MOST_SEGMENTS = 100
# Start of frame, whose kinds are numbered around the tables for Huffman codes, arithmetic codes and extensions.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEGMENT = re.compile(rb"\xff+([\x01-\xfe])", re.DOTALL)


def is_of_a_picture(head: bytes, size: int) -> bool:
    """Whether these are the first bytes of a picture within the bounds of ``thumbnail``; it has ``size`` bytes in all.

    A JPEG that says nothing of its size so early is believed to be within them.
    """
    if not 0 < size <= MAX_FILE:
        return False
    if head.startswith(_JPEG):
        sides = _jpeg_sides(head)
        return sides is None or 0 < sides[0] * sides[1] <= MAX_PIXELS_JPEG
    sides = _sides(head)
    return sides is not None and 0 < sides[0] * sides[1] <= MAX_PIXELS


def _sides(head: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF or WebP; ``None`` of anything else."""
    if head.startswith(_PNG) and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[:6] in (b"GIF87a", b"GIF89a") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30:
        return _webp_sides(head)
    return None


def _webp_sides(head: bytes) -> tuple[int, int] | None:
    match head[12:16]:
        case b"VP8 ":
            return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case _:
            return None


def _jpeg_sides(head: bytes) -> tuple[int, int] | None:
    """Width and height, from marker to marker; ``None`` where the head does not say."""
    position = 2
    for _ in range(_MOST_SEGMENTS):
        found = _SEGMENT.match(head, position)
        if not found or len(head) < found.end() + 7:
            return None
        if found[1][0] in _FRAMES:
            start = found.end()
            return int.from_bytes(head[start + 5 : start + 7], "big"), int.from_bytes(
                head[start + 3 : start + 5], "big"
            )
        position = found.end() + int.from_bytes(head[found.end() : found.end() + 2], "big")
    return None
