"""The developer pages: light, and in the reader's language."""

from __future__ import annotations

import re

import pytest

from tests.support.weight import BUDGET, weights
from watersmeet.testing import Server
from watersmeet.web.language import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path", ["/_dev/", "/_dev/?done=clock", "/_dev/playground", "/_dev/requests", "/_dev/callback?code=x"]
)
def test_a_page_weighs_at_most_30_kilobytes(watersmeet_server: Server, path: str, language: str) -> None:
    """What was recorded comes on top: a list of 200 requests is as long as it is."""
    page = watersmeet_server.request("GET", path, headers={"Accept-Language": language})
    assert (page.status, page.headers["content-language"]) == (200, language)
    found = weights(page.text, lambda address: watersmeet_server.request("GET", address).text)
    assert len(found) >= 7
    assert sum(found.values()) <= BUDGET, found


def test_reasons_are_told_in_the_reader_s_language_and_to_scripts_in_english(watersmeet_server: Server) -> None:
    tokens = watersmeet_server.authorize()
    watersmeet_server.advance(tokens.expires_in + 60)
    watersmeet_server.request("GET", "/rest/api/content", headers=tokens.headers)
    record = watersmeet_server.requests()[0]
    assert re.match("401: the access token expired 1 min", record["why"])
    for path in ("/_dev/requests", f"/_dev/requests/{record['id']}"):
        page = watersmeet_server.request("GET", path, headers={"Accept-Language": "de"}).text
        assert "401: das Zugriffstoken ist vor 1 min" in page
    told = watersmeet_server.request("GET", "/_dev/requests.json", headers={"Accept-Language": "de"}).json()
    assert told["requests"][0]["why"] == record["why"]
