"""Thumbnails: small pictures of pictures, bounded whatever a file says of itself."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.http.conftest import Site
from watersmeet.content.picture_head import MAX_HEAD, is_of_a_picture
from watersmeet.content.picture_work import MAX_SCANS
from watersmeet.content.thumbnail import MAX_FILE, MAX_SIDE, draw

from .support import create
from .test_attachments import attached


def picture(kind: str, size: tuple[int, int] = (900, 600), mode: str = "RGB", **more: object) -> bytes:
    into = BytesIO()
    Image.new(mode, size, "red").save(into, kind, **more)
    return into.getvalue()


@pytest.mark.parametrize(
    ("kind", "media_type", "drawn"),
    [
        ("PNG", "image/png", "PNG"),
        ("JPEG", "image/jpeg", "JPEG"),
        ("GIF", "image/gif", "PNG"),
        ("WEBP", "image/webp", "PNG"),
    ],
)
def test_a_picture(site: Site, kind: str, media_type: str, drawn: str) -> None:
    made = attached(site, create(site, "Plan"), "a b.pic", picture(kind), type=media_type)
    answer = site.get(made["_links"]["thumbnail"])
    assert answer.status_code == 200, answer.text
    small = Image.open(BytesIO(answer.content))
    assert (small.format, small.size) == (drawn, (300, 200))
    assert answer.headers["content-type"] == f"image/{drawn.lower()}"
    assert "sandbox" in answer.headers["content-security-policy"]
    again = site.get(
        made["_links"]["thumbnail"], headers={"If-None-Match": answer.headers["etag"], "Range": "bytes=0-1"}
    )
    assert (again.status_code, again.content) == (304, b"")
    whole = site.get(made["_links"]["download"])
    assert whole.headers["etag"] != answer.headers["etag"]
    browser = site.signed_in("viewer")
    assert browser.get(made["_links"]["thumbnail"]).content == answer.content
    assert site.client.get(made["_links"]["thumbnail"]).status_code == 401


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": Image.Exif()}),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (900, 600)])
def test_a_picture_is_known_by_its_head(kind: str, more: dict[str, Any], size: tuple[int, int]) -> None:
    data = picture(kind, size, **more)
    assert is_of_a_picture(data[:MAX_HEAD], len(data))
    assert not is_of_a_picture(data[:MAX_HEAD], MAX_FILE + 1)
    assert not is_of_a_picture(data[1:], len(data))


def test_a_gif_of_too_many_pixels_is_none() -> None:
    data = picture("GIF", (10, 10))
    large = data[:6] + struct.pack("<HH", 5000, 5000) + data[10:]
    assert not is_of_a_picture(large, len(large))


def test_a_jpeg_is_believed_where_its_head_does_not_say() -> None:
    data = picture("JPEG", (300, 200))
    for end in range(3, len(data)):
        assert is_of_a_picture(data[:end], len(data))
    frame = data.index(b"\xff\xc0") + 5
    large = data[:frame] + b"\xff\xff\xff\xff" + data[frame + 4 :]
    assert not is_of_a_picture(large, len(large))
    assert not is_of_a_picture(data[1:], len(data))


def test_what_is_no_picture_has_none(site: Site) -> None:
    page = create(site, "Plan")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for name, data, media_type in (
        ("a.svg", svg, "image/svg+xml"),
        ("b.png", svg, "image/png"),
        ("c.png", picture("PNG")[:200], "image/png"),
        ("d.txt", picture("PNG"), "text/plain"),
        ("e.png", picture("BMP"), "image/png"),
        ("f.png", b"", "image/png"),
        ("g.png", bomb(5000, 5000), "image/png"),
    ):
        made = attached(site, page, name, data, type=media_type)
        assert ("thumbnail" in made["_links"]) is (name == "c.png"), name  # broken behind its head, which nobody reads
        answer = site.get(f"/download/thumbnails/{page['id']}/{name}")
        assert (answer.status_code, answer.json()["message"]) == (404, "There is no thumbnail of this file.")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has that many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(1024))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("sides", [(4001, 4000), (50_000, 50_000), (2**31 - 1, 2**31 - 1), (1, 2**31 - 1)])
def test_bombs_are_not_decoded(sides: tuple[int, int]) -> None:
    assert draw(bomb(*sides)) is None


def test_a_large_photograph_is_decoded_small() -> None:
    drawn = draw(picture("JPEG", (6000, 4000)))
    assert drawn is not None
    assert Image.open(BytesIO(drawn.data)).size == (300, 200)
    assert draw(picture("JPEG", (8000, 5001), "L")) is None


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes until there are that many."""
    data = picture("JPEG", (64, 64), progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (count - data.count(b"\xff\xda")) + data[-2:]


def test_a_photograph_of_many_scans_is_not_decoded() -> None:
    assert draw(with_scans(MAX_SCANS)) is not None
    assert draw(with_scans(MAX_SCANS + 1)) is None
    # Where decoders see a marker, so must we: behind fill bytes, a stuffed zero, a restart, what no segment has.
    for noise in (b"\xff\xff\xff", b"\xff\x00", b"\xff\xd3", b"\xff\x02\xff", b"\xff\xbf\xff"):
        data = with_scans(MAX_SCANS + 1)
        assert draw(data.replace(b"\xff\xda", noise + b"\xff\xda")) is None


def test_what_only_looks_like_scans_is_none() -> None:
    comment = b"\xff\xfe\x01\x02" + b"\xff\xda" * 128
    data = picture("JPEG", (64, 64))
    assert draw(data[:2] + comment + data[2:]) is not None
    assert draw(data + b"\xff\xda" * 1_000) is not None  # phones keep a film behind the picture


def test_a_picture_of_many_small_parts_is_not_decoded() -> None:
    data = picture("JPEG", (64, 64))
    exif = b"\xff\xe1\x00\x12Exif\x00\x00" + bytes(10)
    assert draw(data[:2] + exif * 1_000_000 + data[2:]) is None
    frame = picture("GIF", (64, 64))
    start = frame.index(b",", 13 + (3 << (frame[10] & 7) + 1))
    comment = b"!\xfe\x01x\x00"
    assert draw(frame[:start] + comment * 1_000 + frame[start:]) is not None
    assert draw(frame[:start] + comment * 4_000_000 + frame[start:]) is None
    assert draw(frame[:start] + b"!\xfe" + b"\xff" * 256 * 80_000 + b"\x00" + frame[start:]) is None


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_only_the_first_frame_is_decoded(kind: str) -> None:
    frames = [Image.new("RGB", (40, 20), colour) for colour in ("red", "green", "blue")]
    into = BytesIO()
    frames[0].save(into, kind, save_all=True, append_images=frames[1:], duration=100)
    assert getattr(Image.open(BytesIO(into.getvalue())), "n_frames", 1) == 3
    drawn = draw(into.getvalue())
    assert drawn is not None
    red, green, blue = Image.open(BytesIO(drawn.data)).convert("RGB").tobytes()[:3]
    assert (red > 200, green > 200, blue > 200) == (True, False, False)


def test_a_photograph_is_turned_and_tells_nothing_more() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    drawn = draw(picture("JPEG", exif=exif))
    assert drawn is not None
    small = Image.open(BytesIO(drawn.data))
    assert (small.size, dict(small.getexif())) == ((200, 300), {})
    assert b"taken at home" not in drawn.data


def test_small_and_transparent_pictures_stay_so() -> None:
    drawn = draw(picture("PNG", (20, 10), "RGBA"))
    assert drawn is not None
    small = Image.open(BytesIO(drawn.data))
    assert (small.size, small.mode) == ((20, 10), "RGBA")
    drawn = draw(picture("PNG", (1, 4000)))
    assert drawn is not None
    assert Image.open(BytesIO(drawn.data)).size == (1, MAX_SIDE)


def test_the_library_is_imported_when_the_first_is_drawn() -> None:
    code = "import sys, watersmeet.app; print([name for name in sys.modules if name.split('.')[0] == 'PIL'])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
