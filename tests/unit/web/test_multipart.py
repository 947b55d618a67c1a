"""Multipart bodies as a stream: every cut, every limit, and no more held than a few pieces."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from watersmeet.web.multipart import MAX_FIELD, MAX_PARTS, MultipartReader, UnreadableMultipart, is_multipart

TYPE = "multipart/form-data; boundary=xyz"


def request(pieces: Iterable[bytes], content_type: str = TYPE) -> Request:
    waiting: Iterator[bytes] = iter(pieces)

    async def receive() -> Message:
        piece = next(waiting, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}
    return Request(scope, receive)


def part(header: str, value: bytes) -> bytes:
    return b"--xyz\r\nContent-Disposition: form-data; " + header.encode() + b"\r\n\r\n" + value + b"\r\n"


END = b"--xyz--\r\n"
FORM = (
    b"--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''a%20%C3%BC.png\r\n"
    b"CONTENT-TYPE: image/png\r\n\r\n\x89PNG\r\n--xy\r\n" + part('name="comment"', b" Gr\xc3\xbc\xc3\x9fe ") + END
)


async def read(pieces: Iterable[bytes], content_type: str = TYPE) -> list[tuple[str, str | None, str, bytes]]:
    return [
        (each.name, each.filename, each.media_type, b"".join([piece async for piece in each.pieces()]))
        async for each in MultipartReader(request(pieces, content_type))
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, len(FORM)])
def test_a_form_is_the_same_however_it_was_cut(size: int) -> None:
    pieces = [FORM[start : start + size] for start in range(0, len(FORM), size)]
    assert asyncio.run(read(pieces)) == [
        ("file", "a ü.png", "image/png", b"\x89PNG\r\n--xy"),
        ("comment", None, "", b" Gr\xc3\xbc\xc3\x9fe "),
    ]


def test_a_part_that_nobody_reads_is_passed_over_and_a_field_is_text() -> None:
    async def names_and_texts() -> list[str]:
        return [
            await each.text() if each.filename is None else each.name async for each in MultipartReader(request([FORM]))
        ]

    assert asyncio.run(names_and_texts()) == ["file", "Grüße"]


@pytest.mark.parametrize(
    ("pieces", "content_type"),
    [
        ([FORM], "multipart/form-data"),
        ([FORM], "multipart/mixed; boundary=xyz"),
        ([FORM], "multipart/form-data; boundary=" + "x" * 201),
        ([FORM[:-20]], TYPE),
        ([FORM.removesuffix(END)], TYPE),
        ([b"no form at all"], TYPE),
        ([], TYPE),
        ([part('filename="x"', b"") + END], TYPE),
        ([part('name="x"', b"") * (MAX_PARTS + 1) + END], TYPE),
        ([b"--xyz\r\n" + b"a: b\r\n" * 17 + b"\r\n\r\n" + END], TYPE),
        ([part(f'name="{"x" * 9000}"', b"") + END], TYPE),
    ],
)
def test_what_is_no_form_or_too_much_of_one_is_refused(pieces: list[bytes], content_type: str) -> None:
    with pytest.raises(UnreadableMultipart):
        asyncio.run(read(pieces, content_type))


def test_a_field_is_no_place_for_a_file() -> None:
    async def text() -> None:
        async for each in MultipartReader(request([part('name="comment"', b"x" * (MAX_FIELD + 1)) + END])):
            await each.text()

    with pytest.raises(UnreadableMultipart, match="at most"):
        asyncio.run(text())


def test_a_large_file_is_never_held() -> None:
    piece, count = b"x" * 65_536, 512  # 32 MiB

    def body() -> Iterator[bytes]:
        yield b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(count):
            yield piece
        yield b"\r\n" + END

    async def size() -> int:
        [total] = [
            sum([len(piece) async for piece in each.pieces()]) async for each in MultipartReader(request(body()))
        ]
        return total

    tracemalloc.start()
    try:
        assert asyncio.run(size()) == len(piece) * count
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_what_a_body_says_it_is() -> None:
    assert is_multipart(request([], "Multipart/Form-Data; boundary=x"))
    assert not is_multipart(request([], "application/json"))
