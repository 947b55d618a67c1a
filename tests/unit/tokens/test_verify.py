"""Verification: the caller behind an access token."""


def test_nothing() -> None:
    assert True
