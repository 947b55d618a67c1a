"""Thumbnails: small pictures of pictures, whose files may come from anybody."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from watersmeet.content import picture_work

if TYPE_CHECKING:
    from PIL import Image

MAX_FILE = 32 * 1024 * 1024  # bytes
MAX_SIDE = 300  # pixels
# What is decoded at most, in pixels of 4 bytes; a JPEG is decoded at an eighth of its sides, but held whole before.
MAX_PIXELS = 16_000_000
MAX_PIXELS_JPEG = 40_000_000

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")  # nothing else is even looked at


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture, and its media type."""

    data: bytes
    media_type: str


def draw(data: bytes) -> Thumbnail | None:
    """The thumbnail of a picture; ``None`` of what is none, is broken, or asks for more than it is good for.

    It takes long, and up to 4 bytes a pixel: one at a time, on a thread of its own.
    """
    if not picture_work.is_bounded(data):
        return None
    # Imported here because few processes ever draw one (docs/decisions/0004).
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            return _small(picture) if _is_bounded(picture) else None
    except Exception:  # whatever a file does to its decoder: it has no thumbnail
        return None


def _is_bounded(picture: Image.Image) -> bool:
    """Whether a picture of which only the head was read may be decoded."""
    if picture.format == "JPEG":
        within = picture.width * picture.height <= MAX_PIXELS_JPEG
        picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
        return within and picture.width * picture.height <= MAX_PIXELS
    return picture.width * picture.height <= MAX_PIXELS


def _small(picture: Image.Image) -> Thumbnail:
    from PIL import ImageOps

    kind = "JPEG" if picture.format == "JPEG" else "PNG"
    turned = ImageOps.exif_transpose(picture)  # as its camera was held
    small = turned.convert("RGB" if kind == "JPEG" else "RGBA")
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    small.info.clear()  # where it was taken, and by whom, is nobody's business
    into = BytesIO()
    small.save(into, kind)
    return Thumbnail(into.getvalue(), f"image/{kind.lower()}")
