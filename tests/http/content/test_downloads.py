"""Downloads: the bytes of attachments, whole and in part, for tokens and for sessions, and never as a page."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.http.conftest import Site

from .support import CONTENT, create, path_of
from .test_attachments import NO_CHECK, attached

DATA = bytes(range(256)) * 3
TAG = f'"{hashlib.sha256(DATA).hexdigest()}"'


@pytest.fixture
def link(site: Site) -> str:
    """Where a file of 768 bytes is."""
    made = attached(site, create(site, "Plan"), "a b.png", DATA, type="image/png")
    return str(made["_links"]["download"])


def test_the_whole(site: Site, link: str) -> None:
    answer = site.get(link)
    assert (answer.status_code, answer.content) == (200, DATA)
    headers = answer.headers
    assert (headers["content-type"], headers["content-length"]) == ("image/png", "768")
    assert (headers["accept-ranges"], headers["etag"]) == ("bytes", TAG)
    assert headers["last-modified"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert headers["content-disposition"] == 'inline; filename="a b.png"'
    assert headers["cache-control"] == "private, no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == (
        "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'; sandbox"
    )
    assert headers["cross-origin-resource-policy"] == "same-origin"
    head = site.request("HEAD", link)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers.items() >= {name: headers[name] for name in ("content-length", "etag", "content-type")}.items()


PARTS: list[tuple[str, int, bytes, str | None]] = [
    ("bytes=0-9", 206, DATA[:10], "bytes 0-9/768"),
    ("bytes=760-", 206, DATA[760:], "bytes 760-767/768"),
    ("bytes=-8", 206, DATA[-8:], "bytes 760-767/768"),
    ("bytes=0-99999", 206, DATA, "bytes 0-767/768"),
    ("bytes=768-", 416, b"", "bytes */768"),
    ("bytes=-0", 416, b"", "bytes */768"),
    ("bytes=0-1,5-6", 200, DATA, None),
    ("lines=1-2", 200, DATA, None),
    ("bytes=9-1", 200, DATA, None),
]


def test_parts(site: Site, link: str) -> None:
    for wanted, status, data, content_range in PARTS:
        answer = site.get(link, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (status, data), wanted
        assert answer.headers.get("content-range") == content_range
        if status != 416:
            assert answer.headers["content-length"] == str(len(data))


def test_conditions(site: Site, link: str) -> None:
    def status(**headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return site.get(link, headers=sent).status_code

    when, before = "Fri, 15 Jan 2027 08:00:00 GMT", "Fri, 15 Jan 2027 07:59:59 GMT"
    assert status(if_none_match=TAG) == 304
    assert status(if_none_match=f'W/{TAG}, "other"') == 304
    assert status(if_none_match='"other"', if_modified_since=when) == 200
    assert status(if_modified_since=when) == 304
    assert status(if_modified_since=before) == 200
    assert status(if_match='"other"') == 412
    assert status(range="bytes=0-1", if_range=TAG) == 206
    assert status(range="bytes=0-1", if_range=when) == 206
    assert status(range="bytes=0-1", if_range='"other"') == 200
    known = site.get(link, headers={"If-None-Match": TAG})
    assert (known.content, known.headers["etag"], "content-type" in known.headers) == (b"", TAG, True)


def test_an_empty_file(site: Site) -> None:
    made = attached(site, create(site, "Plan"), "empty.txt", b"", type="text/plain")
    answer = site.get(made["_links"]["download"])
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert site.get(made["_links"]["download"], headers={"Range": "bytes=0-"}).status_code == 416


DANGEROUS = {
    "a.html": "text/html",
    "a.svg": "image/svg+xml",
    "a.xml": "application/xml",
    "a.xhtml": "application/xhtml+xml",
    "a.js": "text/javascript",
    "a.pdf": "application/pdf",
    "a.swf": "application/x-shockwave-flash",
    "a.mht": "multipart/related",
    "a.png": "image/svg+xml",
    "a.bin": "application/octet-stream",
}


def test_what_could_run_is_saved_and_never_shown(site: Site) -> None:
    page = create(site, "Plan")
    for name, media_type in DANGEROUS.items():
        made = attached(site, page, name, b"<script>alert(1)</script>", type=media_type)
        answer = site.get(made["_links"]["download"])
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["content-type"] == made["extensions"]["mediaType"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "thumbnail" not in made["_links"]


def test_text_is_shown_as_text(site: Site) -> None:
    made = attached(site, create(site, "Plan"), "größe.txt", b"<script>", type="text/plain")
    answer = site.get(made["_links"]["download"])
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"gr__e.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt"
    )
    saved = site.get(made["_links"]["download"] + "&download=true")
    assert saved.headers["content-disposition"].startswith("attachment; ")


def test_versions(site: Site) -> None:
    page = create(site, "Plan")
    made = attached(site, page, "a.txt", b"one")
    path = f"{path_of(page)}/child/attachment/{made['id']}/data"
    assert site.post(path, files={"file": ("a.txt", b"two")}, headers=NO_CHECK).status_code == 200
    address = f"/download/attachments/{page['id']}/a.txt"
    assert site.get(address).content == b"two"
    assert [site.get(f"{address}?version={number}").content for number in (1, 2)] == [b"one", b"two"]
    assert site.get(f"{address}?version=3").status_code == 404
    assert site.get(f"{address}?version=x").status_code == 400
    assert site.get(f"{address}?api=v2&modificationDate=1").content == b"two"


def test_a_plus_may_mean_a_space(site: Site) -> None:
    page = create(site, "Plan")
    attached(site, page, "a b.txt", b"space")
    address = f"/download/attachments/{page['id']}"
    assert site.get(f"{address}/a+b.txt").content == b"space"
    attached(site, page, "a+b.txt", b"plus")
    assert site.get(f"{address}/a+b.txt").content == b"plus"
    assert site.get(f"{address}/c+d.txt").status_code == 404


def test_who_may(site: Site, link: str) -> None:
    assert site.get(link, user="viewer").status_code == 200
    without = site.client.get(link)
    assert without.status_code == 401
    assert without.json()["statusCode"] == 401
    assert any("Bearer" in value for value in without.headers.get_list("www-authenticate"))
    wrong = site.client.get(link, headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (401, "application/json;charset=UTF-8")


def test_people_with_a_session(site: Site, link: str) -> None:
    browser = site.signed_in("alice")
    answer = browser.get(link)
    assert (answer.status_code, answer.content) == (200, DATA)
    # A token that is no good is not made good by a session.
    assert browser.get(link, headers={"Authorization": "Bearer wrong"}).status_code == 401
    page = create(site, "Secret")
    made = attached(site, page, "a.txt", b"secret")
    kept = {"operation": "read", "restrictions": {"user": [{"type": "known", "username": "alice"}], "group": []}}
    assert site.put(f"{path_of(page)}/restriction", json=[kept]).status_code == 200
    assert site.signed_in("alice").get(made["_links"]["download"]).content == b"secret"
    assert site.signed_in("viewer").get(made["_links"]["download"]).status_code == 404


def test_a_browser_is_led_to_the_sign_in_and_back(site: Site, link: str) -> None:
    answer = site.new_browser().get(link, headers={"Accept": "text/html,application/xhtml+xml"})
    assert answer.status_code in (302, 303)
    assert answer.headers["location"].startswith("/login.action?os_destination=%2Fdownload%2Fattachments%2F")


def test_nothing_else_takes_a_session(site: Site, link: str) -> None:
    browser = site.signed_in("alice")
    assert browser.get(CONTENT).status_code == 401
    assert browser.post(link).status_code == 405


def test_bytes_that_are_lost(site: Site, link: str) -> None:
    for file in Path(site.environment.settings.blob_store).rglob("*"):
        if file.is_file():
            file.unlink()
    answer = site.get(link)
    assert (answer.status_code, answer.json()["message"].startswith("The file is lost")) == (500, True)


def test_what_is_not_there(site: Site) -> None:
    for address in ("x/a.txt", "999999/a.txt", "1/none", "1/a%00b", "9" * 30 + "/a"):
        for kind in ("attachments", "thumbnails"):
            answer = site.get(f"/download/{kind}/{address}")
            assert answer.status_code in (400, 404)
            assert answer.json()["message"]
