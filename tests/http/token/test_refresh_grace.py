"""The setting refresh_grace_seconds over HTTP, and what the log says of a probable lost response."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site, SiteFactory


def test_s111_the_same_answer_again_within_the_grace(site_under: SiteFactory) -> None:
    site = site_under(refresh_grace_seconds=2)
    first = site.tokens()
    second = site.refresh(first["refresh_token"])
    site.clock.advance(1.9)
    again = site.refresh(first["refresh_token"])
    assert (again.status_code, again.content) == (200, second.content)
    assert site.bearer(again.json()["access_token"]).status_code == 200
    site.clock.advance(0.2)
    assert site.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.bearer(second.json()["access_token"]).status_code == 401


def test_n10_the_log_names_a_probable_lost_response(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    lost, used = site.tokens(), site.tokens("bob")
    site.refresh(lost["refresh_token"])
    site.refresh(site.refresh(used["refresh_token"]).json()["refresh_token"])
    capsys.readouterr()
    for tokens, why in ((lost, "reuse after lost response?"), (used, "used twice")):
        assert site.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert why in "".join(capsys.readouterr())
