"""Picture work: what the file of a picture asks of its decoder besides its pixels, known before it is decoded.

A JPEG may go over the same pixels in as many scans as its author likes, and Pillow appends the comments of a GIF and
the Exif parts of a JPEG one by one, so that many of them cost the square of their number.
"""

from __future__ import annotations

import re

MAX_SCANS = 50  # cameras and programs write about ten
MAX_SEGMENTS = 500
MAX_GIF_HEAD = 256 * 1024  # bytes before the first frame: a colour profile, a few comments

_JPEG, _GIF = b"\xff\xd8", b"GIF8"
_SCAN, _START, _END = 0xDA, 0xD8, 0xD9
# A stuffed zero, a restart and what is below 0xC0 are markers of no segment: decoders go on right behind them.
_SEGMENT = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")


def is_bounded(data: bytes) -> bool:
    """Whether a file asks for no more than pictures do. Of other formats only the first frame is ever read."""
    if data.startswith(_JPEG):
        return _is_bounded_jpeg(data)
    return _is_bounded_gif(data) if data.startswith(_GIF) else True


def _is_bounded_jpeg(data: bytes) -> bool:
    """As decoders do, from marker to marker up to the end of the picture; what is within a segment is no marker."""
    scans, position = 0, len(_JPEG)
    for _ in range(MAX_SEGMENTS):
        found = _SEGMENT.search(data, position)
        if not found or found[1][0] == _END:
            return True
        position, marker = found.end(), found[1][0]
        scans += marker == _SCAN
        if scans > MAX_SCANS:
            return False
        if marker != _START:
            position += int.from_bytes(data[position : position + 2], "big")
    return False


def _is_bounded_gif(data: bytes) -> bool:
    """Whether the first frame is within the first bytes, past the extensions that may come before it."""
    position = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 0x80 else 0)
    while position < min(len(data), MAX_GIF_HEAD) and data[position] != ord(","):
        if data[position] != ord("!"):
            position += 1
            continue
        position += 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    return position < MAX_GIF_HEAD
