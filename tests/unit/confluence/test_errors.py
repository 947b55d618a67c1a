"""The error envelope, and the texts that clients recognise (S3.13)."""

from __future__ import annotations

import pytest

from watersmeet.confluence.errors import (
    BadBody,
    ContentNotFound,
    Forbidden,
    MalformedStorage,
    RestError,
    SpaceNotFound,
    TitleTaken,
    VersionConflict,
    envelope,
)


def test_the_envelope_is_the_original_s() -> None:
    assert envelope(ContentNotFound(954415933)) == {
        "statusCode": 404,
        "data": {
            "authorized": False,
            "valid": True,
            "allowedInReadOnlyMode": True,
            "errors": [],
            "successful": False,
        },
        "message": "No content found with id: ContentId{id=954415933}",
        "reason": "Not Found",
    }


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (TitleTaken("page", "Plan", "TST"), "watersmeet.title.taken"),
        (VersionConflict(7), "watersmeet.version.conflict"),
        (MalformedStorage("<b> is not closed", 1, 4), "watersmeet.malformed.storage"),
        (BadBody("No."), "watersmeet.bad.body"),
    ],
)
def test_what_is_not_acceptable_is_told_by_a_key_too(error: RestError, key: str) -> None:
    shown = envelope(error)
    assert shown["data"]["errors"] == [{"message": {"key": key, "args": [], "translation": shown["message"]}}]
    assert shown["data"]["valid"] is False


@pytest.mark.parametrize(
    ("error", "status", "reason", "message"),
    [
        (SpaceNotFound("TST"), 404, "Not Found", "No space with key : TST"),
        (
            VersionConflict(7),
            409,
            "Conflict",
            "Version must be incremented on update. Current version is: 7",
        ),
        (
            TitleTaken("page", "Plan", "TST"),
            400,
            "Bad Request",
            "A page with this title already exists: "
            "A page already exists with the title Plan in the space with key TST",
        ),
        (Forbidden("No."), 403, "Forbidden", "No."),
    ],
)
def test_status_reason_and_text(error: RestError, status: int, reason: str, message: str) -> None:
    shown = envelope(error)
    assert (shown["statusCode"], shown["reason"], shown["message"]) == (status, reason, message)


def test_the_private_detail_stays_private() -> None:
    assert "secret" not in str(envelope(RestError("Public.", detail="secret")))
