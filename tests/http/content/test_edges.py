"""The protected API: requests that nobody means to send are answered, never with a 500."""

from __future__ import annotations

import pytest

from tests.http.conftest import Site

from .support import CONTENT, SPACE, draft


@pytest.mark.parametrize(
    "path",
    [
        f"{CONTENT}?spaceKey=%00",
        f"{CONTENT}?title=a%00b",
        f"{SPACE}/%00",
        f"{SPACE}?spaceKey=DEMO&spaceKey=%00",
        f"{CONTENT}?start=-1",
        f"{CONTENT}?type=blogpost&postingDay=yesterday",
        f"{CONTENT}/1?status=historical",
        f"{CONTENT}/1?version=two",
    ],
)
def test_a_query_that_means_nothing_is_400(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("name", ["abc", "-1", "1.0", "9" * 30, "٣", "att", "attatt1"])
def test_what_is_no_number_of_content_is_404(site: Site, name: str) -> None:
    answer = site.get(f"{CONTENT}/{name}")
    assert answer.status_code == 404
    assert answer.json()["message"] == f"No content found with id: ContentId{{id={name}}}"


@pytest.mark.parametrize("query", ["status=archived", "status=draft", "type=comment", "ids=x", "ids=999999,abc"])
def test_what_nothing_matches_is_an_empty_list(site: Site, query: str) -> None:
    answer = site.get(f"{CONTENT}?{query}")
    assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"[" * 100_000,
        b'{"type":"page","title":"\\ud800","space":{"key":"DEMO"}}',
        b'{"type":"page","title":"\\udc00","space":{"key":"DEMO"}}',
        b'{"type":"page","title":"a\\u0000b","space":{"key":"DEMO"}}',
        b'{"type":"page","title":"a","space":{"key":"\\u0000"}}',
        b'{"type":"page","title":"a","space":{"key":"DEMO"},"ancestors":[{"id":1e400}]}',
        b'{"type":"page","title":"a","space":{"key":"DEMO"},"ancestors":[{"id":[]}]}',
        b'{"type":"page","title":"a","space":{"key":"DEMO"},"ancestors":[{}]}',
        b'{"type":"page","title":"a","space":{"key":"DEMO"},"body":{"view":{"value":"x"}}}',
        b'{"type":"page","title":"a","space":{"key":"DEMO"},"status":"trashed"}',
    ],
)
def test_a_body_that_cannot_be_meant_is_400(site: Site, body: bytes) -> None:
    answer = site.post(CONTENT, content=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_huge_body_is_413(site: Site) -> None:
    body = {"storage": {"value": "x" * 6_000_000, "representation": "storage"}}
    assert site.post(CONTENT, json=draft("A page", body=body)).status_code == 413


def test_an_impossible_space_is_400(site: Site) -> None:
    for body in ({"key": "A-B", "name": "x"}, {"key": "AB"}, {"key": "AB", "name": "\0"}, {"name": "x"}):
        assert site.post(SPACE, json=body, user="admin").status_code == 400


def test_an_unknown_method_is_405_in_the_envelope(site: Site) -> None:
    answer = site.request("PATCH", CONTENT)
    assert (answer.status_code, answer.json()["statusCode"]) == (405, 405)


def test_numbers_may_be_sent_as_strings(site: Site) -> None:
    made = site.post(CONTENT, json=draft("Top")).json()
    child = site.post(CONTENT, json=draft("Child", ancestors=[{"id": int(made["id"])}])).json()
    assert [item["title"] for item in child["ancestors"]] == ["Top"]
    changed = site.put(f"{CONTENT}/att{child['id']}", json={"version": {"number": "2", "message": "m"}}).json()
    assert (changed["id"], changed["version"]["number"], changed["version"]["message"]) == (child["id"], 2, "m")


def test_a_read_token_writes_nothing(site: Site) -> None:
    for answer in (
        site.post(CONTENT, json=draft("A page"), scope="READ"),
        site.put(f"{CONTENT}/1", json={}, scope="READ"),
        site.delete(f"{CONTENT}/1", scope="READ"),
        site.post(SPACE, json={"key": "OPS", "name": "Operations"}, user="admin", scope="READ"),
    ):
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_a_start_beyond_every_list_is_an_empty_page(site: Site) -> None:
    for path in (CONTENT, SPACE):
        answer = site.get(f"{path}?start=99999999999999999999&limit=9999999999999999999999")
        assert (answer.status_code, answer.json()["results"]) == (200, []), path
        assert answer.json()["limit"] <= 1000, path
