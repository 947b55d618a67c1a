"""What a request for a file gets of it (RFC 9110 §13, §14)."""

from __future__ import annotations

import pytest

from watersmeet.web.byte_range import Portion, Stored, portion

FILE = Stored(100, "ab", 1_800_000_000_500)
WHOLE = Portion(200, 0, 100)
BEFORE, SAME, AFTER = (
    "Fri, 15 Jan 2027 07:59:59 GMT",
    "Fri, 15 Jan 2027 08:00:00 GMT",
    "Fri, 15 Jan 2027 08:00:01 GMT",
)


def test_the_date_is_in_whole_seconds() -> None:
    assert FILE.last_modified == SAME
    assert FILE.etag == '"ab"'


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-0", Portion(206, 0, 1)),
        ("bytes=0-", Portion(206, 0, 100)),
        ("bytes=90-", Portion(206, 90, 100)),
        ("bytes=90-1000", Portion(206, 90, 100)),
        ("bytes=-1", Portion(206, 99, 100)),
        ("bytes=-1000", Portion(206, 0, 100)),
        ("Bytes= 5-9 ", Portion(206, 5, 10)),
        ("bytes=100-", Portion(416)),
        ("bytes=-0", Portion(416)),
        ("bytes=9-5", WHOLE),
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=٣-", WHOLE),
        ("bytes=" + "9" * 19 + "-", WHOLE),
        ("lines=0-1", WHOLE),
    ],
)
def test_ranges(wanted: str, expected: Portion) -> None:
    assert portion({"range": wanted}, FILE) == expected


def test_no_range_of_nothing_can_be_satisfied() -> None:
    assert portion({"range": "bytes=0-"}, Stored(0, "ab", 0)) == Portion(416)
    assert portion({}, Stored(0, "ab", 0)) == Portion(200, 0, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": '"ab"'}, 304),
        ({"if-none-match": 'W/"ab"'}, 304),
        ({"if-none-match": '"x", "ab"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"'}, 200),
        ({"if-none-match": "ab"}, 200),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, 200),  # the tag decides
        ({"if-modified-since": SAME}, 304),
        ({"if-modified-since": AFTER}, 304),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-match": '"ab"'}, 200),
        ({"if-match": 'W/"ab"'}, 412),
        ({"if-match": '"x"'}, 412),
        ({"if-match": "*"}, 200),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": SAME}, 200),
        ({"if-match": '"x"', "if-none-match": '"ab"'}, 412),
        ({"if-none-match": '"ab"', "range": "bytes=0-0"}, 304),
    ],
)
def test_conditions(headers: dict[str, str], status: int) -> None:
    assert portion(headers, FILE).status == status


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"ab"', 206), ('W/"ab"', 200), ('"x"', 200), (SAME, 206), (AFTER, 200), (BEFORE, 200)],
)
def test_a_range_of_what_has_changed_is_answered_with_the_whole(condition: str, status: int) -> None:
    assert portion({"range": "bytes=0-0", "if-range": condition}, FILE).status == status
