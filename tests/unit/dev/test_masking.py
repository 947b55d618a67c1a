"""Credentials are shortened wherever they stand."""

from __future__ import annotations

import pytest

from watersmeet.dev.masking import masked, masked_headers

SECRET = "abcdEFGHijklMNOP"


@pytest.mark.parametrize(
    "text",
    [
        f"grant_type=x&client_secret={SECRET}&a=b",
        f"code={SECRET}",
        f"/path?code={SECRET}&state=1",
        f'{{"access_token":"{SECRET}","b":1}}',
        f'{{\n  "refresh_token": "{SECRET}"\n}}',
        f"password={SECRET}",
    ],
)
def test_in_queries_forms_and_json(text: str) -> None:
    assert masked(text) == text.replace(SECRET, "abcd…MNOP")


def test_what_is_short_disappears() -> None:
    assert masked("code=1234&username=alice") == "code=…&username=alice"


def test_what_is_no_credential_stays() -> None:
    text = "state=abcdEFGHijklMNOP&scope=READ&decode=abcdEFGHijklMNOP"
    assert masked(text) == text


def test_in_headers() -> None:
    headers = [
        ("authorization", f"Bearer {SECRET}"),
        ("cookie", f"a={SECRET}; b=1"),
        ("set-cookie", f"a={SECRET}; Path=/; HttpOnly"),
        ("location", f"https://app.example/cb?code={SECRET}"),
        ("accept", "*/*"),
    ]
    assert masked_headers(headers) == [
        ("authorization", "Bearer abcd…MNOP"),
        ("cookie", "a=abcd…MNOP; b=…"),
        ("set-cookie", "a=abcd…MNOP; Path=/; HttpOnly"),
        ("location", "https://app.example/cb?code=abcd…MNOP"),
        ("accept", "*/*"),
    ]
