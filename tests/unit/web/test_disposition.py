"""Names of files on their way in and out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.web.disposition import disposition_header, disposition_parameters


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('form-data; name="file"; filename="a b+c%.png"', "a b+c%.png"),
        ('form-data; name="file"; filename="Grüße.txt"', "Grüße.txt"),
        ('form-data; name="file"; filename="a%22b.txt"', 'a"b.txt'),
        (r'form-data; name="file"; filename="a\"b;c.txt"', 'a"b;c.txt'),
        ("form-data; name=file; filename=plain.txt", "plain.txt"),
        ("form-data; name=\"file\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"),
        ('form-data; name="file"; filename="x"; filename*=utf-8\'de\'%e2%82%ac%20%25', "€ %"),
        ("form-data; name=\"file\"; filename*=ISO-8859-1''Gr%FC%DFe", "Grüße"),
        ('form-data; name="file"; filename="x"; filename*=utf-16\'\'%00', "x"),
        ('form-data; name="file"; filename=""', ""),
    ],
)
def test_names_come_in(header: str, name: str) -> None:
    assert disposition_parameters(header.encode()) == {"name": "file", "filename": name}


def test_a_part_without_a_file_has_no_file_name() -> None:
    assert disposition_parameters(b'form-data; name="comment"') == {"name": "comment"}


def test_names_go_out() -> None:
    assert disposition_header("a b+c.png", inline=True) == 'inline; filename="a b+c.png"'
    assert disposition_header('50% "ü".txt', inline=False) == (
        "attachment; filename=\"50_ ___.txt\"; filename*=UTF-8''50%25%20%22%C3%BC%22.txt"
    )


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_every_name_comes_back_and_ends_no_header(name: str) -> None:
    header = disposition_header(name, inline=False)
    assert header.isascii()
    assert header.isprintable()
    assert disposition_parameters(header.encode())["filename"] == name
